//! COSE envelopes (*signature-envelope-cose*; RFC 9052, COSE_Sign1), sound or broken.
//!
//! A draft keeps its maps as lists of pairs, so that a case can double labels, give values of other types, or write
//! bytes that are no CBOR at all.

use super::{ForgeError, Key, SignatureForm, Signer};
use crate::encode::{Cbor, Statement, cose};

/// A COSE message before it is signed.
#[derive(Debug, Clone)]
pub struct CoseDraft {
    /// The key that signs.
    pub key: Key,
    /// The protected header.
    pub protected: Vec<(Cbor, Cbor)>,
    /// The payload.
    pub payload: Vec<u8>,
    /// The unprotected header.
    pub unprotected: Vec<(Cbor, Cbor)>,
    /// How the signature is made.
    pub signature: SignatureForm,
    /// The tags before the message, the outermost first.
    pub tags: Vec<u64>,
    /// The content of the protected header's byte string, in place of `protected`; these bytes are what gets signed.
    pub protected_bytes: Option<Vec<u8>>,
    /// The item in the place of the protected header; what gets signed stays the same.
    pub protected_item: Option<Cbor>,
    /// The item in the place of the unprotected header.
    pub unprotected_item: Option<Cbor>,
    /// The item in the place of the payload; what gets signed stays the same.
    pub payload_item: Option<Cbor>,
    /// The item in the place of the signature.
    pub signature_item: Option<Cbor>,
    /// Items of the array behind the signature.
    pub extra: Vec<Cbor>,
    /// Bytes behind the message.
    pub trailing: Vec<u8>,
}

impl CoseDraft {
    /// The label of the algorithm.
    pub const ALGORITHM: Cbor = cose::ALGORITHM;
    /// The label of the list of critical labels.
    pub const CRITICAL: Cbor = cose::CRITICAL;
    /// The label of the content type.
    pub const CONTENT_TYPE: Cbor = cose::CONTENT_TYPE;
    /// The label of the certificate chain.
    pub const CHAIN: Cbor = cose::CHAIN;

    /// A sound envelope of `statement` by `signer`.
    pub(super) fn new(statement: &Statement, signer: &Signer) -> Result<CoseDraft, ForgeError> {
        let cose::Cose { protected, payload, mut unprotected } = cose::Cose::new(statement, signer.key.kind())?;
        cose::set_chain(&mut unprotected, &signer.chain);
        Ok(CoseDraft {
            key: signer.key.clone(),
            protected,
            payload,
            unprotected,
            signature: SignatureForm::Sound,
            tags: vec![cose::TAG],
            protected_bytes: None,
            protected_item: None,
            unprotected_item: None,
            payload_item: None,
            signature_item: None,
            extra: Vec::new(),
            trailing: Vec::new(),
        })
    }

    /// Replaces the value of a protected label, or adds it.
    pub fn set(&mut self, label: Cbor, value: Cbor) {
        cose::set(&mut self.protected, label, value);
    }

    /// Removes a protected label.
    pub fn remove(&mut self, label: &Cbor) {
        self.protected.retain(|(old, _)| old != label);
    }

    /// Replaces the value of an unprotected label, or adds it.
    pub fn set_unprotected(&mut self, label: Cbor, value: Cbor) {
        cose::set(&mut self.unprotected, label, value);
    }

    /// The items of the protected header and of the payload, and the structure around them that is signed.
    fn items(&self) -> (Cbor, Cbor, Vec<u8>) {
        let header = self.protected_bytes.clone().unwrap_or_else(|| Cbor::Map(self.protected.clone()).encode());
        let header = Cbor::Bytes(header);
        let payload = Cbor::Bytes(self.payload.clone());
        let signed = cose::sig_structure(&header, &payload);
        (header, payload, signed)
    }

    /// Signs, and keeps the signature: whatever is sealed from now on carries these bytes, as [`SignatureForm::Bytes`].
    /// They are what a time stamp is taken of.
    pub fn fix_signature(&mut self) -> Result<Vec<u8>, ForgeError> {
        let (_, _, signed) = self.items();
        let signature = self.key.sign_as(&signed, &self.signature)?;
        self.signature = SignatureForm::Bytes(signature.clone());
        Ok(signature)
    }

    /// Puts a time stamp token into the unprotected header.
    pub fn set_timestamp(&mut self, token: &[u8]) {
        cose::set_timestamp(&mut self.unprotected, token);
    }

    /// Signs, and puts into the unprotected header the token that `stamp` makes of the signature.
    pub fn stamped(
        mut self,
        stamp: impl FnOnce(&[u8]) -> Result<Vec<u8>, ForgeError>,
    ) -> Result<CoseDraft, ForgeError> {
        let signature = self.fix_signature()?;
        self.set_timestamp(&stamp(&signature)?);
        Ok(self)
    }

    /// Replaces the certificates.
    pub fn set_chain(&mut self, chain: &[Vec<u8>]) {
        cose::set_chain(&mut self.unprotected, chain);
    }

    /// The bytes that the signature is over.
    pub fn signed_bytes(&self) -> Vec<u8> {
        self.items().2
    }

    /// Signs: the bytes of the envelope.
    pub fn seal(&self) -> Result<Vec<u8>, ForgeError> {
        let (header, payload, signed) = self.items();
        let signature = Cbor::Bytes(self.key.sign_as(&signed, &self.signature)?);
        let mut items = vec![
            self.protected_item.clone().unwrap_or(header),
            self.unprotected_item.clone().unwrap_or_else(|| Cbor::Map(self.unprotected.clone())),
            self.payload_item.clone().unwrap_or(payload),
            self.signature_item.clone().unwrap_or(signature),
        ];
        items.extend_from_slice(&self.extra);
        let message = self.tags.iter().rev().fold(Cbor::Array(items), |item, &tag| Cbor::Tagged(tag, Box::new(item)));
        let mut bytes = message.encode();
        bytes.extend_from_slice(&self.trailing);
        Ok(bytes)
    }
}
