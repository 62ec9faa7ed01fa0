//! Tokens that others made: the reference implementation's authority of the corpus, and OpenSSL.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use time::Duration;
use time::macros::datetime;

use crate::failure::Code;
use crate::pki::Certificate;
use crate::timestamp::{Token, read_response, verify};

fn file(path: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(path)).unwrap()
}

fn root(path: &str) -> Certificate {
    let (_, pem) = x509_parser::pem::parse_x509_pem(&file(path)).unwrap();
    Certificate::parse(&pem.contents).unwrap()
}

#[test]
fn a_token_of_the_corpus_is_verified() {
    let blob = "interop/layout/blobs/sha256/7e19a3003a74ce7b4873a55bd65566d051518dfdaaf6409be9ed62299ba3173d";
    let envelope: serde_json::Value = serde_json::from_slice(&file(blob)).unwrap();
    let signature = URL_SAFE_NO_PAD.decode(envelope["signature"].as_str().unwrap()).unwrap();
    let token = envelope["header"]["io.cncf.notary.timestampSignature"].as_str().unwrap();
    let token = Token(STANDARD.decode(token).unwrap());
    let root = root("interop/truststore/x509/tsa/timekeeper/timekeeper-root.pem");
    let stamp = verify(&token, &signature, &[&root]).unwrap();
    assert_eq!((stamp.gen_time, stamp.accuracy), (datetime!(2026-11-23 0:21:25 UTC), Duration::SECOND));
    assert_eq!(stamp.authority().subject_text(), "CN=Timekeeper TSA 1,O=timekeeper.example,ST=WA,C=US");
    let failure = verify(&token, b"another signature", &[&root]).unwrap_err();
    assert_eq!(failure.code, Code::TimestampInvalid);
}

/// The files of `tests/data/timestamp`: an answer of `openssl ts -reply` (3.0) to a request of `openssl ts -query` over
/// SHA-512, signed with RSA and SHA-384, with the whole chain in its `signing-certificate-v2`.
#[test]
fn a_token_of_openssl_is_verified() {
    let token = read_response(&file("data/timestamp/openssl.tsr")).unwrap();
    let root = root("data/timestamp/openssl-root.pem");
    let stamp = verify(&token, b"the primitive signature", &[&root]).unwrap();
    assert_eq!(stamp.accuracy, Duration::microseconds(1_500_100));
    assert_eq!((stamp.chain.len(), stamp.nonce.map(|nonce| nonce.len())), (3, Some(8)));
    assert_eq!(stamp.gen_time.date(), time::macros::date!(2026 - 11 - 24));
    assert_eq!(verify(&token, b"another", &[&root]).unwrap_err().code, Code::TimestampInvalid);
}
