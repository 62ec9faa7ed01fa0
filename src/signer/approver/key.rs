//! The key of an approver: RSA of 2048 to 8192 bits, EC on P-256, P-384 or P-521, or Ed25519.
//!
//! Approvals are signed as `openssl dgst -sign` does: RSA by PKCS #1 v1.5, ECDSA as DER, Ed25519 by itself. An RSA key hashes with
//! SHA-256, an EC key with the hash that goes with its curve.

use std::fmt;
use std::path::Path;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};

use super::ApproverError;
use crate::signer::key_file::PrivateKeyFile;

enum Pair {
    Rsa(rsa::KeyPair),
    Ec(EcdsaKeyPair, &'static str),
    Ed25519(Ed25519KeyPair),
}

/// The private key of an approver.
pub struct ApproverKey {
    pair: Pair,
    spki: Vec<u8>,
    warnings: Vec<String>,
}

impl fmt::Debug for ApproverKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApproverKey({})", self.kind())
    }
}

impl ApproverKey {
    /// Reads the one private key of a file in PEM, unencrypted; `-` is standard input.
    ///
    /// # Errors
    ///
    /// [`ApproverError::Key`] if there is no such key, or it is of another kind.
    pub fn open(path: &Path) -> Result<ApproverKey, ApproverError> {
        let file = PrivateKeyFile::open(path)?;
        let pair = match file.label() {
            "RSA PRIVATE KEY" => rsa::KeyPair::from_der(file.content()).map(Pair::Rsa).ok(),
            _ => pair(file.content()),
        };
        let pair = pair.filter(|pair| match pair {
            Pair::Rsa(pair) => pair.public_modulus_len() <= 1024,
            _ => true,
        });
        let mut key = pair.and_then(ApproverKey::of).ok_or_else(|| {
            file.unsupported("approvers' keys are RSA of 2048 to 8192 bits, EC on P-256, P-384 or P-521, or Ed25519")
        })?;
        key.warnings = file.warnings();
        Ok(key)
    }

    /// From an unencrypted PKCS #8 private key in DER.
    pub fn from_pkcs8(der: &[u8]) -> Option<ApproverKey> {
        ApproverKey::of(pair(der)?)
    }

    fn of(pair: Pair) -> Option<ApproverKey> {
        let spki = match &pair {
            Pair::Rsa(pair) => pair.public_key().as_der().ok()?.as_ref().to_vec(),
            Pair::Ec(pair, _) => pair.public_key().as_der().ok()?.as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.public_key().as_der().ok()?.as_ref().to_vec(),
        };
        Some(ApproverKey { pair, spki, warnings: Vec::new() })
    }

    /// What its owner should know; each is one sentence.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The public key as SubjectPublicKeyInfo in DER.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// What kind it is, for people.
    pub fn kind(&self) -> &'static str {
        match &self.pair {
            Pair::Rsa(_) => "RSA",
            Pair::Ec(..) => "EC",
            Pair::Ed25519(_) => "Ed25519",
        }
    }

    /// The word for its hash, as approvals state it.
    pub fn digest_algorithm(&self) -> &'static str {
        match &self.pair {
            Pair::Rsa(_) => "SHA-256",
            Pair::Ec(_, hash) => hash,
            Pair::Ed25519(_) => "EdDSA",
        }
    }

    /// Signs a message, whole and unhashed.
    ///
    /// # Errors
    ///
    /// If the library refuses.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, ApproverError> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&signature::RSA_PKCS1_SHA256, &random, message, &mut signature).map(|()| signature)
            }
            Pair::Ec(pair, _) => pair.sign(&random, message).map(|signature| signature.as_ref().to_vec()),
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
        }
        .map_err(|_| ApproverError::NotSigned)
    }
}

/// Tries one kind after the other; a key fits one at most.
fn pair(der: &[u8]) -> Option<Pair> {
    if let Ok(pair) = rsa::KeyPair::from_pkcs8(der) {
        return Some(Pair::Rsa(pair));
    }
    if let Ok(pair) = Ed25519KeyPair::from_pkcs8(der) {
        return Some(Pair::Ed25519(pair));
    }
    let curves = [
        (&signature::ECDSA_P256_SHA256_ASN1_SIGNING, "SHA-256"),
        (&signature::ECDSA_P384_SHA384_ASN1_SIGNING, "SHA-384"),
        (&signature::ECDSA_P521_SHA512_ASN1_SIGNING, "SHA-512"),
    ];
    curves
        .into_iter()
        .find_map(|(curve, hash)| EcdsaKeyPair::from_private_key_der(curve, der).ok().map(|pair| Pair::Ec(pair, hash)))
}
