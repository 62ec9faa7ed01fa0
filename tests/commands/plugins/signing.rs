//! Keys behind plugins: what is asked, what is believed, what is written.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use muster::envelope::{self, Format};
use muster::forge::{Artifact, Authority, Key, KeyKind, LeafRequest, Salt, SignatureForm, Signer, Statement, Validity};
use muster::manifest;
use muster::pki::ChainCache;
use muster::plugin::{Command, PluginConfig, Question};
use muster::plugin_host::PluginHost;
use muster::sign::{PluginKey, PluginKeyError, SignRequest};
use muster::source::Attachment;
use muster::trouble::Trouble;
use serde_json::{Value, json};

use super::workshop::NOW;

type Answer = Box<dyn Fn(&Value) -> Value + Send + Sync>;

/// A plugin that answers as it is told, one answer a question.
struct Told {
    answers: Mutex<VecDeque<Answer>>,
    asked: Mutex<Vec<(Command, Value)>>,
}

#[async_trait]
impl PluginHost for Told {
    async fn ask(&self, question: &Question) -> Result<Bytes, Trouble> {
        let request: Value = serde_json::from_slice(&question.request).unwrap();
        let answer = self.answers.lock().unwrap().pop_front().expect("one question too many");
        let answer = answer(&request);
        self.asked.lock().unwrap().push((question.command, request));
        Ok(answer.to_string().into())
    }
}

fn signer(kind: KeyKind) -> Signer {
    let key = |kind, slot| Key::pooled(kind, slot).unwrap();
    let root = Authority::root("C=US, ST=WA, O=acme, CN=root", key(KeyKind::P256, 1)).unwrap();
    root.issue(LeafRequest::new("C=US, ST=WA, O=acme, CN=signer", key(kind, 0)).unwrap()).unwrap()
}

fn words(kind: KeyKind) -> (&'static str, &'static str, &'static str) {
    match kind {
        KeyKind::Rsa2048 => ("RSA-2048", "SHA-256", "RSASSA-PSS-SHA-256"),
        KeyKind::Rsa3072 => ("RSA-3072", "SHA-384", "RSASSA-PSS-SHA-384"),
        KeyKind::Rsa4096 => ("RSA-4096", "SHA-512", "RSASSA-PSS-SHA-512"),
        KeyKind::P256 => ("EC-256", "SHA-256", "ECDSA-SHA-256"),
        KeyKind::P384 => ("EC-384", "SHA-384", "ECDSA-SHA-384"),
        KeyKind::P521 => ("EC-521", "SHA-512", "ECDSA-SHA-512"),
    }
}

fn encoded(chain: &[Vec<u8>]) -> Vec<String> {
    chain.iter().map(|der| STANDARD.encode(der)).collect()
}

fn metadata(capabilities: &[&str]) -> Answer {
    let answer = json!({ "name": "kms", "description": "d", "version": "0.3.0-beta", "url": "u",
        "supportedContractVersions": ["1.0"], "capabilities": capabilities });
    Box::new(move |_| answer.clone())
}

fn request(format: Format) -> SignRequest {
    let mut request = SignRequest::new(Artifact::image("app").descriptor().clone(), NOW);
    request.expiry = Some(time::Duration::hours(2));
    request.user_metadata = BTreeMap::from([("build".to_owned(), "7".to_owned())]);
    request.format = format;
    request
}

fn sealed(answers: Vec<Answer>, format: Format) -> (Result<Attachment, String>, Vec<(Command, Value)>) {
    let told = Arc::new(Told { answers: Mutex::new(answers.into()), asked: Mutex::default() });
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let config = PluginConfig::from([("a".to_owned(), "b".to_owned())]);
    let sealed = runtime.block_on(async {
        let host = Arc::clone(&told) as Arc<dyn PluginHost>;
        let key = PluginKey::open(host, "kms", "k1", config).await.map_err(|error| error.to_string())?;
        key.sign(&request(format)).await.map_err(|error| error.to_string())
    });
    let asked = std::mem::take(&mut *told.asked.lock().unwrap());
    (sealed, asked)
}

