//! Rows C08, C09, C11, C12 of `docs/bad-inputs.md`: signatures, algorithms, and the chain that is carried.

use muster::failure::Code;
use muster::forge::{Cbor, CoseDraft, KeyKind, Salt, SignatureForm};

use super::{label_refused, names, tagged};
use crate::world::{BROKEN_ECDSA, COSE, cose, cose_cases, key, refused, request, signer, statement, verify};

#[test]
fn c08_signatures_that_are_none() {
    cose_cases(
        &cose(),
        &[
            ("null", |draft| draft.signature_item = Some(Cbor::Null), Code::EnvelopeMalformed),
            ("text", |draft| draft.signature_item = Some(Cbor::text("x")), Code::EnvelopeMalformed),
            ("empty", |draft| draft.signature = SignatureForm::Bytes(vec![]), Code::EnvelopeMalformed),
            ("one byte", |draft| draft.signature = SignatureForm::Bytes(vec![0]), Code::SignatureInvalid),
            (
                "another payload",
                |draft| {
                    let other = CoseDraft { payload: b"{}".to_vec(), ..draft.clone() }.seal().unwrap();
                    draft.signature = SignatureForm::Bytes(other[other.len() - 64..].to_vec());
                },
                Code::SignatureInvalid,
            ),
        ],
    );
    for (what, form) in BROKEN_ECDSA {
        let draft = CoseDraft { signature: form, ..cose() };
        refused(COSE, &draft.seal().unwrap(), Code::SignatureInvalid, what);
    }
    for kind in KeyKind::ALL {
        let sound = statement().cose(&signer(kind)).unwrap();
        cose_cases(
            &sound,
            &[
                ("as in certificates", |draft| draft.signature = SignatureForm::OfCertificates, Code::SignatureInvalid),
                (
                    "another key",
                    |draft| draft.signature = SignatureForm::By(key(draft.key.kind(), 9)),
                    Code::SignatureInvalid,
                ),
            ],
        );
        if let KeyKind::Rsa2048 | KeyKind::Rsa3072 | KeyKind::Rsa4096 = kind {
            cose_cases(
                &sound,
                &[("salt", |draft| draft.signature = SignatureForm::Salted(Salt::Twenty), Code::SignatureInvalid)],
            );
        }
    }
}

#[test]
fn c09_algorithms() {
    // ESP256, RS256, ES256K, EdDSA, HMAC 256, reserved, and a number of no algorithm.
    let numbers = [-9, -257, -47, -8, 5, 0, i64::MIN].map(Cbor::Integer).to_vec();
    label_refused(&cose(), &CoseDraft::ALGORITHM, numbers, Code::AlgorithmUnsupported);
    let draft = cose();
    for value in
        [Cbor::text("ES256"), Cbor::Null, Cbor::Float(-7.0), Cbor::Bytes(vec![0x26]), tagged(1, Cbor::Integer(-7))]
    {
        let mut draft = draft.clone();
        draft.set(CoseDraft::ALGORITHM, value.clone());
        refused(COSE, &draft.seal().unwrap(), Code::AlgorithmUnsupported, &format!("{value:?}"));
    }
    cose_cases(
        &cose(),
        &[
            ("missing", |draft| draft.remove(&CoseDraft::ALGORITHM), Code::AlgorithmUnsupported),
            (
                "unprotected only",
                |draft| {
                    draft.remove(&CoseDraft::ALGORITHM);
                    draft.set_unprotected(CoseDraft::ALGORITHM, Cbor::Integer(-7));
                },
                Code::AlgorithmUnsupported,
            ),
        ],
    );
    for kind in KeyKind::ALL {
        let draft = statement().cose(&signer(kind)).unwrap();
        cose_cases(&draft, &[]);
        for other in KeyKind::ALL.into_iter().filter(|other| *other != kind) {
            let mut draft = draft.clone();
            draft.set(CoseDraft::ALGORITHM, Cbor::Integer(other.cose_algorithm()));
            refused(COSE, &draft.seal().unwrap(), Code::AlgorithmMismatch, &format!("{kind:?}, {other:?}"));
        }
    }
}

#[test]
fn c11_a_chain_that_is_one_byte_string() {
    // Legal by RFC 9360, and refused by notation: the specification wants an array.
    let lone = muster::forge::Signer::self_signed(request(KeyKind::P256)).unwrap();
    let draft = statement().cose(&lone).unwrap();
    cose_cases(
        &draft,
        &[(
            "one",
            |draft| {
                let Cbor::Array(chain) = &draft.unprotected[0].1 else { panic!("no chain") };
                let first = chain[0].clone();
                draft.set_unprotected(CoseDraft::CHAIN, first);
            },
            Code::ChainMalformed,
        )],
    );
}

#[test]
fn c12_chains_that_are_none() {
    cose_cases(
        &cose(),
        &[
            (
                "missing",
                |draft| draft.unprotected.retain(|(label, _)| *label != CoseDraft::CHAIN),
                Code::ChainMalformed,
            ),
            ("empty", |draft| draft.set_unprotected(CoseDraft::CHAIN, Cbor::Array(vec![])), Code::ChainMalformed),
            ("null", |draft| draft.set_unprotected(CoseDraft::CHAIN, Cbor::Null), Code::ChainMalformed),
            ("map", |draft| draft.set_unprotected(CoseDraft::CHAIN, Cbor::Map(vec![])), Code::ChainMalformed),
            ("text", |draft| draft.set_unprotected(CoseDraft::CHAIN, names(&["x"])), Code::ChainMalformed),
            (
                "null in it",
                |draft| {
                    let Cbor::Array(chain) = &mut draft.unprotected[0].1 else { panic!("no chain") };
                    chain.insert(1, Cbor::Null);
                },
                Code::ChainMalformed,
            ),
            (
                "protected only",
                |draft| {
                    let (label, chain) = draft.unprotected.remove(0);
                    draft.set(label, chain);
                },
                Code::ChainMalformed,
            ),
            (
                "no certificate",
                |draft| {
                    draft.set_unprotected(CoseDraft::CHAIN, Cbor::Array(vec![Cbor::Bytes(b"x".to_vec())]));
                },
                Code::CertificateMalformed,
            ),
        ],
    );
    for count in [11, 100_000] {
        let mut draft = cose();
        draft.set_unprotected(CoseDraft::CHAIN, Cbor::Array(vec![Cbor::Bytes(b"x".to_vec()); count]));
        let failure = verify(COSE, &draft.seal().unwrap()).map(|_| ()).unwrap_err();
        assert!([Code::EnvelopeMalformed, Code::ChainMalformed].contains(&failure.code), "{count}: {failure}");
    }
}
