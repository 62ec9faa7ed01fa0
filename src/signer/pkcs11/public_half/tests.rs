use super::*;
use crate::forge::{self, KeyKind};

fn public(kind: KeyKind) -> Vec<u8> {
    forge::Key::pooled(kind, 0).unwrap().public_key().to_vec()
}

/// A private key that says of itself what is given.
pub(in crate::signer::pkcs11) fn private(id: &[u8], label: &[u8], own: Vec<Vec<u8>>) -> PrivateKeyObject<()> {
    PrivateKeyObject {
        handle: (),
        family: Some(Family::Ec),
        id: id.to_vec(),
        label: label.to_vec(),
        may_sign: None,
        always_authenticate: None,
        own_public_halves: own,
        ec_parameters: Vec::new(),
    }
}

#[test]
fn garbage_for_a_public_half_is_passed_over() {
    let sound = public(KeyKind::P256);
    for garbage in [&b"\x04\x41\x04garbage"[..], b"", &sound[..sound.len() - 1]] {
        let key = private(b"1", b"key", vec![garbage.to_vec(), sound.clone()]);
        assert_eq!(own(&key).unwrap().unwrap().spki(), sound);
        assert!(own(&private(b"1", b"key", vec![garbage.to_vec()])).unwrap().is_none());
    }
    let mut rsa = private(b"1", b"key", vec![vec![0x30, 0]]);
    rsa.family = Some(Family::Rsa);
    assert!(own(&rsa).is_err());
}

#[test]
fn s09_a_pair_has_both_id_and_label_in_common() {
    let key = private(b"\x12", b"keya", Vec::new());
    assert_eq!(tie(&key, b"\x12", b"keya"), Tie::IdAndLabel);
    assert_eq!(tie(&key, b"\x12", b"keyb"), Tie::Id);
    assert_eq!(tie(&key, b"\x13", b"keya"), Tie::Label);
    assert_eq!(tie(&private(b"", b"", Vec::new()), b"", b""), Tie::None);
    assert!(Tie::IdAndLabel < Tie::Id && Tie::Id < Tie::Label && Tie::Label < Tie::None);
}
