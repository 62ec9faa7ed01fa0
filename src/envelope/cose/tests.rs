use super::super::attribute::{EXPIRY, SIGNING_SCHEME, SIGNING_TIME};
use super::super::tests::shortest;
use super::*;
use crate::limits;
use crate::pki::ChainCache;

/// CBOR by hand, as the specification's diagrams draw it: heads are written, nothing is checked.
mod write {
    pub(super) fn head(major: u8, argument: usize) -> Vec<u8> {
        match argument {
            0..=23 => vec![major << 5 | argument as u8],
            24..=255 => vec![major << 5 | 24, argument as u8],
            256..=65_535 => [&[major << 5 | 25][..], &(argument as u16).to_be_bytes()].concat(),
            _ => [&[major << 5 | 26][..], &(argument as u32).to_be_bytes()].concat(),
        }
    }

    pub(super) fn bytes(content: &[u8]) -> Vec<u8> {
        [head(2, content.len()), content.to_vec()].concat()
    }

    pub(super) fn text(content: &str) -> Vec<u8> {
        [head(3, content.len()), content.as_bytes().to_vec()].concat()
    }

    pub(super) fn array(items: &[Vec<u8>]) -> Vec<u8> {
        [head(4, items.len()), items.concat()].concat()
    }

    pub(super) fn map(entries: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
        let count = entries.len();
        let entries: Vec<u8> = entries.iter().flat_map(|(key, value)| [key.clone(), value.clone()].concat()).collect();
        [head(5, count), entries].concat()
    }

    pub(super) fn int(number: i64) -> Vec<u8> {
        if number < 0 { head(1, number.unsigned_abs() as usize - 1) } else { head(0, number as usize) }
    }

    pub(super) fn tag(number: usize, item: &[u8]) -> Vec<u8> {
        [head(6, number), item.to_vec()].concat()
    }
}

use write::{array, bytes, int, map, tag, text};

type Entries = Vec<(Vec<u8>, Vec<u8>)>;

const NULL: &[u8] = &[0xf6];
const UNDEFINED: &[u8] = &[0xf7];

fn protected() -> Entries {
    vec![
        (int(1), int(-7)),
        (int(2), array(&[text(SIGNING_SCHEME)])),
        (int(3), text("application/vnd.cncf.notary.payload.v1+json")),
        (text(SIGNING_SCHEME), text("notary.x509")),
        (text(SIGNING_TIME), tag(1, &int(1_795_306_887))),
    ]
}

fn unprotected() -> Entries {
    vec![(int(33), array(&[bytes(&[1, 2, 3]), bytes(&[4])]))]
}

/// An envelope of these four items, whatever they are.
fn items(items: &[Vec<u8>; 4]) -> Vec<u8> {
    tag(18, &array(items))
}

/// An envelope with these headers. Its signature is not valid, which the parser does not look at.
fn envelope(protected: &Entries, unprotected: &Entries) -> Vec<u8> {
    items(&[bytes(&map(protected)), map(unprotected), bytes(b"{}"), bytes(&[0; 3])])
}

/// The entries with that of one label replaced, or added.
fn with(mut entries: Entries, label: Vec<u8>, value: Vec<u8>) -> Entries {
    match entries.iter_mut().find(|(known, _)| *known == label) {
        Some(entry) => entry.1 = value,
        None => entries.push((label, value)),
    }
    entries
}

fn without(mut entries: Entries, label: &[u8]) -> Entries {
    entries.retain(|(known, _)| known != label);
    entries
}

fn code(bytes: &[u8]) -> Code {
    parse(bytes).unwrap_err().code
}

