//! JWS envelopes (*signature-envelope-jws*), sound or broken.
//!
//! A draft keeps its members as raw JSON text, so that a case can write what no JSON library would: doubled members,
//! other spellings, numbers of any size.

use super::{ForgeError, Key, SignatureForm, Signer};
use crate::encode::{Members, Statement, jws};

/// A JWS before it is signed.
#[derive(Debug, Clone)]
pub struct JwsDraft {
    /// The key that signs.
    pub key: Key,
    /// The protected header.
    pub protected: Members,
    /// The payload.
    pub payload: Vec<u8>,
    /// The unprotected header.
    pub header: Members,
    /// Members beside `payload`, `protected`, `header` and `signature`.
    pub extra: Members,
    /// How the signature is made.
    pub signature: SignatureForm,
    /// The protected header as bytes, in place of `protected`.
    pub protected_bytes: Option<Vec<u8>>,
    /// The text of the member `protected`, in place of base64url; this text is what gets signed.
    pub protected_text: Option<String>,
    /// The text of the member `payload`, in place of base64url; this text is what gets signed.
    pub payload_text: Option<String>,
    /// Done to the text of the member `signature`.
    pub alter_signature_text: Option<fn(String) -> String>,
}

impl JwsDraft {
    /// A sound envelope of `statement` by `signer`.
    pub(super) fn new(statement: &Statement, signer: &Signer) -> Result<JwsDraft, ForgeError> {
        let jws::Jws { protected, payload, mut header } = jws::Jws::new(statement, signer.key.kind())?;
        jws::set_chain(&mut header, &signer.chain);
        Ok(JwsDraft {
            key: signer.key.clone(),
            protected,
            payload,
            header,
            extra: Members::default(),
            signature: SignatureForm::Sound,
            protected_bytes: None,
            protected_text: None,
            payload_text: None,
            alter_signature_text: None,
        })
    }

    /// Replaces the certificates.
    pub fn set_chain(&mut self, chain: &[Vec<u8>]) {
        jws::set_chain(&mut self.header, chain);
    }

    /// The members `protected` and `payload`: what is signed, joined by a dot.
    fn texts(&self) -> (String, String) {
        let header = self.protected_bytes.clone().unwrap_or_else(|| self.protected.text().into_bytes());
        let protected = self.protected_text.clone().unwrap_or_else(|| jws::base64url(header));
        let payload = self.payload_text.clone().unwrap_or_else(|| jws::base64url(&self.payload));
        (protected, payload)
    }

    /// Signs, and keeps the signature: whatever is sealed from now on carries these bytes, as [`SignatureForm::Bytes`].
    /// They are what a time stamp is taken of.
    pub fn fix_signature(&mut self) -> Result<Vec<u8>, ForgeError> {
        let signature = self.key.sign_as(&self.signed_bytes(), &self.signature)?;
        self.signature = SignatureForm::Bytes(signature.clone());
        Ok(signature)
    }

    /// Puts a time stamp token into the unprotected header.
    pub fn set_timestamp(&mut self, token: &[u8]) {
        jws::set_timestamp(&mut self.header, token);
    }

    /// Signs, and puts into the unprotected header the token that `stamp` makes of the signature.
    pub fn stamped(mut self, stamp: impl FnOnce(&[u8]) -> Result<Vec<u8>, ForgeError>) -> Result<JwsDraft, ForgeError> {
        let signature = self.fix_signature()?;
        self.set_timestamp(&stamp(&signature)?);
        Ok(self)
    }

    /// The bytes that the signature is over.
    pub fn signed_bytes(&self) -> Vec<u8> {
        let (protected, payload) = self.texts();
        jws::join(&protected, &payload)
    }

    /// Signs: the members of the envelope, to be written or changed further.
    pub fn members(&self) -> Result<Members, ForgeError> {
        let (protected, payload) = self.texts();
        let signature = self.key.sign_as(&self.signed_bytes(), &self.signature)?;
        let mut signature = jws::base64url(signature);
        if let Some(alter) = self.alter_signature_text {
            signature = alter(signature);
        }
        let mut members = jws::flattened(&protected, &payload, &self.header, &signature);
        members.0.extend_from_slice(&self.extra.0);
        Ok(members)
    }

    /// Signs: the bytes of the envelope.
    pub fn seal(&self) -> Result<Vec<u8>, ForgeError> {
        Ok(self.members()?.text().into_bytes())
    }
}
