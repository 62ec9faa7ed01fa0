//! Faults of servers: what an answer says wrongly, or how it fails to arrive.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, LOCATION, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::super::words::words;
use super::super::{TimestampDefect, UnknownWord, Word};
use super::{CrlDefect, OcspDefect};

words! {
    /// How an answer fails to arrive, whatever it says.
    pub Delivery {
        /// Status 503.
        Unavailable "unavailable"
        /// Status 429, to come back in an hour.
        TooManyRequests "too-many-requests"
        /// Status 404.
        Missing "missing"
        /// It is not for this client: status 403, and of a time stamping authority a rejection.
        Refused "refused"
        /// There is never an answer.
        Slow "slow"
        /// The answer states its length and breaks off half way.
        Truncated "truncated"
        /// The first half of the answer, as if it were all.
        Half "half"
        /// There is nothing in the answer.
        Empty "empty"
        /// The answer is a web page.
        Garbage "garbage"
        /// The answer is longer than every reader's limit.
        Oversized "oversized"
        /// The first answer leads to a second, which is sound.
        Redirect "redirect"
        /// Each answer leads to itself.
        RedirectLoop "redirect-loop"
        /// The answer leads to a file.
        RedirectToFile "redirect-to-file"
        /// The answer leads to a link-local address, where clouds keep secrets.
        RedirectToLinkLocal "redirect-to-link-local"
    }
}

/// The query by which a second request is known from the first.
pub(super) const REDIRECTED: &str = "redirected";

impl Delivery {
    /// The answer that is given instead of looking, if there is one. `path` is where the request went, and `redirected`
    /// whether it was led here.
    pub(super) fn instead(self, path: &str, redirected: bool) -> Option<Response> {
        let to = |location: &str| {
            let mut response = status(StatusCode::TEMPORARY_REDIRECT);
            if let Ok(location) = HeaderValue::from_str(location) {
                response.headers_mut().insert(LOCATION, location);
            }
            response
        };
        Some(match self {
            Delivery::Unavailable => status(StatusCode::SERVICE_UNAVAILABLE),
            Delivery::TooManyRequests => {
                let mut response = status(StatusCode::TOO_MANY_REQUESTS);
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("3600"));
                response
            }
            Delivery::Missing => status(StatusCode::NOT_FOUND),
            Delivery::Refused => status(StatusCode::FORBIDDEN),
            Delivery::Empty => status(StatusCode::OK),
            Delivery::Garbage => with(b"<!doctype html><title>It works!</title>".to_vec()),
            Delivery::Redirect if !redirected => to(&format!("{path}?{REDIRECTED}")),
            Delivery::RedirectLoop => to(path),
            Delivery::RedirectToFile => to("file:///etc/hostname"),
            Delivery::RedirectToLinkLocal => to("http://169.254.169.254/latest/meta-data/"),
            Delivery::Slow | Delivery::Truncated | Delivery::Half | Delivery::Oversized | Delivery::Redirect => {
                return None;
            }
        })
    }

    /// Sends `content`, `oversized` being one byte over every reader's limit.
    pub(super) fn send(self, mut content: Vec<u8>, oversized: usize) -> Response {
        match self {
            Delivery::Half => content.truncate(content.len() / 2),
            Delivery::Oversized => content.resize(oversized, 0),
            Delivery::Truncated => return broken_off(content),
            _ => {}
        }
        with(content)
    }
}

fn status(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

pub(super) fn with(content: Vec<u8>) -> Response {
    Response::new(Body::from(content))
}

fn broken_off(mut content: Vec<u8>) -> Response {
    let length = content.len();
    content.truncate(length / 2);
    let rest = async {
        // Until the half is on its way: without that, the server would send nothing at all.
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
    };
    let pieces = stream::once(async { Ok(content) }).chain(stream::once(rest));
    let mut response = Response::new(Body::from_stream(pieces));
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    response
}

/// A fault as scenario files name it, by one word: something wrong in the answer (`D`), or in its delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault<D> {
    /// The answer says something wrong.
    Content(D),
    /// The answer does not arrive.
    Delivery(Delivery),
}

impl<D: Word> Fault<D> {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Fault::Content(defect) => defect.word(),
            Fault::Delivery(delivery) => delivery.as_str(),
        }
    }

    /// Every one.
    pub fn all() -> impl Iterator<Item = Fault<D>> {
        let content = D::WORDS.iter().copied().map(Fault::Content);
        content.chain(Delivery::ALL.iter().copied().map(Fault::Delivery))
    }
}

impl<D: Word> FromStr for Fault<D> {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Fault<D>, UnknownWord> {
        Fault::all().find(|fault| fault.as_str() == word).ok_or_else(|| UnknownWord::new(word))
    }
}

impl<'de, D: Word> Deserialize<'de> for Fault<D> {
    fn deserialize<R: Deserializer<'de>>(deserializer: R) -> Result<Fault<D>, R::Error> {
        struct Visitor<D>(std::marker::PhantomData<D>);

        impl<D: Word> de::Visitor<'_> for Visitor<D> {
            type Value = Fault<D>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let words: Vec<_> = Fault::<D>::all().map(Fault::as_str).collect();
                write!(f, "one of {}", words.join(", "))
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<Fault<D>, E> {
                word.parse().map_err(|_| E::invalid_value(de::Unexpected::Str(word), &self))
            }
        }

        deserializer.deserialize_str(Visitor(std::marker::PhantomData))
    }
}

impl<D: Word> Serialize for Fault<D> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<D: Word> schemars::JsonSchema for Fault<D> {
    fn schema_name() -> Cow<'static, str> {
        format!("{}OrDelivery", D::NAME).into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let words: Vec<_> = Fault::<D>::all().map(Fault::as_str).collect();
        schemars::json_schema!({ "type": "string", "enum": words })
    }
}

/// A fault of an endpoint of any kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndpointFault {
    /// Of a CRL.
    Crl(CrlDefect),
    /// Of an OCSP answer.
    Ocsp(OcspDefect),
    /// Of a token.
    Timestamp(TimestampDefect),
    /// Of the way.
    Delivery(Delivery),
}

impl From<Delivery> for EndpointFault {
    fn from(delivery: Delivery) -> EndpointFault {
        EndpointFault::Delivery(delivery)
    }
}

macro_rules! contents {
    ($($defect:ident $variant:ident),+) => {$(
        impl From<$defect> for EndpointFault {
            fn from(defect: $defect) -> EndpointFault {
                EndpointFault::$variant(defect)
            }
        }

        impl From<Fault<$defect>> for EndpointFault {
            fn from(fault: Fault<$defect>) -> EndpointFault {
                match fault {
                    Fault::Content(defect) => defect.into(),
                    Fault::Delivery(delivery) => delivery.into(),
                }
            }
        }
    )+};
}

contents!(CrlDefect Crl, OcspDefect Ocsp, TimestampDefect Timestamp);
