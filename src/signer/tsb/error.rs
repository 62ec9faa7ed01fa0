//! Why there is no signature by a key behind a broker.
//!
//! Every reason says what to do. [`TsbErrorKind`] is the coarse one, from which the codes of the plugin contract and exit codes follow. Texts
//! from outside have been escaped, and no message holds a secret.

use std::collections::BTreeMap;

use super::progress::RequestProgress;

/// Every reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TsbError {
    /// A setting, or what it leads to, cannot be used.
    #[error("{0}")]
    Setting(String),
    /// The broker does not accept what the signer showed.
    #[error("the broker {broker} refuses {what}: {said}; {remedy}")]
    Denied {
        /// Where it is.
        broker: String,
        /// What was asked.
        what: String,
        /// What it said.
        said: String,
        /// What to do.
        remedy: String,
    },
    /// There is no such key.
    #[error(
        "the broker {broker} has no key {key}: {said}; correct the label of the key, or have the key made first: nothing is made here"
    )]
    KeyUnknown {
        /// Where it is.
        broker: String,
        /// The label of the key, quoted.
        key: String,
        /// What it said.
        said: String,
    },
    /// The broker does not know the request, or not any more.
    #[error(
        "the broker {broker} knows no request {request}: {said}; it may be of another broker, or have been removed there"
    )]
    RequestUnknown {
        /// Where it is.
        broker: String,
        /// The id of the request.
        request: String,
        /// What it said.
        said: String,
    },
    /// There are more requests than the broker takes.
    #[error("the broker {0} takes no more requests now, however often it was asked: try again later")]
    Throttled(String),
    /// The broker cannot be reached.
    #[error("the broker {broker} cannot be reached: {reason}; look at url, ca and the network")]
    Unreachable {
        /// Where it is.
        broker: String,
        /// What happened.
        reason: String,
    },
    /// The broker refused for another reason.
    #[error("the broker {broker} refuses {what}: {said}")]
    Refused {
        /// Where it is.
        broker: String,
        /// What was asked.
        what: String,
        /// What it said.
        said: String,
    },
    /// What the broker answered is no answer.
    #[error("the broker {broker} answers {what} wrongly: {reason}")]
    Answer {
        /// Where it is.
        broker: String,
        /// What was asked.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Whether the broker took the request is not known.
    #[error(
        "whether the broker {broker} took the request to sign with the key {key} is not known: {reason}. It is not asked a second time, \
         since two requests could be approved: look there for a request that waits, and have it cancelled before you sign again"
    )]
    SubmissionUnknown {
        /// Where it is.
        broker: String,
        /// The label of the key, quoted.
        key: String,
        /// What happened.
        reason: String,
    },
    /// The time for approvals is over, by the policy of the key.
    #[error("the request {} has expired before enough people had approved it: {}; sign again, and have them approve in time", .0.id, .0.people())]
    Expired(Box<RequestProgress>),
    /// Too many people have refused.
    #[error("the request {} was rejected: {}; ask them why before you sign again", .0.id, .0.people())]
    Rejected(Box<RequestProgress>),
    /// It was cancelled by another.
    #[error(
        "the request {} was cancelled, and not from here: {}; another signer that waited for it has taken it back, or an administrator of the \
         broker has",
        .0.id, .0.people()
    )]
    Cancelled(Box<RequestProgress>),
    /// The HSM did not sign.
    #[error("the request {} failed in the HSM: {}; ask those who run the broker: the key may have been blocked, or changed", .0.id, .0.people())]
    Failed(Box<RequestProgress>),
    /// The signer's own time is over.
    #[error("no signature in time for the request {}: {}; {withdrawn}", .progress.id, .progress.people())]
    Deadline {
        /// How far it had come.
        progress: Box<RequestProgress>,
        /// What became of the request, in a clause.
        withdrawn: String,
    },
    /// The signer was told to stop.
    #[error("the request {} is no longer waited for, as the signer was told to stop: {withdrawn}", .progress.id)]
    Stopped {
        /// How far it had come.
        progress: Box<RequestProgress>,
        /// What became of the request, in a clause.
        withdrawn: String,
        /// Whether the broker has cancelled it.
        cancelled: bool,
    },
    /// The signer was told to stop before a request was made.
    #[error("nothing was asked of the broker, as the signer was told to stop")]
    StoppedBefore,
    /// The wait ends for a reason of the broker's.
    #[error("the request {} is no longer waited for: {reason}; {withdrawn}", .progress.id)]
    Lost {
        /// How far it had come.
        progress: Box<RequestProgress>,
        /// Why.
        reason: Box<TsbError>,
        /// What became of the request, in a clause.
        withdrawn: String,
    },
    /// It is executed, and the broker does not give the signature.
    #[error(
        "the broker {broker} says that the request {request} is EXECUTED, and gives no signature: some hand each out once only, and another \
         signer may have it; sign again if there is none"
    )]
    SignatureMissing {
        /// Where it is.
        broker: String,
        /// The id of the request.
        request: String,
    },
    /// What came as a signature is none.
    #[error(
        "the broker {broker} gave a signature of the key {key} that does not verify with its certificate, and it is thrown away: the \
         certificate chain is another key's, or what signs is broken, or takes another salt than one as long as the hash"
    )]
    SignatureInvalid {
        /// Where it is.
        broker: String,
        /// The label of the key, quoted.
        key: String,
        /// The id of the request, where there was one.
        request: Option<String>,
    },
}

