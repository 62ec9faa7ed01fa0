//! What a run comes to, in numbers.

use super::aside::AsideCounts;
use super::judged::Judged;
use crate::verify::Verdict;

/// Counts of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
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
    /// Image indexes that pass, and so cover what they list.
    pub covering: u64,
    /// The manifests that they cover, at every depth.
    pub covered: u64,
    /// The manifests of image indexes that do not pass.
    pub not_covered: u64,
    /// Whether more manifests may be covered than could be counted.
    pub covered_more: bool,
    /// Whether there may be more of image indexes that do not pass.
    pub not_covered_more: bool,
    /// What was seen and not judged by itself.
    pub aside: AsideCounts,
    /// Whether the run was ended before everything was judged.
    pub partial: bool,
}

impl Tally {
    /// Adds one result.
    pub fn count(&mut self, judged: &Judged) {
        let counter = match judged.outcome.verdict {
            Verdict::Pass => &mut self.pass,
            Verdict::Warn => &mut self.warn,
            Verdict::Fail => &mut self.fail,
            Verdict::Skip => &mut self.skip,
            Verdict::Error => &mut self.error,
        };
        *counter += 1;
        // An index inside another one is counted with that.
        let Some(lists) = judged.lists.filter(|_| judged.part_of.is_none()) else { return };
        match judged.outcome.verdict {
            Verdict::Pass | Verdict::Warn => {
                self.covering += 1;
                self.covered += lists.count;
                self.covered_more |= lists.more;
            }
            Verdict::Fail | Verdict::Skip | Verdict::Error => {
                self.not_covered += lists.count;
                self.not_covered_more |= lists.more;
            }
        }
    }

    /// All results.
    pub fn total(&self) -> u64 {
        self.pass + self.warn + self.fail + self.skip + self.error
    }
}