#[test]
fn reads_the_common_shape() {
    let header = with(unprotected(), text(TIMESTAMP_SIGNATURE), bytes(&[5]));
    let header = with(header, text(SIGNING_AGENT), text("ab"));
    let read = parse(&envelope(&protected(), &header)).unwrap();
    assert_eq!(read.format, Format::Cose);
    assert_eq!(read.algorithm, Ok(Algorithm::Es256));
    let signed = array(&[text("Signature1"), bytes(&map(&protected())), bytes(&[]), bytes(b"{}")]);
    assert_eq!(read.signed, signed);
    assert_eq!(read.payload, b"{}");
    assert_eq!(read.chain, [vec![1, 2, 3], vec![4]]);
    assert_eq!(read.unsigned.signature, [0, 0, 0]);
    assert_eq!(read.unsigned.timestamp_token.as_deref(), Some(&[5][..]));
    assert_eq!(read.unsigned.signing_agent.as_deref(), Some("ab"));
    assert_eq!(read.protected.content_type.as_deref(), Some("application/vnd.cncf.notary.payload.v1+json"));
    assert_eq!(read.protected.get(SIGNING_TIME), Some(&Value::Seconds(1_795_306_887)));
    assert_eq!(read.protected.critical.unwrap(), [Label::from(SIGNING_SCHEME)]);
    assert!(read.notes.is_empty());
}

#[test]
fn c01_only_tag_18_is_read() {
    let sound = envelope(&protected(), &unprotected());
    let untagged = &sound[1..];
    for bytes in [
        Vec::new(),
        untagged.to_vec(),
        tag(98, untagged),
        tag(61, &sound),
        tag(55_799, &sound),
        tag(17, untagged),
        tag(18, &sound),
        // The tag, or the length of the array, in more bytes than needed.
        [&[0xd8, 18], untagged].concat(),
        [&[0xd2, 0x98, 4], &sound[2..]].concat(),
        tag(18, &array(&[bytes(&map(&protected())), map(&unprotected()), bytes(b"{}")])),
        tag(18, &array(&[bytes(&map(&protected())), map(&unprotected()), bytes(b"{}"), bytes(&[0]), bytes(&[0])])),
        tag(18, &map(&protected())),
    ] {
        assert_eq!(code(&bytes), Code::EnvelopeMalformed, "{}", hex::encode(&bytes));
    }
}

#[test]
fn c02_nothing_follows() {
    let sound = envelope(&protected(), &unprotected());
    for behind in [&[0][..], &[0xf6], &[0xff], &sound] {
        assert_eq!(code(&[&sound, behind].concat()), Code::EnvelopeMalformed);
    }
    let inside = [map(&protected()), int(0)].concat();
    assert_eq!(
        code(&items(&[bytes(&inside), map(&unprotected()), bytes(b"{}"), bytes(&[0])])),
        Code::EnvelopeMalformed
    );
}

#[test]
fn c03_indefinite_lengths_are_refused_everywhere() {
    let indefinite_bytes = [&[0x5f][..], &bytes(b"{}"), &[0xff]].concat();
    let indefinite_text = [&[0x7f][..], &text("x"), &[0xff]].concat();
    let indefinite_array = [&[0x9f][..], &bytes(&[1]), &[0xff]].concat();
    let indefinite_map = [&[0xbf, 0xff][..]].concat();
    let header = |value: &[u8]| with(protected(), text("note"), value.to_vec());
    for bytes in [
        [&[0xd2, 0x9f][..], &envelope(&protected(), &unprotected())[2..], &[0xff]].concat(),
        items(&[bytes(&map(&protected())), map(&unprotected()), indefinite_bytes.clone(), bytes(&[0])]),
        items(&[bytes(&map(&protected())), map(&unprotected()), bytes(b"{}"), indefinite_bytes.clone()]),
        items(&[bytes(&map(&protected())), indefinite_map.clone(), bytes(b"{}"), bytes(&[0])]),
        items(&[indefinite_bytes.clone(), map(&unprotected()), bytes(b"{}"), bytes(&[0])]),
        items(&[bytes(&indefinite_map), map(&unprotected()), bytes(b"{}"), bytes(&[0])]),
        envelope(&protected(), &with(unprotected(), int(33), indefinite_array.clone())),
        envelope(&header(&indefinite_text), &unprotected()),
        envelope(&header(&array(&[indefinite_array])), &unprotected()),
        envelope(&protected(), &with(unprotected(), text("note"), indefinite_text)),
    ] {
        assert_eq!(code(&bytes), Code::EnvelopeMalformed, "{}", hex::encode(&bytes));
    }
}

