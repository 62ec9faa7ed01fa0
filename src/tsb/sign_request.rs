//! `POST /v1/sign` and `POST /v1/synchronousSign`: what is to be signed, by which key, and what comes back.
//!
//! Follows the TSB's samples of signing requests and the names in the vendor's client. For envelopes the whole message is sent and
//! the HSM hashes: the algorithm of a key is [`signature_algorithm`].

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::pki::KeyKind;

/// The body of both calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignRequestBody {
    /// What is asked.
    pub sign_request: SignRequest,
    /// A signature of the application over the compact JSON of it.
    #[serde(default)]
    pub request_signature: Option<RequestSignature>,
}

/// What is to be signed, and by which key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignRequest {
    /// The message, in base64.
    pub payload: String,
    /// What kind of message it is: `UNSPECIFIED`.
    #[serde(default = "unspecified")]
    pub payload_type: String,
    /// The label of the key.
    pub sign_key_name: String,
    /// The password of the key, one character a string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_password: Option<Vec<String>>,
    /// What approvers are shown, in base64; not for signatures at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta_data: Option<String>,
    /// A signature over the bytes of it, in base64.
    #[serde(default)]
    pub meta_data_signature: Option<String>,
    /// The algorithm, as [`signature_algorithm`] names it.
    pub signature_algorithm: String,
    /// The form of an ECDSA signature; the broker takes DER where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature_type: Option<SignatureType>,
}

impl fmt::Debug for SignRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignRequest")
            .field("payload", &self.payload)
            .field("payload_type", &self.payload_type)
            .field("sign_key_name", &self.sign_key_name)
            .field("key_password", &self.key_password.as_ref().map(|_| "(secret)"))
            .field("meta_data", &self.meta_data)
            .field("meta_data_signature", &self.meta_data_signature)
            .field("signature_algorithm", &self.signature_algorithm)
            .field("signature_type", &self.signature_type)
            .finish()
    }
}

/// The signature of an application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestSignature {
    /// The signature, in base64: RSA PKCS #1 v1.5.
    pub signature: String,
    /// `SHA-256`.
    pub digest_algorithm: String,
    /// The application's public key, a SubjectPublicKeyInfo in base64.
    pub public_key: String,
}

/// The form of an ECDSA signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum SignatureType {
    /// A SEQUENCE of r and s.
    Der,
    /// r and s, one behind the other.
    Raw,
    /// That of Ethereum.
    Eth,
}

/// The answer to `POST /v1/sign`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SubmittedRequest {
    /// The id of the request, a UUID.
    pub sign_request_id: String,
}

/// The answer to `POST /v1/synchronousSign`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignedAtOnce {
    /// The signature, in base64.
    pub signature: String,
    /// The version of the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_version: Option<String>,
}

fn unspecified() -> String {
    "UNSPECIFIED".to_owned()
}

/// The algorithm with which the HSM signs whole messages of envelopes by a key of `kind`.
pub fn signature_algorithm(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Rsa2048 => "SHA256_WITH_RSA_PSS",
        KeyKind::Rsa3072 => "SHA384_WITH_RSA_PSS",
        KeyKind::Rsa4096 => "SHA512_WITH_RSA_PSS",
        KeyKind::P256 => "SHA256_WITH_ECDSA",
        KeyKind::P384 => "SHA384_WITH_ECDSA",
        KeyKind::P521 => "SHA512_WITH_ECDSA",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_of_a_key_is_not_shown() {
        let request: SignRequest = serde_json::from_str(
            r#"{"payload":"","signKeyName":"release","keyPassword":["%","3","%"],"signatureAlgorithm":"SHA256_WITH_ECDSA"}"#,
        )
        .unwrap();
        let shown = format!("{request:?}");
        assert!(shown.contains("release") && shown.contains("(secret)") && !shown.contains('%'), "{shown}");
    }

    #[test]
    fn a_request_is_written_as_documented() {
        let body = SignRequestBody {
            sign_request: SignRequest {
                payload: "cGF5bG9hZA==".into(),
                payload_type: unspecified(),
                sign_key_name: "release".into(),
                key_password: Some(vec!["a".into(), "b".into()]),
                meta_data: Some("e30=".into()),
                meta_data_signature: None,
                signature_algorithm: "SHA256_WITH_RSA_PSS".into(),
                signature_type: Some(SignatureType::Der),
            },
            request_signature: None,
        };
        assert_eq!(
            serde_json::to_string(&body).unwrap(),
            r#"{"signRequest":{"payload":"cGF5bG9hZA==","payloadType":"UNSPECIFIED","signKeyName":"release","keyPassword":["a","b"],"metaData":"e30=","metaDataSignature":null,"signatureAlgorithm":"SHA256_WITH_RSA_PSS","signatureType":"DER"},"requestSignature":null}"#
        );
    }
}
