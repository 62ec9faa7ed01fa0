//! A private key in a file: PEM, PKCS #8 or the older forms of EC (SEC 1) and RSA (PKCS #1) keys.
//!
//! One unencrypted key, and nothing beside it but certificates and the `EC PARAMETERS` that OpenSSL writes before it: one file
//! may hold the key and its chain, as the reference implementation reads it. Encrypted keys are refused: the passphrase would
//! have to come from somewhere, and a token is the better place for such a key. Of everything else it is said what it is.

use std::fmt;
use std::path::Path;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::error::KeyRejected;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{self, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair as _, RsaSignatureEncoding};

use zeroize::Zeroizing;

use super::foreign::{self, Named, Wanted};
use super::{PrivateKey, SignerError, VerifyingKey, secret_file};
use crate::digest::Algorithm as Hash;
use crate::limits;
use crate::pem::Block;

enum Pair {
    Rsa(rsa::KeyPair),
    Ec(EcdsaKeyPair),
}

/// A private key that was read from a file.
pub struct KeyFile {
    /// The name of the file, quoted.
    file: String,
    pair: Pair,
    verifying_key: VerifyingKey,
    warnings: Vec<String>,
}

impl KeyFile {
    /// Reads the key: from the file or the pipe that `path` leads to, and for `-` from standard input.
    ///
    /// # Errors
    ///
    /// [`SignerError::KeyFile`] if there is no such file, or it holds anything else than one private key;
    /// [`SignerError::KeyEncrypted`] if that is encrypted; [`SignerError::KeyUnsupported`] if it signs no envelopes.
    pub fn open(path: &Path) -> Result<KeyFile, SignerError> {
        let read = PrivateKeyFile::open(path)?;
        let (file, content) = (read.file.clone(), read.content());
        let pair = match read.label() {
            PKCS8 => pkcs8(content),
            SEC1 => ec(content),
            _ => rsa::KeyPair::from_der(content).map(Pair::Rsa).ok(),
        };
        let unsupported = |reason: String| SignerError::KeyUnsupported { key: file.clone(), reason };
        let pair = pair.ok_or_else(|| unsupported(format!("it is {}", read.kind())))?;
        let verifying_key = pair.verifying_key().map_err(unsupported)?;
        Ok(KeyFile { file, pair, verifying_key, warnings: read.warnings() })
    }

    /// What its owner should know; each is one sentence.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

/// The one private key in a file, of whatever kind.
pub(super) struct PrivateKeyFile {
    /// The name of the file, quoted.
    file: String,
    named: Named,
    label: String,
    content: Zeroizing<Vec<u8>>,
    open_to_others: bool,
}

impl PrivateKeyFile {
    /// Reads it, with the errors of [`KeyFile::open`].
    pub(super) fn open(path: &Path) -> Result<PrivateKeyFile, SignerError> {
        let (file, named) = (secret_file::name(path), Named::new(path));
        let refused = |reason: String| SignerError::KeyFile { file: file.clone(), reason };
        let secret = secret_file::read_or_standard_input(path, limits::KEY_FILE_BYTES);
        let secret = secret.map_err(|problem| refused(problem.to_string()))?;
        let blocks = foreign::blocks(&secret.bytes, &named, Wanted::Key).map_err(refused)?;
        let block = only_key(&blocks, &named).map_err(refused)?;
        if block.label == ENCRYPTED || block.has_headers() {
            return Err(SignerError::KeyEncrypted { file, command: named.decryption() });
        }
        let content = block.content().map_err(refused)?;
        let (label, content) = (block.label.clone(), content);
        Ok(PrivateKeyFile { file, named, label, content, open_to_others: secret.open_to_others })
    }

    /// What stands in the first line of the block: `PRIVATE KEY`, `EC PRIVATE KEY` or `RSA PRIVATE KEY`.
    pub(super) fn label(&self) -> &str {
        &self.label
    }

    /// The key, in DER.
    pub(super) fn content(&self) -> &[u8] {
        &self.content
    }

    /// What kind of key it is.
    fn kind(&self) -> String {
        foreign::kind_of_key(&self.content, &self.named).unwrap_or_else(|| "damaged, or of another kind".to_owned())
    }

