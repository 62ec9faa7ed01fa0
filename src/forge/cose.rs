//! COSE envelopes (*signature-envelope-cose*; RFC 9052, COSE_Sign1), sound or broken.
//!
//! A draft keeps its maps as lists of pairs, so that a case can double labels, give values of other types, or write
//! bytes that are no CBOR at all.

use time::OffsetDateTime;

use super::{Cbor, ForgeError, Key, PAYLOAD_TYPE, Scheme, SignatureForm, Signer, Statement};

/// The label of the unprotected header that holds a time stamp token.
const TIMESTAMP: &str = "io.cncf.notary.timestampSignature";

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

/// A time as the specification wants it: tag 1, whole seconds.
fn time(time: OffsetDateTime) -> Cbor {
    Cbor::Tagged(1, Box::new(Cbor::Integer(time.unix_timestamp())))
}

impl CoseDraft {
    /// The label of the algorithm.
    pub const ALGORITHM: Cbor = Cbor::Integer(1);
    /// The label of the list of critical labels.
    pub const CRITICAL: Cbor = Cbor::Integer(2);
    /// The label of the content type.
    pub const CONTENT_TYPE: Cbor = Cbor::Integer(3);
    /// The label of the certificate chain.
    pub const CHAIN: Cbor = Cbor::Integer(33);

    /// A sound envelope of `statement` by `signer`.
    pub(super) fn new(statement: &Statement, signer: &Signer) -> Result<CoseDraft, ForgeError> {
        let scheme = Cbor::text("io.cncf.notary.signingScheme");
        let mut critical = vec![scheme.clone()];
        let mut protected = vec![
            (CoseDraft::ALGORITHM, Cbor::Integer(signer.key.kind().cose_algorithm())),
            (CoseDraft::CONTENT_TYPE, Cbor::text(PAYLOAD_TYPE)),
            (scheme, Cbor::text(statement.scheme.as_str())),
        ];
        match statement.scheme {
            Scheme::X509 => {
                protected.push((Cbor::text("io.cncf.notary.signingTime"), time(statement.signing_time)));
            }
            Scheme::SigningAuthority => {
                let label = Cbor::text("io.cncf.notary.authenticSigningTime");
                critical.push(label.clone());
                protected.push((label, time(statement.signing_time)));
            }
        }
        if let Some(expiry) = statement.expiry {
            let label = Cbor::text("io.cncf.notary.expiry");
            critical.push(label.clone());
            protected.push((label, time(expiry)));
        }
        for attribute in &statement.attributes {
            let label = Cbor::text(&attribute.name);
            if attribute.critical {
                critical.push(label.clone());
            }
            protected.push((label, Cbor::text(&attribute.value)));
        }
        protected.insert(1, (CoseDraft::CRITICAL, Cbor::Array(critical)));

        let mut unprotected = vec![(CoseDraft::CHAIN, x5chain(&signer.chain))];
        if let Some(token) = &statement.timestamp_token {
            unprotected.push((Cbor::text(TIMESTAMP), Cbor::Bytes(token.clone())));
        }
        if let Some(agent) = &statement.signing_agent {
            unprotected.push((Cbor::text("io.cncf.notary.signingAgent"), Cbor::text(agent)));
        }
        Ok(CoseDraft {
            key: signer.key.clone(),
            protected,
            payload: statement.payload(),
            unprotected,
            signature: SignatureForm::Sound,
            tags: vec![18],
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
        set(&mut self.protected, label, value);
    }

    /// Removes a protected label.
    pub fn remove(&mut self, label: &Cbor) {
        self.protected.retain(|(old, _)| old != label);
    }

    /// Replaces the value of an unprotected label, or adds it.
    pub fn set_unprotected(&mut self, label: Cbor, value: Cbor) {
        set(&mut self.unprotected, label, value);
    }

    /// The items of the protected header and of the payload, and the structure around them that is signed.
    fn items(&self) -> (Cbor, Cbor, Vec<u8>) {
        let header = self.protected_bytes.clone().unwrap_or_else(|| Cbor::Map(self.protected.clone()).encode());
        let header = Cbor::Bytes(header);
        let payload = Cbor::Bytes(self.payload.clone());
        let signed =
            Cbor::Array(vec![Cbor::text("Signature1"), header.clone(), Cbor::Bytes(Vec::new()), payload.clone()]);
        (header, payload, signed.encode())
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
        self.set_unprotected(Cbor::text(TIMESTAMP), Cbor::Bytes(token.to_vec()));
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
        self.set_unprotected(CoseDraft::CHAIN, x5chain(chain));
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

fn set(pairs: &mut Vec<(Cbor, Cbor)>, label: Cbor, value: Cbor) {
    match pairs.iter_mut().find(|(old, _)| *old == label) {
        Some((_, old)) => *old = value,
        None => pairs.push((label, value)),
    }
}

fn x5chain(chain: &[Vec<u8>]) -> Cbor {
    Cbor::Array(chain.iter().map(|certificate| Cbor::Bytes(certificate.clone())).collect())
}
