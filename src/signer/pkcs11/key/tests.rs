use super::*;
use crate::forge::{self, KeyKind};
use crate::pki;

fn public(kind: KeyKind) -> Vec<u8> {
    forge::Key::pooled(kind, 0).unwrap().public_key().to_vec()
}

/// Parameters and point of an EC key.
fn parts(spki: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let spki = x509_cert::spki::SubjectPublicKeyInfoRef::from_der(spki).unwrap();
    let parameters = spki.algorithm.parameters.unwrap().to_der().unwrap();
    (parameters, spki.subject_public_key.raw_bytes().to_vec())
}

#[test]
fn a_point_may_be_wrapped_or_bare() {
    for kind in [KeyKind::P256, KeyKind::P384, KeyKind::P521] {
        let expected = public(kind);
        let (parameters, point) = parts(&expected);
        assert_eq!(ec(&parameters, &point).unwrap(), expected, "{kind:?}, bare");
        assert_eq!(ec(&parameters, &forge::tlv(0x04, &point)).unwrap(), expected, "{kind:?}, wrapped");
        assert_eq!(ec(&parameters, &[]), None);
        assert_eq!(ec(&[], &point), None);
    }
}

#[test]
fn a_bare_point_that_looks_wrapped_is_not_unwrapped() {
    for length in [65, 97] {
        let mut point = vec![7; length];
        // As if an OCTET STRING of all that follows began here, in which a point begins.
        (point[0], point[1], point[2]) = (4, u8::try_from(length - 2).unwrap(), 4);
        assert_eq!(bare(&point), point);
    }
}

#[test]
fn rsa_keys_are_written_as_certificates_hold_them() {
    let expected = public(KeyKind::Rsa2048);
    let key = x509_cert::spki::SubjectPublicKeyInfoRef::from_der(&expected).unwrap().subject_public_key.raw_bytes();
    let numbers = AnyRef::from_der(key)
        .unwrap()
        .sequence(|reader| {
            Ok([UintRef::decode(reader)?.as_bytes().to_vec(), UintRef::decode(reader)?.as_bytes().to_vec()])
        })
        .unwrap();
    let [modulus, exponent] = numbers;
    assert_eq!(rsa(&modulus, &exponent).unwrap(), expected);
    // Some modules give the numbers with zeros in front.
    assert_eq!(rsa(&[&[0, 0], modulus.as_slice()].concat(), &[0, 1, 0, 1]).unwrap(), expected);
    assert_eq!(VerifyingKey::from_spki(expected).unwrap().kind(), pki::KeyKind::Rsa2048);
    assert_eq!(rsa(&[], &exponent), None);
    assert_eq!(rsa(&modulus, &[]), None);
}

#[test]
fn what_signs_no_envelopes_says_what_it_is() {
    let (_, point) = parts(&public(KeyKind::P256));
    for (parameters, point, words) in [
        (vec![6, 5, 0x2b, 0x81, 4, 0, 0x0a], point.clone(), "curve 1.3.132.0.10"),
        // A curve by its name, as the standard allows since 3.0, and one that is spelled out.
        (vec![0x13, 3, b'a', b'b', b'c'], point.clone(), "not named"),
        (vec![0x30, 0], point.clone(), "not named"),
        (vec![6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7], point[..33].to_vec(), "compressed"),
        (vec![6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7], [&[4], [9; 64].as_slice()].concat(), "not a sound key"),
    ] {
        let refusal = VerifyingKey::from_spki(ec(&parameters, &point).unwrap()).unwrap_err();
        assert!(refusal.contains(words), "{refusal}");
    }
}
