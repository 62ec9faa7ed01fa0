//! `decide_blob` itself, on evidence that the program never makes.

use muster::digest::{Algorithm, Digest};
use muster::evidence::{BlobEvidence, Discovery, Envelope, Signature};
use muster::failure::Code;
use muster::forge::KeyKind;
use muster::pki::{Certificate, ChainCache};
use muster::policy::BlobTrustPolicy;
use muster::trouble::{Trouble, TroubleKind};
use muster::trust_store::{StoreName, StoreType, TrustStores};
use muster::verify::{Options, Outcome, Verdict, decide_blob, hash_of_blob};
use serde_json::json;

use super::world::{BLOB, NOW, World, said, statement};

fn envelope(world: &World, kind: KeyKind, algorithm: Algorithm) -> Envelope {
    let bytes = said(BLOB, algorithm).jws(&world.signer(kind)).unwrap().seal().unwrap();
    Envelope { media_type: "application/jose+json".to_owned(), bytes: bytes.into() }
}

fn evidence(envelope: Envelope, digest: Digest) -> BlobEvidence {
    let manifest = Digest::sha256(&envelope.bytes);
    let signature = Signature { manifest, discovery: Discovery::Listed, envelope: Ok(envelope) };
    BlobEvidence::new(digest, BLOB.len() as u64, Ok(signature))
}

fn decide(world: &World, evidence: &BlobEvidence) -> Outcome {
    let document =
        json!({ "version": "1.0", "trustPolicies": [statement("a", "strict", json!({"globalPolicy": true}))] });
    let policy = BlobTrustPolicy::parse(document.to_string().as_bytes(), "p").unwrap();
    let root = std::fs::read(world.path("config/truststore/x509/ca/wabbit/root.der")).unwrap();
    let store = StoreName::new(StoreType::Ca, "wabbit").unwrap();
    let stores = TrustStores::from_certificates([(store, vec![Certificate::parse(&root).unwrap()])]);
    decide_blob(evidence, None, &policy, &Options::new(stores), NOW)
}

#[test]
fn the_hash_of_a_blob_is_that_of_the_key_and_not_of_the_payload() {
    let world = World::new();
    let chains = ChainCache::new();
    let forged = envelope(&world, KeyKind::P384, Algorithm::Sha256);
    assert_eq!(hash_of_blob(&forged, &chains), Some(Algorithm::Sha384));
    let broken = Envelope { bytes: forged.bytes.slice(1..), ..forged };
    assert_eq!(hash_of_blob(&broken, &chains), None);
}

#[test]
fn a_blob_that_was_hashed_with_another_hash_is_not_decided() {
    let world = World::new();
    let sound = envelope(&world, KeyKind::P384, Algorithm::Sha384);
    let outcome = decide(&world, &evidence(sound.clone(), Digest::of(Algorithm::Sha384, BLOB)));
    assert_eq!(outcome.verdict, Verdict::Pass, "{:?}", outcome.failure);
    let outcome = decide(&world, &evidence(sound, Digest::sha256(BLOB)));
    assert_eq!(outcome.verdict, Verdict::Error);
    assert_eq!(outcome.failure.unwrap().code, Code::InternalFault);
    // What was signed with the wrong hash fails, however the blob was hashed.
    let forged = envelope(&world, KeyKind::P384, Algorithm::Sha256);
    for algorithm in [Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512] {
        let outcome = decide(&world, &evidence(forged.clone(), Digest::of(algorithm, BLOB)));
        assert_eq!((outcome.verdict, outcome.failure.unwrap().code), (Verdict::Fail, Code::PayloadMismatch));
    }
}

#[test]
fn a_signature_that_could_not_be_read_is_never_a_verdict() {
    let world = World::new();
    let sound = envelope(&world, KeyKind::P256, Algorithm::Sha256);
    let mut evidence = evidence(sound, Digest::sha256(BLOB));
    evidence.signature = Err(Trouble::new(TroubleKind::NotFound, "gone"));
    let outcome = decide(&world, &evidence);
    assert_eq!((outcome.verdict, outcome.failure.unwrap().code), (Verdict::Error, Code::NotFound));
    assert!(outcome.signatures.is_empty());
}

#[test]
fn digest_size_and_media_type_count_each_on_its_own() {
    let world = World::new();
    let signed = || evidence(envelope(&world, KeyKind::P256, Algorithm::Sha256), Digest::sha256(BLOB));
    assert_eq!(decide(&world, &signed()).verdict, Verdict::Pass);
    let mut other = BLOB.to_vec();
    other[0] ^= 1;
    let changes: [fn(&mut BlobEvidence, Digest); 3] = [
        |blob, other| blob.digest = other,
        |blob, _| blob.size += 1,
        |blob, _| blob.media_type = Some("application/vnd.acme.other".to_owned()),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut blob = signed();
        change(&mut blob, Digest::sha256(&other));
        let outcome = decide(&world, &blob);
        assert_eq!(outcome.verdict, Verdict::Fail, "{number}");
        assert!(format!("{:?}", outcome.signatures).contains("PayloadMismatch"), "{number}: {outcome:?}");
    }
}
