//! Revocation: no certificate of the chain, the root aside, has been revoked.
//!
//! Follows *signing-and-verification-workflow*, Certificate Revocation Evaluation. A certificate that names neither a CRL
//! nor an OCSP responder cannot be checked, and counts as good. Revoked and unknown both fail, and are told apart; what
//! could not be had because of trouble on the way is undecided.

use super::Lacking;
use super::case::Case;
use crate::envelope::VerifiedEnvelope;
use crate::failure::{Code, Failure, quote};
use crate::revocation::{CertificateStatus, Status, evaluate, without_asking};

/// Checks the certificates of `envelope`; `trusted` says that its chain leads to a trust store, so that what it names may
/// be asked. Otherwise not even what happens to be recorded counts.
pub(super) fn check(
    envelope: &VerifiedEnvelope,
    case: &Case<'_>,
    trusted: bool,
    lacking: &mut Lacking,
) -> (Result<(), Failure>, Vec<CertificateStatus>) {
    let Case { evidence, rules, at, .. } = *case;
    let chain = envelope.chain.certificates();
    if !trusted {
        let certificates = without_asking(chain);
        return (conclude(&certificates), certificates);
    }
    let time = envelope.signer.authentic_signing_time();
    let evaluation = evaluate(chain, &evidence.revocation, &rules.memory.answers, at, time);
    lacking.add(&evaluation);
    (conclude(&evaluation.certificates), evaluation.certificates)
}

/// The certificate nearest the leaf that is not good decides; revoked before anything else.
fn conclude(certificates: &[CertificateStatus]) -> Result<(), Failure> {
    let first = |wanted: fn(Status) -> bool| certificates.iter().find(|certificate| wanted(certificate.status));
    let fail = |code, certificate: &CertificateStatus, what: &str| {
        let subject = quote(&certificate.subject);
        Err(Failure::new(code, format!("certificate {subject} {what}: {}", certificate.message)))
    };
    if let Some(revoked) = first(|status| matches!(status, Status::Revoked { .. })) {
        return fail(Code::Revoked, revoked, "is revoked");
    }
    if let Some(unknown) = first(|status| status == Status::Unknown) {
        return fail(Code::RevocationUnknown, unknown, "is not known to be good");
    }
    if let Some(unavailable) = first(|status| status == Status::Unavailable) {
        return fail(Code::RevocationUnavailable, unavailable, "could not be asked about");
    }
    Ok(())
}
