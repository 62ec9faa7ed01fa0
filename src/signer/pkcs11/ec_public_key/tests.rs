use super::super::super::VerifyingKey;
use super::*;
use crate::forge::{self, KeyKind};

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
        assert_eq!(read(&parameters, &point).unwrap(), expected, "{kind:?}, bare");
        assert_eq!(read(&parameters, &forge::tlv(0x04, &point)).unwrap(), expected, "{kind:?}, wrapped");
        assert_eq!(read(&parameters, &[]), None);
    }
}

#[test]
fn a_bare_point_that_looks_wrapped_is_not_unwrapped() {
    for length in [65, 97] {
        let mut point = vec![7; length];
        // As if an OCTET STRING of all that follows began here, in which a point begins.
        (point[0], point[1], point[2]) = (4, u8::try_from(length - 2).unwrap(), 4);
        assert_eq!(unwrapped(&point), point);
    }
}

#[test]
fn s22_points_are_read_in_the_forms_that_modules_give() {
    for kind in [KeyKind::P256, KeyKind::P384, KeyKind::P521] {
        // Each sign of the second coordinate comes up among a few keys.
        for slot in 0..4 {
            let expected = forge::Key::pooled(kind, slot).unwrap().public_key().to_vec();
            let (parameters, point) = parts(&expected);
            let (x, y) = point[1..].split_at((point.len() - 1) / 2);
            let compressed = [&[2 + (y[y.len() - 1] & 1)], x].concat();
            let bits = |inside: &[u8]| forge::tlv(0x03, &[&[0], inside].concat());
            for (form, given) in [
                ("bare", point.clone()),
                ("wrapped", forge::tlv(0x04, &point)),
                ("BIT STRING", bits(&point)),
                ("without its first byte", point[1..].to_vec()),
                ("compressed", compressed.clone()),
                ("compressed and wrapped", forge::tlv(0x04, &compressed)),
                ("compressed in a BIT STRING", bits(&compressed)),
            ] {
                assert_eq!(read(&parameters, &given).unwrap(), expected, "{kind:?} {form}");
                assert_eq!(read(&[], &given).unwrap(), expected, "{kind:?} {form}, without parameters");
            }
        }
    }
}

#[test]
fn curves_are_read_by_name_and_spelled_out() {
    let kinds = [KeyKind::P256, KeyKind::P384, KeyKind::P521];
    for (kind, curve) in kinds.into_iter().zip(&CURVES) {
        let expected = public(kind);
        let (_, point) = parts(&expected);
        for name in curve.names {
            for tag in [0x13, 0x0c] {
                let parameters = forge::tlv(tag, name.as_bytes());
                assert_eq!(read(&parameters, &point).unwrap(), expected, "{name}");
            }
        }
        let prime =
            forge::tlv(2, &[&[0][..usize::from(curve.length != 66)], &hex::decode(curve.prime).unwrap()].concat());
        let field = forge::tlv(0x30, &[PRIME_FIELD.to_der().unwrap(), prime].concat());
        let rest = [forge::tlv(0x30, &[]), forge::tlv(4, &[1]), forge::tlv(2, &[1]), forge::tlv(2, &[1])].concat();
        let explicit = forge::tlv(0x30, &[vec![2, 1, 1], field, rest].concat());
        assert_eq!(read(&explicit, &point).unwrap(), expected, "{kind:?} spelled out");
    }
}

#[test]
fn a_first_coordinate_without_a_point_is_not_made_one() {
    // 0 is one of a point of P-256, 5 is none's, and no coordinate is as large as the prime.
    let x = |last: u8| [&[2], &[0; 31][..], &[last]].concat();
    assert!(CURVES[0].whole(&x(0)).is_some());
    let (found, missing): (Vec<u8>, Vec<u8>) = (0..50).partition(|last| CURVES[0].whole(&x(*last)).is_some());
    assert!(found.len() > 5 && missing.len() > 5, "{found:?}");
    assert_eq!(CURVES[0].whole(&[&[2], &[0xff; 32][..]].concat()), None);
}

#[test]
fn what_signs_no_envelopes_says_what_it_is() {
    let (_, point) = parts(&public(KeyKind::P256));
    for (parameters, point, words) in [
        (vec![6, 5, 0x2b, 0x81, 4, 0, 0x0a], point.clone(), "curve 1.3.132.0.10"),
        // A curve by its name, as the standard allows since 3.0, and one that is spelled out.
        (vec![0x13, 3, b'a', b'b', b'c'], point.clone(), "not named"),
        (vec![0x30, 0], point.clone(), "not named"),
        (vec![6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7], point[..32].to_vec(), "wrong length"),
        (vec![6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7], [&[4], [9; 64].as_slice()].concat(), "not a sound key"),
    ] {
        let refusal = VerifyingKey::from_spki(read(&parameters, &point).unwrap()).unwrap_err();
        assert!(refusal.contains(words), "{refusal}");
    }
}
