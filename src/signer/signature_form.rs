//! The forms in which tokens and brokers give signatures, and the one that envelopes use.
//!
//! The standard (PKCS #11, section 6.3.1) wants r‖s for ECDSA, both as long as the order of the curve, and a signature as
//! long as the modulus for RSA. Modules also give the `Ecdsa-Sig-Value` of X9.62 in DER, numbers without their leading
//! zeros, or with more of them. What is read here is handed on only if it verifies, so that nothing is guessed.

use der::asn1::UintRef;
use der::{AnyRef, Decode as _};

use super::VerifyingKey;
use crate::pki::KeyKind;

/// How many zeros both numbers may lack together: by chance eight are missing once in 2⁵⁰ signatures or so.
const ZEROS_MISSING: usize = 8;

/// The signature that was given as envelopes have it, if it verifies in any form.
pub(super) fn verified(key: &VerifyingKey, message: &[u8], given: Vec<u8>) -> Option<Vec<u8>> {
    if key.verifies(message, &given) {
        return Some(given);
    }
    readings(key.kind(), &given).into_iter().find(|reading| key.verifies(message, reading))
}

/// What `given` may mean, beside itself.
fn readings(kind: KeyKind, given: &[u8]) -> Vec<Vec<u8>> {
    let (length, is_ec) = match kind {
        KeyKind::P256 => (32, true),
        KeyKind::P384 => (48, true),
        KeyKind::P521 => (66, true),
        KeyKind::Rsa2048 => (256, false),
        KeyKind::Rsa3072 => (384, false),
        KeyKind::Rsa4096 => (512, false),
    };
    if !is_ec {
        return padded(given, length).into_iter().collect();
    }
    let joined = |r: &[u8], s: &[u8]| Some([padded(r, length)?, padded(s, length)?].concat());
    let mut readings: Vec<Vec<u8>> = Vec::new();
    readings.extend(in_der(given).and_then(|(r, s)| joined(r, s)));
    let missing = (2 * length).checked_sub(given.len()).filter(|missing| *missing <= ZEROS_MISSING);
    for of_r in 0..=missing.unwrap_or_default() {
        let split = length.checked_sub(of_r).and_then(|end| given.split_at_checked(end));
        readings.extend(split.and_then(|(r, s)| joined(r, s)));
    }
    if given.len() > 2 * length && given.len().is_multiple_of(2) {
        let (r, s) = given.split_at(given.len() / 2);
        readings.extend(joined(r, s));
    }
    readings
}

/// The numbers of an `Ecdsa-Sig-Value`.
fn in_der(given: &[u8]) -> Option<(&[u8], &[u8])> {
    let value = AnyRef::from_der(given).ok()?;
    let numbers = value.sequence(|reader| Ok((UintRef::decode(reader)?, UintRef::decode(reader)?))).ok()?;
    Some((numbers.0.as_bytes(), numbers.1.as_bytes()))
}

/// The number with as many zeros in front as make it `length` bytes long; `None` if it is too long.
fn padded(number: &[u8], length: usize) -> Option<Vec<u8>> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let significant = number.get(zeros..)?;
    let missing = length.checked_sub(significant.len())?;
    Some([vec![0; missing].as_slice(), significant].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forge::{Key, tlv};

    fn trimmed(number: &[u8]) -> &[u8] {
        &number[number.iter().take_while(|byte| **byte == 0).count()..]
    }

    /// An INTEGER, which has a zero in front where it would be negative without.
    fn integer(number: &[u8]) -> Vec<u8> {
        let number = trimmed(number);
        tlv(2, &if number[0] & 0x80 == 0 { number.to_vec() } else { [&[0], number].concat() })
    }

    #[test]
    fn s24_signatures_are_read_in_the_forms_that_modules_give() {
        for kind in [KeyKind::P256, KeyKind::P384, KeyKind::P521] {
            let key = Key::pooled(kind, 0).unwrap();
            let public = VerifyingKey::from_spki(key.public_key().to_vec()).unwrap();
            for round in 0..40 {
                let message = format!("message {round}");
                let signature = key.sign(message.as_bytes()).unwrap();
                let (r, s) = signature.split_at(signature.len() / 2);
                for (form, given) in [
                    ("as it is", signature.clone()),
                    ("in DER", tlv(0x30, &[integer(r), integer(s)].concat())),
                    ("without zeros", [trimmed(r), trimmed(s)].concat()),
                    ("r without zeros", [trimmed(r), s].concat()),
                    ("with more zeros", [&[0, 0], r, &[0, 0], s].concat()),
                ] {
                    let read = verified(&public, message.as_bytes(), given);
                    assert_eq!(read.as_ref(), Some(&signature), "{kind:?} {form}");
                }
                assert_eq!(verified(&public, b"another", signature), None);
            }
        }
    }

    #[test]
    fn what_is_no_signature_is_none_in_any_form() {
        let public = VerifyingKey::from_spki(Key::pooled(KeyKind::P256, 0).unwrap().public_key().to_vec()).unwrap();
        for given in [vec![], vec![0; 64], vec![1; 64], vec![0x30, 0], vec![7; 63], vec![7; 56], vec![7; 300]] {
            assert_eq!(verified(&public, b"message", given.clone()), None);
            assert!(readings(KeyKind::P256, &given).len() <= ZEROS_MISSING + 3);
        }
        assert_eq!(readings(KeyKind::Rsa2048, &[1; 255]), [[&[0][..], &[1; 255]].concat()]);
        assert!(readings(KeyKind::Rsa2048, &[1; 257]).is_empty());
    }
}
