//! What the vendor does not document, and what is done here in its place: **ours, not the vendor's**.
//!
//! The one place for it in the code; `docs/approvals.md` tells users. It is corrected here once the real interface is seen.
//!
//! Of a request and its rule, which the documentation leaves open:
//!
//! * Time counts in whole seconds since the request was made. A token's timeout of 60 takes approvals up to its 60th second, and
//!   none in its 61st; a timeout of 0 never ends. Its timelock holds execution back, not approvals: what is approved before it is
//!   over is `APPROVED` until it is, and `EXECUTED` in that second.
//! * A request is `EXPIRED` in the first second in which no token is open by time any more, whether anybody asks or not. It is
//!   `REJECTED` in the first second in which tokens are open, and in none of them every group can reach its quorum without those
//!   who have refused. A refusal ends nothing before that, and whoever has refused cannot approve any more, nor the other way round.
//! * Whoever a request does not need because its token has run out cannot approve it any more, though others can.
//! * The signer cancels until the request has ended, also while it is `APPROVED`; after that, cancelling is refused.
//! * A blocked key takes no requests to sign. If it is blocked when an earlier one falls due, that one is `FAILED`.
//! * A request to sign whose key is given another policy is `FAILED`: nothing is signed under a rule that is no longer in force.
//! * A rule that lists no token is met at once, and so is a token without groups. A quorum that is larger than its group, and a
//!   timelock that is longer than the timeout, are refused with the policy.
//! * Whoever has the key is the approver, whether the policy lists the key or a certificate of it, and whichever they show. An
//!   approver in two groups counts in each.

use serde::{Deserialize, Serialize};

/// `POST` of a [`Rejection`]: refuses a task. That there is such a call is documented, its address and body are not.
pub const REJECT: &str = "/v1/task/reject";

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
