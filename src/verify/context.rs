//! What every validation of a signature may look at.

use time::OffsetDateTime;

use super::Options;
use super::integrity::Subject;
use crate::plugin;
use crate::policy::Statement;
use crate::revocation::Recorded;

/// One artifact or blob that is judged: what it is, what was answered about its signers, the statement that applies, what
/// else it is judged by, and the time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) subject: Subject<'a>,
    pub(super) answers: Answers<'a>,
    pub(super) statement: &'a Statement,
    pub(super) options: &'a Options,
    pub(super) at: OffsetDateTime,
}

impl Context<'_> {
    /// The latest moment that is not the future: evidence may come in after the moment as of which a run judges.
    pub(super) fn present(&self) -> OffsetDateTime {
        self.answers.revocation.present(self.at)
    }
}

/// What was answered so far, which is the same for artifacts and blobs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answers<'a> {
    pub(super) revocation: &'a Recorded,
    pub(super) plugins: &'a plugin::Answers,
}
