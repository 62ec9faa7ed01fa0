//! Taking a request back: `DELETE /v1/request/{id}`, then a look at what became of it.
//!
//! A signature that is no longer waited for must not be made unseen. What the broker answers to the
//! `DELETE` is not taken for what happened: the request may have been executed a moment before, or the answer be lost. Only the
//! status that the request has afterwards counts, and where none can be had, that is said.

use std::time::Duration;

use reqwest::{Method, StatusCode};

use super::broker::{Broker, Miss};
use super::clock::ApprovalClock;
use super::request_id::RequestId;
use super::request_state::request_path;
use super::secrets::Secrets;
use super::{TsbEnvironment, TsbError, TsbSettings};
use crate::limits;
use crate::tsb::{RequestState, RequestStatus};

/// What became of a request that was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Withdrawn {
    /// It is cancelled: approvals of it are refused.
    Cancelled,
    /// It had ended before.
    Ended(RequestState),
    /// The broker does not have it any more.
    Gone,
    /// It is not known. Why, safe to print.
    Unknown(String),
}

impl Withdrawn {
    /// The same in a clause.
    pub fn told(&self, id: &RequestId) -> String {
        match self {
            Withdrawn::Cancelled => "it was cancelled, and approvals that come later sign nothing".to_owned(),
            Withdrawn::Ended(state) if state.status == RequestStatus::Executed => format!(
                "it could not be cancelled, since enough people had approved it and the key has signed just before: the signature \
                 lies at the broker, and muster sign --request {id} gets it where muster sign had asked for it"
            ),
            Withdrawn::Ended(state) => format!("it had ended before as {}", state.status.as_str()),
            Withdrawn::Gone => "the broker does not have it any more".to_owned(),
            Withdrawn::Unknown(reason) => format!(
                "whether it is cancelled is not known ({reason}), and approvals that come later may still sign: run muster sign --cancel \
                 {id}, or have it cancelled at the broker"
            ),
        }
    }
}

/// Takes a request of the broker of `settings` back, whichever key it is of.
///
/// # Errors
///
/// [`TsbError::Setting`]: which file or secret cannot be used.
pub async fn cancel_request(
    settings: &TsbSettings,
    environment: &TsbEnvironment,
    id: &RequestId,
    clock: &dyn ApprovalClock,
) -> Result<Withdrawn, TsbError> {
    let broker = Broker::open(settings, &Secrets::read(settings, environment)?)?;
    Ok(withdraw(&broker, id, clock).await)
}

/// Takes the request back, and looks what became of it.
pub(super) async fn withdraw(broker: &Broker, id: &RequestId, clock: &dyn ApprovalClock) -> Withdrawn {
    let path = request_path(id);
    let within = limits::TSB_WITHDRAWAL_ANSWER_TIMEOUT;
    let mut reason = String::new();
    let mut pause = limits::TSB_WITHDRAWAL_PAUSE;
    for attempt in 0..limits::TSB_WITHDRAWAL_TRIES {
        if attempt > 0 {
            clock.wait(pause).await;
            pause *= 2;
        }
        let deleted = broker.exchange(Method::DELETE, &path, None, within).await;
        match broker.state_of(id, within).await {
            Ok(state) => match state.status {
                // Only a broker that refused the first time says that it was not from here.
                RequestStatus::Cancelled if attempt > 0 || !matches!(deleted, Err(Miss::Lasting(_))) => {
                    return Withdrawn::Cancelled;
                }
                status if status.is_final() => return Withdrawn::Ended(state),
                status => reason = format!("it is still {}", status.as_str()),
            },
            Err(Miss::Lasting(refusal)) if refusal.status == Some(StatusCode::NOT_FOUND) => return Withdrawn::Gone,
            Err(Miss::Lasting(refusal)) => reason = refusal.said,
            Err(Miss::Passing { reason: passing, .. }) => reason = passing,
        }
        match deleted {
            Ok(_) => {}
            Err(Miss::Lasting(refusal)) => reason = refusal.said,
            Err(Miss::Passing { reason: passing, asked, .. }) => {
                reason = passing;
                pause = pause.max(asked.unwrap_or_default().min(LONGEST_PAUSE));
            }
        }
    }
    Withdrawn::Unknown(reason)
}

const LONGEST_PAUSE: Duration = Duration::from_secs(5);
