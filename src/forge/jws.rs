//! JWS envelopes (*signature-envelope-jws*), sound or broken.
//!
//! A draft keeps its members as raw JSON text, so that a case can write what no JSON library would: doubled members,
//! other spellings, numbers of any size.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;

use super::statement::rfc3339;
use super::{ForgeError, Key, PAYLOAD_TYPE, Scheme, SignatureForm, Signer, Statement};

/// The member of the unprotected header that holds a time stamp token in base64.
const TIMESTAMP: &str = "io.cncf.notary.timestampSignature";

/// The members of a JSON object in order; each value is JSON text, written as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Members(pub Vec<(String, String)>);

impl Members {
    /// Replaces the member `name`, or adds it.
    pub fn set(&mut self, name: &str, json: impl Into<String>) {
        match self.0.iter_mut().find(|(old, _)| old == name) {
            Some((_, value)) => *value = json.into(),
            None => self.add(name, json),
        }
    }

    /// Adds a member, even if there is one of that name.
    pub fn add(&mut self, name: &str, json: impl Into<String>) {
        self.0.push((name.to_owned(), json.into()));
    }

    /// Removes the members of that name.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(old, _)| old != name);
    }

    /// The JSON text of the first member of that name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(old, _)| old == name).map(|(_, value)| value.as_str())
    }

    /// The object as JSON text.
    pub fn text(&self) -> String {
        let members: Vec<String> = self.0.iter().map(|(name, value)| format!("{}:{value}", json!(name))).collect();
        format!("{{{}}}", members.join(","))
    }
}

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
        const SCHEME: &str = "io.cncf.notary.signingScheme";
        const EXPIRY: &str = "io.cncf.notary.expiry";
        const AUTHENTIC: &str = "io.cncf.notary.authenticSigningTime";
        let mut protected = Members::default();
        let mut critical = vec![SCHEME];
        protected.add("alg", json!(signer.key.kind().jws_algorithm()).to_string());
        protected.add("cty", json!(PAYLOAD_TYPE).to_string());
        protected.add(SCHEME, json!(statement.scheme.as_str()).to_string());
        let time = json!(rfc3339(statement.signing_time)?).to_string();
        match statement.scheme {
            Scheme::X509 => protected.add("io.cncf.notary.signingTime", time),
            Scheme::SigningAuthority => {
                protected.add(AUTHENTIC, time);
                critical.push(AUTHENTIC);
            }
        }
        if let Some(expiry) = statement.expiry {
            protected.add(EXPIRY, json!(rfc3339(expiry)?).to_string());
            critical.push(EXPIRY);
        }
        for attribute in &statement.attributes {
            protected.add(&attribute.name, json!(attribute.value).to_string());
            if attribute.critical {
                critical.push(&attribute.name);
            }
        }
        protected.add("crit", json!(critical).to_string());

        let mut header = Members::default();
        header.add("x5c", x5c(&signer.chain));
        if let Some(token) = &statement.timestamp_token {
            header.add(TIMESTAMP, json!(STANDARD.encode(token)).to_string());
        }
        if let Some(agent) = &statement.signing_agent {
            header.add("io.cncf.notary.signingAgent", json!(agent).to_string());
        }
        Ok(JwsDraft {
            key: signer.key.clone(),
            protected,
            payload: statement.payload(),
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
        self.header.set("x5c", x5c(chain));
    }

    /// The members `protected` and `payload`: what is signed, joined by a dot.
    fn texts(&self) -> (String, String) {
        let header = self.protected_bytes.clone().unwrap_or_else(|| self.protected.text().into_bytes());
        let protected = self.protected_text.clone().unwrap_or_else(|| URL_SAFE_NO_PAD.encode(header));
        let payload = self.payload_text.clone().unwrap_or_else(|| URL_SAFE_NO_PAD.encode(&self.payload));
        (protected, payload)
    }

    /// Signs, and keeps the signature: whatever is sealed from now on carries these bytes, as [`SignatureForm::Bytes`].
    /// They are what a time stamp is taken of.
    pub fn fix_signature(&mut self) -> Result<Vec<u8>, ForgeError> {
        let (protected, payload) = self.texts();
        let signature = self.key.sign_as(format!("{protected}.{payload}").as_bytes(), &self.signature)?;
        self.signature = SignatureForm::Bytes(signature.clone());
        Ok(signature)
    }

    /// Puts a time stamp token into the unprotected header.
    pub fn set_timestamp(&mut self, token: &[u8]) {
        self.header.set(TIMESTAMP, json!(STANDARD.encode(token)).to_string());
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
        format!("{protected}.{payload}").into_bytes()
    }

    /// Signs: the members of the envelope, to be written or changed further.
    pub fn members(&self) -> Result<Members, ForgeError> {
        let (protected, payload) = self.texts();
        let signature = self.key.sign_as(&self.signed_bytes(), &self.signature)?;
        let mut signature = URL_SAFE_NO_PAD.encode(signature);
        if let Some(alter) = self.alter_signature_text {
            signature = alter(signature);
        }
        let mut members = Members::default();
        members.add("payload", json!(payload).to_string());
        members.add("protected", json!(protected).to_string());
        members.add("header", self.header.text());
        members.add("signature", json!(signature).to_string());
        members.0.extend_from_slice(&self.extra.0);
        Ok(members)
    }

    /// Signs: the bytes of the envelope.
    pub fn seal(&self) -> Result<Vec<u8>, ForgeError> {
        Ok(self.members()?.text().into_bytes())
    }
}

fn x5c(chain: &[Vec<u8>]) -> String {
    let chain: Vec<String> = chain.iter().map(|certificate| STANDARD.encode(certificate)).collect();
    json!(chain).to_string()
}
