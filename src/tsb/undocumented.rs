//! What the vendor does not document, and what is done here in its place: **ours, not the vendor's**.
//!
//! The one place for it in the code; `docs/approvals.md` tells users. It is corrected here once the real interface is seen.
//!
//! Of a request and its rule, which the documentation leaves open:
//!
//! * Time counts in whole seconds since the request was made. A token's timeout of 60 takes approvals up to its 60th second, and
//!   none in its 61st; a timeout of 0 never ends. Its timelock holds execution back, not approvals: what is approved before it is
//!   over is `APPROVED` until it is, and `EXECUTED` in that second.
//! * A request is `EXPIRED` in the first second in which no token is open by time any more, whether a client asks or not. It is
//!   `REJECTED` in the first second in which tokens are open, and in none of them every group can reach its quorum without those
//!   who have refused. A refusal ends nothing before that, and an approver who has refused cannot approve any more, nor the other way round.
//! * An approver whom no open token lists cannot approve any more, though others can.
//! * The signer cancels until the request has ended, also while it is `APPROVED`; after that, cancelling is refused.
//! * A blocked key takes no requests to sign. If it is blocked when an earlier one falls due, that one is `FAILED`.
//! * An open request whose key is given another policy is `FAILED`: nothing happens under a rule that is no longer in force. Another
//!   policy neither blocks nor unblocks a key, whatever its `keyStatus` says.
//! * A rule that lists no token is met at once, and so is a token without groups. A quorum that is larger than its group, and a
//!   timelock that is longer than the timeout, are refused with the policy.
//! * An approver is a key, whether the policy lists the key or a certificate of it, and whichever is shown. An
//!   approver in two groups counts in each.
//! * Approvals are signed with SHA-256, SHA-384, SHA-512 or `EdDSA`, by keys of RSA, EC or Ed25519; the other hashes and kinds that
//!   the vendor takes are refused here.
//! * What proves an approver (tasks, approvals, refusals) needs no bearer token, but an API key where approvers have any.

mod approval_content;

pub use approval_content::ApprovalContent;

use serde::{Deserialize, Serialize};

/// `POST` of a [`Rejection`]: refuses a task. That there is such a call is documented, its address and body are not.
pub const REJECT: &str = "/v1/task/reject";

/// `POST` of a [`BlockRequestBody`](super::key_change::BlockRequestBody): asks for a key to be blocked.
pub const BLOCK: &str = "/v1/block";
/// `POST` of an [`UnblockRequestBody`](super::key_change::UnblockRequestBody): asks for a key to be unblocked.
pub const UNBLOCK: &str = "/v1/unblock";
/// `POST` of a [`ModifyRequestBody`](super::key_change::ModifyRequestBody): asks for another policy. Its body is ours.
pub const MODIFY: &str = "/v1/modify";

/// How old the time may be by which an approver proves their key, in seconds: the broker's default.
pub const OLDEST_TIMESTAMP: i64 = 600;
/// How far ahead it may be, in seconds: the broker's default.
pub const FUTURE_TIMESTAMP: i64 = 0;

/// The status of each answer that refuses. Only that a refusal has a status of 400 or more is documented, and 401 with 631.
pub mod statuses {
    /// The body is not understood, or names an algorithm that the key does not have.
    pub const MALFORMED: u16 = 400;
    /// No bearer token, or no API key, that is accepted.
    pub const UNAUTHORIZED: u16 = 401;
    /// Not this approver, not this signature, not while the key is blocked, not without approvals.
    pub const FORBIDDEN: u16 = 403;
    /// There is no such key, request, task or certificate.
    pub const NOT_FOUND: u16 = 404;
    /// It has ended, or they have approved or refused already.
    pub const CONFLICT: u16 = 409;
    /// The body is too long.
    pub const TOO_LONG: u16 = 413;
    /// Too many requests are held.
    pub const TOO_MANY: u16 = 429;
}

/// What stands before the bytes of a task when it is refused, so that a refusal is no approval, nor the other way round.
const REJECTION: &[u8] = b"muster: this task is refused\n";

/// What an approver signs to refuse a task with these bytes to be signed.
pub fn rejected(approval_to_be_signed: &[u8]) -> Vec<u8> {
    [REJECTION, approval_to_be_signed].concat()
}

/// The refusal of a task.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rejection {
    /// The id of the task.
    pub id: String,
    /// A signature over [`rejected`] of the decoded bytes of its `approvalToBeSigned`, in base64.
    pub signature: String,
    /// With which hash, as in an approval.
    pub rejection_digest_algorithm: String,
    /// The approver's public key, a SubjectPublicKeyInfo in base64; this or the certificate.
    #[serde(default)]
    pub approver_public_key: Option<String>,
    /// The approver's certificate, DER in base64.
    #[serde(default)]
    pub approver_certificate: Option<String>,
}

/// The answer to `GET /v1/certificate/{key}`, whose members are not documented.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyCertificate {
    /// The label of the key.
    #[serde(default)]
    pub label: String,
    /// The certificate, DER in base64.
    #[serde(default)]
    pub certificate: String,
    /// The certificate and those above it, the leaf first.
    #[serde(default)]
    pub certificate_chain: Vec<String>,
}

/// The answer to `GET /v1/versionInfo`, whose members are not documented.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VersionInfo {
    /// What answers, with its version.
    #[serde(default)]
    pub version: String,
}
