//! Why something was not approved, or could not be asked.

use crate::signer::SignerError;

/// The reason. Texts from outside have been quoted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApproverError {
    /// The key cannot be used.
    #[error(transparent)]
    Key(#[from] SignerError),
    /// The key could not sign.
    #[error("the approver's key could not sign")]
    NotSigned,
    /// The time cannot be written.
    #[error("the time cannot be written")]
    Time,
    /// The address of the broker is none.
    #[error("the address of the broker {0}")]
    Address(String),
    /// There is no answer.
    #[error("the broker at {url} does not answer: {reason}")]
    Unreachable {
        /// Where it was asked.
        url: String,
        /// What went wrong.
        reason: String,
    },
    /// It refuses.
    #[error("the broker at {url} refuses ({status}): {message}")]
    Refused {
        /// Where it was asked.
        url: String,
        /// The status of HTTP.
        status: u16,
        /// The reason in a word, as it stands in the answer.
        reason: String,
        /// The reason in a sentence, quoted.
        message: String,
    },
    /// The answer is not one.
    #[error("the broker at {url} answers what is not understood: {reason}")]
    Answer {
        /// Where it was asked.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A task has nothing to be signed.
    #[error("what the task wants signed is not base64")]
    NotToBeSigned,
}
