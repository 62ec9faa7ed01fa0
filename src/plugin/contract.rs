//! The plugin contract 1.0: what a host writes to a plugin's standard input, and what the plugin answers.
//!
//! Follows *plugin-extensibility*. The same types serve both sides: Muster as host, and `notation-muster-pkcs11` as
//! plugin. Binary members are base64 (RFC 4648, section 4, with padding). Members that a side does not know are ignored,
//! as the contract demands. Nothing here has been judged.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

/// The version of the contract that is spoken.
pub const CONTRACT_VERSION: &str = "1.0";

/// The `expiry` of a signature that has none. The specification leaves the member out then; the reference implementation
/// writes Go's zero time, and plugins that were written against it read the member without asking whether it is there.
pub const NO_EXPIRY: &str = "0001-01-01T00:00:00Z";

/// `null` is what some languages write for a list or a map that is empty.
fn null_is_empty<'de, T: Default + Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// What a plugin is asked to do, by the word on its command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Command {
    /// `get-plugin-metadata`
    GetPluginMetadata,
    /// `describe-key`
    DescribeKey,
    /// `generate-signature`
    GenerateSignature,
    /// `generate-envelope`
    GenerateEnvelope,
    /// `verify-signature`
    VerifySignature,
}

impl Command {
    /// Every command.
    pub const ALL: [Command; 5] = [
        Command::GetPluginMetadata,
        Command::DescribeKey,
        Command::GenerateSignature,
        Command::GenerateEnvelope,
        Command::VerifySignature,
    ];

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Command::GetPluginMetadata => "get-plugin-metadata",
            Command::DescribeKey => "describe-key",
            Command::GenerateSignature => "generate-signature",
            Command::GenerateEnvelope => "generate-envelope",
            Command::VerifySignature => "verify-signature",
        }
    }
}

/// `SIGNATURE_GENERATOR.RAW`
pub const GENERATOR_RAW: &str = "SIGNATURE_GENERATOR.RAW";
/// `SIGNATURE_GENERATOR.ENVELOPE`
pub const GENERATOR_ENVELOPE: &str = "SIGNATURE_GENERATOR.ENVELOPE";
/// `SIGNATURE_VERIFIER.TRUSTED_IDENTITY`
pub const VERIFIER_TRUSTED_IDENTITY: &str = "SIGNATURE_VERIFIER.TRUSTED_IDENTITY";
/// `SIGNATURE_VERIFIER.REVOCATION_CHECK`
pub const VERIFIER_REVOCATION_CHECK: &str = "SIGNATURE_VERIFIER.REVOCATION_CHECK";

/// Settings for a plugin.
pub type PluginConfig = BTreeMap<String, String>;

/// The request of `get-plugin-metadata`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MetadataRequest {
    /// Settings.
    #[serde(default, skip_serializing_if = "PluginConfig::is_empty")]
    pub plugin_config: PluginConfig,
}

/// The answer to `get-plugin-metadata`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// The plugin's name: that of its directory.
    pub name: String,
    /// What the plugin is.
    pub description: String,
    /// The version of the plugin, by semantic versioning.
    pub version: String,
    /// Where the plugin comes from.
    pub url: String,
    /// The versions of the contract that it speaks.
    pub supported_contract_versions: Vec<String>,
    /// What the plugin can do.
    pub capabilities: Vec<String>,
}

/// The request of `describe-key`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeKeyRequest {
    /// The version of the contract.
    pub contract_version: String,
    /// The key, in the plugin's words.
    pub key_id: String,
    /// Settings.
    #[serde(default, skip_serializing_if = "PluginConfig::is_empty")]
    pub plugin_config: PluginConfig,
}

/// The answer to `describe-key`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeKeyResponse {
    /// The key as it was asked for.
    pub key_id: String,
    /// The kind of the key: `RSA-2048`, `EC-384` …
    pub key_spec: String,
}

