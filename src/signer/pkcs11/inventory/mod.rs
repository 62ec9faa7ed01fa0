//! What a module shows, as data: itself, its slots, the tokens in them, and their keys and certificates.
//!
//! Nothing is written to a token, and nothing is signed. What a module does not answer is unknown, and hides nothing else.
//! Every list is bounded, and says where it was cut. Texts are as the module gives them, without the blanks and NULs at their
//! end, and are not safe to print.

mod flag;
mod key;
mod named;
mod objects;
mod spelling;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cryptoki::session::Session;
use cryptoki::slot::Slot;

use super::super::{Environment, SignerError};
use super::mechanisms::{self, Mechanisms, Way};
use super::module::{self, Module};
use super::pin::Login;
use super::sessions::{Seated, Source as _};
use super::token::{self, Token};
use super::token_information::{TokenInformation, unpadded};
use super::{Uri, answer, seat};
use crate::limits;
use crate::pki::KeyKind;

pub(crate) use flag::Flag;
pub(crate) use key::{Fitness, SeenCertificate, SeenKey};
pub(crate) use named::{NamedModule, NamedToken, PinFrom};
pub(crate) use spelling::path_in_uri;

/// A module that was opened to look at.
pub(crate) struct Inventory {
    path: PathBuf,
    module: Arc<Module>,
}

/// What a module says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Library {
    /// What it is.
    pub(crate) description: String,
    /// Who made it.
    pub(crate) manufacturer: String,
    /// Its own version, major and minor.
    pub(crate) version: (u8, u8),
    /// The version of PKCS #11 that it follows.
    pub(crate) cryptoki: (u8, u8),
}

/// One slot of a module.
#[derive(Debug, Clone)]
pub(crate) struct SeenSlot {
    slot: Slot,
    /// Its number.
    pub(crate) id: u64,
    /// What it is, if the module says so.
    pub(crate) description: Option<String>,
    /// The token in it, or what the module answered instead.
    pub(crate) token: Result<TokenInformation, String>,
}

impl SeenSlot {
    /// The token in it.
    pub(crate) fn made_token(&self) -> Option<&TokenInformation> {
        self.token.as_ref().ok().filter(|token| token.is_made())
    }
}

/// A list that may be cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cut<T> {
    /// The first of them.
    pub(crate) first: Vec<T>,
    /// Whether there are more.
    pub(crate) more: bool,
}

/// What lies in a token.
pub(crate) struct Contents {
    /// Its keys.
    pub(crate) keys: Cut<SeenKey>,
    /// The certificates that are for none of them.
    pub(crate) other_certificates: Vec<SeenCertificate>,
    /// What its owner should know, such as a PIN file that others may read; each is one sentence.
    pub(crate) warnings: Vec<String>,
}

impl Inventory {
    /// Loads and starts the module at `path`.
    ///
    /// # Errors
    ///
    /// Why it cannot be used.
    pub(crate) fn open(path: &Path) -> Result<Inventory, SignerError> {
        Ok(Inventory { path: path.to_owned(), module: module::load(path)? })
    }

    /// What the module says of itself; the error is its answer.
    pub(crate) fn library(&self) -> Result<Library, String> {
        let info = self.module.library.get_library_info().map_err(|error| answer::in_words(&error))?;
        let version = |version: cryptoki::types::Version| (version.major(), version.minor());
        Ok(Library {
            description: unpadded(info.library_description()),
            manufacturer: unpadded(info.manufacturer_id()),
            version: version(info.library_version()),
            cryptoki: version(info.cryptoki_version()),
        })
    }

    /// The slots that have a token; the error is the module's answer.
    pub(crate) fn slots(&self) -> Result<Cut<SeenSlot>, String> {
        let slots = token::slots(&self.module.library)?;
        let more = slots.len() > limits::MODULE_SLOTS;
        let first = slots.into_iter().take(limits::MODULE_SLOTS).map(|slot| self.slot(slot)).collect();
        Ok(Cut { first, more })
    }

    fn slot(&self, slot: Slot) -> SeenSlot {
        let description = self.module.library.get_slot_info(slot).ok().map(|info| unpadded(info.slot_description()));
        let token = TokenInformation::read(&self.module.library, slot).map_err(|error| answer::in_words(&error));
        SeenSlot { slot, id: slot.id(), description, token }
    }

    /// The names of the mechanisms of the token in `slot` that sign envelopes; `None` if it does not tell.
    pub(crate) fn mechanisms(&self, slot: &SeenSlot) -> Option<Vec<String>> {
        let mechanisms = Mechanisms::read(&self.module.library, slot.slot);
        let mut names = Vec::new();
        for kind in KeyKind::ALL {
            for way in [Way::OfHash, Way::OfMessage] {
                let name = mechanisms::name(kind, way);
                if mechanisms.has(kind, way)? && !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        Some(names)
    }

    /// What lies in the token in `slot`, as far as it is seen without a login. `others` are all slots of the module, which the
    /// token has to be told from in URIs.
    ///
    /// # Errors
    ///
    /// Why the token cannot be read.
    pub(crate) fn public_contents(&self, slot: &SeenSlot, others: &[SeenSlot]) -> Result<Contents, SignerError> {
        let token = self.token(slot)?;
        let session = Seated::new(Arc::clone(&self.module), &token).open();
        let session = session.map_err(|error| answer::meaning(&error, &token.name()))?;
        self.contents(slot, others, &session, Vec::new())
    }

    /// The same with its private keys, after a login as [`Pkcs11::open`](super::Pkcs11::open) makes it: the PIN is the one in
    /// `pin_file`, or else the environment's, and it is tried once.
    ///
    /// # Errors
    ///
    /// Why the token cannot be read, or refuses the login.
    pub(crate) fn contents_after_login(
        &self,
        slot: &SeenSlot,
        others: &[SeenSlot],
        pin_file: Option<&Path>,
        environment: &Environment,
    ) -> Result<Contents, SignerError> {
        let token = self.token(slot)?;
        let uri = Uri { pin_file: pin_file.map(Path::to_owned), ..Uri::default() };
        let mut warnings = Vec::new();
        let login = Login::prepare(&token, &uri, environment, &mut warnings)?;
        let source = Seated::new(Arc::clone(&self.module), &token);
        let session = source.open().map_err(|error| answer::meaning(&error, &token.name()))?;
        let session = seat::log_in(&self.module, &token, &source, session, &login)?;
        self.contents(slot, others, &session, warnings)
    }

    fn contents(
        &self,
        slot: &SeenSlot,
        others: &[SeenSlot],
        session: &Session,
        warnings: Vec<String>,
    ) -> Result<Contents, SignerError> {
        let objects = objects::read(session).map_err(|error| answer::meaning(&error, &name(slot)))?;
        let mechanisms = Mechanisms::read(&self.module.library, slot.slot);
        let spelling = spelling::of_token(slot, others, &self.path);
        let (keys, other_certificates) = key::pairs(objects, &mechanisms, spelling.as_ref());
        Ok(Contents { keys, other_certificates, warnings })
    }

    fn token(&self, slot: &SeenSlot) -> Result<Token, SignerError> {
        let info = TokenInformation::read(&self.module.library, slot.slot);
        let info = info.map_err(|error| answer::meaning(&error, &name(slot)))?;
        Ok(Token { slot: slot.slot, info })
    }
}

/// What messages call the token in `slot`.
fn name(slot: &SeenSlot) -> String {
    slot.token.as_ref().map_or_else(|_| format!("in the slot {}", slot.id), TokenInformation::name)
}
