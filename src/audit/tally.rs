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
    /// The manifests of image indexes that do not pass, and that were not judged one by one.
    pub not_covered: u64,
    /// Whether more manifests may be covered than could be counted.
    pub covered_more: bool,
    /// Whether there may be more of image indexes that do not pass.
    pub not_covered_more: bool,
    /// What was seen and not judged by itself.
    pub aside: AsideCounts,
    /// Whether the run was ended before everything was judged.
    pub partial: bool,
    /// How many manifests of the last image index, one that does not pass, may still be judged one by one: its parts follow it.
    pub(super) parts_to_come: u64,
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
        if judged.attached_to.is_some() {
            return;
        }
        // An index inside another one is counted with that.
        if judged.part_of.is_some() {
            if judged.lists.is_none() && self.parts_to_come > 0 {
                self.parts_to_come -= 1;
                self.not_covered -= 1;
            }
            return;
        }
        self.parts_to_come = 0;
        let Some(lists) = judged.lists else { return };
        match judged.outcome.verdict {
            Verdict::Pass | Verdict::Warn => {
                self.covering += 1;
                self.covered += lists.count;
                self.covered_more |= lists.more;
            }
            Verdict::Fail | Verdict::Skip | Verdict::Error => {
                self.not_covered += lists.count;
                self.parts_to_come = lists.count;
                self.not_covered_more |= lists.more;
            }
        }
    }

    /// All results.
    pub fn total(&self) -> u64 {
        self.pass + self.warn + self.fail + self.skip + self.error
    }
}

#[cfg(test)]
mod tests {
    use super::super::judged::{ListedManifests, lost, undecided, unresolved};
    use super::*;
    use crate::digest::Digest;

    #[test]
    fn manifests_that_are_judged_one_by_one_were_looked_at() {
        let digest = Some(Digest::sha256(b"index"));
        let row = |lists: Option<u64>, part: bool| Judged {
            lists: lists.map(|count| ListedManifests { count, more: false }),
            part_of: digest.filter(|_| part),
            outcome: undecided(lost().into()),
            ..unresolved("a.io/b".to_owned(), "a.io/b:v1".to_owned(), lost())
        };
        let mut tally = Tally::default();
        for judged in [
            // Of three manifests, one of them in an index inside, two are judged.
            row(Some(3), false),
            row(None, true),
            row(Some(1), true),
            row(None, true),
            // What is attached is not listed.
            Judged { attached_to: digest, ..row(None, true) },
            // Of these none is.
            row(Some(2), false),
            row(None, false),
        ] {
            tally.count(&judged);
        }
        assert_eq!((tally.not_covered, tally.error), (3, 7));
    }
}
