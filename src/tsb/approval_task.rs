//! `POST /v1/filteredSignApprovalTask` and `POST /v1/approval`: what an approver is asked, and the answer.
//!
//! Follows the TSB's "Signature Request" page. Who asks proves that they have the key of an approver by a signature over the
//! ASCII text of the time; an approval is a signature over the decoded bytes of `approvalToBeSigned`. RSA signatures are
//! PKCS #1 v1.5, EC signatures DER.

use serde::{Deserialize, Serialize};

/// Which tasks are wanted, and by whom.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskFilter {
    /// Now, in RFC 3339.
    pub timestamp: String,
    /// A signature over that text, in base64.
    pub timestamp_signature: String,
    /// The approver's certificate, DER in base64; this or the key.
    #[serde(default)]
    pub approver_certificate: Option<String>,
    /// The approver's public key, a SubjectPublicKeyInfo in base64.
    #[serde(default)]
    pub approver_public_key: Option<String>,
    /// The certificate of another key that signed the time.
    #[serde(default)]
    pub timestamp_signing_certificate: Option<String>,
    /// With which hash the time was signed, as `SHA-256`.
    #[serde(default)]
    pub timestamp_digest_algorithm: Option<String>,
    /// Only the task of this id.
    #[serde(default)]
    pub id: Option<String>,
    /// Only tasks of this request.
    #[serde(default)]
    pub request_id: Option<String>,
    /// How much is told: `level1` to `level5`.
    #[serde(default)]
    pub detail_level: Option<String>,
    /// Which of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paging: Option<Paging>,
}

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Paging {
    /// Which page, the first being 0.
    #[serde(default)]
    pub page_number: Option<usize>,
    /// How many tasks a page has.
    #[serde(default)]
    pub page_size: Option<usize>,
    /// In which order.
    #[serde(default)]
    pub sort_order: Option<SortOrder>,
}

/// The order of tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SortOrder {
    /// The oldest first.
    CreationDateAsc,
    /// The newest first.
    CreationDateDesc,
    /// Those first that were fetched longest ago.
    LastFetchedDateAsc,
    /// Those first that were fetched last.
    LastFetchedDateDesc,
}

/// The tasks of an approver.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalTasks {
    /// The tasks.
    pub tasks: Vec<ApprovalTask>,
}

/// One task.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalTask {
    /// How much is told.
    #[serde(default)]
    pub detail_level: String,
    /// The id of the task.
    pub id: String,
    /// What is to be signed, in base64.
    pub approval_to_be_signed: String,
    /// From level2: what the signer tells approvers, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta_data: Option<String>,
    /// From level2: a signature over it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta_data_signature: Option<String>,
    /// At level5: the message that the key would sign, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
}

/// An approval.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Approval {
    /// The id of the task.
    pub id: String,
    /// What was signed, as the task gave it.
    pub approval_to_be_signed: String,
    /// The signature over its decoded bytes, in base64.
    pub signature: String,
    /// With which hash, as `SHA-256`; `EdDSA` for Ed25519.
    pub approval_digest_algorithm: String,
    /// The approver's public key, a SubjectPublicKeyInfo in base64; this or the certificate.
    #[serde(default)]
    pub approver_public_key: Option<String>,
    /// The approver's certificate, DER in base64.
    #[serde(default)]
    pub approver_certificate: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_of_the_documentation_is_read() {
        let filter: TaskFilter = serde_json::from_str(
            r#"{"timestamp":"2023-10-30T17:30:24+00:00","timestampSignature":"MEUC","approverCertificate":null,
                "approverPublicKey":"MFkw","timestampSigningCertificate":null,"timestampDigestAlgorithm":"SHA-256",
                "id":null,"requestId":null,"detailLevel":"level1",
                "paging":{"pageNumber":0,"pageSize":1,"sortOrder":"CREATION_DATE_ASC"}}"#,
        )
        .unwrap();
        assert_eq!(filter.approver_public_key.as_deref(), Some("MFkw"));
        assert_eq!(filter.paging.unwrap().sort_order, Some(SortOrder::CreationDateAsc));
        assert_eq!(filter.paging.unwrap().page_size, Some(1));
    }

    #[test]
    fn an_approval_is_written_as_documented() {
        let approval = Approval {
            id: "6947".into(),
            approval_to_be_signed: "AQ==".into(),
            signature: "MEUC".into(),
            approval_digest_algorithm: "SHA-256".into(),
            approver_public_key: Some("MFkw".into()),
            approver_certificate: None,
        };
        assert_eq!(
            serde_json::to_string(&approval).unwrap(),
            r#"{"id":"6947","approvalToBeSigned":"AQ==","signature":"MEUC","approvalDigestAlgorithm":"SHA-256","approverPublicKey":"MFkw","approverCertificate":null}"#
        );
    }

    #[test]
    fn the_tasks_of_the_documentation_are_read() {
        let tasks: ApprovalTasks =
            serde_json::from_str(r#"{"tasks":[{"detailLevel":"level1","id":"6947","approvalToBeSigned":"AQ=="}]}"#)
                .unwrap();
        assert_eq!(tasks.tasks[0].id, "6947");
    }
}
