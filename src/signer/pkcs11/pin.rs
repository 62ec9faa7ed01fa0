//! The login: where the PIN comes from, and how it is given.
//!
//! A PIN is in the file that the URI names or in the environment, never in the URI itself. Where a PIN pad, a fingerprint
//! reader or the module asks for it (`CKF_PROTECTED_AUTHENTICATION_PATH`), none is needed. Each PIN is given once and never
//! again after it was refused, since tokens lock after a few wrong ones.

use std::fmt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use cryptoki::context::{Function, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;

use super::super::{Environment, SignerError, secret_file};
use super::token_information::{PinState, TokenInformation};
use super::{Uri, answer, token::Token};
use crate::failure::quote;
use crate::limits;

/// How to log in to one token.
pub(super) struct Login {
    /// `None` if the token's own means ask for it.
    pin: Option<AuthPin>,
    pad: bool,
    source_of_pin: String,
    token: String,
    /// What the token answered when it refused the PIN, which no thread gives again then.
    refused: Mutex<Option<(RvError, Function)>>,
}

impl Login {
    /// Reads the PIN. What its owner should know is added to `warnings`.
    ///
    /// # Errors
    ///
    /// [`SignerError::PinFile`], or [`SignerError::PinMissing`] if there is neither a PIN nor a pad.
    pub(super) fn prepare(
        token: &Token,
        uri: &Uri,
        environment: &Environment,
        warnings: &mut Vec<String>,
    ) -> Result<Login, SignerError> {
        let pin = match &uri.pin_file {
            Some(path) => Some(read(path, warnings)?),
            None => environment.pin().map(|pin| AuthPin::from(pin.to_owned())),
        };
        let pad = token.info.pin_pad;
        if pin.is_none() && !pad {
            return Err(SignerError::PinMissing(token.name()));
        }
        if token.info.pin == PinState::LastTry {
            warnings.push(format!("the token {} has one try left for its PIN: a wrong one locks it", token.name()));
        }
        let source_of_pin = if pin.is_some() { source(uri) } else { "what is entered at its PIN pad".to_owned() };
        Ok(Login { pin, pad, source_of_pin, token: token.name(), refused: Mutex::default() })
    }

    /// Logs in as the user. The login holds for the whole process as long as one session is open, and a token that is
    /// logged in already does not look at the PIN again.
    ///
    /// # Errors
    ///
    /// What the module answers; [`Login::refusal`] says what that means.
    pub(super) fn as_user(&self, session: &Session) -> Result<(), Error> {
        match self.give(session, UserType::User) {
            Err(error) if is_no_matter(&error) => Ok(()),
            result => result,
        }
    }

    /// Gives the PIN, or has it asked for. Threads that give it wait for each other, so that none gives one that was refused
    /// to another.
    fn give(&self, session: &Session, user: UserType) -> Result<(), Error> {
        let Some(pin) = &self.pin else { return session.login(user, None) };
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((code, function)) = *refused {
            return Err(Error::Pkcs11(code, function));
        }
        match session.login(user, Some(pin)) {
            // A pad may be the only way to give the PIN, and the module then says anything but that the PIN is wrong.
            Err(error) if self.pad && !is_about_the_user(&error) => session.login(user, None),
            Err(Error::Pkcs11(code, function)) if is_about_the_pin(code) => {
                *refused = Some((code, function));
                Err(Error::Pkcs11(code, function))
            }
            result => result,
        }
    }

    /// Gives the PIN once more, for the one signature that was begun in `session` (`CKU_CONTEXT_SPECIFIC`).
    ///
    /// # Errors
    ///
    /// As those of [`Login::as_user`].
    pub(super) fn for_one_signature(&self, session: &Session) -> Result<(), Error> {
        match self.give(session, UserType::ContextSpecific) {
            // The signature itself tells whether the module wanted a login at all.
            Err(error) if is_no_matter(&error) || answer::code(&error) == Some(RvError::UserTypeInvalid) => Ok(()),
            result => result,
        }
    }

    /// What the answer to a login for one signature means. The token took the PIN when the user logged in.
    pub(super) fn refusal_of_signature(&self, error: &Error) -> SignerError {
        match self.refusal(error, None) {
            SignerError::PinWrong { token, source_of_pin, .. } if self.pin.is_some() => SignerError::PinWrong {
                token,
                source_of_pin,
                tries: "; it refuses it for the signature only, so that the key may have another PIN for that, which only a PIN \
                        pad can give here (a URI without pin-source, and no MUSTER_PKCS11_PIN)"
                    .to_owned(),
            },
            refusal => refusal,
        }
    }

    /// What the answer to a login means. `after` is what the token says after it.
    pub(super) fn refusal(&self, error: &Error, after: Option<&TokenInformation>) -> SignerError {
        let (token, words) = (self.token.clone(), answer::in_words(error));
        let unusable = |reason: &str| SignerError::PinUnusable { token: token.clone(), reason: reason.to_owned() };
        let refused =
            |reason: &str| SignerError::LoginRefused { token: token.clone(), answer: words, reason: reason.to_owned() };
        let Some(code) = answer::code(error) else { return answer::meaning(error, &self.token) };
        match code {
            RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange => SignerError::PinWrong {
                token,
                source_of_pin: self.source_of_pin.clone(),
                tries: match after.map(|token| token.pin) {
                    Some(PinState::Locked) => {
                        "; that was the last try, and it is locked now: have its officer unlock it"
                    }
                    Some(PinState::LastTry) => "; the token says that one try is left",
                    Some(PinState::FewTriesLeft) => "; the token says that few tries are left",
                    Some(PinState::Untouched) | None => "",
                }
                .to_owned(),
            },
            RvError::PinLocked => unusable("is locked after too many wrong tries: have the token's officer unlock it"),
            RvError::PinExpired => unusable("has expired: set a new one with the vendor's tools"),
            RvError::UserPinNotInitialized => unusable("was never set: set one with the vendor's tools"),
            RvError::UserAnotherAlreadyLoggedIn => {
                refused("another user, such as its officer, is logged in: end the program that did that, and run again")
            }
            RvError::UserTooManyTypes => {
                refused("it takes no further user: end other programs that are logged in, and run again")
            }
            RvError::FunctionCanceled | RvError::FunctionRejected | RvError::Cancel => {
                refused("the PIN was not entered, or entering it was broken off: run again, and enter it")
            }
            RvError::SessionReadOnlyExists | RvError::SessionReadWriteSoExists => {
                refused("another program has it open in a way that excludes this: end that program, and run again")
            }
            _ if answer::is_gone(error) => answer::meaning(error, &self.token),
            _ => refused("try the same PIN with the vendor's tools; if they log in, see to the module's configuration"),
        }
    }
}

/// What the token says now, after a login was refused.
pub(super) fn state_after(module: &Pkcs11, token: &Token) -> Option<TokenInformation> {
    TokenInformation::read(module, token.slot).ok()
}

/// There is nothing to log in to, or another part of this process did so before.
fn is_no_matter(error: &Error) -> bool {
    matches!(error, Error::NullFunctionPointer)
        || matches!(answer::code(error), Some(RvError::UserAlreadyLoggedIn | RvError::FunctionNotSupported))
}

/// Whether the answer says that this PIN is not taken.
fn is_about_the_pin(code: RvError) -> bool {
    matches!(
        code,
        RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange | RvError::PinLocked | RvError::PinExpired
    )
}

/// Whether the answer says something of the PIN or of who is logged in, and another try with other means must not be made.
fn is_about_the_user(error: &Error) -> bool {
    let code = answer::code(error);
    code.is_some_and(is_about_the_pin)
        || matches!(
            code,
            Some(
                RvError::UserPinNotInitialized
                    | RvError::UserAlreadyLoggedIn
                    | RvError::UserAnotherAlreadyLoggedIn
                    | RvError::UserTooManyTypes
                    | RvError::SessionReadOnly
            )
        )
}

/// Without the PIN.
impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login({}, PIN from {})", self.token, self.source_of_pin)
    }
}

