use super::*;

fn bytes(hex: &str) -> Vec<u8> {
    hex::decode(hex.replace(' ', "")).unwrap()
}

#[test]
fn takes_well_formed_items() {
    for item in [
        "00",
        "20",
        "17",
        "1818",
        "f4",
        "f5",
        "f6",
        "f93c00",
        "fb3ff0000000000000",
        "40",
        "43 010203",
        "61 61",
        "80",
        "a0",
        "82 01 02",
        "a2 01 02 6161 a0",
        "c1 1a 5f000000",
        "d2 84 40 a0 40 40",
        // Longer than needed, RFC 8949 section 4.1: allowed.
        "1800",
        "190001",
        "1b0000000000000001",
        "5800",
        "9800",
        "b800",
        "d812 00",
    ] {
        assert_eq!(check(&bytes(item)), Ok(()), "{item}");
    }
}

#[test]
fn refuses_everything_else() {
    for (item, error) in [
        ("", CborError::Truncated),
        ("18", CborError::Truncated),
        ("42 01", CborError::Truncated),
        ("82 01", CborError::Truncated),
        ("a1 01", CborError::Truncated),
        ("c1", CborError::Truncated),
        ("00 00", CborError::Trailing),
        ("80 00", CborError::Trailing),
        // C03: each kind of indefinite length, and the break that ends it.
        ("5f 41 00 ff", CborError::Indefinite),
        ("7f 61 61 ff", CborError::Indefinite),
        ("9f ff", CborError::Indefinite),
        ("bf ff", CborError::Indefinite),
        ("ff", CborError::Indefinite),
        ("81 9f ff", CborError::Indefinite),
        ("1c", CborError::Reserved),
        ("1f", CborError::Reserved),
        ("df 00", CborError::Reserved),
        ("e0", CborError::Reserved),
        ("f820", CborError::Reserved),
        // C22
        ("f7", CborError::Reserved),
        ("c2 41 01", CborError::BigInteger),
        ("c1 c3 41 01", CborError::BigInteger),
        // C19
        ("61 ff", CborError::Utf8),
        ("a1 62 c080 00", CborError::Utf8),
        ("a1 40 00", CborError::Key),
        ("a1 f6 00", CborError::Key),
        ("a1 80 00", CborError::Key),
        // C04, also in two encodings and further down.
        ("a2 01 00 01 00", CborError::DuplicateKey),
        ("a2 01 00 1801 00", CborError::DuplicateKey),
        ("a2 6161 00 780161 00", CborError::DuplicateKey),
        ("81 a1 01 a2 20 00 20 00", CborError::DuplicateKey),
    ] {
        assert_eq!(check(&bytes(item)), Err(error), "{item}");
    }
}

#[test]
fn equal_keys_of_different_maps_and_values_are_no_duplicates() {
    assert_eq!(check(&bytes("a2 01 a1 01 01 02 a1 01 01")), Ok(()));
    assert_eq!(check(&bytes("a3 01 6161 20 6161 6161 6161")), Ok(()));
}

#[test]
fn c18_depth_and_declared_lengths_are_bounded() {
    let nested = |depth: usize| [vec![0x81; depth], vec![0x00]].concat();
    assert_eq!(check(&nested(limits::CBOR_DEPTH)), Ok(()));
    assert_eq!(check(&nested(limits::CBOR_DEPTH + 1)), Err(CborError::Depth));
    assert_eq!(check(&nested(10_000)), Err(CborError::Depth));
    assert_eq!(check(&[vec![0xc1; 10_000], vec![0x00]].concat()), Err(CborError::Depth));
    for head in ["9a ffffffff", "9b ffffffffffffffff", "ba ffffffff", "bb ffffffffffffffff", "5b ffffffffffffffff"] {
        assert_eq!(check(&[bytes(head), vec![0; 10]].concat()), Err(CborError::Truncated), "{head}");
    }
    let many = limits::CBOR_ITEMS as u32;
    let array = |length: u32| [vec![0x9a], length.to_be_bytes().to_vec(), vec![0; length as usize]].concat();
    assert_eq!(check(&array(many - 1)), Ok(()));
    assert_eq!(check(&array(many)), Err(CborError::Items));
}
