//! Which mechanisms a token has, and which of them sign envelopes.
//!
//! For each kind of key two do: one that signs a hash (`CKM_ECDSA`, `CKM_RSA_PKCS_PSS`), and one that hashes itself
//! (`CKM_ECDSA_SHA256`, `CKM_SHA256_RSA_PKCS_PSS` …). The first comes first, as all of the field has it, unless the token's
//! list has only the second. What the list says is no proof: some modules list what they refuse, and leave out what they
//! have, so that both are tried before a mechanism is said to be missing.

use cryptoki::context::Pkcs11;
use cryptoki::mechanism::rsa::{PkcsMgfType, PkcsPssParams};
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::slot::Slot;
use cryptoki::types::Ulong;

use super::answer;
use crate::digest::Algorithm as Hash;
use crate::pki::KeyKind;

/// What a token says it can do; `None` if it does not say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mechanisms(Option<Vec<MechanismType>>);

/// A way to sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// The token is given the hash.
    OfHash,
    /// The token is given the whole message.
    OfMessage,
}

impl Mechanisms {
    /// Asks the token in `slot`. A module that refuses to say is none that has nothing.
    pub(crate) fn read(module: &Pkcs11, slot: Slot) -> Mechanisms {
        Mechanisms(answer::or_nonsense(|| module.get_mechanism_list(slot)).ok().filter(|list| !list.is_empty()))
    }

    /// Whether the token says that it has the mechanism; `None` if it says nothing.
    pub(crate) fn has(&self, kind: KeyKind, way: Way) -> Option<bool> {
        let wanted = mechanism(kind, way).mechanism_type();
        self.0.as_ref().map(|list| list.contains(&wanted))
    }

    /// The ways to try, the likeliest first.
    pub(crate) fn ways(&self, kind: KeyKind) -> [Way; 2] {
        match (self.has(kind, Way::OfHash), self.has(kind, Way::OfMessage)) {
            (Some(false), Some(true)) => [Way::OfMessage, Way::OfHash],
            _ => [Way::OfHash, Way::OfMessage],
        }
    }
}

/// The mechanism, with its parameters.
pub(super) fn mechanism(kind: KeyKind, way: Way) -> Mechanism<'static> {
    if matches!(kind, KeyKind::P256 | KeyKind::P384 | KeyKind::P521) {
        return match (way, kind.hash()) {
            (Way::OfHash, _) => Mechanism::Ecdsa,
            (Way::OfMessage, Hash::Sha256) => Mechanism::EcdsaSha256,
            (Way::OfMessage, Hash::Sha384) => Mechanism::EcdsaSha384,
            (Way::OfMessage, Hash::Sha512) => Mechanism::EcdsaSha512,
        };
    }
    // The salt is as long as the hash.
    let (hash_alg, mgf, s_len) = match kind.hash() {
        Hash::Sha256 => (MechanismType::SHA256, PkcsMgfType::MGF1_SHA256, Ulong::new(32)),
        Hash::Sha384 => (MechanismType::SHA384, PkcsMgfType::MGF1_SHA384, Ulong::new(48)),
        Hash::Sha512 => (MechanismType::SHA512, PkcsMgfType::MGF1_SHA512, Ulong::new(64)),
    };
    let parameters = PkcsPssParams { hash_alg, mgf, s_len };
    match (way, kind.hash()) {
        (Way::OfHash, _) => Mechanism::RsaPkcsPss(parameters),
        (Way::OfMessage, Hash::Sha256) => Mechanism::Sha256RsaPkcsPss(parameters),
        (Way::OfMessage, Hash::Sha384) => Mechanism::Sha384RsaPkcsPss(parameters),
        (Way::OfMessage, Hash::Sha512) => Mechanism::Sha512RsaPkcsPss(parameters),
    }
}

/// The name of the mechanism in the standard: `CKM_ECDSA_SHA256`.
pub(crate) fn name(kind: KeyKind, way: Way) -> String {
    mechanism(kind, way).mechanism_type().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s02_a_token_that_only_hashes_itself_is_asked_to() {
        let listed = |list: &[MechanismType]| Mechanisms(Some(list.to_vec()));
        let (raw, whole) = (Way::OfHash, Way::OfMessage);
        for (mechanisms, ways) in [
            (Mechanisms(None), [raw, whole]),
            (listed(&[MechanismType::ECDSA, MechanismType::ECDSA_SHA256]), [raw, whole]),
            (listed(&[MechanismType::ECDSA]), [raw, whole]),
            (listed(&[MechanismType::ECDSA_SHA256]), [whole, raw]),
            (listed(&[MechanismType::ECDSA_SHA384]), [raw, whole]),
            (listed(&[MechanismType::RSA_PKCS]), [raw, whole]),
        ] {
            assert_eq!(mechanisms.ways(KeyKind::P256), ways, "{mechanisms:?}");
        }
        assert_eq!(listed(&[MechanismType::SHA384_RSA_PKCS_PSS]).ways(KeyKind::Rsa3072), [whole, raw]);
    }

    #[test]
    fn s02_mechanisms_are_named_as_in_the_standard() {
        for (kind, way, expected) in [
            (KeyKind::P256, Way::OfHash, "CKM_ECDSA"),
            (KeyKind::P256, Way::OfMessage, "CKM_ECDSA_SHA256"),
            (KeyKind::P384, Way::OfMessage, "CKM_ECDSA_SHA384"),
            (KeyKind::P521, Way::OfMessage, "CKM_ECDSA_SHA512"),
            (KeyKind::Rsa2048, Way::OfHash, "CKM_RSA_PKCS_PSS"),
            (KeyKind::Rsa2048, Way::OfMessage, "CKM_SHA256_RSA_PKCS_PSS"),
            (KeyKind::Rsa3072, Way::OfMessage, "CKM_SHA384_RSA_PKCS_PSS"),
            (KeyKind::Rsa4096, Way::OfMessage, "CKM_SHA512_RSA_PKCS_PSS"),
        ] {
            assert_eq!(name(kind, way), expected);
        }
    }
}
