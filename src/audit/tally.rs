//! What a run comes to, in numbers.

use crate::verify::Verdict;

/// Counts of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Artifacts that passed.
    pub pass: u64,
    /// Artifacts that passed only because failures are logged.
    pub warn: u64,
    /// Artifacts that failed.
    pub fail: u64,
    /// Artifacts that the policy says not to look at.
    pub skip: u64,
    /// Artifacts, or whole repositories, that could not be decided.
    pub error: u64,
    /// Whether the run was ended before everything was judged.
    pub partial: bool,
}

impl Tally {
    /// Adds one result.
    pub fn count(&mut self, verdict: Verdict) {
        let counter = match verdict {
            Verdict::Pass => &mut self.pass,
            Verdict::Warn => &mut self.warn,
            Verdict::Fail => &mut self.fail,
            Verdict::Skip => &mut self.skip,
            Verdict::Error => &mut self.error,
        };
        *counter += 1;
    }

    /// All results.
    pub fn total(&self) -> u64 {
        self.pass + self.warn + self.fail + self.skip + self.error
    }
}
