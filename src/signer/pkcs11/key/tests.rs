use super::super::public_half::private;
use super::*;

#[test]
fn s13_an_id_that_is_written_as_digits_is_told_how_it_is_written() {
    let others = [private(&[1], b"release", Vec::new()), private(&[0x0a, 0xb0], b"other", Vec::new())];
    for (id, way) in
        [("01", "here id=%01"), ("1", "here id=%01"), ("0ab0", "here id=%0A%B0"), ("0a:b0", "here id=%0A%B0")]
    {
        let uri: Uri = format!("pkcs11:token=ci;id={id}").parse().unwrap();
        let said = instead(&uri, &others, false);
        assert!(said.contains(way) && said.contains("written object=release;id=%01"), "{said}");
    }
    for id in ["02", "%01%02", "xyz", "%ff"] {
        let uri: Uri = format!("pkcs11:token=ci;id={id}").parse().unwrap();
        let said = instead(&uri, &others, true);
        assert!(!said.contains("here id=") && said.contains("of more than are read"), "{said}");
    }
}

#[test]
fn labels_are_the_same_but_for_what_they_are_padded_with() {
    let uri: Uri = "pkcs11:token=ci;object=release".parse().unwrap();
    for label in [&b"release"[..], b"release   ", b"release\0\0", b"release \0 "] {
        assert!(describes(&uri, &private(b"1", label, Vec::new())), "{label:?}");
    }
    for label in [&b"release1"[..], b" release", b"Release", b"", b"\0"] {
        assert!(!describes(&uri, &private(b"1", label, Vec::new())), "{label:?}");
    }
    let blank: Uri = "pkcs11:token=ci;object=%20".parse().unwrap();
    assert!(!describes(&blank, &private(b"1", b"", Vec::new())));
}

#[test]
fn what_a_search_finds_besides_is_left_out() {
    let uri: Uri = "pkcs11:token=ci;object=release;id=%01".parse().unwrap();
    let labels = |found| -> Vec<Vec<u8>> { meant(&uri, found).into_iter().map(|key| key.label).collect() };
    let (right, other) = (|| private(b"\x01", b"release", Vec::new()), || private(b"\x01", b"other", Vec::new()));
    let silent = || private(b"", b"", Vec::new());
    assert_eq!(labels(vec![other(), right(), silent()]), [b"release"]);
    assert_eq!(labels(vec![other(), silent()]), [b""]);
    assert!(labels(vec![other()]).is_empty());
}

#[test]
fn a_key_is_shown_as_it_is_written_in_a_uri() {
    for (id, label, shown) in [
        (&b"\x01"[..], &b"release"[..], "\"release\" (id 01, written object=release;id=%01)"),
        (b"", b"my key", "\"my key\" (id none, written object=my%20key)"),
        (b"k1", b"", "one without a label (id 6b31, written id=%6B%31)"),
        (b"", b"Schl\xfcssel", "\"Schl\u{fffd}ssel\" (id none, written object=Schl%FCssel)"),
        (b"", b"", "one without a label (id none)"),
    ] {
        assert_eq!(private(id, label, Vec::new()).in_words(), shown);
    }
}

#[test]
fn what_a_key_does_not_tell_does_not_count_against_it() {
    let names = Names { token: "\"ci\"", key: "the key" };
    let mut silent = private(b"1", b"key", Vec::new());
    silent.family = None;
    assert_eq!(usable(vec![silent.clone()], names, None).unwrap().len(), 1);
    let mut refused = silent.clone();
    refused.may_sign = Some(false);
    // One that may not sign is no reason to refuse another.
    assert_eq!(usable(vec![refused.clone(), silent], names, None).unwrap().len(), 1);
    let error = usable(vec![refused], names, None).unwrap_err().to_string();
    assert!(error.contains("CKA_SIGN is false"), "{error}");
}

#[test]
fn several_keys_are_one_if_all_say_that_they_are_the_same() {
    let names = Names { token: "\"ci\"", key: "the key" };
    let uri: Uri = "pkcs11:token=ci;object=key".parse().unwrap();
    let twin = |own: &[u8]| private(b"1", b"key", vec![own.to_vec()]);
    assert!(only(vec![twin(b"a"), twin(b"a")], &uri, names).is_ok());
    for others in
        [vec![twin(b"a"), twin(b"b")], vec![private(b"1", b"key", Vec::new()), private(b"2", b"key", Vec::new())]]
    {
        let error = only(others, &uri, names).unwrap_err().to_string();
        assert!(error.contains("2 private keys") && error.contains("written object=key;id=%31"), "{error}");
    }
}
