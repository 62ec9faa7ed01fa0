//! What was found of a key that was opened, for who wants to know how it signs.

use std::sync::PoisonError;

use super::super::VerifyingKey;
use super::Pkcs11;

/// What was found of a key. All of it is certain only after it has signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FoundKey {
    /// The private key, with what names it in a URI; of several that may be meant, how many they are.
    pub(crate) key: String,
    /// Whether it says that it wants the PIN at every signature.
    pub(crate) always_authenticate: bool,
    /// Whether the private key states its public half itself.
    pub(crate) states_public_half: bool,
}

impl Pkcs11 {
    /// What was found of the key; `None` if its place was given up.
    pub(crate) fn found(&self) -> Option<FoundKey> {
        let place = self.place.read().unwrap_or_else(PoisonError::into_inner);
        let key = match place.as_ref()?.key() {
            Ok(key) => key,
            Err(count) => {
                let key = format!("one of {count} that the URI describes, which a signature tells");
                return Some(FoundKey { key, always_authenticate: false, states_public_half: false });
            }
        };
        let is_its = |spki: &Vec<u8>| {
            let stated = VerifyingKey::from_spki(spki.clone());
            stated.is_ok_and(|stated| stated.subject_key() == self.verifying_key.subject_key())
        };
        Some(FoundKey {
            key: key.in_words(),
            always_authenticate: key.always_authenticate == Some(true),
            states_public_half: key.own_public_halves.iter().any(is_its),
        })
    }

    /// The mechanism that is used: the one that signed last, or else the one that is tried first.
    pub(crate) fn mechanism(&self) -> Option<String> {
        self.place.read().unwrap_or_else(PoisonError::into_inner).as_ref()?.mechanism()
    }
}
