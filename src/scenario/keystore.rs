//! Where keys come from: the one place that a further keystore is joined at.

use super::words::{Algorithm, Keystore};
use crate::forge::Key;

/// Why there is no key.
#[derive(Debug)]
pub(super) enum NoKey {
    /// The keystore is not here; the case is skipped.
    Unavailable(String),
    /// The keystore is here, and would not make one.
    Failed(String),
}

/// A key of `algorithm` in `keystore`. The same `slot` is the same key, as long as the process lasts.
pub(super) fn key(keystore: Keystore, algorithm: Algorithm, slot: usize) -> Result<Key, NoKey> {
    match keystore {
        Keystore::File => Key::pooled(algorithm.kind(), slot).map_err(|error| NoKey::Failed(error.to_string())),
        Keystore::SoftHsm => Err(NoKey::Unavailable("SoftHSM is not joined yet".to_owned())),
    }
}
