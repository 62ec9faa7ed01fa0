//! Revocation: no certificate of the chain, the root aside, has been revoked.
//!
//! Follows *signing-and-verification-workflow*, Certificate Revocation Evaluation. A certificate that names neither a CRL
//! nor an OCSP responder cannot be checked, and counts as good. Revoked and unknown both fail, and are told apart; what
//! could not be had because of trouble on the way is undecided.

use super::context::Context;
use super::pending::Gathered;
use crate::envelope::VerifiedEnvelope;
use crate::failure::{Code, Failure, quote};
use crate::revocation::{CertificateStatus, Status, evaluate, without_asking};

/// Checks the certificates of `envelope`; `trusted` says that its chain leads to a trust store, so that what it names may
/// be asked. Otherwise not even what happens to be recorded counts.
pub(super) fn check(
    envelope: &VerifiedEnvelope,
    context: &Context<'_>,
    trusted: bool,
    pending: &mut Gathered,
) -> (Result<(), Failure>, Vec<CertificateStatus>) {
    let Context { answers, options, at, .. } = *context;
    let chain = envelope.chain.certificates();
    if !trusted {
        let certificates = without_asking(chain);
        return (conclude(&certificates), certificates);
    }
    let time = envelope.signer.authentic_signing_time();
    let evaluation = evaluate(chain, answers.revocation, &options.caches.answers, at, time);
    pending.add(&evaluation);
    (conclude(&evaluation.certificates), evaluation.certificates)
}

fn conclude(certificates: &[CertificateStatus]) -> Result<(), Failure> {
    let Some((decisive, what)) = decisive(certificates) else { return Ok(()) };
    let code = match decisive.status {
        Status::Revoked { .. } => Code::Revoked,
        Status::Unavailable => Code::RevocationUnavailable,
        _ => Code::RevocationUnknown,
    };
    let subject = quote(&decisive.subject);
    Err(Failure::new(code, format!("certificate {subject} {what}: {}", decisive.message)))
}

/// The certificate that keeps a chain from being good, with what it is: revoked before unknown, unknown before unavailable,
/// and of these the one nearest the leaf.
pub(super) fn decisive(certificates: &[CertificateStatus]) -> Option<(&CertificateStatus, &'static str)> {
    let first = |wanted: fn(Status) -> bool, what| {
        certificates.iter().find(|certificate| wanted(certificate.status)).map(|certificate| (certificate, what))
    };
    first(|status| matches!(status, Status::Revoked { .. }), "is revoked")
        .or_else(|| first(|status| status == Status::Unknown, "is not known to be good"))
        .or_else(|| first(|status| status == Status::Unavailable, "could not be asked about"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::OffsetDateTime;

    const REVOKED: Status = Status::Revoked { since: OffsetDateTime::UNIX_EPOCH };

    fn concluded(statuses: &[Status]) -> Option<(Code, String)> {
        let certificate = |(position, status): (usize, &Status)| CertificateStatus {
            subject: format!("CN={position}"),
            status: *status,
            message: "the CRL says so".to_owned(),
            servers: Vec::new(),
        };
        let certificates: Vec<_> = statuses.iter().enumerate().map(certificate).collect();
        conclude(&certificates).err().map(|failure| (failure.code, failure.message))
    }

    #[test]
    fn the_worst_decides_and_of_equals_the_one_nearest_the_leaf() {
        use Status::{Good, NotCheckable, Unavailable, Unknown};
        type Case<'a> = (&'a [Status], Option<(Code, usize)>);
        let cases: &[Case<'_>] = &[
            (&[], None),
            (&[Good, NotCheckable, NotCheckable], None),
            (&[NotCheckable], None),
            (&[Good, Unavailable, NotCheckable], Some((Code::RevocationUnavailable, 1))),
            (&[Unavailable, Unavailable, NotCheckable], Some((Code::RevocationUnavailable, 0))),
            (&[Unavailable, Unknown, NotCheckable], Some((Code::RevocationUnknown, 1))),
            (&[Unknown, Unknown], Some((Code::RevocationUnknown, 0))),
            (&[Unavailable, Unknown, REVOKED], Some((Code::Revoked, 2))),
            (&[REVOKED, Good, REVOKED], Some((Code::Revoked, 0))),
        ];
        for (statuses, expected) in cases {
            let found = concluded(statuses);
            assert_eq!(found.as_ref().map(|(code, _)| *code), expected.map(|(code, _)| code), "{statuses:?}");
            if let (Some((_, message)), Some((_, position))) = (found, expected) {
                assert!(message.starts_with(&format!("certificate \"CN={position}\" ")), "{message}");
                assert!(message.ends_with(": the CRL says so"), "{message}");
            }
        }
    }
}