/// The three answers of a plugin that signs bytes with a key of `kind`, the latter two changed.
fn raw(
    kind: KeyKind,
    described: fn(&mut Value),
    generated: impl Fn(&mut Value) + Send + Sync + 'static,
) -> Vec<Answer> {
    let (spec, _, algorithm) = words(kind);
    let describe: Answer = Box::new(move |request| {
        let mut answer = json!({ "keyId": request["keyId"], "keySpec": spec, "more": {} });
        described(&mut answer);
        answer
    });
    let generate: Answer = Box::new(move |request| {
        let signer = signer(kind);
        let payload = STANDARD.decode(request["payload"].as_str().unwrap()).unwrap();
        let mut answer = json!({
            "keyId": request["keyId"], "signature": STANDARD.encode(signer.key.sign(&payload).unwrap()),
            "signingAlgorithm": algorithm, "certificateChain": encoded(&signer.chain),
        });
        generated(&mut answer);
        answer
    });
    let both = ["SIGNATURE_GENERATOR.ENVELOPE", "SIGNATURE_GENERATOR.RAW"];
    vec![metadata(&both), describe, generate]
}

fn read(attachment: &Attachment, format: Format) -> envelope::VerifiedEnvelope {
    let envelope = attachment.blobs.iter().find(|blob| blob.descriptor.media_type == format.media_type()).unwrap();
    envelope::verify(format.media_type(), &envelope.bytes, &ChainCache::new()).unwrap()
}

#[test]
fn a_plugin_that_signs_bytes_signs_in_both_formats_with_every_kind_of_key() {
    for kind in KeyKind::ALL {
        for format in [Format::Jws, Format::Cose] {
            let (sealed, asked) = sealed(raw(kind, |_| {}, |_| {}), format);
            let envelope = read(&sealed.unwrap(), format);
            assert_eq!(envelope.chain.certificates().len(), 2);
            assert_eq!(envelope.payload.target.annotations["build"], "7");
            let agent = concat!("muster/", env!("CARGO_PKG_VERSION"), " kms/0.3.0-beta");
            assert_eq!(envelope.signer.signing_agent.as_deref(), Some(agent));
            let (spec, hash, _) = words(kind);
            let config = json!({ "a": "b" });
            let [metadata, describe, generate] = <[_; 3]>::try_from(asked).unwrap();
            assert_eq!(metadata, (Command::GetPluginMetadata, json!({ "pluginConfig": config })));
            let describes = json!({ "contractVersion": "1.0", "keyId": "k1", "pluginConfig": config });
            assert_eq!(describe, (Command::DescribeKey, describes));
            let payload = generate.1["payload"].clone();
            let generates = json!({ "contractVersion": "1.0", "keyId": "k1", "keySpec": spec, "hashAlgorithm": hash,
                "payload": payload, "pluginConfig": config });
            assert_eq!(generate, (Command::GenerateSignature, generates));
        }
    }
}

#[track_caller]
fn refused(answers: Vec<Answer>, words: &str) {
    let (sealed, _) = sealed(answers, Format::Jws);
    let refusal = sealed.unwrap_err();
    assert!(refusal.contains(words) && !refusal.contains(char::is_control), "{refusal}");
}

#[test]
fn what_a_key_is_said_to_be_is_checked() {
    refused(raw(KeyKind::P256, |answer| answer["keyId"] = json!("k2"), |_| {}), "speaks of \"k2\"");
    for spec in ["", "EC-257", "RSA-1024", "ec-256"] {
        let describe: Answer = Box::new(move |_| json!({ "keyId": "k1", "keySpec": spec }));
        let mut answers = raw(KeyKind::P256, |_| {}, |_| {});
        answers[1] = describe;
        refused(answers, "not one of the six");
    }
    // The certificate is for another kind of key, whatever is stated.
    let described = |answer: &mut Value| answer["keySpec"] = json!("EC-384");
    let generated = |answer: &mut Value| answer["signingAlgorithm"] = json!("ECDSA-SHA-384");
    refused(raw(KeyKind::P256, described, generated), "its certificate is for EC P-256");
}

#[test]
fn what_a_plugin_signed_is_checked() {
    type Change = fn(&mut Value);
    let changes: [(Change, &str); 9] = [
        (|answer| answer["keyId"] = json!("k2"), "speaks of \"k2\""),
        (|answer| answer["signingAlgorithm"] = json!("ECDSA-SHA-384"), "states \"ECDSA-SHA-384\""),
        (|answer| answer["signature"] = json!("?"), "is not base64"),
        (|answer| answer["signature"] = json!(STANDARD.encode([1; 64])), "does not verify"),
        (|answer| answer["signature"] = json!(""), "does not verify"),
        (|answer| drop(answer["certificateChain"].as_array_mut().unwrap().pop()), "signs no artifacts"),
        (|answer| answer["certificateChain"] = json!([]), "the certificate chain is empty"),
        (|answer| answer["certificateChain"] = json!(vec!["AA=="; 11]), "more than 10"),
        (|answer| drop(answer.as_object_mut().unwrap().remove("signature")), "not as the contract says"),
    ];
    for (change, words) in changes {
        refused(raw(KeyKind::P256, |_| {}, change), words);
    }
}

