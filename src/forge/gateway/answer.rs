//! What a gateway answers, and how it says no.

use axum::body::Body;
use axum::http::header::{CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;

use crate::tsb::undocumented::statuses;
use crate::tsb::{ErrorAnswer, error_answer};

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    status: u16,
    code: Option<u32>,
    /// In a word.
    pub(super) reason: &'static str,
    /// In a sentence.
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(status: u16, reason: &'static str, message: impl Into<String>) -> Refusal {
        Refusal { status, code: None, reason, message: message.into() }
    }

    pub(super) fn malformed(message: impl Into<String>) -> Refusal {
        Refusal::new(statuses::MALFORMED, "malformed", message)
    }

    pub(super) fn unauthorized() -> Refusal {
        Refusal::new(statuses::UNAUTHORIZED, "unauthorized", "a bearer token is needed that is accepted here")
    }

    pub(super) fn api_key() -> Refusal {
        let message = "an API key of the role that this call needs has to be in X-API-KEY";
        Refusal {
            code: Some(error_answer::API_KEY_REFUSED),
            ..Refusal::new(statuses::UNAUTHORIZED, "api-key-refused", message)
        }
    }

    pub(super) fn no_call() -> Refusal {
        Refusal::new(statuses::NOT_FOUND, "no-such-call", "there is no such call here")
    }

    pub(super) fn answer(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let Refusal { code, reason, message, .. } = self;
        let body = ErrorAnswer { error_code: code, reason: Some(reason.to_owned()), message: Some(message) };
        let mut response = json(status, &body);
        if status == StatusCode::TOO_MANY_REQUESTS {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if status == StatusCode::PAYLOAD_TOO_LARGE {
            // The rest of the request is not read, so that nothing else can come by this connection.
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// An answer in JSON.
pub(super) fn json(status: StatusCode, content: &impl Serialize) -> Response {
    let body = serde_json::to_vec(content).map_or_else(|_| Body::empty(), Body::from);
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// An answer without content.
pub(super) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
