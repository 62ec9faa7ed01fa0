//! Approvers of keys that sign only when enough people agree: their own keys, and what they ask and tell a broker.
//!
//! Follows the TSB's "Signature Request" page as [`crate::tsb`] has it. An approver asks for tasks by proving that they have their
//! key, and approves by a signature over what the task gives. Their key is read from a file and never leaves the process.
//!
//! Nothing here decides whether something ought to be approved, and nothing is approved that was not asked for by name: each
//! [`Approver::approve`] is one task.

mod broker;
mod error;
mod key;

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use time::OffsetDateTime;
use time::macros::format_description;

use crate::limits;
use crate::tsb::approval_task::{Paging, SortOrder};
use crate::tsb::undocumented::{Rejection, rejected};
use crate::tsb::{self, Approval, ApprovalTask, ApprovalTasks, TaskFilter};

pub use broker::ApproversBroker;
pub use error::ApproverError;
pub use key::ApproverKey;

/// How many tasks are asked for at a time: so many of the longest that `muster gateway` holds are one answer.
const PAGE_TASKS: usize = 10;
/// How often: for more than `muster gateway` holds.
const PAGES: usize = limits::GATEWAY_REQUESTS / PAGE_TASKS + 1;

/// Which requests an approver is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TaskKind {
    /// To sign.
    #[default]
    Sign,
    /// To block a key.
    Block,
    /// To unblock a key.
    Unblock,
    /// To give a key another policy.
    Modify,
}

impl TaskKind {
    /// Every one.
    pub const ALL: [TaskKind; 4] = [TaskKind::Sign, TaskKind::Block, TaskKind::Unblock, TaskKind::Modify];

    fn path(self) -> &'static str {
        match self {
            TaskKind::Sign => tsb::SIGN_APPROVAL_TASKS,
            TaskKind::Block => tsb::BLOCK_APPROVAL_TASKS,
            TaskKind::Unblock => tsb::UNBLOCK_APPROVAL_TASKS,
            TaskKind::Modify => tsb::MODIFY_APPROVAL_TASKS,
        }
    }
}

/// What is asked of an approver.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllTasks {
    /// The tasks, the oldest first.
    pub tasks: Vec<ApprovalTask>,
    /// Whether there are more, which are too long together or too many.
    pub more: bool,
}

/// An approver.
#[derive(Debug)]
pub struct Approver {
    key: ApproverKey,
    certificate: Option<Vec<u8>>,
}

impl Approver {
    /// One who is known by their public key.
    pub fn new(key: ApproverKey) -> Approver {
        Approver { key, certificate: None }
    }

    /// One who shows the certificate of their key, in DER.
    pub fn with_certificate(key: ApproverKey, certificate: Vec<u8>) -> Approver {
        Approver { key, certificate: Some(certificate) }
    }

    /// The public key, a SubjectPublicKeyInfo in base64: as policies list it.
    pub fn public_key(&self) -> String {
        STANDARD.encode(self.key.spki())
    }

    /// The public key, or the certificate in its place.
    fn shown(&self) -> (Option<String>, Option<String>) {
        match &self.certificate {
            Some(certificate) => (None, Some(STANDARD.encode(certificate))),
            None => (Some(self.public_key()), None),
        }
    }

    /// What is asked of this approver now, of all requests or of one: as much as the broker gives at a time.
    ///
    /// # Errors
    ///
    /// If the broker cannot be asked, or refuses.
    pub async fn tasks(
        &self,
        broker: &ApproversBroker,
        kind: TaskKind,
        now: OffsetDateTime,
        request: Option<&str>,
    ) -> Result<Vec<ApprovalTask>, ApproverError> {
        self.page(broker, kind, now, request, None).await
    }

