use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::forge::{Artifact, Authority, Key, KeyKind, LeafRequest, SigningScheme, pem};

const VERIFY: &str = "verify-signature";

/// What came of one command.
#[derive(Debug)]
struct Ran {
    code: u8,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Ran {
    fn answer(&self) -> Value {
        assert_eq!(self.code, 0, "{}", String::from_utf8_lossy(&self.stderr));
        serde_json::from_slice(&self.stdout).unwrap()
    }
}

/// Runs what cannot end the process of the test.
fn run(behaviour: &PluginBehaviour, command: &str, request: &Value) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let installed = behaviour.install(folder.path(), "test", Path::new("/muster")).unwrap();
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let file = installed.folder.join("behaviour.json");
    let code = perform(&file, command, request.to_string().as_bytes(), &mut stdout, &mut stderr);
    assert_eq!(installed.requests().unwrap().len(), 1);
    Ran { code, stdout, stderr }
}

fn verify_request() -> Value {
    json!({
        "contractVersion": "1.0",
        "signature": { "unprocessedAttributes": ["com.example.a", "com.example.b"] },
        "trustPolicy": { "signatureVerification":
            ["SIGNATURE_VERIFIER.TRUSTED_IDENTITY", "SIGNATURE_VERIFIER.REVOCATION_CHECK"] },
    })
}

/// A plugin with a key of `kind`, whose files are in the folder.
fn signing(kind: KeyKind) -> (TempDir, PluginBehaviour) {
    let folder = tempfile::tempdir().unwrap();
    let root = Authority::root("C=US, ST=WA, O=acme, CN=root", Key::pooled(KeyKind::P256, 1).unwrap()).unwrap();
    let key = Key::pooled(kind, 0).unwrap();
    let signer = root.issue(LeafRequest::new("C=US, ST=WA, O=acme, CN=leaf", key.clone()).unwrap()).unwrap();
    let put = |name: &str, bytes: Vec<u8>| -> Option<PathBuf> {
        std::fs::write(folder.path().join(name), bytes).unwrap();
        Some(folder.path().join(name))
    };
    let chain: Vec<_> = signer.chain.iter().map(|der| pem("CERTIFICATE", der)).collect();
    let behaviour = PluginBehaviour {
        key: put("key.pem", pem("PRIVATE KEY", &key.pkcs8().unwrap())),
        chain: put("chain.pem", chain.concat()),
        ..PluginBehaviour::able(["SIGNATURE_GENERATOR.RAW", "SIGNATURE_GENERATOR.ENVELOPE"])
    };
    (folder, behaviour)
}

#[test]
fn metadata_says_what_the_behaviour_does() {
    let sound = run(&PluginBehaviour::able(["X"]), "get-plugin-metadata", &json!({})).answer();
    assert_eq!((&sound["name"], &sound["version"]), (&json!("test"), &json!("1.0.0")));
    assert_eq!((&sound["supportedContractVersions"], &sound["capabilities"]), (&json!(["1.0"]), &json!(["X"])));
    let answers = json!({ "get-plugin-metadata": { "url": null, "description": 7 } });
    let other = PluginBehaviour {
        name: Some("other".to_owned()),
        answers: serde_json::from_value(answers).unwrap(),
        ..PluginBehaviour::default()
    };
    let other = run(&other, "get-plugin-metadata", &json!({})).answer();
    assert_eq!((&other["name"], other.get("url"), &other["description"]), (&json!("other"), None, &json!(7)));
}

#[test]
fn verification_says_what_the_behaviour_does() {
    let sound = run(&PluginBehaviour::default(), VERIFY, &verify_request()).answer();
    assert_eq!(sound["verificationResults"]["SIGNATURE_VERIFIER.TRUSTED_IDENTITY"]["success"], true);
    assert_eq!(sound["processedAttributes"], json!(["com.example.a", "com.example.b"]));
    let refusing = PluginBehaviour {
        identity: PluginVerdict::Failure,
        revocation: PluginVerdict::Missing,
        processed: Processed::Listed,
        attributes: vec!["com.example.b".to_owned()],
        ..PluginBehaviour::default()
    };
    let refused = run(&refusing, VERIFY, &verify_request()).answer();
    assert_eq!(refused["verificationResults"].as_object().unwrap().len(), 1);
    assert_eq!(refused["verificationResults"]["SIGNATURE_VERIFIER.TRUSTED_IDENTITY"]["success"], false);
    assert_eq!(refused["processedAttributes"], json!(["com.example.b"]));
    for (processed, count) in [(Processed::None, 0), (Processed::Extra, 3)] {
        let ran = run(&PluginBehaviour { processed, ..PluginBehaviour::default() }, VERIFY, &verify_request());
        assert_eq!(ran.answer()["processedAttributes"].as_array().unwrap().len(), count);
    }
}

