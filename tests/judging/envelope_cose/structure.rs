//! Rows C01–C07, C18–C20, C22 of `docs/bad-inputs.md`: the CBOR, and the parts of the message.

use std::time::Duration;

use muster::failure::Code;
use muster::forge::{Cbor, CoseDraft};

use super::{EXPIRY, SCHEME};
use crate::world::{COSE, accepted, cose, cose_cases, refused, verify};

/// The map of `pairs` with an indefinite length.
fn indefinite_map(pairs: &[(Cbor, Cbor)]) -> Vec<u8> {
    let content: Vec<u8> = pairs.iter().flat_map(|(label, value)| [label.encode(), value.encode()].concat()).collect();
    [&[0xbf], content.as_slice(), &[0xff]].concat()
}

#[test]
fn c01_other_tags() {
    cose_cases(
        &cose(),
        &[
            ("none", |draft| draft.tags = vec![], Code::EnvelopeMalformed),
            ("COSE_Sign", |draft| draft.tags = vec![98], Code::EnvelopeMalformed),
            ("COSE_Mac0", |draft| draft.tags = vec![17], Code::EnvelopeMalformed),
            ("CWT", |draft| draft.tags = vec![61, 18], Code::EnvelopeMalformed),
            ("self-described", |draft| draft.tags = vec![55799, 18], Code::EnvelopeMalformed),
            ("twice", |draft| draft.tags = vec![18, 18], Code::EnvelopeMalformed),
        ],
    );
    let sound = cose().seal().unwrap();
    for long in [[0xd8, 18].as_slice(), &[0xd9, 0, 18]] {
        let bytes = [long, &sound[1..]].concat();
        refused(COSE, &bytes, Code::EnvelopeMalformed, "the tag in more bytes than needed");
    }
}

#[test]
fn c02_bytes_behind_and_bytes_missing() {
    cose_cases(
        &cose(),
        &[
            ("zero", |draft| draft.trailing = vec![0], Code::EnvelopeMalformed),
            ("null", |draft| draft.trailing = vec![0xf6], Code::EnvelopeMalformed),
            ("break", |draft| draft.trailing = vec![0xff], Code::EnvelopeMalformed),
            ("itself", |draft| draft.trailing = draft.seal().unwrap(), Code::EnvelopeMalformed),
            ("a fifth item", |draft| draft.extra = vec![Cbor::Null], Code::EnvelopeMalformed),
        ],
    );
    let sound = cose().seal().unwrap();
    for length in (0..sound.len()).step_by(41).chain([sound.len() - 1]) {
        refused(COSE, &sound[..length], Code::EnvelopeMalformed, &format!("{length} bytes"));
    }
}

#[test]
fn c03_indefinite_lengths() {
    cose_cases(
        &cose(),
        &[
            (
                "protected map",
                |draft| draft.protected_bytes = Some(indefinite_map(&draft.protected)),
                Code::EnvelopeMalformed,
            ),
            (
                "unprotected map",
                |draft| {
                    draft.unprotected_item = Some(Cbor::Raw(indefinite_map(&draft.unprotected)));
                },
                Code::EnvelopeMalformed,
            ),
            (
                "payload",
                |draft| {
                    let chunk = Cbor::Bytes(draft.payload.clone()).encode();
                    draft.payload_item = Some(Cbor::Raw([&[0x5f], chunk.as_slice(), &[0xff]].concat()));
                },
                Code::EnvelopeMalformed,
            ),
            (
                "text",
                |draft| {
                    let agent = Cbor::Raw([&[0x7f], Cbor::text("x").encode().as_slice(), &[0xff]].concat());
                    draft.set_unprotected(Cbor::text("io.cncf.notary.signingAgent"), agent);
                },
                Code::EnvelopeMalformed,
            ),
            (
                "critical labels",
                |draft| {
                    let labels = [Cbor::text(SCHEME).encode(), Cbor::text(EXPIRY).encode()].concat();
                    draft.set(CoseDraft::CRITICAL, Cbor::Raw([&[0x9f], labels.as_slice(), &[0xff]].concat()));
                },
                Code::EnvelopeMalformed,
            ),
        ],
    );
    let sound = cose().seal().unwrap();
    let bytes = [&[0xd2, 0x9f], &sound[2..], &[0xff]].concat();
    refused(COSE, &bytes, Code::EnvelopeMalformed, "the message itself");
}

