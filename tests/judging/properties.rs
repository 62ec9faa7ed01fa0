//! What holds for any input: nothing panics, and no change to a signed envelope makes it say something else.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::sync::LazyLock;

use crate::world::*;
use muster::envelope::{self, Payload, VerifiedEnvelope};
use muster::forge::{Cbor, KeyKind};
use muster::pki::{Certificate, ChainCache};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use time::OffsetDateTime;

/// What a signature says: all of it that is signed.
#[derive(Debug, Clone, PartialEq)]
struct Said {
    payload: Payload,
    scheme: &'static str,
    signing_time: OffsetDateTime,
    expiry: Option<OffsetDateTime>,
    attributes: String,
    chain: Vec<Vec<u8>>,
}

impl Said {
    fn by(envelope: &VerifiedEnvelope) -> Said {
        Said {
            payload: envelope.payload.clone(),
            scheme: envelope.signer.scheme.as_str(),
            signing_time: envelope.signer.signing_time,
            expiry: envelope.signer.expiry,
            attributes: format!("{:?} {:?}", envelope.signer.extended_attributes, envelope.signer.verification_plugin),
            chain: envelope.chain.certificates().iter().map(|certificate| certificate.der().to_vec()).collect(),
        }
    }
}

/// A sound envelope and what it says.
struct Sound {
    media_type: &'static str,
    bytes: Vec<u8>,
    said: Said,
}

/// One of each algorithm and format.
static SOUND: LazyLock<Vec<Sound>> = LazyLock::new(|| {
    let envelopes = KeyKind::ALL.into_iter().flat_map(|kind| envelopes(&signer(kind)));
    envelopes
        .map(|(media_type, bytes)| {
            let said = Said::by(&accepted(media_type, &bytes, "unchanged"));
            Sound { media_type, bytes, said }
        })
        .collect()
});

static CHAINS: LazyLock<ChainCache> = LazyLock::new(ChainCache::new);

/// Refused, or says the same as before.
fn unmoved(sound: &Sound, changed: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(envelope) = envelope::verify(sound.media_type, changed, &CHAINS) {
        prop_assert_eq!(Said::by(&envelope), sound.said.clone());
    }
    Ok(())
}

fn media_types() -> impl Strategy<Value = &'static str> {
    select(vec![JWS, COSE])
}

/// Text that is, or nearly is, JSON of the members that envelopes have.
fn json() -> impl Strategy<Value = String> {
    let name = select(vec![
        "payload",
        "protected",
        "header",
        "signature",
        "signatures",
        "x5c",
        "alg",
        "cty",
        "crit",
        "targetArtifact",
        "digest",
        "size",
        "io.cncf.notary.signingScheme",
        "io.cncf.notary.expiry",
        "Payload",
        "",
    ]);
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| number.to_string()),
        any::<String>().prop_map(|text| serde_json::json!(text).to_string()),
        Just("\"e30\"".to_owned()),
        Just("\"eyJhbGciOiJFUzI1NiJ9\"".to_owned()),
        "[-\\[\\]{}\",:\\\\ux0-9a]{0,8}",
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        let members = vec((name.clone(), inner.clone()), 0..6).prop_map(|members| {
            let members: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            format!("{{{}}}", members.join(","))
        });
        prop_oneof![2 => members, 1 => vec(inner, 0..6).prop_map(|items| format!("[{}]", items.join(",")))]
    })
}

