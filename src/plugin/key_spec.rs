//! The contract's words for keys and algorithms.
//!
//! Follows *signature-specification*, Signature Algorithm Requirements: the key decides the hash and the algorithm.

use crate::digest::Algorithm as Hash;
use crate::pki::KeyKind;

/// The contract's word for a kind of key: `RSA-2048`, `EC-384`.
pub fn key_spec(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Rsa2048 => "RSA-2048",
        KeyKind::Rsa3072 => "RSA-3072",
        KeyKind::Rsa4096 => "RSA-4096",
        KeyKind::P256 => "EC-256",
        KeyKind::P384 => "EC-384",
        KeyKind::P521 => "EC-521",
    }
}

/// The kind of key that the contract calls `spec`.
pub fn key_kind(spec: &str) -> Option<KeyKind> {
    KeyKind::ALL.into_iter().find(|kind| key_spec(*kind) == spec)
}

/// The hash that belongs to a kind of key: `SHA-384`.
pub fn hash_algorithm(kind: KeyKind) -> &'static str {
    match kind.hash() {
        Hash::Sha256 => "SHA-256",
        Hash::Sha384 => "SHA-384",
        Hash::Sha512 => "SHA-512",
    }
}

/// The algorithm that belongs to a kind of key: `RSASSA-PSS-SHA-256`, `ECDSA-SHA-384`.
pub fn signing_algorithm(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Rsa2048 => "RSASSA-PSS-SHA-256",
        KeyKind::Rsa3072 => "RSASSA-PSS-SHA-384",
        KeyKind::Rsa4096 => "RSASSA-PSS-SHA-512",
        KeyKind::P256 => "ECDSA-SHA-256",
        KeyKind::P384 => "ECDSA-SHA-384",
        KeyKind::P521 => "ECDSA-SHA-512",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_agree() {
        for kind in KeyKind::ALL {
            assert_eq!(key_kind(key_spec(kind)), Some(kind));
            assert!(signing_algorithm(kind).ends_with(hash_algorithm(kind)), "{kind:?}");
        }
        assert_eq!(["", "rsa-2048", "EC-512", "RSA-1024"].map(key_kind), [None; 4]);
    }
}
