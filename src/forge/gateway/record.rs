//! What a gateway remembers of its requests, for those who judge what happened.

use time::OffsetDateTime;

use super::super::words::words;
use super::ApproverId;
use crate::tsb::RequestStatus;

words! {
    /// What a request asks for.
    pub Operation {
        /// A signature.
        Sign "sign"
        /// That the key is blocked.
        Block "block"
        /// That it is unblocked.
        Unblock "unblock"
        /// That its policy is another.
        Modify "modify"
    }
}

/// A request, as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRecord {
    /// Its id.
    pub id: String,
    /// What it asks for.
    pub operation: Operation,
    /// The label of the key.
    pub key: String,
    /// When it was made.
    pub made: OffsetDateTime,
    /// What is to be signed.
    pub payload: Vec<u8>,
    /// What the signer tells approvers.
    pub metadata: Option<Vec<u8>>,
    /// How far it has come.
    pub status: RequestStatus,
    /// When it was executed, or ended in another way.
    pub ended: Option<OffsetDateTime>,
    /// Who approved, in the order of time.
    pub approved: Vec<Deed>,
    /// Who refused.
    pub rejected: Vec<Deed>,
    /// Approvals and refusals that did not count.
    pub refused: Vec<RefusedDeed>,
    /// Why it failed.
    pub failure: Option<String>,
}

/// An approval or a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// Whose key it was.
    pub approver: ApproverId,
    /// What the policy calls them.
    pub name: Option<String>,
    /// When.
    pub at: OffsetDateTime,
}

/// An approval or a refusal that did not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedDeed {
    /// The key that was stated, if it is one.
    pub approver: Option<ApproverId>,
    /// What the policy calls them, if it lists them.
    pub name: Option<String>,
    /// When.
    pub at: OffsetDateTime,
    /// The word for why, as the answer has it.
    pub reason: &'static str,
}

/// What has just happened, for those who watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayEvent {
    /// When, by the gateway's clock.
    pub at: OffsetDateTime,
    /// What, in one line; texts from outside have been quoted.
    pub text: String,
}
