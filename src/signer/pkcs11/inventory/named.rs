//! What a URI names, as far as it is found before any login: by the same steps as
//! [`Pkcs11::open`](super::super::Pkcs11::open) finds it, so that what is said of them holds for signing.

use std::path::{Path, PathBuf};

use super::super::super::{Environment, SignerError};
use super::super::mechanisms::{self, Mechanisms, Way};
use super::super::token::Token;
use super::super::token_information::TokenInformation;
use super::super::{Uri, module};
use super::{Inventory, Library};
use crate::pki::KeyKind;

/// The module that a URI, or else the environment, names. Let go of it before a key is opened: some modules have to be started
/// anew for it, which is done only while nothing else uses them.
pub(crate) struct NamedModule {
    inventory: Inventory,
}

/// The token that a URI names.
pub(crate) struct NamedToken {
    /// What it says of itself.
    pub(crate) information: TokenInformation,
    mechanisms: Mechanisms,
}

/// Where the PIN comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PinFrom {
    /// None is wanted.
    Nowhere,
    /// This file.
    File(PathBuf),
    /// The environment.
    Environment,
    /// The token's own pad.
    Pad,
}

impl NamedModule {
    /// Loads and starts the module.
    ///
    /// # Errors
    ///
    /// Why it cannot be used.
    pub(crate) fn open(uri: &Uri, environment: &Environment) -> Result<NamedModule, SignerError> {
        let path = module::path(uri, environment)?.clone();
        let inventory = Inventory { path, module: module::open(uri, environment)? };
        Ok(NamedModule { inventory })
    }

    /// Where it lies.
    pub(crate) fn path(&self) -> &Path {
        &self.inventory.path
    }

    /// What it says of itself; the error is its answer.
    pub(crate) fn library(&self) -> Result<Library, String> {
        self.inventory.library()
    }

    /// The one token that `uri` names.
    ///
    /// # Errors
    ///
    /// [`SignerError::TokenNotFound`] or [`SignerError::SeveralTokens`].
    pub(crate) fn token(&self, uri: &Uri) -> Result<NamedToken, SignerError> {
        let Token { slot, info: information } = Token::find(&self.inventory.module.library, uri)?;
        Ok(NamedToken { information, mechanisms: Mechanisms::read(&self.inventory.module.library, slot) })
    }
}

impl NamedToken {
    /// Where the PIN comes from; `None` if one is wanted and there is none.
    pub(crate) fn pin_from(&self, uri: &Uri, environment: &Environment) -> Option<PinFrom> {
        if !self.information.login_required {
            return Some(PinFrom::Nowhere);
        }
        let file = uri.pin_file.clone().map(PinFrom::File);
        let given = file.or_else(|| environment.has_pin().then_some(PinFrom::Environment));
        given.or_else(|| self.information.pin_pad.then_some(PinFrom::Pad))
    }

    /// The names of the mechanisms that it lists for a key of `kind`, and of those that it does not list; `None` if it lists
    /// none at all.
    pub(crate) fn mechanisms(&self, kind: KeyKind) -> Option<(Vec<String>, Vec<String>)> {
        let (mut listed, mut missing) = (Vec::new(), Vec::new());
        for way in [Way::OfHash, Way::OfMessage] {
            let names = if self.mechanisms.has(kind, way)? { &mut listed } else { &mut missing };
            names.push(mechanisms::name(kind, way));
        }
        Some((listed, missing))
    }
}