#[test]
fn c04_doubled_labels() {
    cose_cases(
        &cose(),
        &[
            ("alg", |draft| draft.protected.push((CoseDraft::ALGORITHM, Cbor::Integer(-7))), Code::EnvelopeMalformed),
            (
                "alg, longer",
                |draft| draft.protected.push((Cbor::Raw(vec![0x18, 1]), Cbor::Integer(-7))),
                Code::EnvelopeMalformed,
            ),
            ("expiry", |draft| draft.protected.push((Cbor::text(EXPIRY), Cbor::Null)), Code::EnvelopeMalformed),
            (
                "unknown",
                |draft| draft.protected.extend(vec![(Cbor::Integer(99), Cbor::Null); 2]),
                Code::EnvelopeMalformed,
            ),
            ("chain", |draft| draft.unprotected.push((CoseDraft::CHAIN, Cbor::Array(vec![]))), Code::EnvelopeMalformed),
            (
                "alg in both headers",
                |draft| draft.set_unprotected(CoseDraft::ALGORITHM, Cbor::Integer(-7)),
                Code::EnvelopeMalformed,
            ),
            (
                "expiry in both headers",
                |draft| draft.set_unprotected(Cbor::text(EXPIRY), Cbor::Null),
                Code::EnvelopeMalformed,
            ),
        ],
    );
}

#[test]
fn c05_longer_encodings_verify_over_the_bytes_received() {
    let long = |draft: &CoseDraft| {
        let (first, rest) = draft.protected.split_first().unwrap();
        let rest: Vec<u8> = rest.iter().flat_map(|(label, value)| [label.encode(), value.encode()].concat()).collect();
        // The map, its first label and the algorithm itself, each in more bytes than needed.
        let count = u8::try_from(draft.protected.len()).unwrap();
        assert_eq!(first.1, Cbor::Integer(-7));
        [&[0xb9, 0, count, 0x18, 1, 0x38, 6], rest.as_slice()].concat()
    };
    let mut draft = cose();
    draft.protected_bytes = Some(long(&draft));
    accepted(COSE, &draft.seal().unwrap(), "signed as it is sent");
    // Signed over the shortest form, sent in the longer one.
    let mut draft = cose();
    draft.protected_item = Some(Cbor::Bytes(long(&draft)));
    refused(COSE, &draft.seal().unwrap(), Code::SignatureInvalid, "signed as something else");
}

#[test]
fn c06_protected_headers_that_are_none() {
    let map = |draft: &CoseDraft| Cbor::Map(draft.protected.clone());
    assert!(matches!(map(&cose()), Cbor::Map(_)));
    cose_cases(
        &cose(),
        &[
            ("null", |draft| draft.protected_item = Some(Cbor::Null), Code::EnvelopeMalformed),
            ("map", |draft| draft.protected_item = Some(Cbor::Map(draft.protected.clone())), Code::EnvelopeMalformed),
            ("array", |draft| draft.protected_bytes = Some(vec![0x80]), Code::EnvelopeMalformed),
            ("text", |draft| draft.protected_bytes = Some(Cbor::text("x").encode()), Code::EnvelopeMalformed),
            ("null in bytes", |draft| draft.protected_bytes = Some(vec![0xf6]), Code::EnvelopeMalformed),
            (
                "bytes in bytes",
                |draft| {
                    draft.protected_bytes = Some(Cbor::Bytes(Cbor::Map(draft.protected.clone()).encode()).encode());
                },
                Code::EnvelopeMalformed,
            ),
            (
                "bytes behind",
                |draft| {
                    draft.protected_bytes = Some([Cbor::Map(draft.protected.clone()).encode(), vec![0]].concat());
                },
                Code::EnvelopeMalformed,
            ),
            (
                "truncated",
                |draft| {
                    let mut bytes = Cbor::Map(draft.protected.clone()).encode();
                    bytes.pop();
                    draft.protected_bytes = Some(bytes);
                },
                Code::EnvelopeMalformed,
            ),
            (
                "unprotected not a map",
                |draft| draft.unprotected_item = Some(Cbor::Array(vec![])),
                Code::EnvelopeMalformed,
            ),
            (
                "unprotected in bytes",
                |draft| {
                    draft.unprotected_item = Some(Cbor::Bytes(Cbor::Map(draft.unprotected.clone()).encode()));
                },
                Code::EnvelopeMalformed,
            ),
        ],
    );
    for (what, bytes) in [("empty", vec![]), ("empty map", vec![0xa0])] {
        let draft = CoseDraft { protected_bytes: Some(bytes), ..cose() };
        let failure = verify(COSE, &draft.seal().unwrap()).map(|_| ()).unwrap_err();
        assert!([Code::EnvelopeMalformed, Code::AlgorithmUnsupported].contains(&failure.code), "{what}: {failure}");
    }
}

