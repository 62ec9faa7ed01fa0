//! Asking CRLs about a certificate: all that it names must say that it is good; one that says revoked is enough.

use std::sync::Arc;

use super::Crl;
use super::revoked::revoked_by;
use crate::failure::quote;
use crate::limits;
use crate::revocation::fields::reason_text;
use crate::revocation::flaw::Flaw;
use crate::revocation::inquiry::{Findings, Heard, Question, Word};
use crate::revocation::{AcceptedCrl, Answer, Method, Need, ServerStatus, Status};
use crate::rfc3339::instant;

/// What one CRL, with its delta, says of the certificate.
enum Said {
    NotAsked(Need),
    Flawed(Flaw),
    Good(AcceptedCrl),
    Revoked(AcceptedCrl, Status, String),
}

/// Asks every CRL that the certificate names. None is waited for when another says revoked.
///
/// An answer that is no good outweighs one that is missing: all must be good, so that asking again cannot help. But as long
/// as something has not been asked, that comes first.
pub(in crate::revocation) fn ask(question: &Question<'_>, findings: &mut Findings) -> Word {
    let urls = question.certificate.crl_urls();
    if urls.len() > limits::REVOCATION_SERVERS {
        let (count, most) = (urls.len(), limits::REVOCATION_SERVERS);
        return Word::unknown(format!("it names {count} CRLs, and no more than {most} are asked"));
    }
    let mut needs = Vec::new();
    let mut word = Word::good();
    for url in urls {
        let (status, message) = match ask_one(question, url) {
            Said::NotAsked(need) => {
                let message = format!("{need} has not been asked yet");
                needs.push(need);
                (Status::Unavailable, message)
            }
            Said::Flawed(flaw) => (flaw.status(), format!("the CRL at {} {flaw}", quote(url))),
            Said::Good(crl) => {
                findings.accepted.push(crl);
                (Status::Good, String::new())
            }
            Said::Revoked(crl, status, message) => {
                findings.accepted.push(crl);
                (status, message)
            }
        };
        let said = Word { status, message, settled: true };
        findings.servers.push(ServerStatus {
            method: Method::Crl,
            url: url.clone(),
            status: said.status,
            message: said.message.clone(),
        });
        if matches!(status, Status::Revoked { .. }) {
            return said;
        }
        word = worse(word, said);
    }
    if let Some(need) = needs.first() {
        word = Word { status: Status::Unavailable, message: format!("{need} has not been asked yet"), settled: true };
    }
    findings.needs.append(&mut needs);
    word
}

fn worse(one: Word, other: Word) -> Word {
    let rank = |word: &Word| match word.status {
        Status::Good | Status::NotCheckable => 0,
        Status::Unavailable => 1,
        Status::Unknown => 2,
        Status::Revoked { .. } => 3,
    };
    if rank(&other) > rank(&one) { other } else { one }
}

fn ask_one(question: &Question<'_>, url: &str) -> Said {
    read_one(question, url).unwrap_or_else(Said::Flawed)
}

fn read_one(question: &Question<'_>, url: &str) -> Result<Said, Flaw> {
    let Question { certificate, inquiry, .. } = *question;
    let (answer, base) = match fetched(question, url)? {
        Fetched::NotAsked(need) => return Ok(Said::NotAsked(need)),
        Fetched::Crl(answer, crl) => (answer, crl),
    };
    base.check_base(url, certificate, inquiry.at)?;
    let delta = match &base.extensions.freshest {
        Some(urls) => match delta_of(question, &base, urls)? {
            Fetched::NotAsked(need) => return Ok(Said::NotAsked(need)),
            Fetched::Crl(answer, crl) => Some((answer, crl)),
        },
        None if certificate.extensions().freshest_crl => {
            return Err(Flaw::from("names no delta CRL, and the certificate says that there is one"));
        }
        None => None,
    };

    let serial = certificate.serial();
    let changed = delta.as_ref().map(|(_, delta)| delta.entries.of(serial)).unwrap_or_default();
    let revoked = revoked_by(&base.entries.of(serial), &changed, inquiry.authentic_signing_time);
    let accepted = AcceptedCrl { url: url.to_owned(), base: answer, delta: delta.map(|(answer, _)| answer) };
    Ok(match revoked {
        None => Said::Good(accepted),
        Some(entry) => {
            let (since, reason) = (entry.revoked_at, reason_text(entry.reason));
            let message = format!("the CRL at {} says so since {} ({reason})", quote(url), instant(since));
            Said::Revoked(accepted, Status::Revoked { since }, message)
        }
    })
}

/// A CRL that may still have to be fetched.
enum Fetched {
    NotAsked(Need),
    Crl(Answer, Arc<Crl>),
}

fn fetched(question: &Question<'_>, url: &str) -> Result<Fetched, Flaw> {
    let Question { issuer, inquiry, .. } = *question;
    Ok(match inquiry.heard(Need::Crl(url.to_owned()))? {
        Heard::NotAsked(need) => Fetched::NotAsked(need),
        Heard::Answer(answer) => Fetched::Crl(answer.clone(), inquiry.memo.crl(answer, issuer)?),
    })
}

/// The delta of `base`: from the first of `urls` that has one, asked in this order.
fn delta_of(question: &Question<'_>, base: &Crl, urls: &[String]) -> Result<Fetched, Flaw> {
    if urls.len() > limits::REVOCATION_SERVERS {
        let (count, most) = (urls.len(), limits::REVOCATION_SERVERS);
        return Err(Flaw::from(format!("names {count} delta CRLs, and no more than {most} are asked")));
    }
    let mut failed = Flaw::from("names a delta CRL, but at no address");
    let mut passing = false;
    for url in urls {
        let fetched = fetched(question, url).and_then(|fetched| {
            if let Fetched::Crl(_, delta) = &fetched {
                delta.check_delta_of(base, question.inquiry.at)?;
            }
            Ok(fetched)
        });
        match fetched {
            Ok(fetched) => return Ok(fetched),
            Err(flaw) => {
                passing |= flaw.status() == Status::Unavailable;
                failed = Flaw::from(format!("names the delta CRL at {}, which {flaw}", quote(url)));
            }
        }
    }
    Err(if passing { Flaw::passing(failed.to_string()) } else { failed })
}
