use std::fs;
use std::sync::LazyLock;

use aws_lc_rs::encoding::{EcPrivateKeyRfc5915Der, Pkcs8V1Der};
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tempfile::TempDir;

use super::*;
use crate::pki::{KeyKind, PublicKey};

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

fn rsa_pkcs8() -> &'static [u8] {
    static KEY: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
        let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        der.as_ref().to_vec()
    });
    &KEY
}

/// A key on `curve` as PKCS #8 and as SEC 1.
fn ec_key(curve: &'static EcdsaSigningAlgorithm) -> (Vec<u8>, Vec<u8>) {
    let pair = EcdsaKeyPair::generate(curve).unwrap();
    let sec1: EcPrivateKeyRfc5915Der<'_> = pair.private_key().as_der().unwrap();
    (pair.to_pkcs8v1().unwrap().as_ref().to_vec(), sec1.as_ref().to_vec())
}

/// Writes a file that only its owner may read.
fn file(folder: &TempDir, content: &str) -> std::path::PathBuf {
    let path = folder.path().join("key.pem");
    fs::write(&path, content).unwrap();
    restrict(&path, 0o600);
    path
}

#[cfg(unix)]
fn restrict(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn restrict(_: &Path, _: u32) {}

#[test]
fn every_kind_signs_in_every_form() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = vec![(KeyKind::Rsa2048, pem(PKCS8, rsa_pkcs8()))];
    // The key of PKCS #1 is inside the one of PKCS #8, behind a version, an algorithm and the head of an OCTET STRING.
    files.push((KeyKind::Rsa2048, pem(PKCS1, &rsa_pkcs8()[26..])));
    for (kind, curve) in [
        (KeyKind::P256, &signature::ECDSA_P256_SHA256_FIXED_SIGNING),
        (KeyKind::P384, &signature::ECDSA_P384_SHA384_FIXED_SIGNING),
        (KeyKind::P521, &signature::ECDSA_P521_SHA512_FIXED_SIGNING),
    ] {
        let (pkcs8, sec1) = ec_key(curve);
        files.push((kind, pem(PKCS8, &pkcs8)));
        files.push((kind, format!("{}{}", pem("EC PARAMETERS", &[6, 0]), pem(SEC1, &sec1))));
    }
    for (kind, content) in files {
        let signer = KeyFile::open(&file(&folder, &content)).unwrap_or_else(|error| panic!("{kind:?}: {error}"));
        assert_eq!(signer.verifying_key().kind(), kind);
        assert!(signer.warnings().is_empty(), "{kind:?}");
        let signature = signer.sign(b"message").unwrap();
        let key = PublicKey::new(signer.verifying_key().subject_key()).unwrap();
        assert!(key.verify(b"message", &signature).is_ok(), "{kind:?}");
        assert!(key.verify(b"another", &signature).is_err(), "{kind:?}");
    }
}

/// As one file for key and chain holds it, in any order.
#[test]
fn s31_certificates_may_stand_around_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let key = pem(PKCS8, &ec_key(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).0);
    let certificate = pem("CERTIFICATE", b"never read");
    let bag = "Bag Attributes\n    localKeyID: 54 69 6D\nKey Attributes: <No Attributes>\n";
    for content in [
        format!("{key}{certificate}{certificate}"),
        format!("{bag}{certificate}{bag}{key}"),
        format!("{certificate}{key}{}", pem("TRUSTED CERTIFICATE", b"x")).replace('\n', "  \r\n"),
    ] {
        assert!(KeyFile::open(&file(&folder, &content)).is_ok(), "{content}");
    }
}

#[test]
fn a_signature_that_does_not_verify_is_not_handed_out() {
    let folder = tempfile::tempdir().unwrap();
    let open = || KeyFile::open(&file(&folder, &pem(PKCS8, &ec_key(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).0)));
    let mut signer = open().unwrap();
    signer.verifying_key = open().unwrap().verifying_key;
    assert!(matches!(signer.sign(b"message"), Err(SignerError::SignatureInvalid(_))));
}

