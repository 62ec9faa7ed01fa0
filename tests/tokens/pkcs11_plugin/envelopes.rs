//! From `get-plugin-metadata` to an envelope that verifies, for every kind of key and both formats.

use std::collections::HashMap;
use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use muster::digest::Digest;
use muster::evidence::{Discovery, Envelope, Evidence, Signature, Signatures};
use muster::forge::softhsm::SoftToken;
use muster::forge::{Cbor, CoseDraft, KeyKind, LeafRequest, SignatureForm, Signer};
use muster::pki::Certificate;
use muster::policy::TrustPolicy;
use muster::signer::PrivateKey as _;
use muster::trust_store::{StoreName, StoreType, TrustStores};
use muster::verify::{Options, Verdict, decide};
use serde_json::{Value, json};
use time::macros::datetime;

use super::host::{Host, bytes, describe_key, generate_signature};
use crate::process::{held, open, with_softhsm};
use crate::world::{self, COSE, JWS, LEAF, accepted, issuing, key, root, statement};

/// What the contract calls each kind of key, its hash and its signatures.
const WORDS: [(KeyKind, &str, &str, &str); 6] = [
    (KeyKind::Rsa2048, "RSA-2048", "SHA-256", "RSASSA-PSS-SHA-256"),
    (KeyKind::Rsa3072, "RSA-3072", "SHA-384", "RSASSA-PSS-SHA-384"),
    (KeyKind::Rsa4096, "RSA-4096", "SHA-512", "RSASSA-PSS-SHA-512"),
    (KeyKind::P256, "EC-256", "SHA-256", "ECDSA-SHA-256"),
    (KeyKind::P384, "EC-384", "SHA-384", "ECDSA-SHA-384"),
    (KeyKind::P521, "EC-521", "SHA-512", "ECDSA-SHA-512"),
];

/// Has the token make the key, where that is quick, or else takes one in.
fn make(token: &SoftToken, kind: KeyKind) -> String {
    match kind {
        KeyKind::Rsa3072 | KeyKind::Rsa4096 => token.import(&key(kind, 0), kind.word()).unwrap(),
        _ => token.generate(kind, kind.word()).unwrap(),
    }
}

/// What a JWS wants signed, and the envelope once that is done.
fn jws(kind: KeyKind, sign: impl FnOnce(&[u8]) -> (Vec<u8>, Value)) -> Vec<u8> {
    // The draft has a key of the same kind, which signs nothing.
    let mut draft = statement().jws(&Signer { key: key(kind, 7), chain: Vec::new() }).unwrap();
    let encoded = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let input = format!("{}.{}", encoded(draft.protected.text().as_bytes()), encoded(&draft.payload));
    let (signature, chain) = sign(input.as_bytes());
    draft.signature = SignatureForm::Bytes(signature);
    draft.header.set("x5c", chain.to_string());
    draft.seal().unwrap()
}

/// What a COSE message wants signed, and the envelope once that is done.
fn cose(kind: KeyKind, sign: impl FnOnce(&[u8]) -> (Vec<u8>, Value)) -> Vec<u8> {
    let mut draft = statement().cose(&Signer { key: key(kind, 7), chain: Vec::new() }).unwrap();
    let input = Cbor::Array(vec![
        Cbor::text("Signature1"),
        Cbor::Bytes(Cbor::Map(draft.protected.clone()).encode()),
        Cbor::Bytes(Vec::new()),
        Cbor::Bytes(draft.payload.clone()),
    ]);
    let (signature, chain) = sign(&input.encode());
    draft.signature = SignatureForm::Bytes(signature);
    let chain = chain.as_array().unwrap().iter().map(|certificate| Cbor::Bytes(bytes(certificate))).collect();
    draft.set_unprotected(CoseDraft::CHAIN, Cbor::Array(chain));
    draft.seal().unwrap()
}

/// What a strict trust policy makes of the envelope.
fn verdict(media_type: &str, envelope: &[u8]) -> Verdict {
    let envelope = Envelope { media_type: media_type.to_owned(), bytes: envelope.to_vec().into() };
    let signature =
        Signature { manifest: Digest::sha256(b"signature"), discovery: Discovery::Listed, envelope: Ok(envelope) };
    let evidence = Evidence::new(
        "registry.acme-rockets.io/net-monitor",
        muster::forge::Artifact::image("net-monitor").descriptor().clone(),
        Ok(Signatures { found: vec![signature], more: false, doubt: None, foreign: None }),
    );
    let policy = r#"{"version":"1.0","trustPolicies":[{"name":"all","registryScopes":["*"],
        "signatureVerification":{"level":"strict"},"trustStores":["ca:acme"],
        "trustedIdentities":["x509.subject: C=US, ST=WA, O=acme"]}]}"#;
    let stores = HashMap::from([(
        StoreName::new(StoreType::Ca, "acme").unwrap(),
        vec![Certificate::parse(root().certificate()).unwrap()],
    )]);
    let policy = TrustPolicy::parse(policy.as_bytes(), "policy.json").unwrap();
    let options = Options::new(TrustStores::from_certificates(stores));
    decide(&evidence, &policy, &options, datetime!(2026-11-23 12:00 UTC)).verdict
}

