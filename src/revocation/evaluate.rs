//! From answers to what is known of every certificate of a chain.
//!
//! Follows *signing-and-verification-workflow*, Certificate Revocation Evaluation: OCSP first; CRLs where there is no OCSP, or
//! none that gave an answer. What is not needed is not asked: a second responder only when the first has failed, a CRL only
//! when OCSP has, a delta only when its base is there. A certificate that names nothing but what cannot be asked is not one
//! that names nothing: its status is unknown.

use time::OffsetDateTime;

use super::context::{CertAndIssuer, Context, Findings, MethodVerdict};
use super::{AnswerCache, CertificateStatus, Evaluation, Recorded, Status, crl, ocsp};
use crate::pki::Certificate;

/// Evaluates the certificates of a chain, leaf first, root last, as of `at`.
///
/// `authentic_signing_time` is when the signature was made, where that is known for certain: a certificate that became
/// invalid only later does not count as revoked. The chain itself must have been checked before: every certificate is taken
/// to be issued by the next one.
pub fn evaluate(
    certificates: &[Certificate],
    recorded: &Recorded,
    cache: &AnswerCache,
    at: OffsetDateTime,
    authentic_signing_time: Option<OffsetDateTime>,
) -> Evaluation {
    let context = Context { recorded, cache, at, authentic_signing_time };
    let mut evaluation = Evaluation::default();
    for (position, certificate) in certificates.iter().enumerate() {
        let mut findings = Findings::default();
        let word = match certificates.get(position + 1) {
            Some(issuer) => ask(&CertAndIssuer { certificate, issuer, context }, &mut findings),
            None => last(certificate),
        };
        evaluation.certificates.push(CertificateStatus {
            subject: certificate.subject_text().to_owned(),
            status: word.status,
            message: word.message,
            servers: findings.servers,
        });
        add_new(&mut evaluation.needs, findings.needs);
        add_new(&mut evaluation.accepted, findings.accepted);
    }
    evaluation
}

/// What is known of the certificates of a chain whose servers may not be asked, because nothing says that it deserves trust:
/// a stranger may have written the addresses in it.
pub fn without_asking(certificates: &[Certificate]) -> Vec<CertificateStatus> {
    let unasked = || MethodVerdict {
        status: Status::Unavailable,
        message: "what it names is not asked, since its chain is not trusted".to_owned(),
        settled: true,
    };
    let status = |(position, certificate): (usize, &Certificate)| {
        let is_last = position + 1 == certificates.len();
        let word = match () {
            () if is_last => last(certificate),
            () if names_servers(certificate) => unasked(),
            () => not_checkable(),
        };
        CertificateStatus {
            subject: certificate.subject_text().to_owned(),
            status: word.status,
            message: word.message,
            servers: Vec::new(),
        }
    };
    certificates.iter().enumerate().map(status).collect()
}

fn names_servers(certificate: &Certificate) -> bool {
    let extensions = certificate.extensions();
    !extensions.ocsp_locations.is_empty() || extensions.crl_points.is_some() || extensions.freshest_crl
}

/// A root, which no CRL or OCSP answer can revoke. The last certificate of something that is no whole chain must not pass for one.
fn last(certificate: &Certificate) -> MethodVerdict {
    if certificate.issuer_raw() == certificate.subject_raw() || !names_servers(certificate) {
        return not_checkable();
    }
    MethodVerdict::unknown("the certificate of its issuer is not there".to_owned())
}

fn not_checkable() -> MethodVerdict {
    MethodVerdict { status: Status::NotCheckable, message: String::new(), settled: true }
}

fn ask(asked: &CertAndIssuer<'_>, findings: &mut Findings) -> MethodVerdict {
    let extensions = asked.certificate.extensions();
    match (!extensions.ocsp_locations.is_empty(), extensions.crl_points.is_some()) {
        (false, false) if extensions.freshest_crl => {
            MethodVerdict::unknown("it names a delta CRL (freshestCRL), and no CRL that this could add to".to_owned())
        }
        (false, false) => not_checkable(),
        (true, false) => ocsp::ask(asked, findings),
        (false, true) => crl::ask(asked, findings),
        (true, true) => {
            let word = ocsp::ask(asked, findings);
            if word.settled { word } else { crl::ask(asked, findings) }
        }
    }
}

fn add_new<T: PartialEq>(all: &mut Vec<T>, more: Vec<T>) {
    for one in more {
        if !all.contains(&one) {
            all.push(one);
        }
    }
}
