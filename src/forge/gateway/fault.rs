//! How a gateway answers wrongly, or not at all.
//!
//! What is wrong with a signature happens when it is made; everything else when a signer asks.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use futures_util::{StreamExt as _, stream};

use super::super::words::words;
use super::answer::Refusal;
use crate::tsb::undocumented::statuses;

words! {
    /// What is wrong with a gateway's answers to a signer.
    pub GatewayFault {
        /// The signature is another key's.
        AnotherKey "another-key"
        /// An ECDSA signature comes as DER where it was asked for raw, and raw where DER was asked for.
        OtherForm "other-form"
        /// The salt of an RSASSA-PSS signature is not as long as the hash.
        WrongSalt "wrong-salt"
        /// The request is executed, and its result is empty.
        EmptyResult "empty-result"
        /// Status 401, as for an API key that is not accepted.
        Unauthorized "unauthorized"
        /// Status 403.
        Forbidden "forbidden"
        /// Status 404.
        NotFound "not-found"
        /// Status 429, to come back in a second.
        TooManyRequests "too-many-requests"
        /// Status 503.
        Unavailable "unavailable"
        /// There is never an answer.
        Hang "hang"
        /// The connection is closed in the middle of the answer.
        Closed "closed"
        /// The status of the request is a word outside the documented seven.
        UnknownStatus "unknown-status"
        /// The answer does not end.
        Endless "endless"
    }
}

words! {
    /// What a signer asks a gateway.
    pub GatewayCall {
        /// `POST /v1/sign`.
        Sign "sign"
        /// `POST /v1/synchronousSign`.
        SynchronousSign "synchronous-sign"
        /// `GET /v1/request/{id}`.
        Poll "poll"
        /// `DELETE /v1/request/{id}`.
        Cancel "cancel"
        /// `GET /v1/certificate/{key}`.
        Certificate "certificate"
    }
}

impl GatewayFault {
    /// Whether it is in the signature, and not in an answer.
    fn is_in_signature(self) -> bool {
        use GatewayFault::{AnotherKey, EmptyResult, OtherForm, WrongSalt};
        matches!(self, AnotherKey | OtherForm | WrongSalt | EmptyResult)
    }

    fn happens_at(self, call: GatewayCall) -> bool {
        !self.is_in_signature() && (self != GatewayFault::UnknownStatus || call == GatewayCall::Poll)
    }

    /// What is answered in place of looking, if it is that kind of fault.
    pub(super) async fn instead(self) -> Option<Response> {
        let refused = |status, reason| Some(Refusal::new(status, reason, "the gateway was told to refuse").answer());
        match self {
            GatewayFault::Unauthorized => Some(Refusal::api_key().answer()),
            GatewayFault::Forbidden => refused(statuses::FORBIDDEN, "forbidden"),
            GatewayFault::NotFound => refused(statuses::NOT_FOUND, "not-found"),
            GatewayFault::TooManyRequests => refused(statuses::TOO_MANY, "too-many-requests"),
            GatewayFault::Unavailable => refused(503, "unavailable"),
            GatewayFault::Hang => std::future::pending().await,
            GatewayFault::Closed => Some(broken_off()),
            GatewayFault::Endless => Some(endless()),
            GatewayFault::AnotherKey
            | GatewayFault::OtherForm
            | GatewayFault::WrongSalt
            | GatewayFault::EmptyResult
            | GatewayFault::UnknownStatus => None,
        }
    }
}

/// The faults at work.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Active>);

#[derive(Debug)]
struct Active {
    fault: GatewayFault,
    call: Option<GatewayCall>,
    times: Option<u32>,
}

impl Faults {
    /// Misbehaves at a call, or at all, in place of how it did there before.
    pub(super) fn set(&mut self, fault: GatewayFault, call: Option<GatewayCall>, times: Option<u32>) {
        let in_signature = fault.is_in_signature();
        // Of two at once the first would hide the other.
        self.0
            .retain(|active| active.fault.is_in_signature() != in_signature || (call.is_some() && active.call != call));
        if times != Some(0) {
            self.0.push(Active { fault, call, times });
        }
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The fault of the signature that is made now.
    pub(super) fn of_signature(&mut self) -> Option<GatewayFault> {
        self.take(|active| active.fault.is_in_signature())
    }

    /// The fault of the answer that is given now.
    pub(super) fn of_answer(&mut self, call: GatewayCall) -> Option<GatewayFault> {
        self.take(|active| active.fault.happens_at(call) && active.call.is_none_or(|at| at == call))
    }

    fn take(&mut self, hits: impl Fn(&Active) -> bool) -> Option<GatewayFault> {
        // What was said of one call goes before what was said of all.
        let found = self.0.iter().enumerate().filter(|(_, active)| hits(active));
        let place = found.max_by_key(|(_, active)| active.call.is_some()).map(|(place, _)| place)?;
        let active = &mut self.0[place];
        let fault = active.fault;
        if let Some(times) = &mut active.times {
            *times -= 1;
            if *times == 0 {
                self.0.remove(place);
            }
        }
        Some(fault)
    }
}

/// The beginning of an answer, and then the connection is closed.
fn broken_off() -> Response {
    let rest = async {
        // Until the beginning is on its way: without that, the server would send nothing at all.
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
    };
    let pieces = stream::once(async { Ok(&b"{\"id\":"[..]) }).chain(stream::once(rest));
    answered(Body::from_stream(pieces))
}

/// Blanks without end.
fn endless() -> Response {
    static BLANKS: [u8; 1 << 14] = [b' '; 1 << 14];
    answered(Body::from_stream(stream::repeat_with(|| Ok::<_, std::io::Error>(&BLANKS[..]))))
}

fn answered(body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::OK;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_hit_what_they_are_meant_for_and_so_often() {
        let mut faults = Faults::default();
        faults.set(GatewayFault::Unavailable, None, Some(2));
        faults.set(GatewayFault::UnknownStatus, Some(GatewayCall::Poll), None);
        faults.set(GatewayFault::WrongSalt, None, Some(1));
        assert_eq!(faults.of_answer(GatewayCall::Poll), Some(GatewayFault::UnknownStatus));
        assert_eq!(faults.of_answer(GatewayCall::Sign), Some(GatewayFault::Unavailable));
        assert_eq!(faults.of_signature(), Some(GatewayFault::WrongSalt));
        assert_eq!(faults.of_signature(), None);
        assert_eq!(faults.of_answer(GatewayCall::Cancel), Some(GatewayFault::Unavailable));
        assert_eq!(faults.of_answer(GatewayCall::Cancel), None);
        faults.set(GatewayFault::Hang, None, None);
        assert_eq!(
            faults.of_answer(GatewayCall::Poll),
            Some(GatewayFault::Hang),
            "it comes in place of the one before"
        );
    }
}
