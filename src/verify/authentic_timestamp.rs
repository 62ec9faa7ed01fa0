//! Authentic timestamp: the signature was made while every certificate of its chain was valid.
//!
//! Follows *signing-and-verification-workflow*, Verify authentic timestamp. Under `notary.x509` the time is proven by a
//! time stamp token or, where the policy asks for none, taken to be now; under `notary.x509.signingAuthority` the signing
//! authority vouches for it. Both ends of a validity period belong to it, the root's counts too.
//!
//! Time stamp tokens are not read yet: where the policy demands one, the answer is that it cannot be decided.

use time::OffsetDateTime;

use super::outcome::instant;
use crate::envelope::VerifiedEnvelope;
use crate::failure::{Code, Failure, quote};
use crate::pki::Chain;
use crate::policy::{Statement, VerifyTimestamp};
use crate::trust_store::StoreType;

/// Checks the validity of the chain at the time that counts for this signature.
pub(super) fn check(envelope: &VerifiedEnvelope, statement: &Statement, at: OffsetDateTime) -> Result<(), Failure> {
    let chain = &envelope.chain;
    if let Some(time) = envelope.signer.authentic_signing_time() {
        return valid_at(chain, time);
    }
    if demands_token(chain, statement, at) {
        return Err(Failure::new(
            Code::TimestampUnsupported,
            format!(
                "statement {} demands a time stamp here, and time stamps are not supported yet",
                quote(&statement.name)
            ),
        ));
    }
    valid_at(chain, at)
}

fn demands_token(chain: &Chain, statement: &Statement, at: OffsetDateTime) -> bool {
    let names_tsa = statement.trust_stores.iter().any(|name| name.kind() == StoreType::Tsa);
    names_tsa
        && match statement.verify_timestamp {
            VerifyTimestamp::Always => true,
            VerifyTimestamp::AfterCertExpiry => chain.certificates().iter().any(|c| at > c.not_after()),
        }
}

fn valid_at(chain: &Chain, time: OffsetDateTime) -> Result<(), Failure> {
    for certificate in chain.certificates() {
        let (from, until) = (certificate.not_before(), certificate.not_after());
        let (code, bound) = if time < from {
            (Code::CertificateNotYetValid, format!("is valid from {}, after", instant(from)))
        } else if time > until {
            (Code::CertificateExpired, format!("was valid until {}, before", instant(until)))
        } else {
            continue;
        };
        let subject = quote(certificate.subject_text());
        return Err(Failure::new(code, format!("certificate {subject} {bound} {}", instant(time))));
    }
    Ok(())
}
