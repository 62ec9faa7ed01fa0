//! How a gateway's key signs: whole messages, by the one algorithm of the key, in the form that was asked for.
//!
//! Follows the vendor's names of algorithms. RSA signs by RSASSA-PSS with a salt as long as the hash, and EC keys in DER unless they
//! are asked for `RAW`, r and s one behind the other, each as long as the curve's order.

use super::super::{ForgeError, Key, Salt};
use super::GatewayFault;
use crate::pki::KeyKind;
use crate::tsb::{SignatureType, signature_algorithm};

/// The place among the keys that are made once a process from which the other key of a faulty gateway comes.
const OTHER_KEY: usize = 7_401;

/// Whether `key` signs by an algorithm and in a form.
///
/// # Errors
///
/// Why not, as a sentence.
pub(super) fn check(key: &Key, algorithm: &str, form: Option<SignatureType>) -> Result<(), String> {
    let own = signature_algorithm(key.kind());
    if algorithm != own {
        return Err(format!("signatureAlgorithm: this key signs whole messages with {own}"));
    }
    if form == Some(SignatureType::Eth) {
        return Err("signatureType: ETH is not offered here, but DER and RAW".to_owned());
    }
    Ok(())
}

/// Signs, wrongly if a fault says so.
pub(super) fn sign(
    key: &Key,
    message: &[u8],
    form: Option<SignatureType>,
    fault: Option<GatewayFault>,
) -> Result<Vec<u8>, ForgeError> {
    let curve = matches!(key.kind(), KeyKind::P256 | KeyKind::P384 | KeyKind::P521);
    let raw = (form == Some(SignatureType::Raw)) != (fault == Some(GatewayFault::OtherForm));
    let other = match fault {
        Some(GatewayFault::AnotherKey) => Some(Key::pooled(key.kind(), OTHER_KEY)?),
        Some(GatewayFault::EmptyResult) => return Ok(Vec::new()),
        _ => None,
    };
    let key = other.as_ref().unwrap_or(key);
    match fault {
        // For a certificate an EC key signs in DER.
        _ if curve && !raw => key.sign_certificate(message),
        Some(GatewayFault::WrongSalt) => key.sign_salted(message, Salt::Empty),
        _ => key.sign(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_those_that_were_asked_for() {
        let key = Key::pooled(KeyKind::P256, 0).unwrap();
        let signed = |form, fault| sign(&key, b"message", form, fault).unwrap();
        assert_eq!(signed(None, None)[0], 0x30);
        assert_eq!(signed(Some(SignatureType::Der), None)[0], 0x30);
        assert_eq!(signed(Some(SignatureType::Raw), None).len(), 64);
        assert_eq!(signed(None, Some(GatewayFault::OtherForm)).len(), 64);
        assert_ne!(signed(Some(SignatureType::Raw), Some(GatewayFault::OtherForm)).len(), 64);
        assert_eq!(signed(Some(SignatureType::Raw), Some(GatewayFault::EmptyResult)), [0; 0]);
    }

    #[test]
    fn a_key_has_one_algorithm() {
        let key = Key::pooled(KeyKind::P384, 0).unwrap();
        assert_eq!(check(&key, "SHA384_WITH_ECDSA", Some(SignatureType::Raw)), Ok(()));
        for wrong in ["SHA256_WITH_ECDSA", "NONE_WITH_ECDSA", "SHA384_WITH_RSA_PSS", ""] {
            assert!(check(&key, wrong, None).is_err(), "{wrong}");
        }
        assert!(check(&key, "SHA384_WITH_ECDSA", Some(SignatureType::Eth)).is_err());
    }
}