#[test]
fn c04_no_label_stands_twice() {
    let twice = |mut entries: Entries, label: Vec<u8>, value: Vec<u8>| {
        entries.push((label, value));
        entries
    };
    for bytes in [
        envelope(&twice(protected(), int(1), int(-7)), &unprotected()),
        envelope(&twice(protected(), text(SIGNING_SCHEME), text("notary.x509")), &unprotected()),
        // The label 1 in two bytes.
        envelope(&twice(protected(), vec![0x18, 1], int(-7)), &unprotected()),
        envelope(&protected(), &twice(unprotected(), int(33), array(&[bytes(&[1])]))),
        envelope(&protected(), &twice(unprotected(), int(1), int(-7))),
        envelope(&protected(), &twice(unprotected(), text(SIGNING_TIME), NULL.to_vec())),
        envelope(&twice(protected(), int(33), array(&[bytes(&[1])])), &unprotected()),
        envelope(&twice(protected(), text("x"), map(&[(int(1), int(1)), (int(1), int(1))])), &unprotected()),
    ] {
        assert_eq!(code(&bytes), Code::EnvelopeMalformed, "{}", hex::encode(&bytes));
    }
}

#[test]
fn c05_the_received_bytes_are_what_is_signed() {
    // The algorithm label in two bytes: another encoding of the same header.
    let odd: Entries = protected()
        .into_iter()
        .map(|(label, value)| if label == int(1) { (vec![0x18, 1], value) } else { (label, value) })
        .collect();
    let read = parse(&envelope(&odd, &unprotected())).unwrap();
    assert_eq!(read.algorithm, Ok(Algorithm::Es256));
    assert_eq!(read.signed, array(&[text("Signature1"), bytes(&map(&odd)), bytes(&[]), bytes(b"{}")]));

    // And a real envelope does not pass in another encoding.
    let sample = shortest(Format::Cose);
    let label = sample.bytes.windows(2).position(|window| window == [0x01, 0x26]).unwrap();
    let mut bytes = sample.bytes.clone();
    bytes.splice(label..label + 1, [0x18, 0x01]);
    let length = bytes[3] + 1;
    assert_eq!(bytes[2], 0x58, "the protected header has a length of one byte");
    bytes[3] = length;
    let failure = sample.verify(&bytes, &ChainCache::new()).unwrap_err();
    assert_eq!(failure.code, Code::SignatureInvalid);
}

#[test]
fn c06_the_protected_header_is_a_byte_string_that_holds_a_map() {
    for header in [
        bytes(&[]),
        NULL.to_vec(),
        UNDEFINED.to_vec(),
        map(&protected()),
        text("x"),
        array(&[]),
        bytes(&array(&[])),
        bytes(&bytes(&map(&protected()))),
        bytes(NULL),
        bytes(&int(1)),
        bytes(&tag(1, &map(&protected()))),
    ] {
        let got = code(&items(&[header.clone(), map(&unprotected()), bytes(b"{}"), bytes(&[0])]));
        assert_eq!(got, Code::EnvelopeMalformed, "{}", hex::encode(&header));
    }
    for header in [NULL.to_vec(), bytes(&map(&unprotected())), array(&[]), bytes(&[])] {
        let got = code(&items(&[bytes(&map(&protected())), header.clone(), bytes(b"{}"), bytes(&[0])]));
        assert_eq!(got, Code::EnvelopeMalformed, "{}", hex::encode(&header));
    }
}

#[test]
fn c07_c22_the_payload_is_there() {
    for payload in [NULL.to_vec(), UNDEFINED.to_vec(), text("{}"), map(&[]), array(&[bytes(b"{}")]), int(0)] {
        let got = code(&items(&[bytes(&map(&protected())), map(&unprotected()), payload.clone(), bytes(&[0])]));
        assert_eq!(got, Code::EnvelopeMalformed, "{}", hex::encode(&payload));
    }
}

#[test]
fn c08_c22_the_signature_is_there() {
    for signature in [bytes(&[]), NULL.to_vec(), UNDEFINED.to_vec(), text("x"), array(&[bytes(&[0])])] {
        let got = code(&items(&[bytes(&map(&protected())), map(&unprotected()), bytes(b"{}"), signature.clone()]));
        assert_eq!(got, Code::EnvelopeMalformed, "{}", hex::encode(&signature));
    }
}

