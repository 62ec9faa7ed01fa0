//! Authentic timestamp: the signature was made while every certificate of its chain was valid.
//!
//! Follows *signing-and-verification-workflow*, Verify authentic timestamp. Under `notary.x509` the time is proven by a
//! time stamp token or, where the policy asks for none, taken to be now; under `notary.x509.signingAuthority` the signing
//! authority vouches for it. Both ends of a validity period belong to it, the root's counts too.
//!
//! Where a token is asked for, it has to hold: nothing falls back to now. The certificates of the time stamping authority
//! must not be revoked, whatever the policy says of revocation.

use time::OffsetDateTime;

use super::context::Context;
use super::outcome::{CertificateFacts, Countersignature};
use super::pending::Gathered;
use super::revocation::decisive;
use crate::envelope::VerifiedEnvelope;
use crate::failure::{Code, Failure, quote};
use crate::limits;
use crate::pki::{Certificate, Chain};
use crate::policy::{Statement, VerifyTimestamp};
use crate::revocation::{CertificateStatus, Status, evaluate, without_asking};
use crate::rfc3339::instant;
use crate::timestamp::{self, VerifiedTimestamp};
use crate::trust_store::{NamedStore, StoreType, TrustStores};

/// Checks the validity of the chain at the time that counts for this signature; `trusted` says that the chain leads to a
/// trust store, so that what its time stamp names may be asked.
pub(super) fn check(
    envelope: &VerifiedEnvelope,
    context: &Context<'_>,
    trusted: bool,
    pending: &mut Gathered,
) -> (Result<(), Failure>, Option<Countersignature>) {
    let Context { statement, at, .. } = *context;
    let chain = &envelope.chain;
    if let Some(time) = envelope.signer.authentic_signing_time() {
        return (valid_at(chain, time, time), None);
    }
    if !demands_token(chain, statement, at) {
        return (valid_at(chain, at, context.present()), None);
    }
    let stamp = match verified(envelope, statement, &context.options.stores) {
        Ok(stamp) => stamp,
        Err(failure) => return (Err(failure), None),
    };
    let mut found = Countersignature {
        at: stamp.gen_time,
        accuracy: stamp.accuracy,
        subject: stamp.authority().subject_text().to_owned(),
        certificates: CertificateFacts::of(&stamp.chain),
        revocation: Vec::new(),
    };
    let result = not_from_future(&stamp, context.present())
        .and_then(|()| stamp.check_within(chain.certificates()))
        .and_then(|()| {
            let Context { answers, options, .. } = *context;
            // Of an untrusted chain not even recorded answers count: they were fetched for another signature.
            found.revocation = if trusted {
                let evaluation = evaluate(&stamp.chain, answers.revocation, &options.caches.answers, at, None);
                pending.add(&evaluation);
                evaluation.certificates
            } else {
                without_asking(&stamp.chain)
            };
            not_revoked(&found.revocation)
        });
    (result, Some(found))
}

/// The time stamp of the envelope, made by an authority of the `tsa` stores.
fn verified(
    envelope: &VerifiedEnvelope,
    statement: &Statement,
    stores: &TrustStores,
) -> Result<VerifiedTimestamp, Failure> {
    let Some(token) = &envelope.signer.timestamp_token else {
        let message = format!("statement {} demands a time stamp, and there is none", quote(&statement.name));
        return Err(Failure::new(Code::TimestampMissing, message));
    };
    let named = statement.trust_stores.iter().filter(|name| name.kind() == StoreType::Tsa);
    // One store that cannot be used fails the validation even where another holds the root, as for authenticity.
    let stores: Vec<&NamedStore> = named.map(|name| stores.get(name)).collect::<Result<_, _>>()?;
    let roots: Vec<&Certificate> = stores.iter().flat_map(|store| store.certificates()).collect();
    timestamp::verify(token, &envelope.signer.signature, &roots)
}

fn not_from_future(stamp: &VerifiedTimestamp, at: OffsetDateTime) -> Result<(), Failure> {
    let latest = at.checked_add(limits::TIMESTAMP_SKEW.try_into().unwrap_or_default());
    if latest.is_none_or(|latest| stamp.gen_time <= latest) {
        return Ok(());
    }
    let message = format!("the time stamp is of {}, which lies ahead of {}", instant(stamp.gen_time), instant(at));
    Err(Failure::new(Code::TimestampFromFuture, message))
}

fn not_revoked(certificates: &[CertificateStatus]) -> Result<(), Failure> {
    let Some((decisive, what)) = decisive(certificates) else { return Ok(()) };
    let code = match decisive.status {
        Status::Revoked { .. } => Code::TimestampRevoked,
        Status::Unavailable => Code::RevocationUnavailable,
        _ => Code::TimestampRevocationUnknown,
    };
    let (subject, message) = (quote(&decisive.subject), &decisive.message);
    Err(Failure::new(code, format!("certificate {subject} of the time stamping authority {what}: {message}")))
}

fn demands_token(chain: &Chain, statement: &Statement, at: OffsetDateTime) -> bool {
    let names_tsa = statement.trust_stores.iter().any(|name| name.kind() == StoreType::Tsa);
    names_tsa
        && match statement.verify_timestamp {
            VerifyTimestamp::Always => true,
            VerifyTimestamp::AfterCertExpiry => chain.certificates().iter().any(|c| at > c.not_after()),
        }
}

/// Checks that every certificate is valid at `time`; its period may have begun until `present`, which is not before `time`.
fn valid_at(chain: &Chain, time: OffsetDateTime, present: OffsetDateTime) -> Result<(), Failure> {
    for certificate in chain.certificates() {
        let (from, until) = (certificate.not_before(), certificate.not_after());
        let (code, bound) = if present < from {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e15_one_revoked_certificate_of_the_authority_decides() {
        let status = |status| CertificateStatus {
            subject: "CN=stamper".to_owned(),
            status,
            message: "so it is".to_owned(),
            servers: Vec::new(),
        };
        let code = |found: &[Status]| {
            let found: Vec<_> = found.iter().copied().map(status).collect();
            not_revoked(&found).err().map(|failure| failure.code)
        };
        let revoked = Status::Revoked { since: OffsetDateTime::UNIX_EPOCH };
        use Status::{Good, NotCheckable, Unavailable, Unknown};
        assert_eq!(code(&[Good, Good, NotCheckable]), None);
        assert_eq!(code(&[Unavailable, Unknown, revoked, NotCheckable]), Some(Code::TimestampRevoked));
        assert_eq!(code(&[Unavailable, Unknown, NotCheckable]), Some(Code::TimestampRevocationUnknown));
        assert_eq!(code(&[Good, Unavailable, NotCheckable]), Some(Code::RevocationUnavailable));
    }
}
