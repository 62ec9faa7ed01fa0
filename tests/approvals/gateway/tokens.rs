//! A gateway whose key is held elsewhere: in a token of SoftHSM, or by what does not sign any more.

use std::process::Command;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster::forge::softhsm::{SoftHsm, SoftHsmError};
use muster::forge::{Key, KeyKind, pem};
use muster::signer::{self, Environment, KeyFile, PrivateKey, SignerError, VerifyingKey};
use muster::tsb::{self, RequestStatus};
use serde_json::json;

use super::bench::*;
use crate::skip::skip;

/// Runs the test of this name once more in a process whose environment leads to a SoftHSM, unless this is it.
fn softhsm(name: &str) -> Option<SoftHsm> {
    if let Some(hsm) = SoftHsm::of_process().unwrap() {
        return Some(hsm);
    }
    match SoftHsm::prepare() {
        Ok(hsm) => {
            let mut again = Command::new(std::env::current_exe().unwrap());
            again.args([name, "--exact", "--nocapture", "--test-threads=1"]).envs(hsm.environment());
            let output = again.env_remove(Environment::MODULE).env_remove(Environment::PIN).output().unwrap();
            let printed = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{printed}\n{}", String::from_utf8_lossy(&output.stderr));
            assert!(printed.contains("1 passed"), "a name that selects nothing passes too: {printed}");
        }
        Err(error @ SoftHsmError::NotInstalled) => skip(name, &error.to_string()),
        Err(error) => panic!("{error}"),
    }
    None
}

#[tokio::test]
async fn a_key_in_a_token_signs_with_its_quorum_and_not_before() {
    let Some(hsm) = softhsm("gateway::tokens::a_key_in_a_token_signs_with_its_quorum_and_not_before") else { return };
    let token = hsm.token("gateway").unwrap();
    let bench = Bench::new(None);
    for (kind, algorithm, forms) in [
        (KeyKind::P256, "SHA256_WITH_ECDSA", &["RAW", "DER"][..]),
        (KeyKind::P384, "SHA384_WITH_ECDSA", &["RAW", "DER"]),
        (KeyKind::Rsa2048, "SHA256_WITH_RSA_PSS", &["DER"]),
    ] {
        let uri = token.generate(kind, algorithm).unwrap();
        let opened = signer::open(&uri, &Environment::of_process()).unwrap();
        let key = Key::held_by(opened.signer);
        bench.gateway.add_key(algorithm, key.clone(), None, Some(two_of_three())).unwrap();
        for form in forms {
            let body = json!({"signRequest": {"payload": STANDARD.encode("payload"), "signKeyName": algorithm,
                "signatureAlgorithm": algorithm, "signatureType": form}});
            let (status, answer) = bench.post(tsb::SIGN, &body).await;
            assert_eq!(status, 201, "{answer}");
            let id = answer["signRequestId"].as_str().unwrap();
            bench.approve(1, id).await.unwrap();
            assert_eq!(bench.state(id).await.result, None);
            bench.approve(2, id).await.unwrap();
            let state = bench.state(id).await;
            assert_eq!(state.status, RequestStatus::Executed);
            let signature = STANDARD.decode(state.result.unwrap()).unwrap();
            assert!(is_signed(&key, form, b"payload", &signature), "{algorithm} {form}");
        }
    }
}

/// By the library alone.
fn is_signed(key: &Key, form: &str, message: &[u8], signature: &[u8]) -> bool {
    use aws_lc_rs::signature as crypto;
    let algorithm: &'static dyn crypto::VerificationAlgorithm = match (key.kind(), form) {
        (KeyKind::P256, "RAW") => &crypto::ECDSA_P256_SHA256_FIXED,
        (KeyKind::P256, _) => &crypto::ECDSA_P256_SHA256_ASN1,
        (KeyKind::P384, "RAW") => &crypto::ECDSA_P384_SHA384_FIXED,
        (KeyKind::P384, _) => &crypto::ECDSA_P384_SHA384_ASN1,
        _ => &crypto::RSA_PSS_2048_8192_SHA256,
    };
    crypto::UnparsedPublicKey::new(algorithm, key.public_key()).verify(message, signature).is_ok()
}

/// A key whose token was pulled.
#[derive(Debug)]
struct Gone(KeyFile);

impl PrivateKey for Gone {
    fn verifying_key(&self) -> &VerifyingKey {
        self.0.verifying_key()
    }

    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, SignerError> {
        Err(SignerError::TokenGone { token: "\"hsm\"".into(), answer: "CKR_DEVICE_REMOVED".into() })
    }
}

#[tokio::test]
async fn a_key_that_does_not_sign_any_more_fails_the_request() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.pem");
    std::fs::write(&path, pem("PRIVATE KEY", &Key::pooled(KeyKind::P256, 1).unwrap().pkcs8().unwrap())).unwrap();
    let bench = Bench::new(None);
    let gone = Key::held_by(Arc::new(Gone(KeyFile::open(&path).unwrap())));
    bench.gateway.add_key("gone", gone, None, Some(two_of_three())).unwrap();
    let (_, answer) = bench.post(tsb::SIGN, &sign_request("gone", b"payload")).await;
    let id = answer["signRequestId"].as_str().unwrap();
    bench.approve(1, id).await.unwrap();
    bench.approve(3, id).await.unwrap();
    let state = bench.state(id).await;
    assert_eq!((state.status, state.result), (RequestStatus::Failed, None));
    assert!(bench.gateway.request(id).unwrap().failure.unwrap().contains("CKR_DEVICE_REMOVED"));
}
