//! The server: from requests to what answers them, each in the role that it needs.

use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, Version};
use axum::response::Response;
use tokio::sync::oneshot;

use super::super::accepting::Accepting;
use super::answer::{Refusal, json};
use super::connections::Connections;
use super::ledger::Ledger;
use super::{Access, GatewayCall, Operation, Role, approver_calls, signer_calls};
use crate::limits;
use crate::tsb;
use crate::tsb::undocumented::{self, VersionInfo, statuses};

/// What all handlers share.
pub(super) struct Shared {
    access: Access,
    ledger: Mutex<Ledger>,
}

impl Shared {
    pub(super) fn new(access: Access, ledger: Ledger) -> Shared {
        Shared { access, ledger: Mutex::new(ledger) }
    }

    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call<'a> {
    Sign,
    SignAtOnce,
    State(&'a str),
    Cancel(&'a str),
    Certificate(&'a str),
    Tasks(Operation),
    Approve,
    Reject,
    Block,
    Unblock,
    Modify,
    Version,
}

impl<'a> Call<'a> {
    fn of(method: &Method, path: &'a str) -> Option<Call<'a>> {
        let below = |start: &str| path.strip_prefix(start)?.strip_prefix('/').filter(|rest| !rest.is_empty());
        Some(match (method, path) {
            (&Method::POST, tsb::SIGN) => Call::Sign,
            (&Method::POST, tsb::SYNCHRONOUS_SIGN) => Call::SignAtOnce,
            (&Method::POST, tsb::SIGN_APPROVAL_TASKS) => Call::Tasks(Operation::Sign),
            (&Method::POST, tsb::BLOCK_APPROVAL_TASKS) => Call::Tasks(Operation::Block),
            (&Method::POST, tsb::UNBLOCK_APPROVAL_TASKS) => Call::Tasks(Operation::Unblock),
            (&Method::POST, tsb::MODIFY_APPROVAL_TASKS) => Call::Tasks(Operation::Modify),
            (&Method::POST, tsb::APPROVAL) => Call::Approve,
            (&Method::POST, undocumented::REJECT) => Call::Reject,
            (&Method::POST, undocumented::BLOCK) => Call::Block,
            (&Method::POST, undocumented::UNBLOCK) => Call::Unblock,
            (&Method::POST, undocumented::MODIFY) => Call::Modify,
            (&Method::GET, tsb::VERSION_INFO) => Call::Version,
            (&Method::GET, _) if path.starts_with(tsb::REQUEST) => Call::State(below(tsb::REQUEST)?),
            (&Method::DELETE, _) => Call::Cancel(below(tsb::REQUEST)?),
            (&Method::GET, _) => Call::Certificate(below(tsb::CERTIFICATE)?),
            _ => return None,
        })
    }

    /// Follows the TSB's "Authentication".
    fn role(self) -> Role {
        match self {
            Call::Sign | Call::SignAtOnce | Call::State(_) | Call::Cancel(_) | Call::Certificate(_) => {
                Role::KeyOperation
            }
            Call::Tasks(_) | Call::Approve | Call::Reject => Role::Approver,
            Call::Block | Call::Unblock | Call::Modify => Role::KeyManagement,
            Call::Version => Role::Service,
        }
    }

    /// What it is for those who make the gateway misbehave.
    fn signers(self) -> Option<GatewayCall> {
        Some(match self {
            Call::Sign => GatewayCall::Sign,
            Call::SignAtOnce => GatewayCall::SynchronousSign,
            Call::State(_) => GatewayCall::Poll,
            Call::Cancel(_) => GatewayCall::Cancel,
            Call::Certificate(_) => GatewayCall::Certificate,
            _ => return None,
        })
    }
}

/// Serves until told to stop, and then no longer.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>, stopped: oneshot::Receiver<()>) {
    let Ok(listener) = Accepting::new(listener) else { return };
    let router = Router::new().fallback(handle).with_state(shared);
    tokio::select! {
        _ = axum::serve(Connections::new(listener), router) => {}
        _ = stopped => {}
    }
}

async fn handle(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    answered(&shared, request).await.unwrap_or_else(Refusal::answer)
}

async fn answered(shared: &Shared, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    // By one connection of HTTP/2 hundreds of bodies could come at a time, each of which is held.
    if parts.version > Version::HTTP_11 {
        return Err(Refusal::new(505, "http-version", "this gateway speaks HTTP/1.1 alone"));
    }
    let call = Call::of(&parts.method, parts.uri.path()).ok_or_else(Refusal::no_call)?;
    shared.access.check(call.role(), &parts.headers)?;
    let body = axum::body::to_bytes(body, limits::GATEWAY_REQUEST_BYTES);
    let too_long = || {
        let message = format!("a request may be {} bytes long", limits::GATEWAY_REQUEST_BYTES);
        Refusal::new(statuses::TOO_LONG, "too-long", message)
    };
    let body = tokio::time::timeout(limits::GATEWAY_REQUEST_TIMEOUT, body)
        .await
        .map_err(|_| Refusal::malformed("the request did not arrive in time"))?
        .map_err(|_| too_long())?;
    let fault = call.signers().and_then(|call| shared.ledger().faults.of_answer(call));
    if let Some(fault) = fault
        && let Some(response) = fault.instead().await
    {
        return Ok(response);
    }
    let ledger = &mut *shared.ledger();
    match call {
        Call::Sign => signer_calls::sign(ledger, &body),
        Call::SignAtOnce => signer_calls::sign_at_once(ledger, &body),
        Call::State(id) => signer_calls::state(ledger, id, fault),
        Call::Cancel(id) => signer_calls::cancel(ledger, id),
        Call::Certificate(label) => signer_calls::certificate(ledger, &unescaped(label)?),
        Call::Tasks(operation) => approver_calls::tasks(ledger, operation, &body),
        Call::Approve => approver_calls::approve(ledger, &body),
        Call::Reject => approver_calls::reject(ledger, &body),
        Call::Block => signer_calls::block(ledger, &body),
        Call::Unblock => signer_calls::unblock(ledger, &body),
        Call::Modify => signer_calls::modify(ledger, &body),
        Call::Version => {
            let version = VersionInfo { version: concat!("muster gateway ", env!("CARGO_PKG_VERSION")).to_owned() };
            Ok(json(StatusCode::OK, &version))
        }
    }
}

/// A label as it stands in a path.
fn unescaped(text: &str) -> Result<String, Refusal> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        let escaped = (first == b'%').then(|| behind.split_first_chunk::<2>()).flatten();
        let decoded = escaped.and_then(|(digits, behind)| Some((*hex::decode(digits).ok()?.first()?, behind)));
        let (byte, behind) = decoded.unwrap_or((first, behind));
        bytes.push(byte);
        rest = behind;
    }
    String::from_utf8(bytes).map_err(|_| Refusal::malformed("the label of the key is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_told_by_method_and_path() {
        assert_eq!(Call::of(&Method::POST, "/v1/sign"), Some(Call::Sign));
        assert_eq!(Call::of(&Method::GET, "/v1/sign"), None);
        assert_eq!(Call::of(&Method::GET, "/v1/request/a-b"), Some(Call::State("a-b")));
        assert_eq!(Call::of(&Method::DELETE, "/v1/request/a-b"), Some(Call::Cancel("a-b")));
        assert_eq!(Call::of(&Method::GET, "/v1/request/"), None);
        assert_eq!(Call::of(&Method::DELETE, "/v1/certificate/a"), None);
        assert_eq!(Call::of(&Method::GET, "/v1/certificate/a%20b"), Some(Call::Certificate("a%20b")));
        assert_eq!(unescaped("a%20b%"), Ok("a b%".to_owned()));
    }
}
