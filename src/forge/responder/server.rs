//! The server: from requests to endpoints, and everything they share.

use std::collections::HashMap;
use std::net::TcpListener;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use time::OffsetDateTime;
use tokio::sync::oneshot;

use super::super::ForgeError;
use super::super::accepting::Accepting;
use super::faults::{self, Delivery, EndpointFault, REDIRECTED};
use super::{Endpoint, crl, ocsp, timestamp};
use crate::limits;

/// A request that has come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// `GET` or `POST`.
    pub method: String,
    /// The path as it was sent, without its query.
    pub path: String,
    /// The path of the endpoint that answered, or was asked to.
    pub endpoint: Option<String>,
    /// The media type that was stated.
    pub content_type: Option<String>,
    /// The request itself: the body of a POST, and what was in the path of a GET for OCSP.
    pub content: Vec<u8>,
}

/// How an endpoint fails, and how often yet.
#[derive(Debug)]
struct Active {
    fault: EndpointFault,
    times: Option<u64>,
}

/// What all handlers share.
#[derive(Debug)]
pub(super) struct Shared {
    now: Mutex<OffsetDateTime>,
    state: Mutex<Endpoints>,
}

#[derive(Debug, Default)]
struct Endpoints {
    endpoints: HashMap<String, Arc<Endpoint>>,
    faults: HashMap<String, Active>,
    redirects: HashMap<String, String>,
    counts: HashMap<String, u64>,
    total: u64,
    received: Vec<Received>,
}

impl Shared {
    pub(super) fn new(now: OffsetDateTime) -> Shared {
        Shared { now: Mutex::new(now), state: Mutex::default() }
    }

    pub(super) fn now(&self) -> MutexGuard<'_, OffsetDateTime> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, Endpoints> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn register(&self, path: &str, endpoint: Endpoint) {
        self.state().endpoints.insert(path.to_owned(), Arc::new(endpoint));
    }

    pub(super) fn endpoint(&self, path: &str) -> Option<Arc<Endpoint>> {
        self.state().endpoints.get(path).cloned()
    }

    pub(super) fn fail(&self, path: &str, fault: EndpointFault, times: Option<u64>) {
        self.state().faults.insert(path.to_owned(), Active { fault, times });
    }

    pub(super) fn redirect(&self, path: &str, location: &str) {
        self.state().redirects.insert(path.to_owned(), location.to_owned());
    }

    pub(super) fn mend(&self, path: &str) {
        let mut state = self.state();
        state.faults.remove(path);
        state.redirects.remove(path);
    }

    pub(super) fn requests(&self, path: &str) -> u64 {
        self.state().counts.get(path).copied().unwrap_or_default()
    }

    pub(super) fn all_requests(&self) -> u64 {
        self.state().total
    }

    pub(super) fn received(&self) -> Vec<Received> {
        self.state().received.clone()
    }
}

impl Endpoints {
    /// The endpoint that a path leads to, and what stands behind it: nothing, or the request of an OCSP client.
    fn route<'a>(&self, path: &'a str) -> Option<(&'a str, Arc<Endpoint>, &'a str)> {
        if let Some(endpoint) = self.endpoints.get(path) {
            return Some((path, Arc::clone(endpoint), ""));
        }
        path.rmatch_indices('/').find_map(|(at, _)| {
            let (start, rest) = (&path[..at], &path[at + 1..]);
            // An endpoint may be the root, or end with a slash.
            let found = [start, &path[..=at]].into_iter().find_map(|start| Some((start, self.endpoints.get(start)?)));
            let (start, endpoint) = found?;
            matches!(**endpoint, Endpoint::Ocsp(_)).then(|| (start, Arc::clone(endpoint), rest))
        })
    }

    fn count(&mut self, received: Received) {
        self.total += 1;
        let path = received.endpoint.as_ref().unwrap_or(&received.path);
        *self.counts.entry(path.clone()).or_default() += 1;
        if self.received.len() < limits::RESPONDER_REQUESTS_KEPT {
            self.received.push(received);
        }
    }

    fn fault(&mut self, path: &str) -> Option<EndpointFault> {
        let active = self.faults.get_mut(path)?;
        let fault = active.fault;
        if let Some(times) = &mut active.times {
            *times = times.saturating_sub(1);
            if *times == 0 {
                self.faults.remove(path);
            }
        }
        Some(fault)
    }
}

/// Serves until told to stop, and then no longer.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>, stopped: oneshot::Receiver<()>) {
    let Ok(listener) = Accepting::new(listener) else { return };
    let router = Router::new().fallback(handle).with_state(shared);
    let serving = axum::serve(listener, router);
    tokio::select! {
        _ = serving => {}
        _ = stopped => {}
    }
}