    /// Why a key of this kind cannot be used where others are.
    pub(super) fn unsupported(&self, others: &str) -> SignerError {
        SignerError::KeyFile {
            file: self.file.clone(),
            reason: format!("holds a key that is {}; {others}", self.kind()),
        }
    }

    /// What its owner should know.
    pub(super) fn warnings(&self) -> Vec<String> {
        let sentence = secret_file::open_to_others(&format!("key file {}", self.file));
        if self.open_to_others { vec![sentence] } else { Vec::new() }
    }
}

impl PrivateKey for KeyFile {
    fn verifying_key(&self) -> &VerifyingKey {
        &self.verifying_key
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        let random = SystemRandom::new();
        let signature = match &self.pair {
            Pair::Ec(pair) => pair.sign(&random, message).map(|signature| signature.as_ref().to_vec()),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let padding = padding(self.verifying_key.kind().hash());
                pair.sign(padding, &random, message, &mut signature).map(|()| signature)
            }
        };
        let signature = signature.map_err(|_| SignerError::NotSigned(self.file.clone()))?;
        self.verifying_key.checked(&self.file, message, signature)
    }
}

impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyFile({}, {})", self.file, self.verifying_key.kind().as_str())
    }
}

const PKCS8: &str = "PRIVATE KEY";
const SEC1: &str = "EC PRIVATE KEY";
const PKCS1: &str = "RSA PRIVATE KEY";
const ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";

/// The one block with a private key. Certificates may stand around it, in whatever form: they are not read here.
fn only_key<'a>(blocks: &'a [Block], named: &Named) -> Result<&'a Block, String> {
    let mut key = None;
    let mut certificates = false;
    for block in blocks {
        match block.label.as_str() {
            PKCS8 | SEC1 | PKCS1 | ENCRYPTED if key.is_none() => key = Some(block),
            PKCS8 | SEC1 | PKCS1 | ENCRYPTED => {
                return Err(format!("holds a second private key, line {}: leave one in it", block.line));
            }
            "EC PARAMETERS" => {}
            "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => certificates = true,
            _ => return Err(foreign::of_block(block, named, Wanted::Key)),
        }
    }
    key.ok_or_else(|| {
        if certificates {
            return "holds certificates and no private key: name the file of the key that they were issued for"
                .to_owned();
        }
        "holds no private key in PEM (-----BEGIN PRIVATE KEY-----)".to_owned()
    })
}

fn pkcs8(content: &[u8]) -> Option<Pair> {
    match rsa::KeyPair::from_pkcs8(content) {
        Ok(pair) => Some(Pair::Rsa(pair)),
        Err(_) => ec(content),
    }
}

/// Tries one curve after the other; a key fits one at most.
fn ec(content: &[u8]) -> Option<Pair> {
    let pair = |curve: &'static EcdsaSigningAlgorithm| -> Result<EcdsaKeyPair, KeyRejected> {
        EcdsaKeyPair::from_private_key_der(curve, content)
    };
    let curves = [
        &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
        &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
        &signature::ECDSA_P521_SHA512_FIXED_SIGNING,
    ];
    curves.into_iter().find_map(|curve| pair(curve).ok()).map(Pair::Ec)
}

impl Pair {
    fn verifying_key(&self) -> Result<VerifyingKey, String> {
        let unwritable = |_| "its public half cannot be written".to_owned();
        let spki = match self {
            Pair::Rsa(pair) => AsDer::as_der(pair.public_key()).map_err(unwritable)?.as_ref().to_vec(),
            Pair::Ec(pair) => AsDer::as_der(pair.public_key()).map_err(unwritable)?.as_ref().to_vec(),
        };
        VerifyingKey::from_spki(spki)
    }
}

/// RSASSA-PSS, its salt as long as the hash.
fn padding(hash: Hash) -> &'static RsaSignatureEncoding {
    match hash {
        Hash::Sha256 => &signature::RSA_PSS_SHA256,
        Hash::Sha384 => &signature::RSA_PSS_SHA384,
        Hash::Sha512 => &signature::RSA_PSS_SHA512,
    }
}

#[cfg(test)]
mod tests;