#[test]
fn c09_the_algorithm_is_a_number_in_the_protected_header() {
    let algorithm =
        |value: Vec<u8>| parse(&envelope(&with(protected(), int(1), value), &unprotected())).unwrap().algorithm;
    for value in [text("ES256"), NULL.to_vec(), int(-9), int(-8), int(0), bytes(&[0x26]), tag(1, &int(-7))] {
        assert_eq!(algorithm(value.clone()).unwrap_err().code, Code::AlgorithmUnsupported, "{}", hex::encode(&value));
    }
    let elsewhere = envelope(&without(protected(), &int(1)), &with(unprotected(), int(1), int(-7)));
    assert_eq!(parse(&elsewhere).unwrap().algorithm.unwrap_err().code, Code::AlgorithmUnsupported);
}

#[test]
fn c10_the_content_type_is_text() {
    for value in [int(50), NULL.to_vec(), bytes(b"x"), array(&[text("x")])] {
        let read = parse(&envelope(&with(protected(), int(3), value), &unprotected())).unwrap();
        assert_eq!(read.protected.content_type, None);
    }
    assert_eq!(parse(&envelope(&without(protected(), &int(3)), &unprotected())).unwrap().protected.content_type, None);
}

#[test]
fn c11_c12_the_chain_is_a_bounded_array_of_byte_strings() {
    let many = array(&vec![bytes(&[1]); limits::CHAIN_CERTIFICATES + 1]);
    for chain in [
        bytes(&[1, 2, 3]),
        array(&[]),
        NULL.to_vec(),
        text("AAAA"),
        map(&[]),
        array(&[bytes(&[1]), text("x")]),
        array(&[array(&[bytes(&[1])])]),
        array(&[bytes(&vec![0; limits::CERTIFICATE_BYTES + 1])]),
        many,
    ] {
        let got = code(&envelope(&protected(), &with(unprotected(), int(33), chain.clone())));
        assert_eq!(got, Code::ChainMalformed, "{:.60}", hex::encode(&chain));
    }
    assert_eq!(code(&envelope(&protected(), &vec![])), Code::ChainMalformed);
    let in_protected = with(protected(), int(33), array(&[bytes(&[1])]));
    assert_eq!(code(&envelope(&in_protected, &vec![])), Code::ChainMalformed);
    let hundred_thousand = array(&vec![bytes(&[1]); 100_000]);
    let got = code(&envelope(&protected(), &with(unprotected(), int(33), hundred_thousand)));
    assert_eq!(got, Code::EnvelopeMalformed);
}

#[test]
fn c13_crit_is_a_list_of_labels_with_one_at_least() {
    let critical = |value: Vec<u8>| {
        parse(&envelope(&with(protected(), int(2), value), &unprotected())).unwrap().protected.critical
    };
    for value in [array(&[]), NULL.to_vec(), text(SIGNING_SCHEME), array(&[bytes(b"x")]), array(&[array(&[])])] {
        assert_eq!(critical(value.clone()).unwrap_err().code, Code::CriticalMalformed, "{}", hex::encode(&value));
    }
    let missing = parse(&envelope(&without(protected(), &int(2)), &unprotected())).unwrap();
    assert_eq!(missing.protected.critical.unwrap_err().code, Code::CriticalMalformed);
    assert_eq!(critical(array(&[int(-5), text("x")])).unwrap(), [Label::Integer(-5), Label::from("x")]);
}

#[test]
fn c16_times_keep_what_they_were_written_as() {
    let time = |value: Vec<u8>| {
        parse(&envelope(&with(protected(), text(EXPIRY), value), &unprotected()))
            .unwrap()
            .protected
            .get(EXPIRY)
            .cloned()
    };
    assert_eq!(time(tag(1, &int(5))), Some(Value::Seconds(5)));
    assert_eq!(time(tag(1, &int(-5))), Some(Value::Seconds(-5)));
    assert_eq!(time(tag(1, &[0xf9, 0x3e, 0x00])), Some(Value::FractionalSeconds(1.5)));
    assert_eq!(time(tag(0, &text("2026-11-23T00:21:27Z"))), Some(Value::Other(None)));
    assert_eq!(time(int(5)), Some(Value::Other(Some("5".to_owned()))));
    assert_eq!(time(NULL.to_vec()), Some(Value::Null));
    // What the tag says is not true.
    for value in [tag(2, &bytes(&[5])), text("2026-11-23T00:21:27Z"), tag(1, &int(5)), NULL.to_vec()] {
        let broken = with(protected(), text(EXPIRY), tag(1, &value));
        assert_eq!(code(&envelope(&broken, &unprotected())), Code::EnvelopeMalformed, "{}", hex::encode(&value));
    }
}