async fn handle(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    let Ok(body) = axum::body::to_bytes(body, limits::RESPONDER_REQUEST_BYTES).await else {
        return refusal(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let (route, fault, redirect, now) = {
        let now = *shared.now();
        let mut state = shared.state();
        let route = state.route(path);
        let content = match &route {
            Some((_, _, rest)) if !rest.is_empty() => in_path(rest).unwrap_or_default(),
            _ => body.to_vec(),
        };
        let endpoint = route.as_ref().map(|(path, ..)| (*path).to_owned());
        let content_type = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let route = route.map(|(path, endpoint, _)| (path, endpoint, content.clone()));
        let method = parts.method.to_string();
        state.count(Received { method, path: path.to_owned(), endpoint: endpoint.clone(), content_type, content });
        let key = endpoint.as_deref().unwrap_or(path);
        let redirect = state.redirects.get(key).cloned();
        (route, state.fault(key), redirect, now)
    };
    if let Some(location) = redirect {
        return led_to(&location);
    }
    let delivery = match fault {
        Some(EndpointFault::Delivery(delivery)) => Some(delivery),
        _ => None,
    };
    if delivery == Some(Delivery::Slow) {
        std::future::pending::<()>().await;
    }
    let refuses = delivery == Some(Delivery::Refused);
    let redirected = parts.uri.query() == Some(REDIRECTED);
    if let Some(delivery) = delivery
        && !(refuses && matches!(&route, Some((_, endpoint, _)) if matches!(**endpoint, Endpoint::Tsa(..))))
        && let Some(response) = delivery.instead(path, redirected)
    {
        return response;
    }
    let Some((_, endpoint, content)) = route else { return refusal(StatusCode::NOT_FOUND) };
    if !allows(&endpoint, &parts.method, !content.is_empty()) {
        return refusal(StatusCode::METHOD_NOT_ALLOWED);
    }
    let answer = if refuses { Ok(timestamp::refusal()) } else { answer(&endpoint, &content, now, fault) };
    let Ok(answer) = answer else { return refusal(StatusCode::INTERNAL_SERVER_ERROR) };
    let mut response = match delivery {
        Some(delivery) => delivery.send(answer, oversized(&endpoint)),
        None => faults::with(answer),
    };
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type(&endpoint)));
    response
}

/// Whether an endpoint is asked in this way.
fn allows(endpoint: &Endpoint, method: &Method, content: bool) -> bool {
    match endpoint {
        Endpoint::Made(_) => true,
        Endpoint::Crl { .. } => *method == Method::GET,
        Endpoint::Ocsp(_) => *method == Method::POST || (*method == Method::GET && content),
        Endpoint::Tsa(..) => *method == Method::POST,
    }
}

fn answer(
    endpoint: &Endpoint,
    request: &[u8],
    now: OffsetDateTime,
    fault: Option<EndpointFault>,
) -> Result<Vec<u8>, ForgeError> {
    match (endpoint, fault) {
        (Endpoint::Made(make), _) => make(request, now),
        (Endpoint::Crl { crls, delta }, Some(EndpointFault::Crl(defect))) => crls.answer(*delta, now, Some(defect)),
        (Endpoint::Crl { crls, delta }, _) => crls.answer(*delta, now, None),
        (Endpoint::Ocsp(records), Some(EndpointFault::Ocsp(defect))) => {
            ocsp::answer(records, request, now, Some(defect))
        }
        (Endpoint::Ocsp(records), _) => ocsp::answer(records, request, now, None),
        (Endpoint::Tsa(authority, tokens), fault) => {
            let defect = match fault {
                Some(EndpointFault::Timestamp(defect)) => Some(defect),
                _ => None,
            };
            timestamp::answer(authority, request, tokens.fetch_add(1, Ordering::Relaxed), now, defect)
        }
    }
}

fn oversized(endpoint: &Endpoint) -> usize {
    match endpoint {
        Endpoint::Made(_) | Endpoint::Crl { .. } => crl::OVERSIZED,
        Endpoint::Ocsp(_) => ocsp::OVERSIZED,
        Endpoint::Tsa(..) => timestamp::OVERSIZED,
    }
}

fn content_type(endpoint: &Endpoint) -> &'static str {
    match endpoint {
        Endpoint::Made(_) => "application/octet-stream",
        Endpoint::Crl { .. } => "application/pkix-crl",
        Endpoint::Ocsp(_) => "application/ocsp-response",
        Endpoint::Tsa(..) => "application/timestamp-reply",
    }
}

/// The request that stands in a path, in base64 with or without percent-encoding (RFC 6960, appendix A.1).
fn in_path(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((&first, behind)) = rest.split_first() {
        let (byte, behind) = match (first, behind) {
            (b'%', [high, low, behind @ ..]) => (hex::decode([*high, *low]).ok()?.first().copied()?, behind),
            _ => (first, behind),
        };
        bytes.push(byte);
        rest = behind;
    }
    STANDARD.decode(bytes).ok()
}

fn refusal(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn led_to(location: &str) -> Response {
    let mut response = refusal(StatusCode::TEMPORARY_REDIRECT);
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}
