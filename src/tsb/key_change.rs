//! `POST /v1/block`, `/v1/unblock` and `/v1/modify`: what is asked about a key itself, and what comes back.
//!
//! Follows the vendor's client for the first two; the body of the third is not in any source that was seen, and is written in
//! their likeness.

use serde::{Deserialize, Serialize};

use super::KeyPolicy;

/// The body of `/v1/block`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BlockRequestBody {
    /// What is asked.
    pub block_request: BlockRequest,
}

/// That a key is blocked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BlockRequest {
    /// The label of the key.
    pub block_key_name: String,
    /// What approvers are shown, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta_data: Option<String>,
    /// A signature over the bytes of it, in base64.
    #[serde(default)]
    pub meta_data_signature: Option<String>,
}

/// The answer to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SubmittedBlock {
    /// The id of the request.
    pub block_key_request_id: String,
}

/// The body of `/v1/unblock`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnblockRequestBody {
    /// What is asked.
    pub unblock_request: UnblockRequest,
}

/// That a key is unblocked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnblockRequest {
    /// The label of the key.
    pub unblock_key_name: String,
    /// What approvers are shown, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta_data: Option<String>,
    /// A signature over the bytes of it, in base64.
    #[serde(default)]
    pub meta_data_signature: Option<String>,
}

/// The answer to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SubmittedUnblock {
    /// The id of the request.
    pub unblock_key_request_id: String,
}

/// The body of `/v1/modify`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ModifyRequestBody {
    /// What is asked.
    pub modify_request: ModifyRequest,
}

/// That a key has another policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ModifyRequest {
    /// The label of the key.
    pub modify_key_name: String,
    /// The policy that it is to have.
    pub policy: KeyPolicy,
    /// What approvers are shown, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta_data: Option<String>,
    /// A signature over the bytes of it, in base64.
    #[serde(default)]
    pub meta_data_signature: Option<String>,
}

/// The answer to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SubmittedModification {
    /// The id of the request.
    pub modify_key_request_id: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_requests_of_the_vendors_client_are_read() {
        let block: BlockRequestBody = serde_json::from_str(
            r#"{"blockRequest":{"blockKeyName":"release","keyPassword":["a"],"metaData":"e30=","metaDataSignature":"MEUC"}}"#,
        )
        .unwrap();
        assert_eq!(block.block_request.block_key_name, "release");
        let unblock: UnblockRequestBody =
            serde_json::from_str(r#"{"unblockRequest":{"unblockKeyName":"release"}}"#).unwrap();
        assert_eq!(unblock.unblock_request.unblock_key_name, "release");
        let answer = SubmittedBlock { block_key_request_id: "1".into() };
        assert_eq!(serde_json::to_string(&answer).unwrap(), r#"{"blockKeyRequestId":"1"}"#);
        let answer = SubmittedUnblock { unblock_key_request_id: "1".into() };
        assert_eq!(serde_json::to_string(&answer).unwrap(), r#"{"unblockKeyRequestId":"1"}"#);
    }
}
