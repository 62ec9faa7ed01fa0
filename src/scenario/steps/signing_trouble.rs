//! Why there is no signature, in a word: what a step `sign` may expect of a signer.

use crate::forge::words::words;
use crate::sign::{KeyError, PluginKeyError, SignError};
use crate::signer::SignerError;
use crate::signer::tsb::{TsbError, TsbErrorKind};
use crate::trouble::TroubleKind;

words! {
    /// Why a signer does not sign.
    pub(super) SigningError {
        /// The token refuses the PIN.
        PinWrong "pin-wrong"
        /// The token takes no PIN: it is locked.
        PinUnusable "pin-unusable"
        /// There is no such token.
        TokenNotFound "token-not-found"
        /// The token, or the key in it, went away while it was in use.
        TokenGone "token-gone"
        /// The token has no such key.
        KeyNotFound "key-not-found"
        /// The token gives no session.
        SessionLimit "session-limit"
        /// The plugin failed, hung, or wrote nonsense.
        PluginFailed "plugin-failed"
        /// The plugin is not there, or must not be run as it is.
        PluginMissing "plugin-missing"
        /// The plugin is another, or speaks another contract.
        PluginUnsuitable "plugin-unsuitable"
        /// The plugin does not say that it signs.
        PluginCannotSign "plugin-cannot-sign"
        /// The plugin answered something else than it was asked, or a signature that does not verify.
        PluginAnswerWrong "plugin-answer-wrong"
        /// The certificates may not sign.
        ChainInvalid "chain-invalid"
        /// A certificate is not valid at the time of signing.
        CertificateNotValid "certificate-not-valid"
        /// The envelope that was made does not verify.
        SignatureUnsound "signature-unsound"
        /// Approvals did not come in time: the request has expired, or the signer gave up.
        Timeout "timeout"
        /// The request was rejected, the key is blocked, or the gateway does not let the signer in.
        AccessDenied "access-denied"
        /// The gateway takes no more requests.
        Throttled "throttled"
        /// There is no such key or request at the gateway.
        ValidationError "validation-error"
        /// The gateway failed, or what it gave is no signature of the key.
        Error "error"
    }
}

/// What a signer said when it did not sign.
#[derive(Debug)]
pub(super) struct SigningTrouble {
    /// `None` where no scenario can bring it about on purpose.
    pub(super) word: Option<SigningError>,
    pub(super) message: String,
}

impl SigningTrouble {
    /// What `error` is.
    pub(super) fn of(error: &SignError) -> SigningTrouble {
        let word = match error {
            SignError::Signer(error) | SignError::Key(KeyError::Signer(error)) => of_signer(error),
            SignError::Key(error) => of_key(error),
            SignError::Plugin(error) => of_plugin(error),
            SignError::Unsound(_) => Some(SigningError::SignatureUnsound),
            _ => None,
        };
        SigningTrouble { word, message: error.to_string() }
    }

    /// What the error of a broker is, in the words of the plugin contract.
    pub(super) fn of_broker(error: &TsbError) -> SigningTrouble {
        let word = match error.kind() {
            TsbErrorKind::Timeout => SigningError::Timeout,
            TsbErrorKind::AccessDenied => SigningError::AccessDenied,
            TsbErrorKind::Throttled => SigningError::Throttled,
            TsbErrorKind::Validation => SigningError::ValidationError,
            TsbErrorKind::General => SigningError::Error,
        };
        SigningTrouble { word: Some(word), message: error.to_string() }
    }
}

fn of_signer(error: &SignerError) -> Option<SigningError> {
    Some(match error {
        SignerError::PinWrong { .. } => SigningError::PinWrong,
        SignerError::PinUnusable { .. } => SigningError::PinUnusable,
        SignerError::TokenNotFound { .. } => SigningError::TokenNotFound,
        SignerError::TokenGone { .. } => SigningError::TokenGone,
        SignerError::KeyNotFound { .. } => SigningError::KeyNotFound,
        SignerError::SessionLimit(_) => SigningError::SessionLimit,
        _ => return None,
    })
}

fn of_key(error: &KeyError) -> Option<SigningError> {
    match error {
        KeyError::Signer(error) => of_signer(error),
        KeyError::Chain(_) => Some(SigningError::ChainInvalid),
        KeyError::NotValid { .. } => Some(SigningError::CertificateNotValid),
    }
}

fn of_plugin(error: &PluginKeyError) -> Option<SigningError> {
    match error {
        PluginKeyError::Trouble(trouble) if trouble.kind == TroubleKind::PluginMissing => {
            Some(SigningError::PluginMissing)
        }
        PluginKeyError::Trouble(_) => Some(SigningError::PluginFailed),
        PluginKeyError::Metadata(failure) if failure.code == crate::failure::Code::PluginUnsuitable => {
            Some(SigningError::PluginUnsuitable)
        }
        PluginKeyError::Metadata(_) => Some(SigningError::PluginFailed),
        PluginKeyError::CannotSign(_) => Some(SigningError::PluginCannotSign),
        PluginKeyError::Answer { .. } => Some(SigningError::PluginAnswerWrong),
        PluginKeyError::Key { error, .. } => of_key(error),
        PluginKeyError::Name(_) => None,
    }
}
