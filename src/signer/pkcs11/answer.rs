//! What a module answers when it refuses: in the words of the standard, and what it means for the signer.

use std::panic::{AssertUnwindSafe, catch_unwind};

use cryptoki::context::Function;
use cryptoki::error::{Error, RvError};

use super::super::SignerError;

/// The answer as the standard names it, so that it can be looked up: `C_Sign: CKR_DEVICE_ERROR`.
pub(crate) fn in_words(error: &Error) -> String {
    match error {
        Error::Pkcs11(RvError::VendorDefined(code) | RvError::UnknownErrorCode(code), function) => {
            format!("C_{function:?}: 0x{code:08x}")
        }
        Error::Pkcs11(code, function) => format!("C_{function:?}: CKR_{}", constant(&format!("{code:?}"))),
        Error::NullFunctionPointer | Error::NotSupported => "a function that is needed is not supported".to_owned(),
        _ => "an answer that makes no sense".to_owned(),
    }
}

/// `SessionHandleInvalid` as the standard writes it.
fn constant(name: &str) -> String {
    let mut constant = String::new();
    for character in name.chars() {
        if character.is_uppercase() && !constant.is_empty() {
            constant.push('_');
        }
        constant.push(character.to_ascii_uppercase());
    }
    constant
}

/// What `call` to a module answers. A length that no memory holds, such as 2⁶⁴-1 slots, has the library under this panic, and
/// is an answer that makes no sense.
///
/// # Errors
///
/// What the module answers.
pub(super) fn or_nonsense<T>(call: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or(Err(Error::InvalidValue))
}

/// The code in an answer.
pub(crate) fn code(error: &Error) -> Option<RvError> {
    match error {
        Error::Pkcs11(code, _) => Some(*code),
        _ => None,
    }
}

/// Whether the token, the session, the login or the key that were there before are there no more.
pub(super) fn is_gone(error: &Error) -> bool {
    matches!(
        code(error),
        Some(
            RvError::DeviceRemoved
                | RvError::DeviceError
                | RvError::TokenNotPresent
                | RvError::TokenNotRecognized
                | RvError::SlotIdInvalid
                | RvError::SessionClosed
                | RvError::SessionHandleInvalid
                | RvError::UserNotLoggedIn
                | RvError::KeyHandleInvalid
                | RvError::ObjectHandleInvalid
                | RvError::CryptokiNotInitialized
        )
    )
}

/// Whether the token is busy with something else, and may do what it was asked for later.
pub(super) fn is_busy(error: &Error) -> bool {
    code(error) == Some(RvError::OperationActive)
}

/// Whether the module did not say how long its answer would be, or lost the answer when it was asked that.
pub(super) fn is_about_room(error: &Error) -> bool {
    matches!(error, Error::Pkcs11(code, Function::Sign | Function::SignFinal)
        if matches!(code, RvError::BufferTooSmall | RvError::ArgumentsBad | RvError::OperationNotInitialized))
}

/// What an answer of the module means for a signature. `token` is the token's label, quoted.
pub(super) fn meaning(error: &Error, token: &str) -> SignerError {
    let (token, answer) = (token.to_owned(), in_words(error));
    match code(error) {
        Some(RvError::SessionCount) => SignerError::SessionLimit(token),
        Some(RvError::OperationActive) => SignerError::Token {
            token,
            answer: format!("{answer}: it is busy with something else: end other programs that use it, and run again"),
        },
        _ if is_gone(error) => SignerError::TokenGone { token, answer },
        Some(RvError::FunctionRejected | RvError::FunctionCanceled | RvError::Cancel) => SignerError::Token {
            token,
            answer: format!(
                "{answer}: it was not touched, or the signature was not approved: run again, and do that in time"
            ),
        },
        _ => SignerError::Token { token, answer: format!("{answer}: the module's own log may say why") },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_named_as_in_the_standard() {
        for (code, function, words) in [
            (RvError::SessionHandleInvalid, Function::Sign, "C_Sign: CKR_SESSION_HANDLE_INVALID"),
            (RvError::PinIncorrect, Function::Login, "C_Login: CKR_PIN_INCORRECT"),
            (RvError::UserAlreadyLoggedIn, Function::Login, "C_Login: CKR_USER_ALREADY_LOGGED_IN"),
            (RvError::VendorDefined(0x8000_0001), Function::SignInit, "C_SignInit: 0x80000001"),
        ] {
            assert_eq!(in_words(&Error::Pkcs11(code, function)), words);
        }
    }

    #[test]
    fn a_token_that_is_gone_is_told_from_one_that_refuses() {
        let meaning = |code| meaning(&Error::Pkcs11(code, Function::Sign), "\"ci\"");
        for code in [RvError::DeviceRemoved, RvError::TokenNotPresent, RvError::SessionClosed, RvError::UserNotLoggedIn]
        {
            assert!(matches!(meaning(code), SignerError::TokenGone { .. }), "{code:?}");
        }
        assert_eq!(meaning(RvError::SessionCount), SignerError::SessionLimit("\"ci\"".to_owned()));
        for code in [RvError::FunctionFailed, RvError::MechanismInvalid, RvError::KeyFunctionNotPermitted] {
            assert!(matches!(meaning(code), SignerError::Token { .. }), "{code:?}");
        }
    }
}
