//! Rows C10, C13–C17, C21 of `docs/bad-inputs.md`: what the headers say.

use muster::failure::Code;
use muster::forge::{Attribute, Cbor, CoseDraft, KeyKind, PAYLOAD_TYPE};

use super::{AUTHENTIC, EXPIRY, SCHEME, TIME, TOKEN, authority, label_refused, names, tagged};
use crate::world::{COSE, accepted, cose, cose_cases, refused, signer, statement, verify};

#[test]
fn c10_content_types() {
    let texts = [
        String::new(),
        format!(" {PAYLOAD_TYPE}"),
        format!("{PAYLOAD_TYPE} "),
        format!("{PAYLOAD_TYPE}; charset=utf-8"),
        PAYLOAD_TYPE.to_uppercase(),
        PAYLOAD_TYPE.replacen('/', "//", 1),
        format!("{PAYLOAD_TYPE}/x"),
        "application/vnd.oci.descriptor.v1+json".to_owned(),
    ];
    label_refused(&cose(), &CoseDraft::CONTENT_TYPE, texts.map(Cbor::Text).to_vec(), Code::ContentTypeUnsupported);
    let others = vec![Cbor::Integer(50), Cbor::Null, Cbor::Bytes(PAYLOAD_TYPE.into()), names(&[PAYLOAD_TYPE])];
    label_refused(&cose(), &CoseDraft::CONTENT_TYPE, others, Code::ContentTypeUnsupported);
    cose_cases(
        &cose(),
        &[
            ("missing", |draft| draft.remove(&CoseDraft::CONTENT_TYPE), Code::ContentTypeUnsupported),
            (
                "unprotected only",
                |draft| {
                    draft.remove(&CoseDraft::CONTENT_TYPE);
                    draft.set_unprotected(CoseDraft::CONTENT_TYPE, Cbor::text(PAYLOAD_TYPE));
                },
                Code::ContentTypeUnsupported,
            ),
        ],
    );
}

#[test]
fn c13_lists_of_critical_labels_that_break_the_rules() {
    let mut values = ["absent", SCHEME, EXPIRY, AUTHENTIC].map(|name| names(&[SCHEME, EXPIRY, name])).to_vec();
    values.extend([
        Cbor::Null,
        Cbor::Array(vec![]),
        Cbor::text(SCHEME),
        Cbor::Map(vec![]),
        Cbor::Array(vec![Cbor::text(SCHEME), Cbor::text(EXPIRY), Cbor::Bytes(SCHEME.into())]),
        Cbor::Array(vec![Cbor::text(SCHEME), Cbor::text(EXPIRY), Cbor::Null]),
        Cbor::Array(vec![Cbor::text(SCHEME), Cbor::text(EXPIRY), Cbor::Integer(77)]),
        Cbor::Array(vec![names(&[SCHEME, EXPIRY])]),
        names(&[SCHEME]),
        names(&[EXPIRY]),
    ]);
    label_refused(&cose(), &CoseDraft::CRITICAL, values, Code::CriticalMalformed);
    let values = vec![names(&[SCHEME, EXPIRY]), names(&[AUTHENTIC, EXPIRY]), names(&[SCHEME, AUTHENTIC])];
    label_refused(&authority(), &CoseDraft::CRITICAL, values, Code::CriticalMalformed);
    cose_cases(
        &cose(),
        &[
            ("missing", |draft| draft.remove(&CoseDraft::CRITICAL), Code::CriticalMalformed),
            (
                "unprotected only",
                |draft| {
                    draft.remove(&CoseDraft::CRITICAL);
                    draft.set_unprotected(CoseDraft::CRITICAL, names(&[SCHEME, EXPIRY]));
                },
                Code::CriticalMalformed,
            ),
        ],
    );
}

#[test]
fn c14_unknown_critical_labels() {
    for label in [Cbor::text("com.example.rule"), Cbor::Integer(99), Cbor::Integer(-70_000), Cbor::Integer(33)] {
        let mut draft = cose();
        draft.set(label.clone(), Cbor::Bool(true));
        if label != CoseDraft::CHAIN {
            accepted(COSE, &draft.seal().unwrap(), "not critical");
        }
        draft.set(CoseDraft::CRITICAL, Cbor::Array(vec![Cbor::text(SCHEME), Cbor::text(EXPIRY), label.clone()]));
        let failure = verify(COSE, &draft.seal().unwrap()).map(|_| ()).unwrap_err();
        let chain = label == CoseDraft::CHAIN && failure.code == Code::EnvelopeMalformed;
        assert!(failure.code == Code::CriticalUnknown || chain, "{label:?}: {} {failure}", failure.code);
    }
    let mut statement = statement();
    statement.attributes.push(Attribute { name: "x".to_owned(), value: "y".to_owned(), critical: true });
    let bytes = statement.cose(&signer(KeyKind::P256)).unwrap().seal().unwrap();
    refused(COSE, &bytes, Code::CriticalUnknown, "an attribute");
}

#[test]
fn c15_labels_that_are_never_critical() {
    let with = |label: Cbor| Cbor::Array(vec![Cbor::text(SCHEME), Cbor::text(EXPIRY), label]);
    let values = [1, 2, 3].map(|label| with(Cbor::Integer(label))).to_vec();
    label_refused(&cose(), &CoseDraft::CRITICAL, values, Code::CriticalMalformed);
    for label in [4, 5, 6, 7, 8] {
        let mut draft = cose();
        draft.set(Cbor::Integer(label), Cbor::Bytes(vec![1]));
        draft.set(CoseDraft::CRITICAL, with(Cbor::Integer(label)));
        let failure = verify(COSE, &draft.seal().unwrap()).map(|_| ()).unwrap_err();
        assert!([Code::CriticalMalformed, Code::EnvelopeMalformed].contains(&failure.code), "{label}: {failure}");
    }
    let mut draft = cose();
    draft.set(CoseDraft::CRITICAL, with(Cbor::text(TIME)));
    accepted(COSE, &draft.seal().unwrap(), "the signing time");
}

