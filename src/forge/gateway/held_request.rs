//! One request as a gateway holds it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::clock::point;
use super::key_rules::KeyRules;
use super::{ApproverId, Course, Deed, Deeds, Operation, RefusedDeed, RequestRecord};
use crate::failure::quote;
use crate::rfc3339;
use crate::tsb::undocumented::ApprovalContent;
use crate::tsb::{KeyPolicy, RequestState, RequestStatus, SignatureType};

/// A request, in its course.
#[derive(Debug)]
pub(super) struct HeldRequest {
    pub(super) id: String,
    pub(super) operation: Operation,
    pub(super) key: String,
    /// When it was made, in seconds since 1970.
    pub(super) made: i64,
    pub(super) payload: Vec<u8>,
    /// As it was sent.
    pub(super) metadata: Option<String>,
    pub(super) metadata_signature: Option<String>,
    pub(super) algorithm: String,
    pub(super) form: Option<SignatureType>,
    /// The policy that is asked for.
    pub(super) policy: Option<KeyPolicy>,
    pub(super) course: Course,
    /// When to look at it again.
    pub(super) due: Option<i64>,
    /// How it has ended.
    pub(super) outcome: Option<RequestStatus>,
    pub(super) result: Option<Vec<u8>>,
    pub(super) failure: Option<String>,
    pub(super) refused: Vec<RefusedDeed>,
}

impl HeldRequest {
    /// How old it is at a time.
    pub(super) fn age(&self, at: i64) -> u64 {
        u64::try_from(at.saturating_sub(self.made)).unwrap_or_default()
    }

    /// The time of an age.
    pub(super) fn at(&self, age: u64) -> i64 {
        self.made.saturating_add(i64::try_from(age).unwrap_or(i64::MAX))
    }

    /// How much memory strangers make it take.
    pub(super) fn bytes(&self) -> usize {
        // A policy is held as it was asked for, too.
        let payload = if self.policy.is_some() { 2 * self.payload.len() } else { self.payload.len() };
        payload + self.said_bytes()
    }

    /// How long it is what the signer says besides.
    pub(super) fn said_bytes(&self) -> usize {
        [&self.metadata, &self.metadata_signature].into_iter().flatten().map(String::len).sum()
    }

    /// What it is called in messages.
    pub(super) fn named(&self) -> String {
        let key = quote(&self.key);
        let asks = match self.operation {
            Operation::Sign => format!("sign with the key {key}"),
            Operation::Block => format!("block the key {key}"),
            Operation::Unblock => format!("unblock the key {key}"),
            Operation::Modify => format!("give the key {key} another policy"),
        };
        format!("the request {} to {asks}", self.id)
    }

    /// What approvers sign.
    pub(super) fn content(&self) -> Vec<u8> {
        ApprovalContent {
            operation: self.operation.as_str().to_owned(),
            request: self.id.clone(),
            key: self.key.clone(),
            made: point(self.made),
            algorithm: self.algorithm.clone(),
            payload: self.payload.clone(),
        }
        .encode()
    }

    /// The id of the task of an approver: the request's, and what tells approvers apart.
    pub(super) fn task(&self, approver: &ApproverId) -> String {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, approver.0.as_bytes());
        format!("{}.{}", self.id, hex::encode(&digest.as_ref()[..8]))
    }

    pub(super) fn status(&self, now: i64) -> RequestStatus {
        // The agenda was worked off, so that it says what the course would.
        self.outcome.unwrap_or_else(|| self.course.clone().standing(self.age(now)).status)
    }

    /// The answer to who asks how far it has come.
    pub(super) fn state(&self, now: i64) -> RequestState {
        let keys = |deeds: &Deeds| deeds.iter().map(|(who, _)| who.to_string()).collect();
        let status = self.status(now);
        let executed = matches!(status, RequestStatus::Executed | RequestStatus::Failed);
        let ended = self.course.ended().filter(|_| executed);
        RequestState {
            id: self.id.clone(),
            status,
            execution_time: ended.map(|age| rfc3339::instant_in_utc(point(self.at(age)))),
            approved_by: keys(self.course.approved()),
            not_yet_approved_by: self.course.awaited().iter().map(ToString::to_string).collect(),
            rejected_by: keys(self.course.rejected()),
            result: self.result.as_ref().map(|result| STANDARD.encode(result)),
        }
    }

    pub(super) fn record(&self, rules: Option<&KeyRules>) -> RequestRecord {
        let deeds = |deeds: &Deeds| {
            let deed = |(approver, age): (&ApproverId, u64)| Deed {
                approver: approver.clone(),
                name: rules.and_then(|rules| rules.names.get(approver).cloned()),
                at: point(self.at(age)),
            };
            deeds.iter().map(deed).collect()
        };
        RequestRecord {
            id: self.id.clone(),
            operation: self.operation,
            key: self.key.clone(),
            made: point(self.made),
            payload: self.payload.clone(),
            metadata: self.metadata.as_ref().and_then(|metadata| STANDARD.decode(metadata).ok()),
            status: self.outcome.unwrap_or_else(|| self.course.status()),
            ended: self.course.ended().map(|age| point(self.at(age))),
            approved: deeds(self.course.approved()),
            rejected: deeds(self.course.rejected()),
            refused: self.refused.clone(),
            failure: self.failure.clone(),
        }
    }
}
