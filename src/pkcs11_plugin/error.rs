//! Why there is no answer, in the form that the contract wants: one of its codes, and a sentence.
//!
//! Follows *plugin-extensibility*, Plugin contract, Error handling. `TIMEOUT` is never given, as nothing is waited for here
//! that has a deadline.

use crate::plugin::ErrorResponse;
use crate::sign::KeyError;
use crate::signer::SignerError;

/// The codes of the contract that are given here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ErrorCode {
    /// The request, the settings, or what they lead to cannot be used.
    Validation,
    /// The request is of another version of the contract.
    UnsupportedContractVersion,
    /// The token, or its owner by the PIN, does not let the key be used.
    AccessDenied,
    /// Others hold all sessions of the token: later there may be one.
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
            ErrorCode::Throttled => "THROTTLED",
            ErrorCode::General => "ERROR",
        }
    }
}

/// Why there is no answer. The sentence holds no secret, and texts from outside are escaped in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: ErrorCode,
    pub(super) message: String,
}

impl Refusal {
    /// That what was asked cannot be used.
    pub(super) fn validation(message: impl Into<String>) -> Refusal {
        Refusal { code: ErrorCode::Validation, message: message.into() }
    }

    /// That something failed here.
    pub(super) fn general(message: impl Into<String>) -> Refusal {
        Refusal { code: ErrorCode::General, message: message.into() }
    }

    /// What goes to standard error.
    pub(super) fn response(self) -> ErrorResponse {
        ErrorResponse {
            error_code: self.code.as_str().to_owned(),
            error_message: self.message,
            ..ErrorResponse::default()
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
        Refusal { code, message: format!("{error}{setting}") }
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