fn source(uri: &Uri) -> String {
    match &uri.pin_file {
        Some(path) => format!("the file {}", quote(&path.display().to_string())),
        None => Environment::PIN.to_owned(),
    }
}

/// The one line that the file holds. A file that holds nothing is more often one that was not written than an empty PIN,
/// which is therefore one empty line.
fn read(path: &Path, warnings: &mut Vec<String>) -> Result<AuthPin, SignerError> {
    let file = secret_file::name_of_secret(path);
    let refused = |reason: String| SignerError::PinFile { file: file.clone(), reason };
    let secret = secret_file::read(path, limits::PIN_FILE_BYTES).map_err(|problem| refused(problem.to_string()))?;
    let text = std::str::from_utf8(&secret.bytes).map_err(|_| refused("is not text".to_owned()))?;
    if text.is_empty() {
        return Err(refused(
            "holds no PIN: write it as its only line (a PIN that is empty is one empty line)".to_owned(),
        ));
    }
    let line = text.strip_suffix('\n').unwrap_or(text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.contains(['\n', '\r', '\0']) {
        return Err(refused("holds more than one line: write the PIN as its only line".to_owned()));
    }
    if secret.open_to_others {
        warnings.push(secret_file::open_to_others(&format!("PIN file {file}")));
    }
    Ok(AuthPin::from(line))
}

#[cfg(test)]
mod tests;
