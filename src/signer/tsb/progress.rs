//! How far a request has come, for people: who has approved, who is missing, how long is left.

use std::collections::BTreeMap;
use std::time::Duration;

use super::approvers::ApproverNames;
use super::request_id::RequestId;
use crate::limits;
use crate::tsb::{RequestState, RequestStatus};

/// How far a request has come. The names are safe to print.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestProgress {
    /// The request.
    pub id: RequestId,
    /// Its status, as the broker last told.
    pub status: RequestStatus,
    /// Who has approved.
    pub approved: Vec<String>,
    /// Who may still approve; not all of them may be needed.
    pub missing: Vec<String>,
    /// Who has refused.
    pub rejected: Vec<String>,
    /// How long the signer goes on waiting.
    pub left: Duration,
    /// Why the broker does not tell more, while it does not.
    pub trouble: Option<String>,
}

impl RequestProgress {
    /// That of a request that was just made.
    pub(super) fn begun(id: &RequestId, left: Duration) -> RequestProgress {
        RequestProgress {
            id: id.clone(),
            status: RequestStatus::Pending,
            approved: Vec::new(),
            missing: Vec::new(),
            rejected: Vec::new(),
            left,
            trouble: None,
        }
    }

    /// Takes up what the broker tells.
    pub(super) fn update(&mut self, state: &RequestState, names: &ApproverNames) {
        // In an order of their own: brokers give them in any.
        let named = |keys: &[String]| {
            let mut named: Vec<String> = keys.iter().map(|key| names.name(key)).collect();
            named.sort_unstable();
            let more = named.len().saturating_sub(limits::TSB_APPROVERS_TOLD);
            if more > 0 {
                named.truncate(limits::TSB_APPROVERS_TOLD);
                named.push(format!("{more} more"));
            }
            named
        };
        self.status = state.status;
        self.approved = named(&state.approved_by);
        self.missing = named(&state.not_yet_approved_by);
        self.rejected = named(&state.rejected_by);
        self.trouble = None;
    }

    /// Who has approved, refused and is missing, in a clause.
    pub fn people(&self) -> String {
        let listed = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let mut text = format!("approved by {}", listed(&self.approved));
        if !self.rejected.is_empty() {
            text.push_str(&format!(", refused by {}", self.rejected.join(", ")));
        }
        if !self.missing.is_empty() {
            text.push_str(&format!(", not yet by {}", self.missing.join(", ")));
        }
        text
    }

    /// The same for programs.
    pub(super) fn metadata(&self) -> BTreeMap<String, String> {
        BTreeMap::from([
            ("requestId".to_owned(), self.id.to_string()),
            ("status".to_owned(), self.status.as_str().to_owned()),
            ("approvedBy".to_owned(), self.approved.join(", ")),
            ("notYetApprovedBy".to_owned(), self.missing.join(", ")),
            ("rejectedBy".to_owned(), self.rejected.join(", ")),
        ])
    }
}
