//! Faults on demand: answers as registries give them on a bad day.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_LENGTH, RETRY_AFTER};
use axum::response::Response;
use bytes::Bytes;
use futures_util::{StreamExt, stream};

use super::answer;
use super::route::RouteKind;
use crate::digest::Digest;

/// A fault: which requests it befalls, and what it does to them.
#[derive(Debug, Clone)]
pub struct Fault {
    /// Requests of this kind only; `None` is all.
    pub route: Option<RouteKind>,
    /// Every how many of these requests: 1 is each, 20 is one of twenty.
    pub every: usize,
    /// How many requests it befalls; then it is over.
    pub times: usize,
    /// What happens to them.
    pub effect: Effect,
}

/// What happens to a request.
#[derive(Debug, Clone)]
pub enum Effect {
    /// It is answered with this status, and with `Retry-After` where a value for it is given.
    Status(u16, Option<String>),
    /// It is answered late.
    Delay(Duration),
    /// The answer states its length and breaks off half way.
    CutBody,
    /// The answer states the digest of other content.
    WrongDigest,
    /// The answer has one byte of its content turned.
    CorruptBody,
}

impl Fault {
    /// A fault that befalls the next `times` requests of a kind.
    pub fn next(times: usize, route: RouteKind, effect: Effect) -> Fault {
        Fault { route: Some(route), every: 1, times, effect }
    }
}

/// A fault at work.
#[derive(Debug)]
struct Active {
    fault: Fault,
    /// Matching requests so far.
    seen: usize,
}

/// The faults of a registry.
#[derive(Debug, Default)]
pub(super) struct Faults(Mutex<Vec<Active>>);

impl Faults {
    pub(super) fn add(&self, fault: Fault) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Active { fault, seen: 0 });
    }

    /// What is to happen to a request of this kind.
    pub(super) fn for_request(&self, kind: RouteKind) -> Option<Effect> {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut effect = None;
        for active in faults.iter_mut().filter(|active| active.fault.route.is_none_or(|route| route == kind)) {
            active.seen += 1;
            if active.fault.times > 0 && active.seen.is_multiple_of(active.fault.every.max(1)) {
                active.fault.times -= 1;
                effect = Some(active.fault.effect.clone());
                break;
            }
        }
        faults.retain(|active| active.fault.times > 0);
        effect
    }
}

impl Effect {
    /// The answer that is given instead of looking.
    pub(super) fn instead(&self) -> Option<Response> {
        let Effect::Status(status, retry_after) = self else { return None };
        let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let code = match status {
            StatusCode::UNAUTHORIZED => "UNAUTHORIZED",
            StatusCode::FORBIDDEN => "DENIED",
            StatusCode::TOO_MANY_REQUESTS => "TOOMANYREQUESTS",
            _ => "UNKNOWN",
        };
        let mut response = answer::error(status, code, "a fault on demand");
        if let Some(value) = retry_after {
            answer::set(&mut response, RETRY_AFTER, value);
        }
        Some(response)
    }

    /// Does to an answer what the effect does.
    pub(super) async fn befall(&self, response: Response) -> Response {
        match self {
            Effect::Status(..) | Effect::Delay(_) => response,
            Effect::WrongDigest => {
                let mut response = response;
                answer::set_digest(&mut response, &Digest::sha256(b"other content"));
                response
            }
            Effect::CutBody => {
                let (parts, body) = response.into_parts();
                let bytes = whole(body).await;
                let half = bytes.slice(..bytes.len() / 2);
                let rest = async {
                    // Until the half is on its way: without that, the server would send nothing at all.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
                };
                let pieces = stream::once(async { Ok(half) }).chain(stream::once(rest));
                Response::from_parts(parts, Body::from_stream(pieces))
            }
            Effect::CorruptBody => {
                let (mut parts, body) = response.into_parts();
                let mut bytes = whole(body).await.to_vec();
                if let Some(byte) = bytes.last_mut() {
                    *byte ^= 1;
                }
                parts.headers.remove(CONTENT_LENGTH);
                Response::from_parts(parts, Body::from(bytes))
            }
        }
    }
}

/// The content of an answer made here, which is in memory already.
async fn whole(body: Body) -> Bytes {
    axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default()
}
