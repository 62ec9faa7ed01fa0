//! Asking CRLs about a certificate: all that it names must say that it is good; one that says revoked is enough.
//!
//! Follows RFC 5280, section 6.3.3: the CRLs that say so must speak of every reason for a revocation between them. A
//! distribution point that cannot be asked is no harm where the others do.

use std::sync::Arc;

use super::distribution_point::Published;
use super::revoked::revoked_by;
use super::{Crl, When};
use crate::digest::Digest;
use crate::failure::quote;
use crate::limits;
use crate::pki::{DistributionPoint, GeneralName, PointName, Reasons, is_same_name};
use crate::revocation::answer_error::AnswerError;
use crate::revocation::context::{CertAndIssuer, Findings, MethodVerdict, RecordedAnswer};
use crate::revocation::edition::Edition;
use crate::revocation::fields::reason_text;
use crate::revocation::recorded::Known;
use crate::revocation::{Accepted, Answer, Method, Need, ServerStatus, Status};
use crate::rfc3339::instant;

/// What one CRL, with its delta, says of the certificate.
enum CrlVerdict {
    NotAsked(Need),
    Rejected(AnswerError),
    Good(Accepted, Reasons),
    Revoked(Accepted, Status, String),
}

/// Asks every CRL that the certificate names. None is waited for when another says revoked.
///
/// An answer that is no good outweighs one that is missing: all must be good, so that asking again cannot help. But as long
/// as something has not been asked, that comes first.
pub(in crate::revocation) fn ask(asked: &CertAndIssuer<'_>, findings: &mut Findings) -> MethodVerdict {
    let points = asked.certificate.extensions().crl_points.as_deref().unwrap_or_default();
    let count = points.iter().map(|point| point.urls().count().max(1)).sum::<usize>();
    if count > limits::REVOCATION_SERVERS {
        let most = limits::REVOCATION_SERVERS;
        return MethodVerdict::unknown(format!("it names {count} CRLs, and no more than {most} are asked"));
    }
    let mut needs = Vec::new();
    let mut verdict = MethodVerdict::good();
    let mut covered = Reasons::NONE;
    let mut mute = None;
    for point in points {
        if let Err(why) = check_askable(asked, point) {
            mute.get_or_insert(why);
            continue;
        }
        for url in point.urls() {
            let (status, message) = match ask_one(asked, point, url) {
                CrlVerdict::NotAsked(need) => {
                    let message = format!("{need} has not been asked yet");
                    needs.push(need);
                    (Status::Unavailable, message)
                }
                CrlVerdict::Rejected(flaw) => (flaw.status(), format!("the CRL at {} {flaw}", quote(url))),
                CrlVerdict::Good(crl, reasons) => {
                    covered = covered.or(reasons);
                    findings.accepted.push(crl);
                    (Status::Good, String::new())
                }
                CrlVerdict::Revoked(crl, status, message) => {
                    findings.accepted.push(crl);
                    (status, message)
                }
            };
            let said = MethodVerdict { status, message, settled: true };
            findings.servers.push(ServerStatus {
                method: Method::Crl,
                url: url.to_owned(),
                status: said.status,
                message: said.message.clone(),
            });
            if matches!(status, Status::Revoked { .. }) {
                return said;
            }
            verdict = worse(verdict, said);
        }
    }
    if let Some(need) = needs.first() {
        verdict = MethodVerdict {
            status: Status::Unavailable,
            message: format!("{need} has not been asked yet"),
            settled: true,
        };
    } else if verdict.status == Status::Good && covered != Reasons::ALL {
        verdict = MethodVerdict::unknown(match mute {
            Some(why) => format!("it names a place for a CRL that cannot be asked: {why}"),
            None => "the CRLs that it names speak of some reasons for a revocation only".to_owned(),
        });
    }
    findings.needs.append(&mut needs);
    verdict
}

fn worse(one: MethodVerdict, other: MethodVerdict) -> MethodVerdict {
    let rank = |verdict: &MethodVerdict| match verdict.status {
        Status::Good | Status::NotCheckable => 0,
        Status::Unavailable => 1,
        Status::Unknown => 2,
        Status::Revoked { .. } => 3,
    };
    if rank(&other) > rank(&one) { other } else { one }
}

/// Checks that something in `point` can be asked; if not, what it is, as the end of a sentence: "it is …".
fn check_askable(asked: &CertAndIssuer<'_>, point: &DistributionPoint) -> Result<(), String> {
    let issuer = asked.issuer.subject_raw();
    let is_issuer = |name: &GeneralName| matches!(name, GeneralName::Directory(name) if is_same_name(name, issuer));
    if point.crl_issuer.as_ref().is_some_and(|names| !names.iter().any(is_issuer)) {
        return Err("its CRL is by another issuer than that of the certificate (cRLIssuer)".to_owned());
    }
    if point.urls().next().is_some() {
        return Ok(());
    }
    Err(match &point.name {
        None => "it has no name".to_owned(),
        Some(PointName::Relative(_)) => "it is a name relative to the issuer's, not a URL".to_owned(),
        Some(PointName::Full(names)) => {
            format!("it is {}, not a URL", names.first().map_or("nothing", GeneralName::kind))
        }
    })
}

fn ask_one(asked: &CertAndIssuer<'_>, point: &DistributionPoint, url: &str) -> CrlVerdict {
    read_one(asked, point, url).unwrap_or_else(CrlVerdict::Rejected)
}