#[test]
fn a_signature_as_asn1_is_refused() {
    let mut answers = raw(KeyKind::P256, |_| {}, |_| {});
    answers[2] = Box::new(|request| {
        let signer = signer(KeyKind::P256);
        let payload = STANDARD.decode(request["payload"].as_str().unwrap()).unwrap();
        json!({ "keyId": "k1", "signature": STANDARD.encode(signer.key.sign_certificate(&payload).unwrap()),
            "signingAlgorithm": "ECDSA-SHA-256", "certificateChain": encoded(&signer.chain) })
    });
    refused(answers, "not ASN.1");
}

#[test]
fn a_signature_with_another_salt_is_refused() {
    let mut answers = raw(KeyKind::Rsa2048, |_| {}, |_| {});
    answers[2] = Box::new(|request| {
        let signer = signer(KeyKind::Rsa2048);
        let message = STANDARD.decode(request["payload"].as_str().unwrap()).unwrap();
        let (protected, payload) = std::str::from_utf8(&message).unwrap().split_once('.').unwrap();
        // The same is signed again, with a salt of 20 bytes where 32 belong.
        let mut draft = Statement::new(Artifact::image("app").descriptor().clone(), NOW).jws(&signer).unwrap();
        draft.protected_bytes = Some(URL_SAFE_NO_PAD.decode(protected).unwrap());
        draft.payload_text = Some(payload.to_owned());
        draft.signature = SignatureForm::Salted(Salt::Twenty);
        let sealed: Value = serde_json::from_slice(&draft.seal().unwrap()).unwrap();
        let signature = URL_SAFE_NO_PAD.decode(sealed["signature"].as_str().unwrap()).unwrap();
        json!({ "keyId": "k1", "signature": STANDARD.encode(signature),
            "signingAlgorithm": "RSASSA-PSS-SHA-256", "certificateChain": encoded(&signer.chain) })
    });
    refused(answers, "a salt as long as the hash");
}

#[test]
fn a_certificate_that_is_not_valid_now_signs_nothing() {
    let lapsed = |answer: &mut Value| {
        let key = |slot| Key::pooled(KeyKind::P256, slot).unwrap();
        let root = Authority::root("C=US, ST=WA, O=acme, CN=root", key(1)).unwrap();
        let mut request = LeafRequest::new("C=US, ST=WA, O=acme, CN=signer", key(0)).unwrap();
        request.validity = Validity { not_after: NOW - time::Duration::DAY, ..Validity::default() };
        answer["certificateChain"] = json!(encoded(&root.issue(request).unwrap().chain));
    };
    refused(raw(KeyKind::P256, |_| {}, lapsed), "have a new one issued");
}

/// The two answers of a plugin that makes envelopes.
fn enveloping(statement: fn(&mut Statement), answer: fn(&mut Value)) -> Vec<Answer> {
    let generate: Answer = Box::new(move |request| {
        let payload = STANDARD.decode(request["payload"].as_str().unwrap()).unwrap();
        let payload: Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!(payload["targetArtifact"]["annotations"], json!({ "build": "7" }));
        let target = Artifact::image("app").descriptor().clone();
        let mut said = Statement::new(target, NOW).with_metadata([("build", "7")]);
        let seconds = request["expiryDurationInSeconds"].as_i64().unwrap();
        said.expiry = Some(NOW + time::Duration::seconds(seconds));
        statement(&mut said);
        let signer = signer(KeyKind::P384);
        let envelope = match request["signatureEnvelopeType"].as_str().unwrap() {
            "application/cose" => said.cose(&signer).unwrap().seal().unwrap(),
            _ => said.jws(&signer).unwrap().seal().unwrap(),
        };
        let mut response = json!({
            "signatureEnvelope": STANDARD.encode(envelope), "signatureEnvelopeType": request["signatureEnvelopeType"],
            "annotations": { "com.example.job": "9", "io.cncf.notary.x509chain.thumbprint#S256": "[]" },
        });
        answer(&mut response);
        response
    });
    vec![metadata(&["SIGNATURE_GENERATOR.ENVELOPE"]), generate]
}

