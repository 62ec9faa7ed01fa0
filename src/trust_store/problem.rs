//! Why a named store cannot be used.

use std::borrow::Cow;
use std::io;

use crate::failure::{Code, Failure};
use crate::regular_file::FileProblem;
use crate::shortage;

/// Why a named store cannot be used. The sentence names the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreProblem {
    /// There is no such store.
    #[error("{0}")]
    Missing(Cow<'static, str>),
    /// Something in it is wrong, so nothing in it is trusted.
    #[error("{0}")]
    Invalid(Cow<'static, str>),
    /// This machine could not read it, so nothing is known of it.
    #[error("{0}")]
    Unreadable(Cow<'static, str>),
}

impl StoreProblem {
    /// Something in the store is wrong: what.
    pub(super) fn invalid(message: String) -> StoreProblem {
        StoreProblem::Invalid(Cow::Owned(message))
    }

    /// The system has not let it be read: what it said. That is no fault of the store, unless it lies where no folder is.
    pub(super) fn unreadable(message: String, error: &io::Error) -> StoreProblem {
        shortage::note(error);
        match error.kind() {
            io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename => StoreProblem::invalid(message),
            _ => StoreProblem::Unreadable(Cow::Owned(message)),
        }
    }

    /// A file of the store is not read: why, in a message about it.
    pub(super) fn of_file(message: String, problem: &FileProblem) -> StoreProblem {
        match problem {
            FileProblem::Unreadable(error) => StoreProblem::unreadable(message, error),
            _ => StoreProblem::invalid(message),
        }
    }
}

impl From<&StoreProblem> for Failure {
    fn from(problem: &StoreProblem) -> Failure {
        match problem {
            StoreProblem::Missing(message) => Failure::new(Code::TrustStoreMissing, message.as_ref()),
            StoreProblem::Invalid(message) => Failure::new(Code::TrustStoreInvalid, message.as_ref()),
            StoreProblem::Unreadable(message) => Failure::new(Code::FileUnusable, message.as_ref()),
        }
    }
}
