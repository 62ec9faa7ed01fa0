//! Whether enough people have agreed, in time: the rule of a key, and the course of a request under it. Pure.
//!
//! Follows the TSB's "Smart Key Attributes": tokens are alternatives, every group of a token has to agree, of a group as many
//! different approvers as its quorum says, not before the timelock and not after the timeout of the token. What that leaves open
//! is told in [`crate::tsb::undocumented`].
//!
//! Times are ages: whole seconds since the request was made. Nothing here reads a clock, and nothing depends on when it is asked:
//! what falls due between two calls is found to have happened at its second.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::tsb::RequestStatus;

/// An approver: their public key, a SubjectPublicKeyInfo in base64. Whoever has the key is the same person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApproverId(pub Arc<str>);

impl fmt::Display for ApproverId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Alternatives. Without any, nobody has to agree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rule {
    /// One of which has to be met.
    pub tokens: Vec<Token>,
}

/// One alternative.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Token {
    /// The age at which the request may be executed at the earliest.
    pub timelock: u64,
    /// The age at which it may be approved and executed at the latest; none for any age.
    pub timeout: Option<u64>,
    /// All of which have to agree.
    pub groups: Vec<Group>,
}

/// People of whom enough have to agree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// How many different ones.
    pub quorum: u32,
    /// Who they are.
    pub members: BTreeSet<ApproverId>,
}

/// How a request stands at an age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// How far it has come.
    pub status: RequestStatus,
    /// The age since which that is so, if nothing changes any more.
    pub ended: Option<u64>,
    /// The age at which it is worth looking again if nobody does anything meanwhile.
    pub next: Option<u64>,
}

/// Why an approval or a refusal does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// No group lists them.
    NotListed,
    /// They have approved already.
    ApprovedAlready,
    /// They have refused already.
    RejectedAlready,
    /// The request has ended so.
    Ended(RequestStatus),
    /// No token that lists them can be met in time any more.
    TooLate,
}

/// A request under its rule.
#[derive(Debug, Clone)]
#[allow(dead_code, reason = "filled in the next step")]
pub struct Course {
    rule: Rule,
    approved: BTreeMap<ApproverId, u64>,
    rejected: BTreeMap<ApproverId, u64>,
    blocked: bool,
    ended: Option<(RequestStatus, u64)>,
}
