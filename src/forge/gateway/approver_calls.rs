//! What approvers ask and tell: their tasks, that they agree, that they do not.
//!
//! An approval counts if its task is of this approver, what was signed is byte for byte what the task gives, and the signature is
//! theirs. Whatever else comes is refused with a reason and remembered with the request, if it names one.

use axum::http::StatusCode;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::answer::{Refusal, empty, json};
use super::approver::{KnownApprover, NotTheirs};
use super::clock::point;
use super::held_request::HeldRequest;
use super::ledger::Ledger;
use super::signer_calls::read;
use super::{ApproverId, Operation, Refused, RefusedDeed};
use crate::limits;
use crate::tsb::approval_task::SortOrder;
use crate::tsb::undocumented::{ApprovalContent, FUTURE_TIMESTAMP, OLDEST_TIMESTAMP, Rejection, rejected, statuses};
use crate::tsb::{Approval, ApprovalTask, ApprovalTasks, TaskFilter};

/// `POST /v1/filtered…ApprovalTask`.
pub(super) fn tasks(ledger: &mut Ledger, operation: Operation, body: &[u8]) -> Result<Response, Refusal> {
    let now = ledger.now();
    let filter: TaskFilter = read(body)?;
    let approver = proven(&filter, now)?;
    let level = filter.detail_level.as_deref().unwrap_or("level1");
    let number = level.strip_prefix("level").filter(|number| number.len() == 1);
    let depth: u8 = number.and_then(|number| number.parse().ok()).filter(|depth| (1..=5).contains(depth)).unwrap_or(0);
    if depth == 0 {
        return Err(Refusal::malformed("detailLevel is one of level1 to level5"));
    }
    let is_asked = |request: &&HeldRequest| {
        request.operation == operation
            && request.outcome.is_none()
            && filter.request_id.as_ref().is_none_or(|id| *id == request.id)
            && filter.id.as_ref().is_none_or(|id| *id == request.task(&approver.id))
            && request.course.awaits(&approver.id)
    };
    let paging = filter.paging.unwrap_or_default();
    let size = paging.page_size.unwrap_or(limits::GATEWAY_TASKS).min(limits::GATEWAY_TASKS);
    let skipped = paging.page_number.unwrap_or(0).saturating_mul(size);
    let task = |request: &HeldRequest| ApprovalTask {
        detail_level: level.to_owned(),
        id: request.task(&approver.id),
        approval_to_be_signed: STANDARD.encode(request.content()),
        meta_data: request.metadata.clone().filter(|_| depth >= 2),
        meta_data_signature: request.metadata_signature.clone().filter(|_| depth >= 2),
        payload: (depth == 5).then(|| STANDARD.encode(&request.payload)),
    };
    let mut tasks = Vec::new();
    let mut room = limits::APPROVER_ANSWER_BYTES as usize;
    let mut add = |request: &HeldRequest| {
        // The payload comes twice, in base64. A request is so short that there is room for ten.
        let bytes = request.payload.len() / 3 * 8 + request.said_bytes() + 4096;
        let fits = bytes <= room;
        if fits {
            room -= bytes;
            tasks.push(task(request));
        }
        fits
    };
    match paging.sort_order {
        None | Some(SortOrder::CreationDateAsc | SortOrder::LastFetchedDateAsc) => {
            ledger.requests().filter(is_asked).skip(skipped).take(size).all(&mut add)
        }
        Some(SortOrder::CreationDateDesc | SortOrder::LastFetchedDateDesc) => {
            ledger.requests().rev().filter(is_asked).skip(skipped).take(size).all(&mut add)
        }
    };
    Ok(json(StatusCode::OK, &ApprovalTasks { tasks }))
}

/// The approver who asks, if they have the key and their time is now.
fn proven(filter: &TaskFilter, now: i64) -> Result<KnownApprover, Refusal> {
    let stated = KnownApprover::stated(filter.approver_public_key.as_deref(), filter.approver_certificate.as_deref());
    let approver = stated.map_err(Refusal::malformed)?;
    if filter.timestamp_signing_certificate.is_some() {
        return Err(Refusal::malformed("timestampSigningCertificate is not taken here: the approver's own key signs"));
    }
    let stated = OffsetDateTime::parse(&filter.timestamp, &Rfc3339)
        .map_err(|_| Refusal::malformed("timestamp is not a time as 2023-10-30T17:30:24+00:00"))?;
    let algorithm = filter.timestamp_digest_algorithm.as_deref().unwrap_or("SHA-256");
    let signed = approver.check(filter.timestamp.as_bytes(), algorithm, &filter.timestamp_signature);
    signed.map_err(|reason| not_theirs(reason, "timestampSignature"))?;
    let age = now.saturating_sub(stated.unix_timestamp());
    if !(-FUTURE_TIMESTAMP..=OLDEST_TIMESTAMP).contains(&age) {
        let message = format!(
            "the timestamp is {} seconds {} the time here, and may be {OLDEST_TIMESTAMP} before it and {FUTURE_TIMESTAMP} after it",
            age.unsigned_abs(),
            if age > 0 { "before" } else { "after" }
        );
        return Err(Refusal::new(statuses::FORBIDDEN, "timestamp", message));
    }
    Ok(approver)
}

fn not_theirs(reason: NotTheirs, what: &str) -> Refusal {
    match reason {
        NotTheirs::Algorithm => {
            let message = format!(
                "the digest algorithm of {what} is not one of this key: SHA-256, SHA-384 or SHA-512 of RSA and EC keys, EdDSA of \
                 Ed25519 ones"
            );
            Refusal::new(statuses::MALFORMED, "digest-algorithm", message)
        }
        NotTheirs::Signature => {
            let message = format!("{what} is not a signature of the stated approver over what it has to be over");
            Refusal::new(statuses::FORBIDDEN, "signature", message)
        }
    }
}

