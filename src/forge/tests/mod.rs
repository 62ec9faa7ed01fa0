//! What is forged by default is sound: the signatures hold against the cryptographic library itself, without any of
//! Muster's parsers.

use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use time::macros::datetime;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::*;

/// Root, intermediate, and a leaf of `kind`.
fn signer(kind: KeyKind) -> Signer {
    let root = Authority::root("C=US, ST=WA, O=acme, CN=root", Key::pooled(KeyKind::P384, 0).unwrap()).unwrap();
    let middle =
        root.intermediate("C=US, ST=WA, O=acme, CN=issuing", Key::pooled(KeyKind::Rsa2048, 0).unwrap()).unwrap();
    let mut request = LeafRequest::new("C=US, ST=WA, O=acme, CN=leaf", Key::pooled(kind, 1).unwrap()).unwrap();
    request.crl_urls = vec!["http://crl.example/a.crl".to_owned()];
    request.ocsp_urls = vec!["http://ocsp.example".to_owned()];
    middle.issue(request).unwrap()
}

fn statement() -> Statement {
    let mut statement =
        Statement::new(Artifact::image("net-monitor").descriptor().clone(), datetime!(2026-01-02 3:04:05.6 UTC))
            .with_metadata([("build", "7")]);
    statement.expiry = Some(datetime!(2027-01-02 3:04:05 UTC));
    statement
}

fn envelope_algorithm(kind: KeyKind) -> &'static dyn VerificationAlgorithm {
    match kind {
        KeyKind::Rsa2048 => &signature::RSA_PSS_2048_8192_SHA256,
        KeyKind::Rsa3072 => &signature::RSA_PSS_2048_8192_SHA384,
        KeyKind::Rsa4096 => &signature::RSA_PSS_2048_8192_SHA512,
        KeyKind::P256 => &signature::ECDSA_P256_SHA256_FIXED,
        KeyKind::P384 => &signature::ECDSA_P384_SHA384_FIXED,
        KeyKind::P521 => &signature::ECDSA_P521_SHA512_FIXED,
    }
}

fn holds(kind: KeyKind, leaf: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let (rest, leaf) = X509Certificate::from_der(leaf).unwrap();
    assert!(rest.is_empty());
    let key = UnparsedPublicKey::new(envelope_algorithm(kind), &leaf.public_key().subject_public_key.data);
    key.verify(message, signature).is_ok()
}

#[test]
fn every_certificate_of_a_chain_is_signed_by_the_next() {
    let signer = signer(KeyKind::P521);
    let certificates: Vec<_> = signer.chain.iter().map(|der| X509Certificate::from_der(der).unwrap().1).collect();
    let algorithms: [&dyn VerificationAlgorithm; 3] = [
        &signature::RSA_PKCS1_2048_8192_SHA256,
        &signature::ECDSA_P384_SHA384_ASN1,
        &signature::ECDSA_P384_SHA384_ASN1,
    ];
    for (at, algorithm) in algorithms.into_iter().enumerate() {
        let issuer = &certificates[(at + 1).min(2)];
        let certificate = &certificates[at];
        assert_eq!(certificate.issuer().as_raw(), issuer.subject().as_raw());
        let key = UnparsedPublicKey::new(algorithm, &issuer.public_key().subject_public_key.data);
        key.verify(certificate.tbs_certificate.as_ref(), &certificate.signature_value.data).unwrap();
        assert!(certificate.extensions_map().is_ok(), "an extension is doubled or unreadable");
    }
    let distinct: std::collections::HashSet<_> = signer.chain.iter().collect();
    assert_eq!(distinct.len(), 3);
}

#[test]
fn a_jws_is_signed_over_its_two_texts() {
    for kind in KeyKind::ALL {
        let signer = signer(kind);
        let bytes = statement().jws(&signer).unwrap().seal().unwrap();
        let envelope: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let text = |name: &str| envelope[name].as_str().unwrap();
        let message = format!("{}.{}", text("protected"), text("payload"));
        let signature = URL_SAFE_NO_PAD.decode(text("signature")).unwrap();
        let leaf = STANDARD.decode(envelope["header"]["x5c"][0].as_str().unwrap()).unwrap();
        assert!(holds(kind, &leaf, message.as_bytes(), &signature), "{kind:?}");
        assert!(!holds(kind, &leaf, format!("{message}A").as_bytes(), &signature), "{kind:?}");

        let header = URL_SAFE_NO_PAD.decode(text("protected")).unwrap();
        let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
        assert_eq!(header["alg"], kind.jws_algorithm());
        assert_eq!(header["io.cncf.notary.signingTime"], "2026-01-02T03:04:05Z");
        assert_eq!(header["crit"], serde_json::json!(["io.cncf.notary.signingScheme", "io.cncf.notary.expiry"]));
        let payload = URL_SAFE_NO_PAD.decode(text("payload")).unwrap();
        let payload: serde_json::Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!(payload["targetArtifact"]["annotations"]["build"], "7");
    }
}