#[test]
fn defects_befall_what_they_are_for() {
    let with = |defect| PluginBehaviour { defect: Some(defect), ..PluginBehaviour::default() };
    let sound = run(&PluginBehaviour::default(), VERIFY, &verify_request()).stdout;
    let error = |ran: &Ran| serde_json::from_slice::<Value>(&ran.stderr).is_ok_and(|e| e["errorCode"] == "ERROR");
    for &defect in PluginDefect::ALL {
        // The others are seen from outside, in tests that start the program.
        use PluginDefect as D;
        if matches!(defect, D::Hang | D::FloodStdout | D::FloodStderr | D::Daemon | D::Signal) {
            continue;
        }
        let ran = run(&with(defect), VERIFY, &verify_request());
        let (code, stdout, errs) = match defect {
            D::InvalidJson => (0, sound[..sound.len() - 1].to_vec(), false),
            D::TwoDocuments => (0, sound.repeat(2), false),
            D::NoAnswer => (0, Vec::new(), false),
            D::ErrorWithSuccess => (0, Vec::new(), true),
            D::Error => (1, Vec::new(), true),
            D::SilentError | D::TextError => (1, Vec::new(), false),
            D::OtherExitCode => (7, Vec::new(), true),
            _ => (0, ran.stdout.clone(), false),
        };
        assert_eq!((ran.code, &ran.stdout, error(&ran)), (code, &stdout, errs), "{defect:?}");
        assert_eq!(ran.stderr.is_empty(), !errs && defect != D::TextError, "{defect:?}");
        assert_eq!(run(&with(defect), "get-plugin-metadata", &json!({})).answer()["name"], "test", "{defect:?}");
    }
    let blind = run(&with(PluginDefect::IgnoreStdin), VERIFY, &verify_request()).answer();
    assert_eq!(blind["verificationResults"], json!({}));
    let early =
        PluginBehaviour { defect_in: Some("get-plugin-metadata".to_owned()), ..with(PluginDefect::SilentError) };
    assert_eq!(run(&early, "get-plugin-metadata", &json!({})).code, 1);
    assert_eq!(run(&early, VERIFY, &verify_request()).stdout, sound);
    assert_eq!(run(&PluginBehaviour::default(), "no-command", &json!({})).code, 1);
}

#[test]
fn raw_signatures_hold() {
    for kind in [KeyKind::Rsa2048, KeyKind::P384] {
        let (_folder, behaviour) = signing(kind);
        let described = run(&behaviour, "describe-key", &json!({ "keyId": "k" })).answer();
        let (spec, algorithm) =
            if kind == KeyKind::P384 { ("EC-384", "ECDSA-SHA-384") } else { ("RSA-2048", "RSASSA-PSS-SHA-256") };
        assert_eq!(described, json!({ "keyId": "k", "keySpec": spec }));
        let request = json!({ "keyId": "k", "payload": STANDARD.encode("message") });
        let answer = run(&behaviour, "generate-signature", &request).answer();
        assert_eq!((&answer["keyId"], &answer["signingAlgorithm"]), (&json!("k"), &json!(algorithm)));
        assert_eq!(answer["certificateChain"].as_array().unwrap().len(), 2);
        let verifies = |answer: &Value| {
            let signature = STANDARD.decode(answer["signature"].as_str().unwrap()).unwrap();
            let key = crate::pki::SubjectKey::from_spki(Key::pooled(kind, 0).unwrap().public_key()).unwrap();
            crate::pki::PublicKey::new(&key).unwrap().verify(b"message", &signature).is_ok()
        };
        assert!(verifies(&answer), "{kind:?}");
        use PluginSigningDefect as D;
        for defect in [D::AnotherKey, D::OfCertificates, D::WrongSignature] {
            let broken = PluginBehaviour { signing_defect: Some(defect), ..behaviour.clone() };
            assert!(!verifies(&run(&broken, "generate-signature", &request).answer()), "{defect:?}");
        }
        for (defect, command, member, stated) in [
            (D::OtherKeyId, "describe-key", "keyId", "another"),
            (D::OtherKeyId, "generate-signature", "keyId", "another"),
            (D::UnknownKeySpec, "describe-key", "keySpec", "ED-25519"),
            (D::OtherKeySpec, "describe-key", "keySpec", if kind == KeyKind::P384 { "EC-256" } else { "EC-384" }),
            (
                D::OtherAlgorithm,
                "generate-signature",
                "signingAlgorithm",
                if kind == KeyKind::P384 { "ECDSA-SHA-256" } else { "ECDSA-SHA-384" },
            ),
        ] {
            let broken = PluginBehaviour { signing_defect: Some(defect), ..behaviour.clone() };
            assert_eq!(run(&broken, command, &request).answer()[member], stated, "{defect:?}");
        }
        let broken = PluginBehaviour { signing_defect: Some(D::NoChain), ..behaviour.clone() };
        assert_eq!(run(&broken, "generate-signature", &request).answer()["certificateChain"], json!([]));
        let broken = PluginBehaviour { signing_defect: Some(D::NoRoot), ..behaviour.clone() };
        let short = run(&broken, "generate-signature", &request).answer();
        assert_eq!(short["certificateChain"].as_array().unwrap().len(), 1);
    }
    assert_eq!(run(&PluginBehaviour::default(), "describe-key", &json!({})).code, 1, "there is no key");
}