/// `POST /v1/approval`.
pub(super) fn approve(ledger: &mut Ledger, body: &[u8]) -> Result<Response, Refusal> {
    let approval: Approval = read(body)?;
    let stated = (approval.approver_public_key.as_deref(), approval.approver_certificate.as_deref());
    deed(ledger, "approves", &approval.id, stated, |request, approver| {
        let bytes = STANDARD
            .decode(&approval.approval_to_be_signed)
            .map_err(|_| Refusal::malformed("approvalToBeSigned is not base64"))?;
        same(request, &bytes)?;
        let signed = approver.check(&bytes, &approval.approval_digest_algorithm, &approval.signature);
        signed.map_err(|reason| not_theirs(reason, "signature"))?;
        Ok(true)
    })
}

/// [`REJECT`](crate::tsb::undocumented::REJECT).
pub(super) fn reject(ledger: &mut Ledger, body: &[u8]) -> Result<Response, Refusal> {
    let rejection: Rejection = read(body)?;
    let stated = (rejection.approver_public_key.as_deref(), rejection.approver_certificate.as_deref());
    deed(ledger, "refuses", &rejection.id, stated, |request, approver| {
        let bytes = rejected(&request.content());
        let signed = approver.check(&bytes, &rejection.rejection_digest_algorithm, &rejection.signature);
        signed.map_err(|reason| not_theirs(reason, "signature"))?;
        Ok(false)
    })
}

/// Whether what was signed is what the request wants signed.
fn same(request: &HeldRequest, bytes: &[u8]) -> Result<(), Refusal> {
    if bytes == request.content() {
        return Ok(());
    }
    let what = match ApprovalContent::read(bytes) {
        Some(content) if content.request != request.id => "of another request",
        Some(content) if content.key != request.key => "for another key",
        Some(content) if content.payload != request.payload => "for another payload",
        Some(_) => "for another operation, time or algorithm",
        None => "nothing that was asked here",
    };
    let message = format!("approvalToBeSigned is {what}: it has to be what the task gives");
    Err(Refusal::new(statuses::FORBIDDEN, "other-content", message))
}

/// Finds the request of a task, checks what was sent, and counts it. Every refusal is remembered with the request.
fn deed(
    ledger: &mut Ledger,
    word: &str,
    task: &str,
    (key, certificate): (Option<&str>, Option<&str>),
    check: impl FnOnce(&HeldRequest, &KnownApprover) -> Result<bool, Refusal>,
) -> Result<Response, Refusal> {
    let now = ledger.now();
    let place = task.rsplit_once('.').and_then(|(request, _)| ledger.find(request).ok());
    let place = place.ok_or_else(|| Refusal::new(statuses::NOT_FOUND, "no-such-task", "there is no such task"))?;
    let stated = KnownApprover::stated(key, certificate);
    let who = stated.as_ref().ok().map(|approver| approver.id.clone());
    let counted = stated.map_err(Refusal::malformed).and_then(|approver| {
        let request = ledger.request(place);
        if !request.course.lists(&approver.id) {
            let message = "the stated approver is not one of those whom the rule of the key lists";
            return Err(Refusal::new(statuses::FORBIDDEN, "not-listed", message));
        }
        if task != request.task(&approver.id) {
            return Err(Refusal::new(statuses::FORBIDDEN, "another-task", "the task is another approver's"));
        }
        let approves = check(request, &approver)?;
        ledger.change(place, |request| count(request, &approver.id, approves, now))
    });
    let request = ledger.request(place);
    let name = who.as_ref().map_or_else(|| "an unknown approver".to_owned(), |who| ledger.name(&request.key, who));
    let what = request.named();
    match counted {
        Ok(()) => {
            ledger.tell(now, || format!("{name} {word} {what}"));
            ledger.look(place, now);
            Ok(empty(StatusCode::OK))
        }
        Err(refusal) => {
            ledger.tell(now, || format!("{name} {word} {what} in vain: {}", refusal.message));
            let named = who.as_ref().and_then(|who| ledger.listed_name(&request.key, who));
            let refused = RefusedDeed { approver: who, name: named, at: point(now), reason: refusal.reason };
            ledger.remember(place, refused);
            Err(refusal)
        }
    }
}

fn count(request: &mut HeldRequest, who: &ApproverId, approves: bool, now: i64) -> Result<(), Refusal> {
    let age = request.age(now);
    let counted = if approves { request.course.approve(who, age) } else { request.course.reject(who, age) };
    counted.map_err(|refused| {
        let (status, reason, message) = match refused {
            Refused::NotListed => (statuses::FORBIDDEN, "not-listed", "no rule lists this approver".to_owned()),
            Refused::ApprovedAlready => {
                (statuses::CONFLICT, "approved-already", "they have approved already, which counts once".to_owned())
            }
            Refused::RejectedAlready => {
                (statuses::CONFLICT, "rejected-already", "they have refused already, which stands".to_owned())
            }
            Refused::Ended(status) => {
                let status = request.outcome.unwrap_or(status).as_str();
                (statuses::CONFLICT, "ended", format!("the request is {status}: nothing counts any more"))
            }
            Refused::TooLate => {
                (statuses::CONFLICT, "too-late", "the time in which this approver was needed is over".to_owned())
            }
        };
        Refusal::new(status, reason, message)
    })
}
