//! Where signing keys live: in memory, as from a key file, or in a throw-away token of SoftHSM.
//!
//! All keys in SoftHSM of a process are in one token, and each is opened once, so that cases which run at the same time
//! share its sessions. EC keys are made by the token and never leave it. RSA keys would take a token seconds, so they are
//! those of the pool, put into the token; from then on, they sign there. Keys of authorities stay in memory: certificates
//! are issued with RSA by PKCS #1 v1.5, which a [`crate::signer`] does not do.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::words::{Algorithm, Keystore};
use crate::forge::softhsm::{SoftHsm, SoftHsmError, SoftToken};
use crate::forge::{Key, KeyKind};
use crate::signer::{Environment, Pkcs11, SignerError};

/// The label of the token.
const TOKEN: &str = "muster scenarios";

/// Why there is no key.
#[derive(Debug, Clone)]
pub(super) enum NoKey {
    /// The keystore is not here; the case is skipped.
    Unavailable(String),
    /// The keystore is here, and would not make one.
    Failed(String),
}

/// A key of `algorithm` in `keystore`. The same `slot` is the same key, as long as the process lasts.
pub(super) fn key(keystore: Keystore, algorithm: Algorithm, slot: usize) -> Result<Key, NoKey> {
    match keystore {
        Keystore::File => pooled(algorithm.kind(), slot),
        Keystore::SoftHsm => in_token(algorithm.kind(), slot),
    }
}

/// The key that issues certificates in the name of `key`, which came of the same arguments: itself, or the copy in memory
/// of an RSA key in a token.
pub(super) fn issuing(key: &Key, keystore: Keystore, slot: usize) -> Result<Key, NoKey> {
    match keystore {
        Keystore::SoftHsm if is_rsa(key.kind()) => pooled(key.kind(), slot),
        Keystore::SoftHsm | Keystore::File => Ok(key.clone()),
    }
}

fn is_rsa(kind: KeyKind) -> bool {
    matches!(kind, KeyKind::Rsa2048 | KeyKind::Rsa3072 | KeyKind::Rsa4096)
}

fn pooled(kind: KeyKind, slot: usize) -> Result<Key, NoKey> {
    Key::pooled(kind, slot).map_err(|error| NoKey::Failed(error.to_string()))
}

/// The key of `slot` in the token, put there when it is first asked for.
fn in_token(kind: KeyKind, slot: usize) -> Result<Key, NoKey> {
    type Slots = Mutex<HashMap<(KeyKind, usize), Arc<OnceLock<Result<Key, NoKey>>>>>;
    static KEYS: OnceLock<Slots> = OnceLock::new();
    // The map is locked only to find the slot, so that a slow key keeps nobody waiting who wants another.
    let keys = KEYS.get_or_init(Slots::default);
    let place = keys.lock().unwrap_or_else(PoisonError::into_inner).entry((kind, slot)).or_default().clone();
    place.get_or_init(|| put_into_token(kind, slot)).clone()
}

fn put_into_token(kind: KeyKind, slot: usize) -> Result<Key, NoKey> {
    static THE_TOKEN: OnceLock<Result<SoftToken, NoKey>> = OnceLock::new();
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

fn token() -> Result<SoftToken, NoKey> {
    match SoftHsm::of_process()? {
        Some(hsm) => Ok(hsm.token(TOKEN)?),
        // Nothing here can give the process another environment. Why not: because there is no SoftHSM, or because
        // whoever runs the scenarios did not start the process for it.
        None => {
            SoftHsm::prepare()?;
            let reason = "the keystore softhsm needs a process that is started with SoftHsm::environment";
            Err(NoKey::Failed(reason.to_owned()))
        }
    }
}

impl From<SoftHsmError> for NoKey {
    fn from(error: SoftHsmError) -> NoKey {
        match error {
            SoftHsmError::NotInstalled => NoKey::Unavailable(error.to_string()),
            _ => NoKey::Failed(error.to_string()),
        }
    }
}

impl From<SignerError> for NoKey {
    fn from(error: SignerError) -> NoKey {
        NoKey::Failed(error.to_string())
    }
}
