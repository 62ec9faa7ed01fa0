//! Why a world cannot be set up.

use crate::forge::ForgeError;

/// Why a world, or a thing of it, cannot be set up. Each reason is a sentence without an end.
#[derive(Debug, Clone)]
pub(in crate::scenario) enum SetupError {
    /// Something that it needs is not on this machine: the case is skipped.
    Unavailable(String),
    /// It is there, and does not work.
    Failed(String),
}

impl SetupError {
    /// The certificate of what the scenario calls `name` cannot be made.
    pub(super) fn certificate(name: &str, error: &ForgeError) -> SetupError {
        SetupError::Failed(format!("the certificate of {name} cannot be made: {error}"))
    }
}
