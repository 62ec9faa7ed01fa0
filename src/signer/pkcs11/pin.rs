//! Where the PIN comes from: the file that the URI names, or the environment. Never from the URI itself.

use std::path::Path;

use cryptoki::context::Pkcs11;
use cryptoki::error::{Error, RvError};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;

use super::super::{Environment, SignerError, secret_file};
use super::{Uri, answer, token::Token};
use crate::failure::quote;
use crate::limits;

/// Opens the first session with `token` and logs in, if the token wants that. The login holds for the whole process as
/// long as one session is open, and a token that is logged in already does not look at the PIN again. What the owner of the
/// PIN should know is added to `warnings`.
pub(super) fn log_in(
    module: &Pkcs11,
    token: &Token,
    uri: &Uri,
    environment: &Environment,
    warnings: &mut Vec<String>,
) -> Result<Session, SignerError> {
    let name = token.name();
    let session = module.open_ro_session(token.slot).map_err(|error| answer::meaning(&error, &name))?;
    if !token.info.login_required() {
        return Ok(session);
    }
    // Only one try: a token locks after a few wrong ones.
    let result = match find(uri, environment, warnings)? {
        Some(pin) => session.login(UserType::User, Some(&pin)),
        None if token.info.protected_authentication_path() => session.login(UserType::User, None),
        None => return Err(SignerError::PinMissing(name)),
    };
    let unusable = |reason: &str| SignerError::PinUnusable { token: name.clone(), reason: reason.to_owned() };
    match result {
        Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(session),
        Err(error) => Err(match answer::code(&error) {
            Some(RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange) => {
                SignerError::PinWrong { token: name, source_of_pin: source(uri) }
            }
            Some(RvError::PinLocked) => {
                unusable("is locked after too many wrong tries: have the token's officer unlock it")
            }
            Some(RvError::PinExpired) => unusable("has expired: set a new one with the vendor's tools"),
            Some(RvError::UserPinNotInitialized) => unusable("was never set: set one with the vendor's tools"),
            _ => answer::meaning(&error, &name),
        }),
    }
}

fn find(uri: &Uri, environment: &Environment, warnings: &mut Vec<String>) -> Result<Option<AuthPin>, SignerError> {
    match &uri.pin_file {
        Some(path) => read(path, warnings).map(Some),
        None => Ok(environment.pin().map(|pin| AuthPin::from(pin.to_owned()))),
    }
}

fn source(uri: &Uri) -> String {
    match &uri.pin_file {
        Some(path) => format!("the file {}", quote(&path.display().to_string())),
        None => Environment::PIN.to_owned(),
    }
}

/// The one line that the file holds.
fn read(path: &Path, warnings: &mut Vec<String>) -> Result<AuthPin, SignerError> {
    let file = quote(&path.display().to_string());
    let refused = |reason: String| SignerError::PinFile { file: file.clone(), reason };
    let secret = secret_file::read(path, limits::PIN_FILE_BYTES).map_err(|problem| refused(problem.to_string()))?;
    let text = std::str::from_utf8(&secret.bytes).map_err(|_| refused("is not text".to_owned()))?;
    let line = text.strip_suffix('\n').unwrap_or(text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        return Err(refused("holds no PIN: write it as its only line".to_owned()));
    }
    if line.contains(['\n', '\r', '\0']) {
        return Err(refused("holds more than one line: write the PIN as its only line".to_owned()));
    }
    if secret.open_to_others {
        warnings.push(format!("the PIN file {file} can be read by other users: take that right from them (chmod 600)"));
    }
    Ok(AuthPin::from(line))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_pin_is_the_only_line_of_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pin");
        let read = |path: &Path| super::read(path, &mut Vec::new());
        for sound in ["1234", "1234\n", "1234\r\n", " 12\u{fc}  "] {
            fs::write(&path, sound).unwrap();
            assert!(read(&path).is_ok(), "{sound:?}");
        }
        for (wrong, words) in [
            ("", "no PIN"),
            ("\n", "no PIN"),
            ("a\nhunter2\n", "more than one line"),
            ("a\0hunter2", "more than one line"),
        ] {
            fs::write(&path, wrong).unwrap();
            let error = read(&path).unwrap_err().to_string();
            assert!(error.contains(words) && !error.contains("hunter2"), "{wrong:?}: {error}");
        }
        fs::write(&path, [0xff, 0xfe]).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("is not text"));
        fs::write(&path, vec![b'1'; 2000]).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("longer than the 1024 bytes"));
        let absent = read(&folder.path().join("absent")).unwrap_err();
        assert!(matches!(&absent, SignerError::PinFile { reason, .. } if reason == "does not exist"), "{absent}");
        assert!(read(folder.path()).unwrap_err().to_string().contains("a directory"));
    }
}