#[test]
fn c16_times() {
    const SECONDS: i64 = 1_767_323_045;
    let broken = |seconds: i64| {
        vec![
            Cbor::Integer(seconds),
            Cbor::Float(seconds as f64),
            Cbor::text("2026-01-02T03:04:05Z"),
            Cbor::Null,
            tagged(0, Cbor::text("2026-01-02T03:04:05Z")),
            tagged(100, Cbor::Integer(20_455)),
            tagged(1, Cbor::Integer(i64::MAX)),
            tagged(1, Cbor::Integer(i64::MIN)),
            tagged(1, Cbor::Integer(253_402_300_800)),
            tagged(1, Cbor::Float(f64::NAN)),
            tagged(1, Cbor::Float(f64::INFINITY)),
            tagged(1, Cbor::Float(f64::NEG_INFINITY)),
            tagged(1, Cbor::Float(1e300)),
            tagged(1, Cbor::Raw(vec![0xf9, 0x7e, 0])),
        ]
    };
    label_refused(&cose(), &Cbor::text(TIME), broken(SECONDS), Code::SigningTimeMalformed);
    label_refused(&authority(), &Cbor::text(AUTHENTIC), broken(SECONDS), Code::SigningTimeMalformed);
    label_refused(&cose(), &Cbor::text(EXPIRY), broken(2_000_000_000), Code::ExpiryMalformed);
    // What is not what its tag says is refused before anything is asked of it.
    let untrue = vec![
        tagged(0, Cbor::Integer(SECONDS)),
        tagged(1, Cbor::text("2026-01-02T03:04:05Z")),
        tagged(1, Cbor::Null),
        tagged(1, tagged(1, Cbor::Integer(SECONDS))),
        tagged(1, tagged(2, Cbor::Bytes(vec![1]))),
        tagged(1, tagged(3, Cbor::Bytes(vec![1]))),
        tagged(1, Cbor::Raw([&[0x1b], u64::MAX.to_be_bytes().as_slice()].concat())),
    ];
    for label in [TIME, EXPIRY, "com.example.note"] {
        label_refused(&cose(), &Cbor::text(label), untrue.clone(), Code::EnvelopeMalformed);
    }
    let not_after = [SECONDS, SECONDS - 1, 0].map(|seconds| tagged(1, Cbor::Integer(seconds))).to_vec();
    label_refused(&cose(), &Cbor::text(EXPIRY), not_after, Code::ExpiryMalformed);
    for (label, seconds) in [(TIME, SECONDS as f64 + 0.5), (EXPIRY, 2_000_000_000.25)] {
        let mut draft = cose();
        draft.set(Cbor::text(label), tagged(1, Cbor::Float(seconds)));
        let notes = accepted(COSE, &draft.seal().unwrap(), "a fraction").notes;
        assert!(notes.iter().any(|note| note.contains("fraction")), "{notes:?}");
    }
    cose_cases(&cose(), &[("missing", |draft| draft.remove(&Cbor::text(TIME)), Code::SigningTimeMalformed)]);
}

#[test]
fn c17_times_and_names_of_the_other_scheme() {
    cose_cases(
        &cose(),
        &[
            (
                "authentic time beside it",
                |draft| draft.set(Cbor::text(AUTHENTIC), tagged(1, Cbor::Integer(1))),
                Code::SigningTimeMalformed,
            ),
            ("authentic time, null", |draft| draft.set(Cbor::text(AUTHENTIC), Cbor::Null), Code::SigningTimeMalformed),
            (
                "another scheme",
                |draft| draft.set(Cbor::text(SCHEME), Cbor::text("notary.x509.signingAuthority")),
                Code::SigningTimeMalformed,
            ),
            (
                "unknown scheme",
                |draft| draft.set(Cbor::text(SCHEME), Cbor::text("notary.X509")),
                Code::SigningSchemeUnsupported,
            ),
            (
                "no text",
                |draft| draft.set(Cbor::text(SCHEME), Cbor::Bytes(b"notary.x509".to_vec())),
                Code::SigningSchemeUnsupported,
            ),
        ],
    );
    cose_cases(
        &authority(),
        &[
            (
                "signing time beside it",
                |draft| draft.set(Cbor::text(TIME), tagged(1, Cbor::Integer(1))),
                Code::SigningTimeMalformed,
            ),
            (
                "the other scheme",
                |draft| draft.set(Cbor::text(SCHEME), Cbor::text("notary.x509")),
                Code::SigningTimeMalformed,
            ),
        ],
    );
}

#[test]
fn c21_tokens_that_are_no_bytes() {
    let token = |value: Cbor| {
        let mut draft = cose();
        draft.set_unprotected(Cbor::text(TOKEN), value);
        accepted(COSE, &draft.seal().unwrap(), "a token").signer.timestamp_token.map(|token| token.0)
    };
    assert_eq!(token(Cbor::Bytes(b"token".to_vec())).as_deref(), Some(b"token".as_slice()));
    for value in [Cbor::text("token"), Cbor::Null, Cbor::Array(vec![]), Cbor::Integer(1)] {
        assert_eq!(token(value), None);
    }
}