    /// All that is asked of this approver now, of all requests or of one, however little the broker gives at a time.
    ///
    /// # Errors
    ///
    /// If the broker cannot be asked, or refuses.
    pub async fn all_tasks(
        &self,
        broker: &ApproversBroker,
        kind: TaskKind,
        now: OffsetDateTime,
        request: Option<&str>,
    ) -> Result<AllTasks, ApproverError> {
        let (mut all, mut known, mut bytes) = (AllTasks::default(), BTreeSet::new(), 0);
        for page in 0..PAGES {
            let sort_order = Some(SortOrder::CreationDateAsc);
            let paging = Paging { page_number: Some(page), page_size: Some(PAGE_TASKS), sort_order };
            let tasks = self.page(broker, kind, now, request, Some(paging)).await?;
            let (count, before) = (tasks.len(), all.tasks.len());
            for task in tasks {
                bytes += task.approval_to_be_signed.len() as u64 + task.payload.as_ref().map_or(0, String::len) as u64;
                // What has ended meanwhile moves the others up, and a broker may give everything each time.
                if known.insert(task.id.clone()) {
                    all.tasks.push(task);
                }
            }
            if count < PAGE_TASKS || all.tasks.len() == before {
                return Ok(all);
            }
            if bytes > limits::APPROVER_ANSWER_BYTES {
                break;
            }
        }
        all.more = true;
        Ok(all)
    }

    async fn page(
        &self,
        broker: &ApproversBroker,
        kind: TaskKind,
        now: OffsetDateTime,
        request: Option<&str>,
        paging: Option<Paging>,
    ) -> Result<Vec<ApprovalTask>, ApproverError> {
        // As the vendor's samples write it.
        let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]+00:00");
        let timestamp = now.to_offset(time::UtcOffset::UTC).format(&format).map_err(|_| ApproverError::Time)?;
        let (approver_public_key, approver_certificate) = self.shown();
        let filter = TaskFilter {
            timestamp_signature: STANDARD.encode(self.key.sign(timestamp.as_bytes())?),
            timestamp,
            approver_certificate,
            approver_public_key,
            timestamp_digest_algorithm: Some(self.key.digest_algorithm().to_owned()),
            request_id: request.map(str::to_owned),
            detail_level: Some("level5".to_owned()),
            paging,
            ..TaskFilter::default()
        };
        let answer: ApprovalTasks = broker.ask(kind.path(), &filter).await?;
        Ok(answer.tasks)
    }

    /// Approves a task.
    ///
    /// # Errors
    ///
    /// If the broker cannot be asked, or refuses: [`ApproverError::Refused`] has its reason.
    pub async fn approve(&self, broker: &ApproversBroker, task: &ApprovalTask) -> Result<(), ApproverError> {
        let approval = self.approval(task)?;
        broker.tell(tsb::APPROVAL, &approval).await
    }

    /// The approval of a task, for those who send it themselves.
    ///
    /// # Errors
    ///
    /// If what is to be signed is not base64.
    pub fn approval(&self, task: &ApprovalTask) -> Result<Approval, ApproverError> {
        let bytes = STANDARD.decode(&task.approval_to_be_signed).map_err(|_| ApproverError::NotToBeSigned)?;
        let (approver_public_key, approver_certificate) = self.shown();
        Ok(Approval {
            id: task.id.clone(),
            approval_to_be_signed: task.approval_to_be_signed.clone(),
            signature: STANDARD.encode(self.key.sign(&bytes)?),
            approval_digest_algorithm: self.key.digest_algorithm().to_owned(),
            approver_public_key,
            approver_certificate,
        })
    }

    /// Refuses a task. The call is ours: see [`crate::tsb::undocumented`].
    ///
    /// # Errors
    ///
    /// As [`Approver::approve`].
    pub async fn reject(&self, broker: &ApproversBroker, task: &ApprovalTask) -> Result<(), ApproverError> {
        let bytes = STANDARD.decode(&task.approval_to_be_signed).map_err(|_| ApproverError::NotToBeSigned)?;
        let (approver_public_key, approver_certificate) = self.shown();
        let rejection = Rejection {
            id: task.id.clone(),
            signature: STANDARD.encode(self.key.sign(&rejected(&bytes))?),
            rejection_digest_algorithm: self.key.digest_algorithm().to_owned(),
            approver_public_key,
            approver_certificate,
        };
        broker.tell(tsb::undocumented::REJECT, &rejection).await
    }
}
