//! At which token the PIN is tried: one, once in a run, and only where nothing else could be meant.

use std::path::{Path, PathBuf};

use super::TokenListArgs;
use crate::cli::error::CliError;
use crate::signer::Environment;
use crate::signer::pkcs11::inventory::SeenSlot;
use crate::signer::pkcs11::token_information::PinState;

/// The PIN that was given, and whether it was tried.
pub(super) struct Login<'a> {
    args: &'a TokenListArgs,
    environment: &'a Environment,
    pin_file: Option<PathBuf>,
    tried: bool,
    refused: Option<String>,
}

impl<'a> Login<'a> {
    /// With the PIN that the arguments name, or else the environment's.
    pub(super) fn new(args: &'a TokenListArgs, environment: &'a Environment) -> Result<Login<'a>, CliError> {
        let pin_file = args.pin_source.as_deref().map(pin_file).transpose().map_err(CliError::Usage)?;
        Ok(Login { args, environment, pin_file, tried: false, refused: None })
    }

    /// The file that holds the PIN.
    pub(super) fn pin_file(&self) -> Option<&Path> {
        self.pin_file.as_deref()
    }

    /// Where the PIN comes from otherwise.
    pub(super) fn environment(&self) -> &Environment {
        self.environment
    }

    /// Why the token refused the login.
    pub(super) fn refused(&self) -> Option<&str> {
        self.refused.as_deref()
    }

    /// Remembers why the token refused the login.
    pub(super) fn refuse(&mut self, reason: String) {
        self.refused = Some(reason);
    }

    /// The slot, among all `slots` of one of `modules` modules, whose token alone can be meant by the PIN.
    pub(super) fn choice(&self, slots: &[SeenSlot], modules: usize) -> Option<u64> {
        if modules > 1 && !self.args.names_a_token() {
            return None;
        }
        let tokens = slots.iter().filter(|slot| slot.made_token().is_some());
        let mut meant = tokens.filter(|slot| self.args.selects(slot));
        meant.next().filter(|_| meant.next().is_none()).map(|slot| slot.id)
    }

    /// Whether to log in to the token in `slot`, where `choice` is what [`Login::choice`] says; else what to say about it, if
    /// there is anything to say. From now on the PIN counts as tried.
    pub(super) fn to(&mut self, slot: &SeenSlot, choice: Option<u64>) -> Result<(), Option<String>> {
        let Some(token) = slot.made_token() else { return Err(None) };
        let note = |text: &str| Err(Some(text.to_owned()));
        if !token.login_required {
            return Err(None);
        }
        if self.pin_file.is_none() && !self.environment.has_pin() {
            return if token.pin_pad {
                note("private keys are seen after a login only: muster token check URI asks for the PIN on its pad")
            } else {
                note(
                    "private keys are seen after a login only: name the token with --token, and its PIN with --pin-source",
                )
            };
        }
        if choice != Some(slot.id) {
            return note("no PIN is tried, as several tokens could be meant: name this one with --token or --serial");
        }
        if self.tried {
            return note("no PIN is tried, as it was tried at another token already: name its module with --module");
        }
        if token.pin == PinState::Locked {
            return note("no PIN is tried, as the token says that it is locked: have its officer unlock it");
        }
        if token.pin == PinState::LastTry && !self.args.last_try {
            return note(
                "no PIN is tried, as one more wrong PIN locks the token: make sure of it, then add --last-try",
            );
        }
        self.tried = true;
        Ok(())
    }
}

/// The path in `--pin-source`, which may be written as in a URI.
fn pin_file(source: &Path) -> Result<PathBuf, String> {
    let text = source.to_str().and_then(|text| text.strip_prefix("file:"));
    let path = match text {
        Some(path) => Path::new(path.strip_prefix("//").unwrap_or(path)),
        None => source,
    };
    std::path::absolute(path).map_err(|_| "--pin-source names no file".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_source_is_a_path_or_written_as_in_a_uri() {
        for written in ["/run/pin", "file:/run/pin", "file:///run/pin"] {
            assert_eq!(pin_file(Path::new(written)).unwrap(), Path::new("/run/pin"), "{written}");
        }
        assert!(pin_file(Path::new("pin")).unwrap().is_absolute());
        assert!(pin_file(Path::new("")).is_err());
    }
}