#[test]
fn a_cose_message_is_signed_over_its_structure() {
    for kind in KeyKind::ALL {
        let signer = signer(kind);
        let bytes = statement().cose(&signer).unwrap().seal().unwrap();
        assert_eq!(bytes[..2], [0xd2, 0x84]);
        let message: ciborium::Value = ciborium::from_reader(bytes.as_slice()).unwrap();
        let (18, items) = message.as_tag().unwrap() else { panic!("another tag") };
        let items = items.as_array().unwrap();
        let octets = |at: usize| items[at].as_bytes().unwrap().clone();
        let signed = ciborium::Value::Array(vec![
            "Signature1".into(),
            octets(0).into(),
            Vec::<u8>::new().into(),
            octets(2).into(),
        ]);
        let mut structure = Vec::new();
        ciborium::into_writer(&signed, &mut structure).unwrap();
        assert!(holds(kind, &signer.chain[0], &structure, &octets(3)), "{kind:?}");
        structure.push(0);
        assert!(!holds(kind, &signer.chain[0], &structure, &octets(3)), "{kind:?}");
    }
}

#[test]
fn the_pool_gives_one_key_a_slot() {
    let key = |slot| Key::pooled(KeyKind::P256, slot).unwrap().public_key().to_vec();
    assert_eq!(key(0), key(0));
    assert_ne!(key(0), key(1));
}

#[test]
fn salts_are_as_long_as_asked() {
    let key = Key::pooled(KeyKind::Rsa2048, 0).unwrap();
    let (_, info) = x509_parser::x509::SubjectPublicKeyInfo::from_der(key.public_key()).unwrap();
    for (salt, hash_length) in [
        (Salt::Hash, true),
        (Salt::Empty, false),
        (Salt::Twenty, false),
        (Salt::SixtyFour, false),
        (Salt::Longest, false),
    ] {
        let signed = key.sign_salted(b"message", salt).unwrap();
        let strict = UnparsedPublicKey::new(&signature::RSA_PSS_2048_8192_SHA256, &info.subject_public_key.data);
        assert_eq!(strict.verify(b"message", &signed).is_ok(), hash_length, "{salt:?}");
    }
}

#[test]
fn signature_manifests_name_subject_and_envelope() {
    let image = Artifact::image("net-monitor");
    let signer = signer(KeyKind::P256);
    let envelope = statement().cose(&signer).unwrap().seal().unwrap();
    for form in SignatureManifest::ALL {
        let signature = Artifact::signature(form, image.descriptor(), "application/cose", &envelope, &signer);
        let manifest: serde_json::Value = serde_json::from_slice(&signature.manifest.bytes).unwrap();
        assert_eq!(manifest["subject"]["digest"], image.descriptor().digest.to_string(), "{form:?}");
        for blob in &signature.blobs {
            assert!(blob.descriptor.digest.matches(&blob.bytes));
        }
        let layers = if form == SignatureManifest::Oldest { "blobs" } else { "layers" };
        assert_eq!(manifest[layers][0]["digest"], crate::digest::Digest::sha256(&envelope).to_string());
        assert_eq!(manifest[layers].as_array().unwrap().len(), 1);
    }
    assert_ne!(Artifact::image("a").descriptor().digest, Artifact::image("b").descriptor().digest);
}

#[test]
fn lengths_are_der() {
    assert_eq!(tlv(0x30, &[0; 127])[..2], [0x30, 0x7f]);
    assert_eq!(tlv(0x30, &[0; 128])[..3], [0x30, 0x81, 0x80]);
    assert_eq!(tlv(0x30, &[0; 256])[..4], [0x30, 0x82, 1, 0]);
}

#[test]
fn a_held_key_does_what_its_holder_can() {
    use crate::signer::KeyFile;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.pem");
    for kind in [KeyKind::P256, KeyKind::P521, KeyKind::Rsa3072] {
        let key = Key::pooled(kind, 0).unwrap();
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            STANDARD.encode(key.pkcs8().unwrap())
        );
        std::fs::write(&path, pem).unwrap();
        let held = Key::held_by(std::sync::Arc::new(KeyFile::open(&path).unwrap()));
        assert_eq!((held.kind(), held.public_key()), (kind, key.public_key()));
        let (_, info) = x509_parser::x509::SubjectPublicKeyInfo::from_der(held.public_key()).unwrap();
        let verifies = |algorithm: &'static dyn VerificationAlgorithm, signature: &[u8]| {
            UnparsedPublicKey::new(algorithm, &info.subject_public_key.data).verify(b"message", signature).is_ok()
        };
        assert!(verifies(envelope_algorithm(kind), &held.sign(b"message").unwrap()), "{kind:?}");
        let refusal = ForgeError::HeldElsewhere(kind.word());
        assert_eq!(held.pkcs8().unwrap_err(), refusal);
        let asn1: &'static dyn VerificationAlgorithm = match kind {
            KeyKind::P256 => &signature::ECDSA_P256_SHA256_ASN1,
            KeyKind::P521 => &signature::ECDSA_P521_SHA512_ASN1,
            _ => {
                assert_eq!(held.sign_certificate(b"message").unwrap_err(), refusal);
                assert_eq!(held.sign_salted(b"message", Salt::Empty).unwrap_err(), refusal);
                continue;
            }
        };
        // Often enough that some halves start with a zero and some with a one.
        for _ in 0..64 {
            assert!(verifies(asn1, &held.sign_certificate(b"message").unwrap()), "{kind:?}");
        }
    }
}

mod published;

#[test]
fn what_is_dated_at_the_end_of_the_calendar_is_no_panic() {
    let root = Authority::root("C=US, ST=WA, O=acme, CN=root", Key::pooled(KeyKind::P256, 0).unwrap()).unwrap();
    let last = datetime!(9999-12-31 23:59:59 UTC);
    assert_eq!(CrlDraft::new(&root, last).next_update, None);
}
