//! What reports say of cases of scenarios: the form that programs read, separate from the types of the engine.

use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

use serde::{Serialize, Serializer};

/// One case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Case<'a> {
    /// Its name: `topic/scenario`, with what varies.
    pub case: &'a str,
    /// What its scenario shows.
    pub title: &'a str,
    /// The file of its scenario.
    pub file: String,
    /// The result.
    pub result: CaseResult,
    /// The reason why the case was skipped, could not be run or was not finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'a str>,
    /// The expectations that are not met.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<CaseDifference<'a>>,
    /// How long it took to build keys, certificates, registries and stores; in milliseconds, as all times.
    #[serde(serialize_with = "milliseconds")]
    pub build_time: Duration,
    /// How long it took to make signatures.
    #[serde(serialize_with = "milliseconds")]
    pub sign_time: Duration,
    /// How long all other steps took.
    #[serde(serialize_with = "milliseconds")]
    pub act_time: Duration,
    /// How long verifications took.
    #[serde(serialize_with = "milliseconds")]
    pub verify_time: Duration,
}

/// The result of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CaseResult {
    /// Every expectation is met.
    Pass,
    /// An expectation is not met.
    Fail,
    /// It was not run.
    Skipped,
    /// It could not be run to its end.
    Error,
    /// It was running when the run was ended: nothing is known of it.
    Unfinished,
}

/// An expectation that is not met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CaseDifference<'a> {
    /// The artifact it is about.
    pub artifact: &'a str,
    /// What differs.
    pub what: &'a str,
    /// What the scenario expects.
    pub expected: &'a str,
    /// What came out.
    pub found: &'a str,
    /// The line of the scenario's file.
    pub line: usize,
}

/// How many cases have which result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct CaseSummary {
    /// Passed.
    pub pass: u64,
    /// Failed.
    pub fail: u64,
    /// Skipped.
    pub skipped: u64,
    /// Could not be run.
    pub error: u64,
    /// Were running when the run was ended.
    pub unfinished: u64,
    /// Whether the run ended before every case was run.
    pub partial: bool,
    /// Whether that is because it was told to stop.
    pub interrupted: bool,
}

/// One format of report on cases. Writes what it is told to `out`, which is the same for all calls.
pub trait CaseReporter {
    /// One case, once it has ended.
    fn case(&mut self, out: &mut dyn Write, case: &Case<'_>) -> io::Result<()>;

    /// After the last case.
    fn end(&mut self, out: &mut dyn Write, summary: &CaseSummary) -> io::Result<()>;
}

impl Case<'_> {
    /// The phases, with their names.
    pub(super) fn phases(&self) -> [(&'static str, Duration); 4] {
        [("build", self.build_time), ("sign", self.sign_time), ("act", self.act_time), ("verify", self.verify_time)]
    }

    /// How long all phases took together.
    pub(super) fn total(&self) -> Duration {
        self.phases().iter().map(|(_, time)| *time).sum()
    }
}

impl CaseSummary {
    /// How many cases there are in all.
    pub fn total(&self) -> u64 {
        self.pass + self.fail + self.skipped + self.error + self.unfinished
    }
}

fn milliseconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u128(time.as_millis())
}

impl fmt::Display for CaseSummary {
    /// `5 cases: 3 passed, 2 failed, 0 skipped, 0 could not be run`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CaseSummary { pass, fail, skipped, error, unfinished, partial, .. } = self;
        let rest = if *partial { ", and the rest was not run" } else { "" };
        let total = self.total();
        let cases = if total == 1 { "case" } else { "cases" };
        write!(f, "{total} {cases}: {pass} passed, {fail} failed, {skipped} skipped, {error} could not be run")?;
        if *unfinished > 0 {
            write!(f, ", {unfinished} not finished")?;
        }
        f.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_case_is_not_called_many() {
        let one = CaseSummary { pass: 1, ..CaseSummary::default() };
        assert_eq!(one.to_string(), "1 case: 1 passed, 0 failed, 0 skipped, 0 could not be run");
        let none = CaseSummary { pass: 0, partial: true, ..one };
        assert!(none.to_string().starts_with("0 cases: ") && none.to_string().ends_with(", and the rest was not run"));
    }
}