#[test]
fn a_plugin_that_makes_envelopes_is_asked_for_one() {
    for format in [Format::Jws, Format::Cose] {
        let (sealed, asked) = sealed(enveloping(|_| {}, |_| {}), format);
        let attachment = sealed.unwrap();
        read(&attachment, format);
        let (command, request) = &asked[1];
        let expected = json!({
            "contractVersion": "1.0", "keyId": "k1", "payloadType": "application/vnd.cncf.notary.payload.v1+json",
            "signatureEnvelopeType": format.media_type(), "payload": request["payload"],
            "expiryDurationInSeconds": 7200, "pluginConfig": { "a": "b" },
        });
        assert_eq!((command, request), (&Command::GenerateEnvelope, &expected));
        let written = &attachment.manifest;
        let written = manifest::parse(&written.bytes, &written.descriptor.media_type).unwrap();
        let notes = written.annotations().unwrap();
        assert_eq!(notes["com.example.job"], "9");
        assert_ne!(notes["io.cncf.notary.x509chain.thumbprint#S256"], "[]");
    }
}

#[test]
fn more_annotations_and_a_sooner_expiry_are_the_plugin_s_to_add() {
    let more = |said: &mut Statement| drop(said.target.annotations.insert("by".to_owned(), "kms".to_owned()));
    assert!(sealed(enveloping(more, |_| {}), Format::Jws).0.is_ok());
    let sooner = |said: &mut Statement| said.expiry = Some(NOW + time::Duration::HOUR);
    assert!(sealed(enveloping(sooner, |_| {}), Format::Jws).0.is_ok());
    let none = |answer: &mut Value| answer["annotations"] = Value::Null;
    assert!(sealed(enveloping(|_| {}, none), Format::Jws).0.is_ok());
}

#[test]
fn an_envelope_that_says_something_else_is_thrown_away() {
    type Change = fn(&mut Statement);
    let changes: [(Change, &str); 7] = [
        (|said| said.target.digest = muster::digest::Digest::sha256(b"y"), "another artifact"),
        (|said| said.target.size += 1, "another artifact"),
        (|said| said.target.media_type.push('y'), "another artifact"),
        (|said| said.target.annotations.clear(), "user metadata \"build\""),
        (|said| drop(said.target.annotations.insert("build".to_owned(), "8".to_owned())), "user metadata \"build\""),
        (|said| said.expiry = None, "never expires"),
        (|said| said.expiry = Some(NOW + time::Duration::hours(3)), "later than ordered"),
    ];
    for (change, words) in changes {
        refused(enveloping(change, |_| {}), words);
    }
    type Answered = fn(&mut Value);
    let answers: [(Answered, &str); 3] = [
        (|answer| answer["signatureEnvelopeType"] = json!("application/cose"), "states \"application/cose\""),
        (|answer| answer["signatureEnvelope"] = json!("e30="), "does not verify"),
        (|answer| answer["signatureEnvelope"] = json!("%"), "is not base64"),
    ];
    for (change, words) in answers {
        refused(enveloping(|_| {}, change), words);
    }
}

#[test]
fn members_that_nobody_knows_are_not_signed() {
    for member in ["outside", "inside"] {
        let generate: Answer = Box::new(move |request| {
            let payload = STANDARD.decode(request["payload"].as_str().unwrap()).unwrap();
            let mut payload: Value = serde_json::from_slice(&payload).unwrap();
            match member {
                "outside" => payload["more"] = json!(1),
                _ => payload["targetArtifact"]["urls"] = json!([]),
            }
            let mut statement = Statement::new(Artifact::image("app").descriptor().clone(), NOW);
            statement.expiry = Some(NOW + time::Duration::HOUR);
            let mut draft = statement.jws(&signer(KeyKind::P256)).unwrap();
            draft.payload = payload.to_string().into_bytes();
            json!({ "signatureEnvelope": STANDARD.encode(draft.seal().unwrap()),
                "signatureEnvelopeType": "application/jose+json" })
        });
        refused(vec![metadata(&["SIGNATURE_GENERATOR.ENVELOPE"]), generate], "unknown attributes were added");
    }
}

#[test]
fn a_plugin_that_cannot_sign_is_not_asked_to() {
    refused(vec![metadata(&["SIGNATURE_VERIFIER.TRUSTED_IDENTITY"])], "cannot sign");
    let told: Arc<dyn PluginHost> = Arc::new(Told { answers: Mutex::default(), asked: Mutex::default() });
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let opened = runtime.block_on(PluginKey::open(told, "../kms", "k", PluginConfig::new()));
    assert!(matches!(opened, Err(PluginKeyError::Name(_))), "{opened:?}");
}
