//! Asking OCSP responders about a certificate: one after the other, until one gives a valid answer.

use super::request::request;
use super::single::{CertificateVerdict, Moment};
use crate::failure::quote;
use crate::limits;
use crate::pki::GeneralName;
use crate::revocation::answer_error::AnswerError;
use crate::revocation::context::{CertAndIssuer, Findings, MethodVerdict, RecordedAnswer};
use crate::revocation::fields::reason_text;
use crate::revocation::{Accepted, Arrival, Method, Need, ServerStatus, Status};
use crate::rfc3339::instant;

/// What one responder says.
enum OcspVerdict {
    NotAsked(Need),
    Verified(Box<Accepted>, CertificateVerdict),
}

/// Asks the responders that the certificate names, in its order. The first valid answer ends it, even one that the status is
/// unknown; without any, an answer that may still come outweighs those that are worthless.
pub(in crate::revocation) fn ask(asked: &CertAndIssuer<'_>, findings: &mut Findings) -> MethodVerdict {
    let urls = asked.certificate.ocsp_urls();
    if urls.len() > limits::REVOCATION_SERVERS {
        let (count, most) = (urls.len(), limits::REVOCATION_SERVERS);
        return MethodVerdict::unknown(format!("it names {count} OCSP responders, and no more than {most} are asked"));
    }
    if urls.is_empty() {
        let kind = asked.certificate.extensions().ocsp_locations.first().map_or("nothing", GeneralName::kind);
        return MethodVerdict::unknown(format!(
            "it names an OCSP responder that cannot be asked: by {kind}, not a URL"
        ));
    }
    let mut failed: Option<MethodVerdict> = None;
    for url in urls {
        let said = ask_one(asked, url);
        if let Ok(OcspVerdict::Verified(accepted, _)) = &said {
            findings.accepted.push(Accepted::clone(accepted));
        }
        let (status, message, settled) = match said {
            Ok(OcspVerdict::NotAsked(need)) => {
                let message = format!("{need} has not been asked yet");
                findings.needs.push(need);
                (Status::Unavailable, message, true)
            }
            Ok(OcspVerdict::Verified(_, CertificateVerdict::Good)) => (Status::Good, String::new(), true),
            Ok(OcspVerdict::Verified(_, CertificateVerdict::Revoked { since, reason })) => {
                let (place, time, reason) = (quote(url), instant(since), reason_text(reason));
                let message = format!("the OCSP responder at {place} says so since {time} ({reason})");
                (Status::Revoked { since }, message, true)
            }
            Ok(OcspVerdict::Verified(_, CertificateVerdict::Unknown)) => {
                (Status::Unknown, format!("the OCSP responder at {} does not know it", quote(url)), false)
            }
            Err(flaw) => {
                let message = format!("the answer of the OCSP responder at {} {flaw}", quote(url));
                let verdict = MethodVerdict { status: flaw.status(), message, settled: false };
                note(findings, url, verdict.status, &verdict.message);
                failed = match failed {
                    Some(before) if before.status == Status::Unavailable => Some(before),
                    _ => Some(verdict),
                };
                continue;
            }
        };
        note(findings, url, status, &message);
        return MethodVerdict { status, message, settled };
    }
    failed.unwrap_or_else(|| MethodVerdict::unknown("no OCSP responder that it names gave an answer".to_owned()))
}

fn note(findings: &mut Findings, url: &str, status: Status, message: &str) {
    let (url, message) = (url.to_owned(), message.to_owned());
    findings.servers.push(ServerStatus { method: Method::Ocsp, url, status, message });
}

fn ask_one(asked: &CertAndIssuer<'_>, url: &str) -> Result<OcspVerdict, AnswerError> {
    let CertAndIssuer { certificate, issuer, context } = *asked;
    let need = Need::Ocsp { responder: url.to_owned(), request: request(certificate, issuer)? };
    Ok(match context.recorded_answer(need.clone())? {
        RecordedAnswer::NotAsked(need) => OcspVerdict::NotAsked(need),
        RecordedAnswer::Answer(answer) => {
            let accepted = Box::new(Accepted { need, answer: answer.clone(), delta: None, before: Vec::new() });
            let (arrival, known) = (answer.arrival(), answer.known());
            let answer = context.cache.ocsp(answer, issuer)?;
            answer.check_newest(known)?;
            let moment = Moment { at: context.at, present: Arrival::present(arrival, context.at) };
            OcspVerdict::Verified(accepted, answer.says(certificate.serial(), moment, context.authentic_signing_time)?)
        }
    })
}
