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
fn a_tagged_item_is_what_its_tag_says() {
    let long_text = |tag: &str, text: &str| format!("{tag} 78 {:02x} {}", text.len(), hex::encode(text));
    for (sound, broken) in [
        // A time as text.
        (long_text("c0", "2026-11-23T00:21:27Z"), "c0 00".to_owned()),
        (long_text("c0", "2026-11-23T00:21:27.5+02:00"), long_text("c0", "2026-11-23")),
        (long_text("c0", "2026-11-23T00:21:27Z"), "c0 54 323032362d31312d32335430303a32313a32375a".to_owned()),
        // Seconds.
        ("c1 00".to_owned(), "c1 6131".to_owned()),
        ("c1 20".to_owned(), "c1 f6".to_owned()),
        ("c1 f93c00".to_owned(), "c1 f4".to_owned()),
        ("c1 fb3ff0000000000000".to_owned(), "c1 80".to_owned()),
        ("c1 1a5f000000".to_owned(), "c1 c1 00".to_owned()),
        ("d9d9f7 c1 00".to_owned(), "c1 d9d9f7 00".to_owned()),
        // Fractions.
        ("c4 82 21 19 6ab3".to_owned(), "c4 81 00".to_owned()),
        ("c5 82 20 03".to_owned(), "c5 83 00 00 00".to_owned()),
        ("c4 82 00 20".to_owned(), "c4 00".to_owned()),
        // CBOR within, at any depth.
        ("d818 41 00".to_owned(), "d818 00".to_owned()),
        ("d818 44 d8184100".to_owned(), "d818 6100".to_owned()),
        // A URI, base64url, base64, a regular expression, a MIME message.
        (long_text("d820", "http://example.com/a%20b?c#d"), "d820 43 612f62".to_owned()),
        (long_text("d820", "urn:x"), long_text("d820", "http://a b")),
        (long_text("d820", "a/b"), long_text("d820", "a%2")),
        (long_text("d821", "-_8"), long_text("d821", "-_8=")),
        (long_text("d822", "+/8="), long_text("d822", "-_8=")),
        (long_text("d823", "a*"), "d823 41 61".to_owned()),
        (long_text("d824", "From: a"), "d824 41 61".to_owned()),
    ] {
        assert_eq!(check(&bytes(&sound)), Ok(()), "{sound}");
        let error = check(&bytes(&broken)).unwrap_err();
        assert!(matches!(error, CborError::Tagged(..)), "{broken}: {error}");
        // Wherever it stands.
        for before in ["81", "a1 00", "d9d9f7", "82 00", "a1 6161 81 a1 01"] {
            let nested = |item: &str| check(&bytes(&format!("{before}{item}")));
            assert_eq!(nested(&sound), Ok(()), "{before} {sound}");
            assert_eq!(nested(&broken), Err(error), "{before} {broken}");
        }
    }
    for (broken, error) in [
        ("c4 82 00 f93c00", CborError::Fraction),
        ("c5 82 80 00", CborError::Fraction),
        ("c4 82 00 c1 00", CborError::Fraction),
        ("c4 82 00 c2 41 01", CborError::BigInteger),
        ("d818 40", CborError::Truncated),
        ("d818 42 00 00", CborError::Trailing),
        ("d818 44 d818 41 9f", CborError::Indefinite),
        ("82 d818 41 00 d818 41 18", CborError::Truncated),
        ("d818 43 c1 6131", CborError::Tagged(1, "a number of seconds")),
    ] {
        assert_eq!(check(&bytes(broken)), Err(error), "{broken}");
    }
    // The content of other tags may be anything.
    for item in ["c6 f6", "d5 00", "d6 00", "d7 00", "d825 00", "d9d9f7 f6", "dbffffffffffffffff 80"] {
        assert_eq!(check(&bytes(item)), Ok(()), "{item}");
    }
}

#[test]
fn what_is_embedded_counts_with_the_rest() {
    let many = limits::CBOR_ITEMS as u32;
    let array = |length: u32| [vec![0x9a], length.to_be_bytes().to_vec(), vec![0; length as usize]].concat();
    let embedded =
        |item: &[u8]| [vec![0xd8, 24, 0x5a], (item.len() as u32).to_be_bytes().to_vec(), item.to_vec()].concat();
    assert_eq!(check(&embedded(&array(many - 3))), Ok(()));
    assert_eq!(check(&embedded(&array(many - 2))), Err(CborError::Items));
    // A thousand levels cost as many steps as there are, and no stack.
    let mut nested = vec![0];
    for _ in 0..1000 {
        nested = embedded(&nested);
    }
    assert_eq!(check(&nested), Ok(()));
}

#[test]
fn integers_fit_64_bits_with_a_sign() {
    for (item, expected) in [
        ("1b 7fffffffffffffff", Ok(())),
        ("3b 7fffffffffffffff", Ok(())),
        ("1b 8000000000000000", Err(CborError::Integer)),
        ("3b 8000000000000000", Err(CborError::Integer)),
        ("1b ffffffffffffffff", Err(CborError::Integer)),
        ("a1 1b 8000000000000000 00", Err(CborError::Integer)),
        ("a1 3b ffffffffffffffff 00", Err(CborError::Integer)),
        ("a1 00 81 1b 8000000000000000", Err(CborError::Integer)),
        ("c1 1b 8000000000000000", Err(CborError::Integer)),
    ] {
        assert_eq!(check(&bytes(item)), expected, "{item}");
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
    assert_eq!(check(&[vec![0xd5; 10_000], vec![0x00]].concat()), Err(CborError::Depth));
    for head in ["9a ffffffff", "9b ffffffffffffffff", "ba ffffffff", "bb ffffffffffffffff", "5b ffffffffffffffff"] {
        assert_eq!(check(&[bytes(head), vec![0; 10]].concat()), Err(CborError::Truncated), "{head}");
    }
    let many = limits::CBOR_ITEMS as u32;
    let array = |length: u32| [vec![0x9a], length.to_be_bytes().to_vec(), vec![0; length as usize]].concat();
    assert_eq!(check(&array(many - 1)), Ok(()));
    assert_eq!(check(&array(many)), Err(CborError::Items));
}