#[test]
fn envelopes_hold() {
    let (_folder, behaviour) = signing(KeyKind::P256);
    let target = Artifact::image("net-monitor").descriptor().clone();
    let payload = crate::forge::Statement::new(target, time::OffsetDateTime::UNIX_EPOCH)
        .with_metadata([("build", "7")])
        .payload();
    for media_type in ["application/jose+json", "application/cose"] {
        let request = json!({
            "payload": STANDARD.encode(&payload), "signatureEnvelopeType": media_type, "expiryDurationInSeconds": 60,
        });
        let envelope = |behaviour: &PluginBehaviour| {
            let answer = run(behaviour, "generate-envelope", &request).answer();
            let is_stated = answer["signatureEnvelopeType"] == media_type;
            assert_eq!(is_stated, behaviour.signing_defect != Some(PluginSigningDefect::OtherEnvelopeType));
            let bytes = STANDARD.decode(answer["signatureEnvelope"].as_str().unwrap()).unwrap();
            crate::envelope::verify(media_type, &bytes, &crate::pki::ChainCache::new())
        };
        let verified = envelope(&behaviour).unwrap();
        assert_eq!(verified.payload.target.annotations["build"], "7");
        let signer = &verified.signer;
        assert_eq!(signer.expiry.unwrap() - signer.signing_time, time::Duration::MINUTE);
        assert_eq!(signer.scheme, SigningScheme::X509);
        use PluginSigningDefect as D;
        for &defect in D::ALL {
            let broken = envelope(&PluginBehaviour { signing_defect: Some(defect), ..behaviour.clone() });
            match defect {
                D::OtherArtifact => {
                    assert_ne!(broken.unwrap().payload.target.digest, verified.payload.target.digest);
                }
                D::NoAnnotations => assert!(broken.unwrap().payload.target.annotations.is_empty()),
                // The answer beside the envelope is what is wrong, or one of other commands.
                D::OtherKeyId | D::OtherKeySpec | D::UnknownKeySpec | D::OtherAlgorithm => drop(broken.unwrap()),
                D::AddedMember | D::AddedToDescriptor | D::OtherEnvelopeType | D::MoreAnnotations => {
                    drop(broken.unwrap());
                }
                _ => assert!(broken.is_err(), "{defect:?}"),
            }
        }
    }
}

#[test]
fn behaviours_can_be_written_down() {
    let text =
        r#"{ "capabilities": ["A"], "identity": "failure", "defect": "two-documents", "signingDefect": "no-root" }"#;
    let read: PluginBehaviour = serde_json::from_str(text).unwrap();
    assert_eq!((read.identity, read.defect), (PluginVerdict::Failure, Some(PluginDefect::TwoDocuments)));
    let again: PluginBehaviour = serde_json::from_value(serde_json::to_value(&read).unwrap()).unwrap();
    assert_eq!(again, read);
    assert!(serde_json::from_str::<PluginBehaviour>(r#"{ "capability": [] }"#).is_err());
}