#[test]
fn refuses_what_is_not_one_unencrypted_key() {
    let folder = tempfile::tempdir().unwrap();
    let key = pem(PKCS8, &ec_key(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).0);
    for (content, words) in [
        (String::new(), "is empty"),
        (" \r\n".to_owned(), "nothing but blanks"),
        ("text".to_owned(), "holds no private key"),
        (pem("EC PARAMETERS", b"x"), "holds no private key"),
        (format!("{key}{key}"), "second private key, line 4"),
        (pem("CERTIFICATE", b"x"), "holds certificates and no private key"),
        (format!("{key}{}", pem("X509 CRL", b"x")), "block \"X509 CRL\", line 4"),
        (pem("PUBLIC KEY", b"x"), "has a public key, line 1"),
        (pem("OPENSSH PRIVATE KEY", b"x"), "ssh-keygen"),
        (key.replace("-----END PRIVATE KEY-----", ""), "does not end"),
        (key.replace("MI", "M!"), "not base64"),
    ] {
        match KeyFile::open(&file(&folder, &content)) {
            Err(SignerError::KeyFile { reason, .. }) => assert!(reason.contains(words), "{content}: {reason}"),
            other => panic!("{content}: {other:?}"),
        }
    }
    let encrypted = key.replace("KEY-----\nM", "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nM");
    for content in [pem(ENCRYPTED, b"x"), encrypted.replace("PRIVATE", "EC PRIVATE")] {
        let refusal = KeyFile::open(&file(&folder, &content)).unwrap_err();
        assert!(matches!(refusal, SignerError::KeyEncrypted { .. }), "{content}: {refusal}");
    }
    let ed25519 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    let (pkcs8, sec1) = ec_key(&signature::ECDSA_P256K1_SHA256_ASN1_SIGNING);
    for content in [
        pem(PKCS8, ed25519.as_ref()),
        pem(PKCS8, &pkcs8),
        pem(SEC1, &sec1),
        pem(PKCS8, b"no key"),
        pem(PKCS8, &rsa_pkcs8()[..200]),
        pem(SEC1, rsa_pkcs8()),
        pem(PKCS1, rsa_pkcs8()),
    ] {
        let refusal = KeyFile::open(&file(&folder, &content)).unwrap_err();
        assert!(matches!(refusal, SignerError::KeyUnsupported { .. }), "{content}: {refusal}");
    }
}

#[test]
fn only_a_regular_file_of_a_sensible_length_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let reason = |path: &Path| match KeyFile::open(path) {
        Err(SignerError::KeyFile { reason, .. }) => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(reason(&folder.path().join("absent")), "does not exist");
    assert_eq!(reason(folder.path()), "is a directory, not a regular file");
    let long = file(&folder, &"x".repeat(100_000));
    assert!(reason(&long).contains("longer than the 65536 bytes"));
}

#[cfg(unix)]
#[test]
fn links_lead_to_a_file_or_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let key = file(&folder, &pem(PKCS8, &ec_key(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).0));
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&key, &link).unwrap();
    assert!(KeyFile::open(&link).is_ok());
    std::os::unix::fs::symlink("/dev/zero", folder.path().join("device")).unwrap();
    let refusal = KeyFile::open(&folder.path().join("device")).unwrap_err().to_string();
    assert!(refusal.contains("a device"), "{refusal}");
}

#[cfg(unix)]
#[test]
fn a_key_that_others_may_read_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, &pem(PKCS8, &ec_key(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).0));
    for (mode, warned) in [(0o600, false), (0o400, false), (0o640, true), (0o604, true), (0o644, true)] {
        restrict(&path, mode);
        let signer = KeyFile::open(&path).unwrap();
        assert_eq!(signer.warnings().len(), usize::from(warned), "{mode:o}");
        assert!(signer.warnings().iter().all(|warning| warning.contains("chmod 600")));
    }
}

#[test]
fn a_path_is_opened_as_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, &pem(PKCS8, &ec_key(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).0));
    let environment = crate::signer::Environment::default();
    let opened = crate::signer::open(path.to_str().unwrap(), &environment).unwrap();
    assert!(opened.signer.sign(b"message").is_ok());
    assert!(!format!("{opened:?}").contains("MI"), "a key shows itself");
    assert!(matches!(crate::signer::open("pkcs11:", &environment), Err(SignerError::Uri(_))));
}
