//! From the results of cases to what reports say of them.

use super::expectation::Difference;
use super::run::{CaseResult, CaseStatus, Tally};
use crate::report;

impl CaseResult {
    /// The case as reports have it.
    pub fn report(&self) -> report::Case<'_> {
        let (result, reason) = match &self.status {
            CaseStatus::Pass => (report::CaseResult::Pass, None),
            CaseStatus::Fail(_) => (report::CaseResult::Fail, None),
            CaseStatus::Skipped(reason) => (report::CaseResult::Skipped, Some(reason.as_str())),
            CaseStatus::Error(reason) => (report::CaseResult::Error, Some(reason.as_str())),
            CaseStatus::Unfinished(reason) => (report::CaseResult::Unfinished, Some(reason.as_str())),
        };
        let differences = match &self.status {
            CaseStatus::Fail(differences) => differences.as_slice(),
            _ => &[],
        };
        report::Case {
            case: &self.id,
            title: &self.title,
            file: self.file.display().to_string(),
            result,
            reason,
            differences: differences.iter().map(Difference::report).collect(),
            build_time: self.times.build,
            sign_time: self.times.sign,
            act_time: self.times.act,
            verify_time: self.times.verify,
        }
    }
}

impl Difference {
    fn report(&self) -> report::CaseDifference<'_> {
        report::CaseDifference {
            artifact: &self.artifact,
            what: &self.what,
            expected: &self.expected,
            found: &self.found,
            line: self.line,
        }
    }
}

impl Tally {
    /// The counts as reports have them.
    pub fn report(&self) -> report::CaseSummary {
        let Tally { pass, fail, skipped, error, unfinished, partial, interrupted } = *self;
        report::CaseSummary { pass, fail, skipped, error, unfinished, partial, interrupted }
    }
}
