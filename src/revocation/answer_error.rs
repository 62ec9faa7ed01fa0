//! What keeps an answer from being believed, or from coming at all.

use std::fmt;

use time::OffsetDateTime;

use super::Status;
use crate::limits;
use crate::pki::der::DerError;
use crate::rfc3339::instant;
use crate::trouble::{Trouble, TroubleKind};

/// An error in an answer to a revocation question, or in getting one, as the end of a sentence: "it …".
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AnswerError {
    text: String,
    /// Whether the error lies in the network or in a server that may do better in a while, and not in an answer.
    passing: bool,
}

impl AnswerError {
    /// An error that may be gone when the server is asked again.
    pub(super) fn passing(text: impl Into<String>) -> AnswerError {
        AnswerError { text: text.into(), passing: true }
    }

    /// The status of the certificate: unavailable if asking again may change it, otherwise unknown.
    pub(super) fn status(&self) -> Status {
        if self.passing { Status::Unavailable } else { Status::Unknown }
    }
}

impl fmt::Display for AnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<String> for AnswerError {
    fn from(text: String) -> AnswerError {
        AnswerError { text, passing: false }
    }
}

impl From<&str> for AnswerError {
    fn from(text: &str) -> AnswerError {
        AnswerError::from(text.to_owned())
    }
}

impl From<DerError> for AnswerError {
    fn from(error: DerError) -> AnswerError {
        AnswerError::from(error.to_string())
    }
}

/// A server that refuses, has no such thing, or answers nonsense has answered; silence has not.
impl From<&Trouble> for AnswerError {
    fn from(trouble: &Trouble) -> AnswerError {
        let passing = match trouble.kind {
            TroubleKind::Unreachable | TroubleKind::TimedOut | TroubleKind::RateLimited => true,
            TroubleKind::NotFound
            | TroubleKind::RepositoryUnknown
            | TroubleKind::AccessDenied
            | TroubleKind::AnswerInvalid
            | TroubleKind::AnswerTooLarge
            | TroubleKind::ContentMissing
            | TroubleKind::FileUnusable
            | TroubleKind::PluginMissing
            | TroubleKind::SizeMisstated
            | TroubleKind::PluginFailed => false,
        };
        AnswerError { text: format!("did not come: {}", trouble.message), passing }
    }
}

/// Checks that an answer is in force at `at`; both ends of its period belong to it. One without an end never is. It may be
/// made a little after `present`, since two clocks never agree; `present` is `at`, or later where the answer came later.
pub(super) fn check_current(
    this_update: OffsetDateTime,
    next_update: Option<OffsetDateTime>,
    at: OffsetDateTime,
    present: OffsetDateTime,
) -> Result<(), AnswerError> {
    let Some(next_update) = next_update else {
        return Err(AnswerError::from(
            "does not say when the next one is due, so that it cannot be known to be current",
        ));
    };
    if !is_past(this_update, present) {
        return Err(AnswerError::from(format!("is from the future: it was made for {}", instant(this_update))));
    }
    if next_update < at {
        return Err(AnswerError::from(format!("is out of date: the next one was due by {}", instant(next_update))));
    }
    if next_update < this_update {
        return Err(AnswerError::from("ends before it begins"));
    }
    Ok(())
}

fn is_past(time: OffsetDateTime, present: OffsetDateTime) -> bool {
    let latest = present.checked_add(limits::TIMESTAMP_SKEW.try_into().unwrap_or_default());
    latest.is_none_or(|latest| time <= latest)
}
