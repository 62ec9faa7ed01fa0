//! What every validation of a signature may look at.

use time::OffsetDateTime;

use super::Rules;
use super::integrity::Subject;
use crate::plugin::Answers;
use crate::policy::Statement;
use crate::revocation::Recorded;

/// One artifact or blob before its judge: what it is, what was answered about its signers, the statement that applies, the
/// rules, and the time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case<'a> {
    pub(super) subject: Subject<'a>,
    pub(super) evidence: Answered<'a>,
    pub(super) statement: &'a Statement,
    /// Without the policy: the statement has been chosen.
    pub(super) rules: Rules<'a, ()>,
    pub(super) at: OffsetDateTime,
}

impl Case<'_> {
    /// The latest moment that is not the future: evidence may come in after the moment as of which a run judges.
    pub(super) fn present(&self) -> OffsetDateTime {
        self.evidence.revocation.present(self.at)
    }
}

/// What was answered so far, which is the same for artifacts and blobs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answered<'a> {
    pub(super) revocation: &'a Recorded,
    pub(super) plugins: &'a Answers,
}
