//! Who approves: the key that is stated, and whether a signature is theirs.
//!
//! Follows the TSB's "Signature Request" page: RSA signatures are PKCS #1 v1.5, those of EC keys DER, and `EdDSA` is Ed25519.
//! An approver is a key, whether the key is stated or a certificate of it: the certificate is not otherwise
//! looked at, since it is the policy that lists it.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::ApproverId;
use crate::digest::Algorithm as Hash;
use crate::limits;
use crate::pki::{Certificate, SignatureAlgorithm, SubjectKey};

/// An approver by their key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KnownApprover {
    pub(super) id: ApproverId,
    /// What their certificate calls them.
    pub(super) subject: Option<String>,
    key: SubjectKey,
}

impl KnownApprover {
    /// From a SubjectPublicKeyInfo in DER.
    ///
    /// # Errors
    ///
    /// Why it is no key that approves; reads on after "the key".
    pub(super) fn of_key(spki: &[u8]) -> Result<KnownApprover, String> {
        if spki.len() > limits::CERTIFICATE_BYTES {
            return Err("is too long".to_owned());
        }
        let key = SubjectKey::from_spki(spki).map_err(|_| "is no SubjectPublicKeyInfo in DER".to_owned())?;
        key.check_verifying().map_err(|reason| format!("approves nothing here: {reason}"))?;
        // A key has one such encoding, so that the text tells keys apart.
        Ok(KnownApprover { id: ApproverId(Arc::from(STANDARD.encode(spki))), subject: None, key })
    }

    /// From a certificate in DER.
    ///
    /// # Errors
    ///
    /// As [`KnownApprover::of_key`]; reads on after "the certificate".
    pub(super) fn of_certificate(der: &[u8]) -> Result<KnownApprover, String> {
        let certificate = Certificate::parse(der).map_err(|_| "is none in DER".to_owned())?;
        let (_, parsed) = X509Certificate::from_der(der).map_err(|_| "is none in DER".to_owned())?;
        let known = KnownApprover::of_key(parsed.tbs_certificate.subject_pki.raw)
            .map_err(|reason| format!("has a key that {reason}"))?;
        Ok(KnownApprover { subject: Some(certificate.subject_text().to_owned()), ..known })
    }

    /// The approver that a message states, by one of both.
    ///
    /// # Errors
    ///
    /// What is wrong, as a sentence.
    pub(super) fn stated(key: Option<&str>, certificate: Option<&str>) -> Result<KnownApprover, String> {
        let decoded =
            |what: &str, text: &str| STANDARD.decode(text).map_err(|_| format!("{what} is not base64 on one line"));
        match (key, certificate) {
            (Some(key), None) => KnownApprover::of_key(&decoded("approverPublicKey", key)?)
                .map_err(|reason| format!("approverPublicKey {reason}")),
            (None, Some(certificate)) => KnownApprover::of_certificate(&decoded("approverCertificate", certificate)?)
                .map_err(|reason| format!("approverCertificate {reason}")),
            _ => Err("exactly one of approverPublicKey and approverCertificate has to be stated".to_owned()),
        }
    }

    /// Whether `signature`, in base64, is theirs over `message`.
    ///
    /// # Errors
    ///
    /// Why not, as a sentence.
    pub(super) fn check(&self, message: &[u8], algorithm: &str, signature: &str) -> Result<(), NotTheirs> {
        let hash = match algorithm {
            "SHA-256" => Some(Hash::Sha256),
            "SHA-384" => Some(Hash::Sha384),
            "SHA-512" => Some(Hash::Sha512),
            "EdDSA" => None,
            _ => return Err(NotTheirs::Algorithm),
        };
        let algorithm = match (&self.key, hash) {
            (SubjectKey::Rsa(_), Some(hash)) => SignatureAlgorithm::RsaPkcs1(hash),
            (SubjectKey::Ec(..), Some(hash)) => SignatureAlgorithm::Ecdsa(hash),
            (SubjectKey::Ed25519(_), None) => SignatureAlgorithm::Ed25519,
            _ => return Err(NotTheirs::Algorithm),
        };
        let signature = STANDARD.decode(signature).map_err(|_| NotTheirs::Signature)?;
        algorithm.verify(&self.key, message, &signature).map_err(|_| NotTheirs::Signature)
    }
}

/// Why a signature does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotTheirs {
    /// The algorithm is not one of this key.
    Algorithm,
    /// It does not verify.
    Signature,
}
