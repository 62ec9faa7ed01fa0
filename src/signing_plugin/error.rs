//! Why there is no answer, in the form that the contract wants: one of its codes, and a sentence.
//!
//! Follows *plugin-extensibility*, Plugin contract, Error handling. `TIMEOUT` is given where people did not approve in time.

use std::collections::BTreeMap;

use crate::plugin::ErrorResponse;
use crate::sign::{ApprovalKeyError, KeyError};
use crate::signer::SignerError;
use crate::signer::tsb::{TsbError, TsbErrorKind};

/// The codes of the contract that are given here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorCode {
    /// The request, the settings, or what they lead to cannot be used.
    Validation,
    /// The request is of another version of the contract.
    UnsupportedContractVersion,
    /// The token, its owner by the PIN, the broker or those who approve do not let the key be used.
    AccessDenied,
    /// People did not approve in time.
    Timeout,
    /// There is too much to do: others hold all sessions of the token, or the broker takes no more requests.
    Throttled,
    /// Everything else.
    General,
}

impl ErrorCode {
    /// The word.
    fn as_str(self) -> &'static str {
        match self {
            ErrorCode::Validation => "VALIDATION_ERROR",
            ErrorCode::UnsupportedContractVersion => "UNSUPPORTED_CONTRACT_VERSION",
            ErrorCode::AccessDenied => "ACCESS_DENIED",
            ErrorCode::Timeout => "TIMEOUT",
            ErrorCode::Throttled => "THROTTLED",
            ErrorCode::General => "ERROR",
        }
    }
}

/// Why there is no answer. The sentence holds no secret, and texts from outside are escaped in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: ErrorCode,
    pub(crate) message: String,
    /// More for programs.
    pub(crate) metadata: BTreeMap<String, String>,
}

impl Refusal {
    /// The reason.
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Refusal {
        Refusal { code, message: message.into(), metadata: BTreeMap::new() }
    }

    /// That what was asked cannot be used.
    pub(crate) fn validation(message: impl Into<String>) -> Refusal {
        Refusal::new(ErrorCode::Validation, message)
    }

    /// That something failed here.
    pub(crate) fn general(message: impl Into<String>) -> Refusal {
        Refusal::new(ErrorCode::General, message)
    }

    /// What goes to standard error.
    pub(crate) fn response(self) -> ErrorResponse {
        ErrorResponse {
            error_code: self.code.as_str().to_owned(),
            error_message: self.message,
            error_metadata: self.metadata,
        }
    }
}

impl From<KeyError> for Refusal {
    fn from(error: KeyError) -> Refusal {
        match error {
            KeyError::Signer(error) => error.into(),
            unfit => Refusal::validation(unfit.to_string()),
        }
    }
}

impl From<ApprovalKeyError> for Refusal {
    fn from(error: ApprovalKeyError) -> Refusal {
        match error {
            ApprovalKeyError::Tsb(error) => error.into(),
            ApprovalKeyError::Key(error) => error.into(),
        }
    }
}

impl From<TsbError> for Refusal {
    fn from(error: TsbError) -> Refusal {
        let code = match error.kind() {
            TsbErrorKind::Validation => ErrorCode::Validation,
            TsbErrorKind::AccessDenied => ErrorCode::AccessDenied,
            TsbErrorKind::Timeout => ErrorCode::Timeout,
            TsbErrorKind::Throttled => ErrorCode::Throttled,
            TsbErrorKind::General => ErrorCode::General,
        };
        Refusal { code, message: error.to_string(), metadata: error.metadata() }
    }
}

impl From<SignerError> for Refusal {
    fn from(error: SignerError) -> Refusal {
        let code = match &error {
            SignerError::Uri(_)
            | SignerError::ModuleNotNamed
            | SignerError::ModuleMissing(_)
            | SignerError::SeveralTokens { .. }
            | SignerError::KeyNotFound { .. }
            | SignerError::SeveralKeys { .. }
            | SignerError::KeyUnsupported { .. }
            | SignerError::PublicKeyNotFound { .. }
            | SignerError::Certificates { .. }
            | SignerError::CertificateOfAnother(_)
            | SignerError::Chain { .. }
            | SignerError::KeyFile { .. }
            | SignerError::KeyEncrypted { .. } => ErrorCode::Validation,
            SignerError::TokenNotFound { .. }
            | SignerError::TokenGone { .. }
            | SignerError::PinMissing(_)
            | SignerError::PinFile { .. }
            | SignerError::PinWrong { .. }
            | SignerError::LoginRefused { .. }
            | SignerError::PinUnusable { .. } => ErrorCode::AccessDenied,
            SignerError::SessionLimit(_) => ErrorCode::Throttled,
            SignerError::TokensLeftOut
            | SignerError::ModuleUnusable { .. }
            | SignerError::Token { .. }
            | SignerError::SignatureRefused { .. }
            | SignerError::NotSigned(_)
            | SignerError::SignatureInvalid(_) => ErrorCode::General,
        };
        // The signer knows nothing of the settings of a plugin.
        let setting = match &error {
            SignerError::ModuleNotNamed => "; or add --plugin-config module=/path/of/the/module.so",
            SignerError::PinMissing(_) => "; or add --plugin-config pin-source=/path/of/the/pin",
            _ => "",
        };
        Refusal::new(code, format!("{error}{setting}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_with_the_token_is_told_from_a_request_that_is_wrong() {
        let text = || "\"ci\"".to_owned();
        for (error, code) in [
            (SignerError::Uri(text()), "VALIDATION_ERROR"),
            (SignerError::KeyNotFound { token: text(), wanted: text(), present: text() }, "VALIDATION_ERROR"),
            (SignerError::SeveralTokens { wanted: text(), count: 2, present: text(), way: text() }, "VALIDATION_ERROR"),
            (SignerError::TokenNotFound { wanted: text(), present: text() }, "ACCESS_DENIED"),
            (SignerError::TokenGone { token: text(), answer: text() }, "ACCESS_DENIED"),
            (SignerError::PinUnusable { token: text(), reason: text() }, "ACCESS_DENIED"),
            (SignerError::SessionLimit(text()), "THROTTLED"),
            (SignerError::Token { token: text(), answer: text() }, "ERROR"),
            (SignerError::SignatureInvalid(text()), "ERROR"),
        ] {
            let sentence = error.to_string();
            let said = Refusal::from(error).response();
            assert_eq!((said.error_code.as_str(), said.error_message), (code, sentence));
        }
    }

    #[test]
    fn what_is_missing_can_also_be_a_setting() {
        for (error, setting) in
            [(SignerError::ModuleNotNamed, "module"), (SignerError::PinMissing(String::new()), "pin-source")]
        {
            let message = Refusal::from(error).message;
            assert!(message.contains(&format!("; or add --plugin-config {setting}=/")), "{message}");
        }
    }
}