fn read_one(asked: &CertAndIssuer<'_>, point: &DistributionPoint, url: &str) -> Result<CrlVerdict, AnswerError> {
    let CertAndIssuer { certificate, issuer, context } = *asked;
    let (answer, base) = match fetched(asked, url)? {
        Fetched::NotAsked(need) => return Ok(CrlVerdict::NotAsked(need)),
        Fetched::Crl(answer, crl) => (answer, crl),
    };
    let published = Published { point, issuer: issuer.subject_raw() };
    let when = When { at: context.at, arrival: answer.arrival() };
    let reasons = base.check_base(&published, certificate.is_ca(), when)?.and(point.reasons.unwrap_or(Reasons::ALL));
    let delta = match &base.extensions.freshest {
        Some(points) => match delta_of(asked, &base, points)? {
            Fetched::NotAsked(need) => return Ok(CrlVerdict::NotAsked(need)),
            Fetched::Crl(answer, crl) => Some((answer, crl)),
        },
        None if certificate.extensions().freshest_crl => {
            return Err(AnswerError::from("names no delta CRL, and the certificate says that there is one"));
        }
        None => None,
    };
    let before = check_newest(asked, &answer, &base, delta.as_ref().map(|(_, delta)| &**delta))?;

    let serial = certificate.serial();
    let changed = delta.as_ref().map(|(_, delta)| delta.entries.of(serial)).unwrap_or_default();
    let revoked = revoked_by(&base.entries.of(serial), &changed, context.authentic_signing_time);
    let accepted = Accepted { need: Need::crl(url, issuer), answer, delta: delta.map(|(answer, _)| answer), before };
    Ok(match revoked {
        None => CrlVerdict::Good(accepted, reasons),
        Some(entry) => {
            let (since, reason) = (entry.revoked_at, reason_text(entry.reason));
            let message = format!("the CRL at {} says so since {} ({reason})", quote(url), instant(since));
            CrlVerdict::Revoked(accepted, Status::Revoked { since }, message)
        }
    })
}

/// A CRL that may still have to be fetched.
enum Fetched {
    NotAsked(Need),
    Crl(Answer, Arc<Crl>),
}

fn fetched(asked: &CertAndIssuer<'_>, url: &str) -> Result<Fetched, AnswerError> {
    let CertAndIssuer { issuer, context, .. } = *asked;
    let answer = match context.recorded_answer(Need::crl(url, issuer))? {
        RecordedAnswer::NotAsked(need) => return Ok(Fetched::NotAsked(need)),
        RecordedAnswer::Answer(answer) => answer,
    };
    Ok(Fetched::Crl(answer.clone(), context.cache.crl(answer, issuer)?))
}

/// Checks that a CRL with its delta is not older than what was verified before from the same address. What was kept is
/// verified here: a file put into a cache by another program takes nothing out of force. Returns which of it is the issuer's.
fn check_newest(
    asked: &CertAndIssuer<'_>,
    answer: &Answer,
    base: &Crl,
    delta: Option<&Crl>,
) -> Result<Vec<Digest>, AnswerError> {
    let CertAndIssuer { issuer, context, .. } = *asked;
    let edition = |kept: &Answer, is_delta: bool| {
        let crl = context.cache.crl(kept, issuer).ok()?;
        (crl.extensions.delta_indicator.is_some() == is_delta).then(|| crl.edition.clone())
    };
    let mut verified = Vec::new();
    let mut before = Vec::new();
    for kept in answer.kept().iter().filter(|kept| kept.base != *answer || kept.delta.is_some()) {
        let Some(base) = edition(&kept.base, false) else { continue };
        verified.push(*kept.base.digest());
        before.push(Known { base, delta: kept.delta.as_ref().and_then(|delta| edition(delta, true)) });
    }
    for known in before.into_iter().chain(answer.known().cloned()) {
        check_not_before(&base.edition, &known.base)?;
        // Bases and deltas are numbered together, so a base may stand in for the delta that has gone.
        let latest = &delta.unwrap_or(base).edition;
        known.delta.as_ref().map_or(Ok(()), |known| check_not_before(latest, known))?;
    }
    Ok(verified)
}

fn check_not_before(edition: &Edition, known: &Edition) -> Result<(), AnswerError> {
    if !edition.is_before(known) {
        return Ok(());
    }
    Err(AnswerError::from(format!(
        "is an older one than was there before ({edition}, after {known}): an old list may be served to hide what was \
         revoked since"
    )))
}

/// The delta of `base`: from the first address in `points` that has one, asked in this order.
fn delta_of(asked: &CertAndIssuer<'_>, base: &Crl, points: &[DistributionPoint]) -> Result<Fetched, AnswerError> {
    let count = points.iter().flat_map(DistributionPoint::urls).count();
    if count > limits::REVOCATION_SERVERS {
        let most = limits::REVOCATION_SERVERS;
        return Err(AnswerError::from(format!("names {count} delta CRLs, and no more than {most} are asked")));
    }
    let mut failed = AnswerError::from("names a delta CRL, but at no address");
    let mut passing = false;
    for url in points.iter().flat_map(DistributionPoint::urls) {
        let fetched = fetched(asked, url).and_then(|fetched| {
            if let Fetched::Crl(answer, delta) = &fetched {
                delta.check_delta_of(base, When { at: asked.context.at, arrival: answer.arrival() })?;
            }
            Ok(fetched)
        });
        match fetched {
            Ok(fetched) => return Ok(fetched),
            Err(flaw) => {
                passing |= flaw.status() == Status::Unavailable;
                failed = AnswerError::from(format!("names the delta CRL at {}, which {flaw}", quote(url)));
            }
        }
    }
    Err(if passing { AnswerError::passing(failed.to_string()) } else { failed })
}
