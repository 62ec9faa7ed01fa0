//! What must come out of a verification, and how it differs from what came out.
//!
//! An expectation names result and code, and may name validations and signatures: a case must not pass for the wrong
//! reason.

mod check;
mod findings;
mod form;

use std::ops::Range;

pub(super) use check::check;
pub(super) use findings::{Endpoint, Requests, status_word};
pub(super) use form::RawExpect;

use findings::{ExpectedRequests, ExpectedStatus};

use super::spanned::Spanned;
use super::world::{Holders, Whose};
use crate::failure::Code;
use crate::policy::Validation;
use crate::verify::{CheckResult, Outcome, SignatureOutcome, Verdict};

/// What must come out for an artifact.
#[derive(Debug, Clone)]
pub(super) struct Expectation {
    pub(super) result: Spanned<Verdict>,
    pub(super) code: Option<Spanned<Code>>,
    pub(super) statement: Option<Spanned<String>>,
    pub(super) checks: Vec<ExpectedCheck>,
    /// Of the signature that decides.
    revocation: Vec<ExpectedStatus>,
    /// The authority whose time stamp of the signature that decides was verified; `None` inside where there must be none.
    pub(super) timestamp: Option<Spanned<Option<Whose>>>,
    requests: Vec<ExpectedRequests>,
    /// How many artifacts are judged.
    pub(super) artifacts: Option<Spanned<u64>>,
    pub(super) signatures: Option<Spanned<ExpectedSignatures>>,
    /// Of an index, by platform.
    pub(super) manifests: Vec<(Spanned<String>, Expectation)>,
}

/// What must come out for one validation.
#[derive(Debug, Clone)]
pub(super) struct ExpectedCheck {
    pub(super) validation: Validation,
    pub(super) result: Spanned<CheckWord>,
}

/// What a validation comes to: a result, or the code of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CheckWord {
    Pass,
    Fail,
    Skip,
    NotReached,
    Error,
    Code(Code),
}

/// What must come out for the signatures.
#[derive(Debug, Clone)]
pub(super) enum ExpectedSignatures {
    Count(usize),
    Each(Vec<ExpectedSignature>),
}

/// What must come out for one signature.
#[derive(Debug, Clone)]
pub(super) struct ExpectedSignature {
    pub(super) result: Verdict,
    pub(super) checks: Vec<ExpectedCheck>,
}

/// Something that came out otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Which artifact.
    pub artifact: String,
    /// What: `result`, `code`, `checks.expiry` …
    pub what: String,
    /// What was expected.
    pub expected: String,
    /// What came out.
    pub found: String,
    /// The line of the expectation in the file.
    pub line: usize,
    /// Where it stands, in bytes.
    pub(super) range: Range<usize>,
    pub(super) fix: Fix,
}

/// What in the file would make the expectation say what came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fix {
    /// This text in the place of the value.
    Replace(String),
    /// This entry behind the one of this key, whose value the place is.
    AddBehind(&'static str, String),
    /// Nothing in the place of the entry of this key.
    Remove(&'static str),
    /// More than a machine should write.
    ByHand,
}

/// A difference, before it is known of which artifact.
pub(super) struct Noted {
    pub(super) what: String,
    pub(super) expected: String,
    pub(super) found: String,
    pub(super) place: Spanned<()>,
    pub(super) fix: Fix,
}

impl CheckWord {
    /// The results that a validation may have, as words.
    pub(super) const RESULTS: [CheckWord; 5] =
        [CheckWord::Pass, CheckWord::Fail, CheckWord::Skip, CheckWord::NotReached, CheckWord::Error];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            CheckWord::Pass => "pass",
            CheckWord::Fail => "fail",
            CheckWord::Skip => "skip",
            CheckWord::NotReached => "not-reached",
            CheckWord::Error => "error",
            CheckWord::Code(code) => code.as_str(),
        }
    }

    /// The most that can be said of a result.
    pub(super) fn of(result: &CheckResult) -> CheckWord {
        match result {
            CheckResult::Pass => CheckWord::Pass,
            CheckResult::Skip => CheckWord::Skip,
            CheckResult::NotReached => CheckWord::NotReached,
            CheckResult::Fail(failure) | CheckResult::Error(failure) => CheckWord::Code(failure.code),
        }
    }

    fn fits(self, result: &CheckResult) -> bool {
        match (self, result) {
            (CheckWord::Fail, CheckResult::Fail(_)) | (CheckWord::Error, CheckResult::Error(_)) => true,
            _ => self == CheckWord::of(result),
        }
    }
}

