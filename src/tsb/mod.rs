//! The words of a Transaction Security Broker (TSB): the REST interface before keys that sign only when enough people agree.
//!
//! Follows Securosys' public documentation of the TSB: "Transaction Security Broker" (asynchronous signing), "Smart Key
//! Attributes" (the policy of a key), "Authentication". Both ends use these words: [`crate::signer`] asks for signatures, and the
//! test bench's gateway answers. Each is read and written here once, and tests hold the JSON to what the vendor prints, letter by
//! letter, so that both ends cannot agree on a slip. What the vendor does not document stands in [`undocumented`], and nowhere else.
//!
//! Nothing here sends, waits, signs or decides.

pub mod approval_task;
pub mod error_answer;
pub mod key_change;
pub mod key_policy;
pub mod request_state;
pub mod sign_request;
pub mod undocumented;

pub use approval_task::{Approval, ApprovalTask, ApprovalTasks, TaskFilter};
pub use error_answer::ErrorAnswer;
pub use key_policy::{ApprovalRule, Approver, ApproverGroup, KeyPolicy, KeyStatus, PolicyToken};
pub use request_state::{RequestState, RequestStatus};
pub use sign_request::{
    RequestSignature, SignRequest, SignRequestBody, SignatureType, SignedAtOnce, SubmittedRequest, signature_algorithm,
};

/// `POST`: asks for a signature that may need approvals; answers 201 with a [`SubmittedRequest`].
pub const SIGN: &str = "/v1/sign";
/// `POST`: a signature at once, by a key without a policy; answers 200 with a [`SignedAtOnce`].
pub const SYNCHRONOUS_SIGN: &str = "/v1/synchronousSign";
/// `GET` answers with a [`RequestState`], `DELETE` cancels; behind it stand a `/` and the id of the request.
pub const REQUEST: &str = "/v1/request";
/// `POST` of a [`TaskFilter`]: what an approver is asked; answers with [`ApprovalTasks`].
pub const SIGN_APPROVAL_TASKS: &str = "/v1/filteredSignApprovalTask";
/// The same of a request to block a key.
pub const BLOCK_APPROVAL_TASKS: &str = "/v1/filteredBlockKeyApprovalTask";
/// The same of a request to unblock a key.
pub const UNBLOCK_APPROVAL_TASKS: &str = "/v1/filteredUnblockKeyApprovalTask";
/// The same of a request to give a key another policy.
pub const MODIFY_APPROVAL_TASKS: &str = "/v1/filteredModifyKeyApprovalTask";
/// `POST` of an [`Approval`].
pub const APPROVAL: &str = "/v1/approval";
/// `GET`: the certificate of a key; behind it stand a `/` and the label of the key.
pub const CERTIFICATE: &str = "/v1/certificate";
/// `GET`: the version of the broker.
pub const VERSION_INFO: &str = "/v1/versionInfo";

/// The header that holds an API key.
pub const API_KEY_HEADER: &str = "X-API-KEY";
