//! Why a named store cannot be used.

use std::borrow::Cow;

use crate::failure::{Code, Failure};

/// Why a named store cannot be used. The sentence names the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreProblem {
    /// There is no such store.
    #[error("{0}")]
    Missing(Cow<'static, str>),
    /// Something in it is wrong, so nothing in it is trusted.
    #[error("{0}")]
    Invalid(Cow<'static, str>),
}

impl StoreProblem {
    /// Something in the store is wrong: what.
    pub(super) fn invalid(message: String) -> StoreProblem {
        StoreProblem::Invalid(Cow::Owned(message))
    }
}

impl From<&StoreProblem> for Failure {
    fn from(problem: &StoreProblem) -> Failure {
        match problem {
            StoreProblem::Missing(message) => Failure::new(Code::TrustStoreMissing, message.as_ref()),
            StoreProblem::Invalid(message) => Failure::new(Code::TrustStoreInvalid, message.as_ref()),
        }
    }
}
