//! What a fault does to a request: answers as failing registries, and proxies before them, give them.

use std::io::{self, Write};
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use axum::http::{Method, StatusCode, Uri};
use axum::response::Response;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::{StreamExt, stream};

use super::answer;
use crate::digest::Digest;

/// Where the page is that asks who is there.
pub(super) const LOGIN: &str = "/login";
/// Where content is stored that requests are sent on to.
pub(super) const STORAGE: &str = "/storage";

/// What happens to a request.
#[derive(Debug, Clone)]
pub enum Effect {
    /// The request is answered with this status, and with `Retry-After` where a value for it is given.
    Status(u16, Option<String>),
    /// The request is answered late.
    Delay(Duration),
    /// The answer states its length and breaks off half way.
    CutBody,
    /// The answer states the digest of other content.
    WrongDigest,
    /// The answer has one byte of its content turned.
    CorruptBody,
    /// The request is answered with a page for people, and this status.
    Page(u16),
    /// The request is sent on to a page for people, which asks who is there.
    Login,
    /// The request is sent on to where content is stored, by an address that needs no login.
    Storage,
    /// The answer has no content.
    EmptyBody,
    /// The answer states no length, and ends half way as if that were all.
    CutUnmeasured,
    /// The answer states the length of half its content, and has no more.
    Halved,
    /// The answer has more content than there is, and states the length of all.
    Lengthened,
    /// The answer states this content type.
    ContentType(&'static str),
    /// The answer is compressed, and says so.
    Gzip,
    /// The connection ends before there is an answer.
    Reset,
}

impl Effect {
    /// The answer that is given instead of looking.
    pub(super) fn instead(&self, asked: &Uri) -> Option<Response> {
        match self {
            Effect::Status(status, retry_after) => Some(refusal(*status, retry_after.as_deref())),
            Effect::Page(status) => Some(page(*status)),
            Effect::Login => {
                let mut response = answer::empty(StatusCode::FOUND);
                answer::set(&mut response, LOCATION, LOGIN);
                Some(response)
            }
            Effect::Storage => {
                let mut response = answer::empty(StatusCode::TEMPORARY_REDIRECT);
                answer::set(&mut response, LOCATION, &format!("{STORAGE}{}?signature=secret", asked.path()));
                Some(response)
            }
            _ => None,
        }
    }

    /// Does to an answer what the effect does.
    pub(super) async fn apply(&self, mut response: Response) -> Response {
        match self {
            Effect::Status(..) | Effect::Delay(_) | Effect::Page(_) | Effect::Login | Effect::Storage => response,
            Effect::WrongDigest => {
                answer::set_digest(&mut response, &Digest::sha256(b"other content"));
                response
            }
            Effect::ContentType(content_type) => {
                answer::set(&mut response, CONTENT_TYPE, content_type);
                response
            }
            Effect::CutBody => {
                let (parts, body) = response.into_parts();
                let bytes = whole(body).await;
                let half = bytes.slice(..bytes.len() / 2);
                let rest = async {
                    // Until the half is on its way: without that, the server would send nothing at all.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    Err(io::Error::from(io::ErrorKind::ConnectionReset))
                };
                let pieces = stream::once(async { Ok(half) }).chain(stream::once(rest));
                Response::from_parts(parts, Body::from_stream(pieces))
            }
            Effect::Reset => {
                let (parts, _) = response.into_parts();
                let broken = stream::once(async { io::Result::<Bytes>::Err(io::ErrorKind::ConnectionReset.into()) });
                Response::from_parts(parts, Body::from_stream(broken))
            }
            Effect::CutUnmeasured => {
                let (mut parts, body) = response.into_parts();
                let bytes = whole(body).await;
                parts.headers.remove(CONTENT_LENGTH);
                let half = bytes.slice(..bytes.len() / 2);
                Response::from_parts(parts, Body::from_stream(stream::once(async { io::Result::Ok(half) })))
            }
            Effect::EmptyBody => with_body(response, |_| Vec::new()).await,
            Effect::Halved => with_body(response, |bytes| bytes[..bytes.len() / 2].to_vec()).await,
            Effect::Lengthened => with_body(response, |bytes| [bytes, b"\n\n"].concat()).await,
            Effect::CorruptBody => {
                let turned = |bytes: &[u8]| {
                    let mut bytes = bytes.to_vec();
                    if let Some(byte) = bytes.last_mut() {
                        *byte ^= 1;
                    }
                    bytes
                };
                with_body(response, turned).await
            }
            Effect::Gzip => {
                answer::set(&mut response, CONTENT_ENCODING, "gzip");
                with_body(response, gzip).await
            }
        }
    }
}

/// The page for people that asks who is there.
pub(super) fn login() -> Response {
    page(200)
}

fn page(status: u16) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let page = "<!DOCTYPE html><html><title>Sign in</title></html>".into();
    answer::with_content(&Method::GET, status, "text/html; charset=utf-8", page)
}

fn refusal(status: u16, retry_after: Option<&str>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let code = match status {
        StatusCode::UNAUTHORIZED => "UNAUTHORIZED",
        StatusCode::FORBIDDEN => "DENIED",
        StatusCode::NOT_FOUND => "MANIFEST_UNKNOWN",
        StatusCode::TOO_MANY_REQUESTS => "TOOMANYREQUESTS",
        _ => "UNKNOWN",
    };
    let mut response = answer::error(status, code, "a fault on demand");
    if let Some(value) = retry_after {
        answer::set(&mut response, RETRY_AFTER, value);
    }
    response
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Nothing fails that is written to memory.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

/// The same answer with other content, whose length is stated.
async fn with_body(response: Response, change: impl FnOnce(&[u8]) -> Vec<u8>) -> Response {
    let (mut parts, body) = response.into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(change(&whole(body).await)))
}

/// The content of an answer made here, which is in memory already.
async fn whole(body: Body) -> Bytes {
    axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default()
}