/// The coarse reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TsbErrorKind {
    /// What was asked, or a setting, cannot be used.
    Validation,
    /// The broker, or those who approve, do not let the key be used.
    AccessDenied,
    /// Approvals did not come in time.
    Timeout,
    /// There is too much to do.
    Throttled,
    /// Everything else.
    General,
}

impl TsbError {
    /// The coarse reason.
    pub fn kind(&self) -> TsbErrorKind {
        match self {
            TsbError::Setting(_) | TsbError::KeyUnknown { .. } | TsbError::RequestUnknown { .. } => {
                TsbErrorKind::Validation
            }
            TsbError::Denied { .. } | TsbError::Rejected(_) => TsbErrorKind::AccessDenied,
            TsbError::Throttled(_) => TsbErrorKind::Throttled,
            TsbError::Expired(_) | TsbError::Deadline { .. } => TsbErrorKind::Timeout,
            TsbError::Lost { reason, .. } => match reason.kind() {
                // What was asked for was sound when it was asked for.
                TsbErrorKind::Validation => TsbErrorKind::General,
                kind => kind,
            },
            TsbError::Unreachable { .. }
            | TsbError::Refused { .. }
            | TsbError::Answer { .. }
            | TsbError::SubmissionUnknown { .. }
            | TsbError::Cancelled(_)
            | TsbError::Failed(_)
            | TsbError::Stopped { .. }
            | TsbError::StoppedBefore
            | TsbError::SignatureMissing { .. }
            | TsbError::SignatureInvalid { .. } => TsbErrorKind::General,
        }
    }

    /// How far the request had come, where there was one.
    pub fn progress(&self) -> Option<&RequestProgress> {
        match self {
            TsbError::Expired(progress)
            | TsbError::Rejected(progress)
            | TsbError::Cancelled(progress)
            | TsbError::Failed(progress)
            | TsbError::Deadline { progress, .. }
            | TsbError::Stopped { progress, .. }
            | TsbError::Lost { progress, .. } => Some(progress),
            _ => None,
        }
    }

    /// The same for programs: `requestId`, `status`, `approvedBy`, `notYetApprovedBy`, `rejectedBy`.
    pub fn metadata(&self) -> BTreeMap<String, String> {
        self.progress().map(RequestProgress::metadata).unwrap_or_default()
    }
}
