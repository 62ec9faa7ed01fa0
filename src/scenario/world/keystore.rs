//! Where signing keys live: in memory, as from a key file, in a throw-away token of SoftHSM, or behind a plugin.
//!
//! All keys in SoftHSM of a process are in one token, and each is opened once, so that cases which run at the same time
//! share its sessions. EC keys are made by the token and never leave it. RSA keys would take a token seconds, so they are
//! those of the pool, put into the token; from then on, they sign there. Keys of authorities stay in memory: certificates
//! are issued with RSA by PKCS #1 v1.5, which a [`crate::signer`] does not do. A plugin is given a copy of a key in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::SetupError;
use crate::forge::softhsm::{SoftHsm, SoftHsmError, SoftToken};
use crate::forge::words::words;
use crate::forge::{Key, KeyKind};
use crate::scenario::words::Algorithm;
use crate::signer::{Environment, Pkcs11, SignerError};

/// The label of the token.
const TOKEN: &str = "muster scenarios";

words! {
    /// Where a key lives.
    pub Keystore {
        /// In the process, as from a key file.
        File "file"
        /// In a throw-away SoftHSM token.
        SoftHsm "softhsm"
        /// Behind a signing plugin.
        Plugin "plugin"
    }
}

impl Keystore {
    /// Where a key lives that the scenario puts here, if the run says `instead`. What is behind a plugin stays there.
    pub(in crate::scenario) fn unless(self, instead: Option<Keystore>) -> Keystore {
        match self {
            Keystore::Plugin => self,
            Keystore::File | Keystore::SoftHsm => instead.unwrap_or(self),
        }
    }
}

/// A key of `algorithm` in `keystore`. The same `slot` is the same key, as long as the process lasts.
pub(super) fn key(keystore: Keystore, algorithm: Algorithm, slot: usize) -> Result<Key, SetupError> {
    match keystore {
        Keystore::File | Keystore::Plugin => pooled(algorithm.kind(), slot),
        Keystore::SoftHsm => in_token(algorithm.kind(), slot),
    }
}

/// The key that issues certificates in the name of `key`, which came of the same arguments: itself, or the copy in memory
/// of an RSA key in a token.
pub(super) fn issuing(key: &Key, keystore: Keystore, slot: usize) -> Result<Key, SetupError> {
    match keystore {
        Keystore::SoftHsm if is_rsa(key.kind()) => pooled(key.kind(), slot),
        Keystore::SoftHsm | Keystore::File | Keystore::Plugin => Ok(key.clone()),
    }
}

fn is_rsa(kind: KeyKind) -> bool {
    matches!(kind, KeyKind::Rsa2048 | KeyKind::Rsa3072 | KeyKind::Rsa4096)
}

fn pooled(kind: KeyKind, slot: usize) -> Result<Key, SetupError> {
    Key::pooled(kind, slot).map_err(|error| SetupError::Failed(error.to_string()))
}

/// The key of `slot` in the token, put there when it is first asked for.
fn in_token(kind: KeyKind, slot: usize) -> Result<Key, SetupError> {
    type Slots = Mutex<HashMap<(KeyKind, usize), Arc<OnceLock<Result<Key, SetupError>>>>>;
    static KEYS: OnceLock<Slots> = OnceLock::new();
    // The map is locked only to find the slot, so that a slow key does not hold up others.
    let keys = KEYS.get_or_init(Slots::default);
    let place = keys.lock().unwrap_or_else(PoisonError::into_inner).entry((kind, slot)).or_default().clone();
    place.get_or_init(|| put_into_token(kind, slot)).clone()
}

fn put_into_token(kind: KeyKind, slot: usize) -> Result<Key, SetupError> {
    static THE_TOKEN: OnceLock<Result<SoftToken, SetupError>> = OnceLock::new();
    let token = THE_TOKEN.get_or_init(token).as_ref().map_err(Clone::clone)?;
    let label = format!("{} {slot}", kind.as_str());
    let uri = match is_rsa(kind) {
        true => token.import(&pooled(kind, slot)?, &label)?,
        false => token.generate(kind, &label)?,
    };
    // Module and PIN are in the URI; those of the environment are for other tokens.
    let signer = Pkcs11::open(&uri.parse()?, &Environment::default())?;
    Ok(Key::held_by(Arc::new(signer)))
}

fn token() -> Result<SoftToken, SetupError> {
    Ok(softhsm()?.token(TOKEN)?)
}

/// The SoftHSM of this process.
pub(super) fn softhsm() -> Result<SoftHsm, SetupError> {
    match SoftHsm::of_process()? {
        Some(hsm) => Ok(hsm),
        // Nothing here can give the process another environment. It has none because there is no SoftHSM, or because the
        // process was not started for it.
        None => {
            SoftHsm::prepare()?;
            let reason = "the keystore softhsm needs a process that is started with SoftHsm::environment";
            Err(SetupError::Failed(reason.to_owned()))
        }
    }
}

impl From<SoftHsmError> for SetupError {
    fn from(error: SoftHsmError) -> SetupError {
        match error {
            SoftHsmError::NotInstalled => SetupError::Unavailable(error.to_string()),
            _ => SetupError::Failed(error.to_string()),
        }
    }
}

impl From<SignerError> for SetupError {
    fn from(error: SignerError) -> SetupError {
        SetupError::Failed(error.to_string())
    }
}