impl Expectation {
    /// Every code that is named.
    pub(super) fn codes(&self) -> Vec<Code> {
        let of_checks = |checks: &[ExpectedCheck]| {
            let code = |check: &ExpectedCheck| match check.result.value {
                CheckWord::Code(code) => Some(code),
                _ => None,
            };
            checks.iter().filter_map(code).collect::<Vec<_>>()
        };
        let mut codes: Vec<Code> = self.code.iter().map(|code| code.value).collect();
        codes.extend(of_checks(&self.checks));
        if let Some(Spanned { value: ExpectedSignatures::Each(each), .. }) = &self.signatures {
            codes.extend(each.iter().flat_map(|signature| of_checks(&signature.checks)));
        }
        codes.extend(self.manifests.iter().flat_map(|(_, manifest)| manifest.codes()));
        codes
    }

    /// How the number of artifacts that were judged differs.
    pub(super) fn compare_artifacts(&self, judged: u64, note: &mut impl FnMut(Noted)) {
        if let Some(expected) = self.artifacts.as_ref().filter(|expected| expected.value != judged) {
            note(Noted {
                what: "artifacts".to_owned(),
                expected: expected.value.to_string(),
                found: judged.to_string(),
                place: expected.with(()),
                fix: Fix::Replace(judged.to_string()),
            });
        }
    }

    /// How `outcome` differs; `note` is told of each. `holders` are those of the world.
    pub(super) fn compare(&self, outcome: &Outcome, holders: &Holders, note: &mut impl FnMut(Noted)) {
        let result = &self.result;
        if outcome.verdict != result.value {
            note(Noted {
                what: "result".to_owned(),
                expected: result.value.as_str().to_owned(),
                found: found(outcome),
                place: result.with(()),
                fix: Fix::Replace(outcome.verdict.as_str().to_owned()),
            });
        }
        let code = outcome.failure.as_ref().map(|failure| failure.code);
        let expected = self.code.as_ref().map(|code| code.value);
        if code != expected {
            let word = |code: Option<Code>| code.map_or("none", Code::as_str).to_owned();
            let message = outcome.failure.as_ref().map(|failure| format!(" ({failure})")).unwrap_or_default();
            note(Noted {
                what: "code".to_owned(),
                expected: word(expected),
                found: format!("{}{message}", word(code)),
                place: self.code.as_ref().map_or_else(|| result.with(()), |code| code.with(())),
                fix: match (expected, code) {
                    (Some(_), Some(code)) => Fix::Replace(code.as_str().to_owned()),
                    (Some(_), None) => Fix::Remove("code"),
                    (None, _) => Fix::AddBehind("result", format!("code: {}", word(code))),
                },
            });
        }
        if let Some(expected) = &self.statement
            && outcome.statement.as_ref() != Some(&expected.value)
        {
            let found = outcome.statement.clone();
            note(Noted {
                what: "statement".to_owned(),
                expected: expected.value.clone(),
                fix: found
                    .as_deref()
                    .map_or(Fix::Remove("statement"), |name| Fix::Replace(serde_json::json!(name).to_string())),
                found: found.unwrap_or_else(|| "none".to_owned()),
                place: expected.with(()),
            });
        }
        self.compare_checks(outcome, note);
        self.compare_findings(outcome, holders, note);
        self.compare_signatures(outcome, note);
    }

    fn compare_checks(&self, outcome: &Outcome, note: &mut impl FnMut(Noted)) {
        if self.checks.is_empty() {
            return;
        }
        let deciding = deciding(outcome);
        if deciding.iter().any(|signature| fits(&self.checks, signature)) {
            return;
        }
        for expected in &self.checks {
            let check = deciding
                .first()
                .and_then(|signature| signature.checks.iter().find(|check| check.validation == expected.validation));
            if check.is_some_and(|check| expected.result.value.fits(&check.result)) {
                continue;
            }
            let found = check.map_or("no signature".to_owned(), |check| {
                let why = check.result.failure().map(|failure| format!(" ({failure})")).unwrap_or_default();
                format!("{}{why}", CheckWord::of(&check.result).as_str())
            });
            let fix = check.map_or(Fix::ByHand, |check| Fix::Replace(CheckWord::of(&check.result).as_str().to_owned()));
            note(Noted {
                what: format!("checks.{}", expected.validation.as_str()),
                expected: expected.result.value.as_str().to_owned(),
                found,
                place: expected.result.with(()),
                fix,
            });
        }
    }

