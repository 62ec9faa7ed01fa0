//! Why something could not be forged.

use crate::encode::EncodeError;
use crate::signer::SignerError;

/// Something in the order cannot be made, or the cryptographic library refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForgeError {
    /// The bytes are not a private key of one of the kinds.
    #[error("this is not a private key in PKCS#8 of a kind that signs here")]
    Key,
    /// The key could not be made.
    #[error("the key could not be generated")]
    Generate,
    /// The library refused to sign, for example because the salt does not fit the key.
    #[error("the key could not sign")]
    Sign,
    /// The text is not a list of attributes, as `C=US, ST=WA, O=acme`.
    #[error("{0} is not a subject")]
    Subject(String),
    /// A structure cannot be written as DER.
    #[error("cannot be written as DER: {0}")]
    Der(#[from] der::Error),
    /// A time cannot be written in the format that needs it.
    #[error("the time cannot be written")]
    Time,
    /// The key is held elsewhere, and its holder signs only as envelopes want it.
    #[error(
        "a key of the kind {0} that is held elsewhere signs envelopes as the specification demands, and nothing else"
    )]
    HeldElsewhere(&'static str),
    /// The key's holder did not sign.
    #[error(transparent)]
    Signer(#[from] SignerError),
}

impl From<EncodeError> for ForgeError {
    fn from(error: EncodeError) -> ForgeError {
        match error {
            EncodeError::Time => ForgeError::Time,
        }
    }
}