#[test]
fn c07_detached_and_other_payloads() {
    cose_cases(
        &cose(),
        &[
            ("null", |draft| draft.payload_item = Some(Cbor::Null), Code::EnvelopeMalformed),
            (
                "text",
                |draft| {
                    draft.payload_item = Some(Cbor::Text(String::from_utf8(draft.payload.clone()).unwrap()));
                },
                Code::EnvelopeMalformed,
            ),
            ("array", |draft| draft.payload_item = Some(Cbor::Array(vec![])), Code::EnvelopeMalformed),
        ],
    );
    let draft = CoseDraft { payload: vec![], ..cose() };
    assert!(verify(COSE, &draft.seal().unwrap()).is_err(), "empty");
}

#[test]
fn c18_bombs_take_bounded_time() {
    let deep = |depth: usize| Cbor::Raw([vec![0x81; depth], vec![0x80]].concat());
    let tags = Cbor::Raw([vec![0xc1; 10_000], vec![0]].concat());
    let huge = |initial: u8, length: u64| Cbor::Raw([&[initial], length.to_be_bytes().as_slice()].concat());
    let mut inputs = vec![
        vec![0x9a, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0],
        vec![0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0],
        vec![0x5b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0],
        [&[0xd2, 0x84, 0x5b], u64::MAX.to_be_bytes().as_slice()].concat(),
        vec![0x81; 4 << 20],
        vec![0xc1; 4 << 20],
        [vec![0x9a, 0, 0x3f, 0xff, 0xfb], vec![0; (4 << 20) - 5]].concat(),
    ];
    for item in [deep(10_000), deep(1 << 20), tags, huge(0x9b, 1 << 32), huge(0xbb, u64::MAX), huge(0x5b, 1 << 40)] {
        let mut signed = cose();
        signed.set(Cbor::text("x"), item.clone());
        inputs.push(signed.seal().unwrap());
        let mut unsigned = cose();
        unsigned.set_unprotected(Cbor::text("x"), item);
        inputs.push(unsigned.seal().unwrap());
    }
    for input in inputs {
        let what = hex::encode(&input[..10]);
        let refuse = || refused(COSE, &input, Code::EnvelopeMalformed, &what);
        crate::processor_time::within(Duration::from_secs(10), &what, refuse);
    }
    refused(COSE, &vec![0; (4 << 20) + 1], Code::EnvelopeTooLarge, "too large");
}

#[test]
fn c19_text_that_is_not_utf8() {
    cose_cases(
        &cose(),
        &[
            ("value", |draft| draft.set(Cbor::text("x"), Cbor::Raw(vec![0x62, 0xc3, 0x28])), Code::EnvelopeMalformed),
            ("label", |draft| draft.set(Cbor::Raw(vec![0x61, 0xff]), Cbor::Null), Code::EnvelopeMalformed),
            (
                "surrogate",
                |draft| draft.set(Cbor::text("x"), Cbor::Raw(vec![0x63, 0xed, 0xa0, 0x80])),
                Code::EnvelopeMalformed,
            ),
            (
                "agent",
                |draft| {
                    draft.set_unprotected(Cbor::text("io.cncf.notary.signingAgent"), Cbor::Raw(vec![0x61, 0xff]));
                },
                Code::EnvelopeMalformed,
            ),
        ],
    );
}

#[test]
fn c22_undefined() {
    cose_cases(
        &cose(),
        &[
            ("protected", |draft| draft.protected_item = Some(Cbor::Undefined), Code::EnvelopeMalformed),
            ("payload", |draft| draft.payload_item = Some(Cbor::Undefined), Code::EnvelopeMalformed),
            ("signature", |draft| draft.signature_item = Some(Cbor::Undefined), Code::EnvelopeMalformed),
            ("unprotected", |draft| draft.unprotected_item = Some(Cbor::Undefined), Code::EnvelopeMalformed),
            ("in bytes", |draft| draft.protected_bytes = Some(vec![0xf7]), Code::EnvelopeMalformed),
        ],
    );
}