#[test]
fn c18_nesting_and_declared_lengths_are_bounded() {
    let deep = [vec![0x81; 10_000], vec![0]].concat();
    assert_eq!(code(&envelope(&with(protected(), text("x"), deep.clone()), &unprotected())), Code::EnvelopeMalformed);
    assert_eq!(code(&envelope(&protected(), &with(unprotected(), text("x"), deep))), Code::EnvelopeMalformed);
    for head in
        [&[0x9a, 0xff, 0xff, 0xff, 0xff][..], &[0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], &[0x5b; 9]]
    {
        let start = [&[0xd2, 0x84][..], &bytes(&map(&protected())), head, &[0; 10]].concat();
        assert_eq!(code(&start), Code::EnvelopeMalformed);
        let inside = [head, &[0; 10]].concat();
        assert_eq!(
            code(&items(&[bytes(&inside), map(&unprotected()), bytes(b"{}"), bytes(&[0])])),
            Code::EnvelopeMalformed
        );
    }
}

#[test]
fn c19_text_is_utf8() {
    let broken = [&[0x62][..], &[0xc3, 0x28]].concat();
    assert_eq!(code(&envelope(&with(protected(), text("x"), broken.clone()), &unprotected())), Code::EnvelopeMalformed);
    assert_eq!(code(&envelope(&with(protected(), broken.clone(), int(1)), &unprotected())), Code::EnvelopeMalformed);
    assert_eq!(code(&envelope(&protected(), &with(unprotected(), broken, int(1)))), Code::EnvelopeMalformed);
}

#[test]
fn c20_countersignatures_are_refused() {
    for label in [7, 9, 11, 12] {
        for value in [bytes(&[1]), array(&[]), NULL.to_vec(), array(&[bytes(&[]), map(&[]), bytes(&[])])] {
            for (protected, unprotected) in [
                (protected(), with(unprotected(), int(label), value.clone())),
                (with(protected(), int(label), value.clone()), unprotected()),
            ] {
                let failure = parse(&envelope(&protected, &unprotected)).unwrap_err();
                assert_eq!(failure.code, Code::EnvelopeMalformed);
                assert!(failure.message.contains("is a countersignature"), "{failure}");
            }
        }
    }
}

#[test]
fn c21_unsigned_attributes_of_the_wrong_type_are_none() {
    for value in [text("AAAA"), NULL.to_vec(), array(&[bytes(&[1])]), int(1)] {
        let read = parse(&envelope(&protected(), &with(unprotected(), text(TIMESTAMP_SIGNATURE), value))).unwrap();
        assert_eq!(read.unsigned.timestamp_token, None);
        assert_eq!(read.notes.len(), 1);
    }
    let agent = parse(&envelope(&protected(), &with(unprotected(), text(SIGNING_AGENT), bytes(b"x")))).unwrap();
    assert_eq!(agent.unsigned.signing_agent, None);
    let empty = parse(&envelope(&protected(), &with(unprotected(), text(TIMESTAMP_SIGNATURE), bytes(&[])))).unwrap();
    assert_eq!(empty.unsigned.timestamp_token, None);
}

#[test]
fn c22_undefined_is_refused_everywhere() {
    for bytes in [
        envelope(&with(protected(), text("x"), UNDEFINED.to_vec()), &unprotected()),
        envelope(&protected(), &with(unprotected(), text("x"), UNDEFINED.to_vec())),
        envelope(&protected(), &with(unprotected(), int(33), array(&[UNDEFINED.to_vec()]))),
    ] {
        assert_eq!(code(&bytes), Code::EnvelopeMalformed, "{}", hex::encode(&bytes));
    }
}

#[test]
fn labels_are_integers_or_text() {
    for label in [bytes(b"x"), NULL.to_vec(), array(&[]), vec![0xf5], tag(1, &int(1))] {
        assert_eq!(code(&envelope(&with(protected(), label.clone(), int(1)), &unprotected())), Code::EnvelopeMalformed);
        assert_eq!(code(&envelope(&protected(), &with(unprotected(), label, int(1)))), Code::EnvelopeMalformed);
    }
}
