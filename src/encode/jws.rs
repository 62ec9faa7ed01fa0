//! The sound parts of a JWS envelope (*signature-envelope-jws*), and how they are joined.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;

use super::statement::rfc3339;
use super::{EncodeError, Members, PAYLOAD_TYPE, Statement, statement};
use crate::envelope::SigningScheme;
use crate::pki::KeyKind;

/// The member of the unprotected header that holds a time-stamp token in base64.
const TIMESTAMP: &str = "io.cncf.notary.timestampSignature";

/// The `alg` of a JWS that a key of `kind` signs.
pub fn algorithm(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Rsa2048 => "PS256",
        KeyKind::Rsa3072 => "PS384",
        KeyKind::Rsa4096 => "PS512",
        KeyKind::P256 => "ES256",
        KeyKind::P384 => "ES384",
        KeyKind::P521 => "ES512",
    }
}

/// The headers and the payload of a JWS.
#[derive(Debug, Clone)]
pub struct Jws {
    /// The protected header.
    pub protected: Members,
    /// The payload.
    pub payload: Vec<u8>,
    /// The unprotected header.
    pub header: Members,
}

impl Jws {
    /// A JWS of `statement` for a key of `kind`, whose certificates are still missing.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Time`].
    pub fn new(statement: &Statement, kind: KeyKind) -> Result<Jws, EncodeError> {
        const SCHEME: &str = "io.cncf.notary.signingScheme";
        const EXPIRY: &str = "io.cncf.notary.expiry";
        const AUTHENTIC: &str = "io.cncf.notary.authenticSigningTime";
        let mut protected = Members::default();
        let mut critical = vec![SCHEME];
        protected.add("alg", json!(algorithm(kind)).to_string());
        protected.add("cty", json!(PAYLOAD_TYPE).to_string());
        protected.add(SCHEME, json!(statement::word(statement.scheme)).to_string());
        let time = json!(rfc3339(statement.signing_time)?).to_string();
        match statement.scheme {
            SigningScheme::X509 => protected.add("io.cncf.notary.signingTime", time),
            SigningScheme::SigningAuthority => {
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
        header.add("x5c", "[]");
        if let Some(agent) = &statement.signing_agent {
            header.add("io.cncf.notary.signingAgent", json!(agent).to_string());
        }
        Ok(Jws { protected, payload: statement.payload(), header })
    }

    /// The bytes that are signed.
    pub fn to_be_signed(&self) -> Vec<u8> {
        join(&base64url(self.protected.text()), &base64url(&self.payload))
    }

    /// The bytes of the envelope with this signature.
    pub fn envelope(&self, signature: &[u8]) -> Vec<u8> {
        let (protected, payload) = (base64url(self.protected.text()), base64url(&self.payload));
        flattened(&protected, &payload, &self.header, &base64url(signature)).text().into_bytes()
    }
}

/// Replaces the certificates in the unprotected header.
pub fn set_chain(header: &mut Members, chain: &[Vec<u8>]) {
    let chain: Vec<String> = chain.iter().map(|certificate| STANDARD.encode(certificate)).collect();
    header.set("x5c", json!(chain).to_string());
}

/// Puts a time-stamp token into the unprotected header.
pub fn set_timestamp(header: &mut Members, token: &[u8]) {
    header.set(TIMESTAMP, json!(STANDARD.encode(token)).to_string());
}

/// base64url without padding, as every binary member is written.
pub fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes that are signed: the texts of `protected` and `payload`, joined by a dot.
pub fn join(protected: &str, payload: &str) -> Vec<u8> {
    format!("{protected}.{payload}").into_bytes()
}

/// The members of the envelope in flattened JSON serialization, from the texts of the binary ones.
pub fn flattened(protected: &str, payload: &str, header: &Members, signature: &str) -> Members {
    let mut members = Members::default();
    members.add("payload", json!(payload).to_string());
    members.add("protected", json!(protected).to_string());
    members.add("header", header.text());
    members.add("signature", json!(signature).to_string());
    members
}