#[test]
fn every_kind_of_key_signs_envelopes_that_verify() {
    with_softhsm("pkcs11_plugin::envelopes::every_kind_of_key_signs_envelopes_that_verify", |hsm| {
        let token = hsm.token("six kinds").unwrap();
        let host = Host::new();
        let metadata = host.ask("get-plugin-metadata", &json!({}));
        assert_eq!(metadata["name"], "muster-pkcs11");
        assert_eq!(metadata["capabilities"], json!(["SIGNATURE_GENERATOR.RAW"]));
        for (kind, spec, hash, algorithm) in WORDS {
            let uri = make(&token, kind);
            let chain = issuing().issue(LeafRequest::new(LEAF, held(&uri)).unwrap()).unwrap().chain;
            let file = hsm.folder().join(format!("{spec}.pem"));
            fs::write(&file, world::pem(&chain)).unwrap();
            let config = json!({ "certificate-chain": file });
            let described = host.ask("describe-key", &describe_key(&uri, &config));
            assert_eq!(described, json!({ "keyId": uri, "keySpec": spec }));

            let sign = |input: &[u8]| {
                let answer = host.ask("generate-signature", &generate_signature(&uri, spec, hash, input, &config));
                assert_eq!((&answer["keyId"], &answer["signingAlgorithm"]), (&json!(uri), &json!(algorithm)));
                assert_eq!(answer.as_object().unwrap().len(), 4, "{answer}");
                let certificates: Vec<_> = answer["certificateChain"].as_array().unwrap().iter().map(bytes).collect();
                assert_eq!(certificates, chain, "{spec}");
                (bytes(&answer["signature"]), answer["certificateChain"].clone())
            };
            for (media_type, sealed) in [(JWS, jws(kind, sign)), (COSE, cose(kind, sign))] {
                let envelope = accepted(media_type, &sealed, spec);
                assert_eq!(envelope.chain.leaf().subject_key(), open(&uri).unwrap().verifying_key().subject_key());
                assert_eq!(verdict(media_type, &sealed), Verdict::Pass, "{spec} {media_type}");
            }
        }
    });
}

/// Module and PIN by settings or by the environment; the key by its label alone.
#[test]
fn settings_and_the_environment_stand_in_for_the_uri() {
    with_softhsm("pkcs11_plugin::envelopes::settings_and_the_environment_stand_in_for_the_uri", |hsm| {
        let token = hsm.token("settings").unwrap();
        token.generate(KeyKind::P384, "release").unwrap();
        let host = Host::new();
        let (uri, module) = ("pkcs11:token=settings;object=release", hsm.module().to_str().unwrap());
        let (pin_file, pin) = (token.pin_file().to_str().unwrap(), fs::read_to_string(token.pin_file()).unwrap());
        let expected = json!({ "keyId": uri, "keySpec": "EC-384" });
        let by_settings = json!({ "module": module, "pin-source": pin_file });
        assert_eq!(host.ask("describe-key", &describe_key(uri, &by_settings)), expected);

        let request = describe_key(uri, &json!({})).to_string();
        let environment = [("MUSTER_PKCS11_MODULE", module), ("MUSTER_PKCS11_PIN", pin.as_str())];
        let output = host.run(&["describe-key"], request.as_bytes(), &environment);
        assert_eq!(serde_json::from_slice::<Value>(&output.stdout).unwrap(), expected);

        // The settings win over the URI, and the URI over the environment.
        let elsewhere = "pkcs11:token=settings;object=release?module-path=/nowhere.so&pin-source=file:/nowhere";
        let answer = host.ask("describe-key", &describe_key(elsewhere, &by_settings));
        assert_eq!(answer["keyId"], elsewhere);
        let request = describe_key(elsewhere, &json!({})).to_string();
        let refusal = host.refusal(&["describe-key"], request.as_bytes(), &environment, "VALIDATION_ERROR", "URI wins");
        assert!(refusal.contains("/nowhere.so"), "{refusal}");
    });
}