/// The request of `generate-signature`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GenerateSignatureRequest {
    /// The version of the contract.
    pub contract_version: String,
    /// The key.
    pub key_id: String,
    /// What the key is.
    pub key_spec: String,
    /// `SHA-256`, `SHA-384` or `SHA-512`.
    pub hash_algorithm: String,
    /// The bytes to sign, whole and unhashed, in base64.
    pub payload: String,
    /// Settings.
    #[serde(default, skip_serializing_if = "PluginConfig::is_empty")]
    pub plugin_config: PluginConfig,
}

/// The answer to `generate-signature`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GenerateSignatureResponse {
    /// The key as it was asked for.
    pub key_id: String,
    /// The signature in base64: RSASSA-PSS, or r‖s.
    pub signature: String,
    /// `RSASSA-PSS-SHA-256`, `ECDSA-SHA-384` …
    pub signing_algorithm: String,
    /// The certificates in DER, each in base64, leaf first, root last.
    pub certificate_chain: Vec<String>,
}

/// The request of `generate-envelope`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GenerateEnvelopeRequest {
    /// The version of the contract.
    pub contract_version: String,
    /// The key.
    pub key_id: String,
    /// The content type of the payload.
    pub payload_type: String,
    /// The media type of the envelope that is wanted.
    pub signature_envelope_type: String,
    /// The payload in base64.
    pub payload: String,
    /// How long the signature is to be good for; absent means without expiry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry_duration_in_seconds: Option<u64>,
    /// Settings.
    #[serde(default, skip_serializing_if = "PluginConfig::is_empty")]
    pub plugin_config: PluginConfig,
}

/// The answer to `generate-envelope`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GenerateEnvelopeResponse {
    /// The envelope in base64.
    pub signature_envelope: String,
    /// The media type of the envelope.
    pub signature_envelope_type: String,
    /// Annotations for the signature manifest.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// The request of `verify-signature`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VerifySignatureRequest {
    /// The version of the contract.
    pub contract_version: String,
    /// The signature.
    pub signature: VerifiedSignature,
    /// What the trust policy says.
    pub trust_policy: PluginTrustPolicy,
    /// Settings.
    #[serde(default, skip_serializing_if = "PluginConfig::is_empty")]
    pub plugin_config: PluginConfig,
}

/// A signature whose integrity and authenticity hold, as a plugin sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VerifiedSignature {
    /// What is critical.
    pub critical_attributes: CriticalAttributes,
    /// The names of the attributes that the host has not processed.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub unprocessed_attributes: Vec<String>,
    /// The certificates in DER, each in base64, leaf first.
    pub certificate_chain: Vec<String>,
}

/// The critical attributes of a signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CriticalAttributes {
    /// The content type of the payload.
    pub content_type: String,
    /// The signing scheme.
    pub signing_scheme: String,
    /// The expiry in RFC 3339, or [`NO_EXPIRY`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry: Option<String>,
    /// The authentic signing time in RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authentic_signing_time: Option<String>,
    /// Attributes that the specification does not name, with their values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extended_attributes: BTreeMap<String, serde_json::Value>,
}

/// What of the trust policy concerns a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PluginTrustPolicy {
    /// The trusted identities as the policy has them.
    pub trusted_identities: Vec<String>,
    /// The capabilities that are asked for.
    pub signature_verification: Vec<String>,
}

/// The answer to `verify-signature`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VerifySignatureResponse {
    /// The result for each capability that was asked for.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub verification_results: BTreeMap<String, VerificationResult>,
    /// The names of the attributes that the plugin has processed.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub processed_attributes: Vec<String>,
}

/// The result for one capability.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VerificationResult {
    /// Whether what was checked holds.
    pub success: bool,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
}

/// What a plugin writes to standard error when it fails, with an exit code other than 0.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorResponse {
    /// `VALIDATION_ERROR`, `ACCESS_DENIED` …; plugins have codes of their own too.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub error_code: String,
    /// A sentence.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub error_message: String,
    /// More.
    #[serde(default, deserialize_with = "null_is_empty", skip_serializing_if = "BTreeMap::is_empty")]
    pub error_metadata: BTreeMap<String, String>,
}