/// An item that is, or nearly is, CBOR.
fn cbor() -> impl Strategy<Value = Cbor> {
    let leaf = prop_oneof![
        select(vec![1, 2, 3, 33, -7, -37, 0]).prop_map(Cbor::Integer),
        any::<i64>().prop_map(Cbor::Integer),
        any::<f64>().prop_map(Cbor::Float),
        any::<String>().prop_map(Cbor::Text),
        select(vec!["io.cncf.notary.signingScheme", "io.cncf.notary.signingTime"]).prop_map(Cbor::text),
        vec(any::<u8>(), 0..20).prop_map(Cbor::Bytes),
        any::<bool>().prop_map(Cbor::Bool),
        Just(Cbor::Null),
        Just(Cbor::Undefined),
        vec(any::<u8>(), 0..4).prop_map(Cbor::Raw),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Cbor::Array),
            vec((inner.clone(), inner.clone()), 0..6).prop_map(Cbor::Map),
            vec((inner.clone(), inner.clone()), 0..6).prop_map(|pairs| Cbor::Bytes(Cbor::Map(pairs).encode())),
            (select(vec![1, 2, 18, 24, 55_799]), inner).prop_map(|(tag, item)| Cbor::Tagged(tag, Box::new(item))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 800, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_flipped_bit_changes_nothing_that_was_said(which: Index, byte: Index, bit in 0_u8..8) {
        let sound = &SOUND[which.index(SOUND.len())];
        let mut bytes = sound.bytes.clone();
        let at = byte.index(bytes.len());
        bytes[at] ^= 1_u8 << bit;
        unmoved(sound, &bytes)?;
    }

    #[test]
    fn bytes_put_in_taken_out_or_replaced_change_nothing_that_was_said(
        which: Index, start: Index, taken in 0_usize..8, put in vec(any::<u8>(), 0..8),
    ) {
        let sound = &SOUND[which.index(SOUND.len())];
        let mut bytes = sound.bytes.clone();
        let start = start.index(bytes.len());
        let end = (start + taken).min(bytes.len());
        bytes.splice(start..end, put);
        unmoved(sound, &bytes)?;
    }

    #[test]
    fn parts_of_two_envelopes_say_nothing_else(which: Index, other: Index, cut: Index, resume: Index) {
        let (sound, other) = (&SOUND[which.index(SOUND.len())], &SOUND[other.index(SOUND.len())]);
        let (cut, resume) = (cut.index(sound.bytes.len()), resume.index(other.bytes.len()));
        let spliced = [&sound.bytes[..cut], &other.bytes[resume..]].concat();
        if let Ok(envelope) = envelope::verify(sound.media_type, &spliced, &CHAINS) {
            let said = Said::by(&envelope);
            prop_assert!(said == sound.said || said == other.said);
        }
    }

    #[test]
    fn nothing_cut_short_passes(which: Index, length: Index) {
        let sound = &SOUND[which.index(SOUND.len())];
        let cut = &sound.bytes[..length.index(sound.bytes.len())];
        prop_assert!(envelope::verify(sound.media_type, cut, &CHAINS).is_err());
    }

    #[test]
    fn garbage_is_refused(media_type in media_types(), bytes in vec(any::<u8>(), 0..400)) {
        prop_assert!(envelope::verify(media_type, &bytes, &CHAINS).is_err());
        let started = [&[0xd2, 0x84], bytes.as_slice()].concat();
        prop_assert!(envelope::verify(COSE, &started, &CHAINS).is_err());
    }

    #[test]
    fn json_of_any_shape_is_refused(text in json()) {
        prop_assert!(envelope::verify(JWS, text.as_bytes(), &CHAINS).is_err());
    }

    #[test]
    fn cbor_of_any_shape_is_refused(item in cbor(), items in vec(cbor(), 4)) {
        prop_assert!(envelope::verify(COSE, &item.encode(), &CHAINS).is_err());
        let message = Cbor::Tagged(18, Box::new(Cbor::Array(items)));
        prop_assert!(envelope::verify(COSE, &message.encode(), &CHAINS).is_err());
    }

    #[test]
    fn any_header_of_either_format_is_signed_in_vain(text in json(), item in cbor()) {
        let mut signed = jws();
        signed.protected_bytes = Some(text.into_bytes());
        prop_assert!(envelope::verify(JWS, &signed.seal().unwrap(), &CHAINS).is_err());
        let mut signed = cose();
        signed.protected_bytes = Some(item.encode());
        prop_assert!(envelope::verify(COSE, &signed.seal().unwrap(), &CHAINS).is_err());
    }

    #[test]
    fn any_payload_is_read_or_refused(text in json()) {
        let mut signed = jws();
        signed.payload = text.into_bytes();
        prop_assert!(envelope::verify(JWS, &signed.seal().unwrap(), &CHAINS).is_err());
    }

    #[test]
    fn certificates_are_read_or_refused(position in 0_usize..3, byte: Index, put in vec(any::<u8>(), 0..4), taken in 0_usize..4) {
        static CHAIN: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| signer(KeyKind::P256).chain);
        let mut der = CHAIN[position].clone();
        let start = byte.index(der.len());
        let end = (start + taken).min(der.len());
        der.splice(start..end, put);
        if let Ok(certificate) = Certificate::parse(&der) {
            prop_assert_eq!(certificate.der(), der.as_slice());
            // Changed, it is no longer what its issuer signed.
            let issuer = Certificate::parse(&CHAIN[(position + 1).min(2)]).unwrap();
            prop_assert!(der == CHAIN[position] || !certificate.issued_by(&issuer));
        }
    }
}
