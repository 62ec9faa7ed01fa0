//! The answer to `GET /v1/request/{id}`: how far a request has come.
//!
//! Follows the TSB's "Signature Request" page: seven members, seven words for the status.

use serde::{Deserialize, Serialize};

/// How far a request has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestState {
    /// Its id, a UUID.
    pub id: String,
    /// How far it has come.
    pub status: RequestStatus,
    /// When it was sent to the HSM, in RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_time: Option<String>,
    /// The public keys of those who approved: each a SubjectPublicKeyInfo in base64.
    #[serde(default)]
    pub approved_by: Vec<String>,
    /// The public keys of those who may still approve.
    #[serde(default)]
    pub not_yet_approved_by: Vec<String>,
    /// The public keys of those who have refused.
    #[serde(default)]
    pub rejected_by: Vec<String>,
    /// The signature, in base64, once it is executed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
}

/// The status of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RequestStatus {
    /// Approvals are missing.
    Pending,
    /// Enough have approved; the HSM has not signed yet, as where a timelock lasts.
    Approved,
    /// The HSM has signed.
    Executed,
    /// The HSM has refused.
    Failed,
    /// The time for approvals is over.
    Expired,
    /// Too many have refused.
    Rejected,
    /// The signer has taken it back.
    Cancelled,
}

impl RequestStatus {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            RequestStatus::Pending => "PENDING",
            RequestStatus::Approved => "APPROVED",
            RequestStatus::Executed => "EXECUTED",
            RequestStatus::Failed => "FAILED",
            RequestStatus::Expired => "EXPIRED",
            RequestStatus::Rejected => "REJECTED",
            RequestStatus::Cancelled => "CANCELLED",
        }
    }

    /// Whether nothing changes any more.
    pub fn is_final(self) -> bool {
        !matches!(self, RequestStatus::Pending | RequestStatus::Approved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_of_the_documentation_is_read() {
        let state: RequestState = serde_json::from_str(
            r#"{"id":"4e8731d8","status":"EXECUTED","executionTime":"2020-06-24T08:54:47Z","approvedBy":["MFkw"],"notYetApprovedBy":[],"rejectedBy":[],"result":"MEUC"}"#,
        )
        .unwrap();
        assert_eq!(state.status, RequestStatus::Executed);
        assert_eq!(state.approved_by, ["MFkw"]);
        assert_eq!(state.result.as_deref(), Some("MEUC"));
    }

    #[test]
    fn a_status_is_written_as_its_word() {
        for status in [
            RequestStatus::Pending,
            RequestStatus::Approved,
            RequestStatus::Executed,
            RequestStatus::Failed,
            RequestStatus::Expired,
            RequestStatus::Rejected,
            RequestStatus::Cancelled,
        ] {
            assert_eq!(serde_json::to_string(&status).unwrap(), format!("\"{}\"", status.as_str()));
        }
    }
}