    fn compare_signatures(&self, outcome: &Outcome, note: &mut impl FnMut(Noted)) {
        let Some(expected) = &self.signatures else { return };
        let (wanted, holds) = match &expected.value {
            ExpectedSignatures::Count(count) => (count.to_string(), *count == outcome.signatures.len()),
            ExpectedSignatures::Each(each) => {
                let all: Vec<&SignatureOutcome> = outcome.signatures.iter().collect();
                (format!("{} signatures: {}", each.len(), list(each.iter().map(described))), pair(each, &all))
            }
        };
        if !holds {
            let found = match &expected.value {
                ExpectedSignatures::Count(_) => outcome.signatures.len().to_string(),
                ExpectedSignatures::Each(_) => {
                    let signatures = outcome.signatures.iter().map(summary);
                    format!("{} signatures: {}", outcome.signatures.len(), list(signatures))
                }
            };
            let fix = match &expected.value {
                ExpectedSignatures::Count(_) => Fix::Replace(outcome.signatures.len().to_string()),
                ExpectedSignatures::Each(_) => Fix::ByHand,
            };
            note(Noted { what: "signatures".to_owned(), expected: wanted, found, place: expected.with(()), fix });
        }
    }
}

/// The signatures that may be the one that decides: those with the artifact's own result; of several, one that fits.
pub(super) fn deciding(outcome: &Outcome) -> Vec<&SignatureOutcome> {
    let own: Vec<&SignatureOutcome> =
        outcome.signatures.iter().filter(|signature| signature.verdict == outcome.verdict).collect();
    if own.is_empty() { outcome.signatures.iter().collect() } else { own }
}

fn list(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join("; ")
}

fn found(outcome: &Outcome) -> String {
    let reason = outcome.failure.as_ref().map(|failure| format!(" ({}: {failure})", failure.code));
    format!("{}{}", outcome.verdict.as_str(), reason.unwrap_or_default())
}

fn described(expected: &ExpectedSignature) -> String {
    let checks = expected.checks.iter().map(|c| format!(" {}={}", c.validation.as_str(), c.result.value.as_str()));
    format!("{}{}", expected.result.as_str(), checks.collect::<String>())
}

fn summary(signature: &SignatureOutcome) -> String {
    let checks =
        signature.checks.iter().map(|c| format!(" {}={}", c.validation.as_str(), CheckWord::of(&c.result).as_str()));
    format!("{}{}", signature.verdict.as_str(), checks.collect::<String>())
}

pub(super) fn fits(expected: &[ExpectedCheck], signature: &SignatureOutcome) -> bool {
    expected.iter().all(|expected| {
        let check = signature.checks.iter().find(|check| check.validation == expected.validation);
        check.is_some_and(|check| expected.result.value.fits(&check.result))
    })
}

/// Whether every expectation can be given a signature of its own, none left over: registries list in any order.
fn pair(expected: &[ExpectedSignature], signatures: &[&SignatureOutcome]) -> bool {
    if expected.len() != signatures.len() {
        return false;
    }
    let mut taken_by: Vec<Option<usize>> = vec![None; signatures.len()];
    (0..expected.len())
        .all(|position| place(position, expected, signatures, &mut taken_by, &mut vec![false; signatures.len()]))
}

/// Gives the expectation at `position` a signature; the one that has it already looks for another.
fn place(
    position: usize,
    expected: &[ExpectedSignature],
    signatures: &[&SignatureOutcome],
    taken_by: &mut [Option<usize>],
    tried: &mut [bool],
) -> bool {
    for (at, signature) in signatures.iter().enumerate() {
        let wanted = &expected[position];
        if tried[at] || signature.verdict != wanted.result || !fits(&wanted.checks, signature) {
            continue;
        }
        tried[at] = true;
        if taken_by[at].is_none_or(|other| place(other, expected, signatures, taken_by, tried)) {
            taken_by[at] = Some(position);
            return true;
        }
    }
    false
}
