//! What must be found on the way to a verdict: what is known of certificates after asking, whose time stamp was verified,
//! and how many requests servers see meanwhile.

use super::{Expectation, Fix, Noted, deciding, fits};
use crate::forge::words::words;
use crate::revocation::{CertificateStatus, Status};
use crate::scenario::spanned::Spanned;
use crate::scenario::world::{Holders, Whose};
use crate::verify::{Outcome, SignatureOutcome};

words! {
    /// What is known of a certificate after asking.
    pub(super) StatusWord {
        /// It is not revoked.
        Good "good"
        /// It names no address to ask at, or is a root.
        NotCheckable "not-checkable"
        /// It is revoked.
        Revoked "revoked"
        /// Answers came, and none says that it is good.
        Unknown "unknown"
        /// No answer arrived.
        Unavailable "unavailable"
    }
}

impl StatusWord {
    /// The word for `status`.
    pub(super) fn of(status: Status) -> StatusWord {
        match status {
            Status::Good => StatusWord::Good,
            Status::NotCheckable => StatusWord::NotCheckable,
            Status::Revoked { .. } => StatusWord::Revoked,
            Status::Unknown => StatusWord::Unknown,
            Status::Unavailable => StatusWord::Unavailable,
        }
    }
}

/// The word for what is known of a certificate.
pub(in crate::scenario) fn status_word(status: Status) -> &'static str {
    StatusWord::of(status).as_str()
}

/// What must be known of a certificate after asking.
#[derive(Debug, Clone)]
pub(super) struct ExpectedStatus {
    /// What the scenario calls whose it is.
    pub(super) name: String,
    pub(super) whose: Whose,
    pub(super) status: Spanned<StatusWord>,
}

/// How many requests an endpoint of an authority must see.
#[derive(Debug, Clone)]
pub(super) struct ExpectedRequests {
    /// What the scenario calls the authority.
    pub(super) name: String,
    pub(super) authority: usize,
    pub(super) endpoint: Endpoint,
    pub(super) count: Spanned<u64>,
}

/// What answers for an authority, each at an address of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::scenario) enum Endpoint {
    Crl,
    Delta,
    Ocsp,
}

impl Endpoint {
    /// The word in the file.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Endpoint::Crl => "crl",
            Endpoint::Delta => "delta",
            Endpoint::Ocsp => "ocsp",
        }
    }
}

/// How many requests servers have seen.
pub(in crate::scenario) type Requests = std::collections::HashMap<(usize, Endpoint), u64>;

impl Expectation {
    /// How what was found of the signature that decides differs.
    pub(super) fn compare_findings(&self, outcome: &Outcome, holders: &Holders, note: &mut impl FnMut(Noted)) {
        if self.revocation.is_empty() && self.timestamp.is_none() {
            return;
        }
        let deciding = deciding(outcome);
        // One that has other validations than are expected is not meant, whatever was found of it.
        let meant = || deciding.iter().filter(|signature| fits(&self.checks, signature));
        let fitting = meant().find(|signature| self.found_in(signature, holders));
        let Some(signature) = fitting.or_else(|| meant().next()).or(deciding.first()) else {
            let expected = self.revocation.iter().map(|e| ("revocation", e.status.with(())));
            for (what, place) in expected.chain(self.timestamp.iter().map(|t| ("timestamp", t.with(())))) {
                note(Noted {
                    what: what.to_owned(),
                    expected: "a signature".to_owned(),
                    found: "no signature".to_owned(),
                    place,
                    fix: Fix::ByHand,
                });
            }
            return;
        };
        for expected in &self.revocation {
            let status = status(signature, &expected.whose, holders);
            let word = status.map(|status| StatusWord::of(status.status));
            if word == Some(expected.status.value) {
                continue;
            }
            let found = match (status, word) {
                (Some(status), Some(word)) if !status.message.is_empty() => {
                    format!("{} ({})", word.as_str(), status.message)
                }
                (_, Some(word)) => word.as_str().to_owned(),
                _ => "nothing was asked of it".to_owned(),
            };
            note(Noted {
                what: format!("revocation.{}", expected.name),
                expected: expected.status.value.as_str().to_owned(),
                found,
                place: expected.status.with(()),
                fix: word.map_or(Fix::ByHand, |word| Fix::Replace(word.as_str().to_owned())),
            });
        }
        if let Some(expected) = &self.timestamp
            && !stamped_by(signature, expected.value.as_ref(), holders)
        {
            let found = signature.timestamp.as_ref().map_or("none".to_owned(), |stamp| stamp.subject.clone());
            let subject = expected.value.as_ref().and_then(|by| by.subject(holders));
            note(Noted {
                what: "timestamp".to_owned(),
                expected: subject.unwrap_or_else(|| "none".to_owned()),
                found,
                place: expected.with(()),
                fix: Fix::ByHand,
            });
        }
    }

    fn found_in(&self, signature: &SignatureOutcome, holders: &Holders) -> bool {
        let known = |expected: &ExpectedStatus| {
            status(signature, &expected.whose, holders)
                .is_some_and(|status| StatusWord::of(status.status) == expected.status.value)
        };
        self.revocation.iter().all(known)
            && self.timestamp.as_ref().is_none_or(|expected| stamped_by(signature, expected.value.as_ref(), holders))
    }

    /// How the requests that servers have seen differ.
    pub(in crate::scenario) fn compare_requests(&self, seen: &Requests, note: &mut impl FnMut(Noted)) {
        for expected in &self.requests {
            let found = seen.get(&(expected.authority, expected.endpoint)).copied().unwrap_or(0);
            if found != expected.count.value {
                note(Noted {
                    what: format!("requests.{}.{}", expected.name, expected.endpoint.as_str()),
                    expected: expected.count.value.to_string(),
                    found: found.to_string(),
                    place: expected.count.with(()),
                    fix: Fix::Replace(found.to_string()),
                });
            }
        }
    }
}

/// What is known of the certificate: in the signature's own chain, or in that of its time stamp.
fn status<'s>(signature: &'s SignatureOutcome, whose: &Whose, holders: &Holders) -> Option<&'s CertificateStatus> {
    let subject = whose.subject(holders)?;
    let stamp = signature.timestamp.iter().flat_map(|stamp| &stamp.revocation);
    signature.revocation.iter().chain(stamp).find(|status| status.subject == subject)
}

fn stamped_by(signature: &SignatureOutcome, by: Option<&Whose>, holders: &Holders) -> bool {
    match (&signature.timestamp, by) {
        (None, None) => true,
        (Some(stamp), Some(by)) => by.subject(holders).as_ref() == Some(&stamp.subject),
        _ => false,
    }
}
