//! The public half of a signer's key, which checks every signature before it is handed out.

use std::fmt;

use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::SignerError;
use crate::pki::Certificate;
use crate::pki::{KeyKind, PublicKey, SubjectKey};

/// A public key with its encoding.
#[derive(Clone)]
pub struct VerifyingKey {
    spki: Vec<u8>,
    subject_key: SubjectKey,
    key: PublicKey,
}

impl VerifyingKey {
    /// From a `SubjectPublicKeyInfo` in DER.
    ///
    /// # Errors
    ///
    /// Why the key signs no envelopes, in a sentence whose subject "it" is the key.
    pub(super) fn from_spki(spki: Vec<u8>) -> Result<VerifyingKey, String> {
        let subject_key = SubjectKey::from_spki(&spki).map_err(|failure| failure.message)?;
        let key = PublicKey::new(&subject_key).map_err(|failure| failure.message)?;
        Ok(VerifyingKey { spki, subject_key, key })
    }

    /// The key that `certificate` is for.
    ///
    /// # Errors
    ///
    /// As [`VerifyingKey::from_spki`].
    pub(super) fn of_certificate(certificate: &Certificate) -> Result<VerifyingKey, String> {
        let (_, parsed) =
            X509Certificate::from_der(certificate.der()).map_err(|error| format!("it cannot be read: {error}"))?;
        VerifyingKey::from_spki(parsed.tbs_certificate.subject_pki.raw.to_vec())
    }

    /// Whether `signature` is this key's over `message`, in the form that envelopes use.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.key.verify(message, signature).is_ok()
    }

    /// Which kind of key it is.
    pub fn kind(&self) -> KeyKind {
        self.key.kind()
    }

    /// The key as `SubjectPublicKeyInfo` in DER.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// The key as certificates hold it.
    pub fn subject_key(&self) -> &SubjectKey {
        &self.subject_key
    }

    /// Hands back `signature` if it is this key's over `message`. `name` is the key's, for the error.
    pub(super) fn checked(&self, name: &str, message: &[u8], signature: Vec<u8>) -> Result<Vec<u8>, SignerError> {
        match self.key.verify(message, &signature) {
            Ok(()) => Ok(signature),
            Err(_) => Err(SignerError::SignatureInvalid(name.to_owned())),
        }
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({})", self.kind().as_str())
    }
}
