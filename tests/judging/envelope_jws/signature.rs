//! Rows B07–B10 of `docs/bad-inputs.md`: algorithms and signatures.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use muster::failure::Code;
use muster::forge::{JwsDraft, KeyKind, Salt, SignatureForm};
use serde_json::json;

use super::member_refused;
use crate::world::{BROKEN_ECDSA, JWS, jws, jws_cases, key, refused, signer, statement};

#[test]
fn b07_algorithms_that_are_not_allowed() {
    let words =
        ["none", "None", "", "HS256", "RS256", "ES256K", "EdDSA", "es256", "ES256 ", "ESP256", "PS1", "ML-DSA-44"];
    let words = words.map(|word| json!(word).to_string());
    member_refused(&jws(), "alg", &words.each_ref().map(String::as_str), Code::AlgorithmUnsupported);
    let rsa = statement().jws(&signer(KeyKind::Rsa2048)).unwrap();
    member_refused(&rsa, "alg", &["\"ps256\"", "\"RS256\"", "\"PS257\""], Code::AlgorithmUnsupported);
    member_refused(&jws(), "alg", &["256", "null", "[\"ES256\"]", "{}"], Code::AlgorithmUnsupported);
    jws_cases(
        &jws(),
        &[
            ("missing", |draft| draft.protected.remove("alg"), Code::AlgorithmUnsupported),
            (
                "in the other header",
                |draft| {
                    draft.protected.remove("alg");
                    draft.header.add("alg", "\"ES256\"");
                },
                Code::AlgorithmUnsupported,
            ),
        ],
    );
    let mut none = jws();
    none.protected.set("alg", "\"none\"");
    refused(JWS, &none.seal().unwrap(), Code::AlgorithmUnsupported, "none");
    none.signature = SignatureForm::Bytes(Vec::new());
    refused(JWS, &none.seal().unwrap(), Code::EnvelopeMalformed, "none, and no signature");
}

#[test]
fn b08_algorithms_of_another_key() {
    for kind in KeyKind::ALL {
        let draft = statement().jws(&signer(kind)).unwrap();
        jws_cases(&draft, &[]);
        for other in KeyKind::ALL.into_iter().filter(|other| *other != kind) {
            let mut draft = draft.clone();
            draft.protected.set("alg", json!(other.jws_algorithm()).to_string());
            let message =
                refused(JWS, &draft.seal().unwrap(), Code::AlgorithmMismatch, &format!("{kind:?}, {other:?}"));
            let (family, size) = kind.word().split_at(kind.word().len() - 3);
            let family = if family.starts_with("rsa") { "RSA" } else { "EC" };
            for named in [family, size, other.jws_algorithm()] {
                assert!(message.contains(named), "{named}: {message}");
            }
        }
    }
}

#[test]
fn b09_signatures_that_are_no_pair_in_range() {
    jws_cases(&jws(), &[]);
    for (what, form) in BROKEN_ECDSA {
        let draft = JwsDraft { signature: form, ..jws() };
        refused(JWS, &draft.seal().unwrap(), Code::SignatureInvalid, what);
    }
    for kind in KeyKind::ALL {
        let sound = statement().jws(&signer(kind)).unwrap();
        jws_cases(
            &sound,
            &[
                ("as in certificates", |draft| draft.signature = SignatureForm::OfCertificates, Code::SignatureInvalid),
                (
                    "another key",
                    |draft| draft.signature = SignatureForm::By(key(draft.key.kind(), 9)),
                    Code::SignatureInvalid,
                ),
                (
                    "zeros",
                    |draft| draft.signature = SignatureForm::Changed(|sound| vec![0; sound.len()]),
                    Code::SignatureInvalid,
                ),
                (
                    "short",
                    |draft| draft.signature = SignatureForm::Changed(|sound| sound[1..].to_vec()),
                    Code::SignatureInvalid,
                ),
                (
                    "long",
                    |draft| draft.signature = SignatureForm::Changed(|sound| [&sound[..], &[0]].concat()),
                    Code::SignatureInvalid,
                ),
                (
                    "another payload",
                    |draft| draft.signature = SignatureForm::Bytes(jws_signature(draft)),
                    Code::SignatureInvalid,
                ),
            ],
        );
    }
}

/// A sound signature by the same key over another payload.
fn jws_signature(draft: &JwsDraft) -> Vec<u8> {
    let other = JwsDraft { payload: b"{}".to_vec(), ..draft.clone() };
    let members = other.members().unwrap();
    URL_SAFE_NO_PAD.decode(members.get("signature").unwrap().trim_matches('"')).unwrap()
}

#[test]
fn b10_salts_of_another_length_than_the_hash() {
    for kind in [KeyKind::Rsa2048, KeyKind::Rsa3072, KeyKind::Rsa4096] {
        let draft = statement().jws(&signer(kind)).unwrap();
        jws_cases(&draft, &[]);
        for salt in [Salt::Empty, Salt::Twenty, Salt::SixtyFour, Salt::Longest] {
            if (kind, salt) != (KeyKind::Rsa4096, Salt::SixtyFour) {
                let draft = JwsDraft { signature: SignatureForm::Salted(salt), ..draft.clone() };
                refused(JWS, &draft.seal().unwrap(), Code::SignatureInvalid, &format!("{kind:?}, {salt:?}"));
            }
        }
    }
}
