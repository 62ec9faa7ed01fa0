//! Authentic timestamp: the signature was made while every certificate of its chain was valid.
//!
//! Follows *signing-and-verification-workflow*, Verify authentic timestamp. Under `notary.x509` the time is proven by a
//! time stamp token or, where the policy asks for none, taken to be now; under `notary.x509.signingAuthority` the signing
//! authority vouches for it. Both ends of a validity period belong to it, the root's counts too.
//!
//! Time stamp tokens are not read yet: where the policy demands one, the answer is that it cannot be decided.

use time::OffsetDateTime;

use super::Lacking;
use super::case::Case;
use super::outcome::{Countersignature, instant};
use crate::envelope::VerifiedEnvelope;
use crate::failure::{Code, Failure, quote};
use crate::pki::Chain;
use crate::policy::{Statement, VerifyTimestamp};
use crate::trust_store::StoreType;

/// Checks the validity of the chain at the time that counts for this signature.
pub(super) fn check(
    envelope: &VerifiedEnvelope,
    case: &Case<'_>,
    lacking: &mut Lacking,
) -> (Result<(), Failure>, Option<Countersignature>) {
    let Case { statement, at, .. } = *case;
    let _ = lacking;
    let chain = &envelope.chain;
    if let Some(time) = envelope.signer.authentic_signing_time() {
        return (valid_at(chain, time), None);
    }
    if demands_token(chain, statement, at) {
        let message = format!("statement {} demands a time stamp, and there is none", quote(&statement.name));
        return (Err(Failure::new(Code::TimestampMissing, message)), None);
    }
    (valid_at(chain, at), None)
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
