//! Asking OCSP responders about a certificate: one after the other, until one gives a valid answer.

use super::request::request;
use super::single::{CertificateWord, Moment};
use crate::failure::quote;
use crate::limits;
use crate::pki::GeneralName;
use crate::revocation::fields::reason_text;
use crate::revocation::flaw::Flaw;
use crate::revocation::inquiry::{Findings, Heard, Question, Word};
use crate::revocation::{Accepted, Arrival, Method, Need, ServerStatus, Status};
use crate::rfc3339::instant;

/// What one responder says.
enum Said {
    NotAsked(Need),
    Word(Box<Accepted>, CertificateWord),
}

/// Asks the responders that the certificate names, in its order. The first valid answer ends it, even one that the status is
/// unknown; without any, an answer that may still come outweighs those that are worthless.
pub(in crate::revocation) fn ask(question: &Question<'_>, findings: &mut Findings) -> Word {
    let urls = question.certificate.ocsp_urls();
    if urls.len() > limits::REVOCATION_SERVERS {
        let (count, most) = (urls.len(), limits::REVOCATION_SERVERS);
        return Word::unknown(format!("it names {count} OCSP responders, and no more than {most} are asked"));
    }
    if urls.is_empty() {
        let kind = question.certificate.extensions().ocsp_locations.first().map_or("nothing", GeneralName::kind);
        return Word::unknown(format!("it names an OCSP responder that cannot be asked: by {kind}, and no address"));
    }
    let mut failed: Option<Word> = None;
    for url in urls {
        let said = ask_one(question, url);
        if let Ok(Said::Word(accepted, _)) = &said {
            findings.accepted.push(Accepted::clone(accepted));
        }
        let (status, message, settled) = match said {
            Ok(Said::NotAsked(need)) => {
                let message = format!("{need} has not been asked yet");
                findings.needs.push(need);
                (Status::Unavailable, message, true)
            }
            Ok(Said::Word(_, CertificateWord::Good)) => (Status::Good, String::new(), true),
            Ok(Said::Word(_, CertificateWord::Revoked { since, reason })) => {
                let (place, time, reason) = (quote(url), instant(since), reason_text(reason));
                let message = format!("the OCSP responder at {place} says so since {time} ({reason})");
                (Status::Revoked { since }, message, true)
            }
            Ok(Said::Word(_, CertificateWord::Unknown)) => {
                (Status::Unknown, format!("the OCSP responder at {} does not know it", quote(url)), false)
            }
            Err(flaw) => {
                let message = format!("the answer of the OCSP responder at {} {flaw}", quote(url));
                let word = Word { status: flaw.status(), message, settled: false };
                note(findings, url, word.status, &word.message);
                failed = match failed {
                    Some(before) if before.status == Status::Unavailable => Some(before),
                    _ => Some(word),
                };
                continue;
            }
        };
        note(findings, url, status, &message);
        return Word { status, message, settled };
    }
    failed.unwrap_or_else(|| Word::unknown("no OCSP responder that it names gave an answer".to_owned()))
}

fn note(findings: &mut Findings, url: &str, status: Status, message: &str) {
    let (url, message) = (url.to_owned(), message.to_owned());
    findings.servers.push(ServerStatus { method: Method::Ocsp, url, status, message });
}

fn ask_one(question: &Question<'_>, url: &str) -> Result<Said, Flaw> {
    let Question { certificate, issuer, inquiry } = *question;
    let need = Need::Ocsp { responder: url.to_owned(), request: request(certificate, issuer)? };
    Ok(match inquiry.heard(need.clone())? {
        Heard::NotAsked(need) => Said::NotAsked(need),
        Heard::Answer(answer) => {
            let accepted = Box::new(Accepted { need, answer: answer.clone(), delta: None, before: Vec::new() });
            let (arrival, known) = (answer.arrival(), answer.known());
            let answer = inquiry.cache.ocsp(answer, issuer)?;
            answer.check_newest(known)?;
            let moment = Moment { at: inquiry.at, present: Arrival::present(arrival, inquiry.at) };
            Said::Word(accepted, answer.says(certificate.serial(), moment, inquiry.authentic_signing_time)?)
        }
    })
}
