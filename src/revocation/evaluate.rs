//! From answers to what is known of every certificate of a chain.

use time::OffsetDateTime;

use super::{AnswerMemo, CertificateStatus, Evaluation, Recorded, Status};
use crate::pki::Certificate;

/// Evaluates the certificates of a chain, leaf first, root last, as of `at`.
///
/// `authentic_signing_time` is when the signature was made, where that is known for certain: a certificate that became
/// invalid only later does not count as revoked.
pub fn evaluate(
    certificates: &[Certificate],
    recorded: &Recorded,
    memo: &AnswerMemo,
    at: OffsetDateTime,
    authentic_signing_time: Option<OffsetDateTime>,
) -> Evaluation {
    let _ = (recorded, memo, at, authentic_signing_time);
    let status = |certificate: &Certificate| CertificateStatus {
        subject: certificate.subject_text().to_owned(),
        status: if certificate.crl_urls().is_empty() && certificate.ocsp_urls().is_empty() {
            Status::NotCheckable
        } else {
            Status::Unavailable
        },
        message: String::new(),
        servers: Vec::new(),
    };
    Evaluation { certificates: certificates.iter().map(status).collect(), ..Evaluation::default() }
}
