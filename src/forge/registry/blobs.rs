//! Blobs (OCI distribution specification, *Pulling blobs*, *Deleting Blobs*).

use axum::http::StatusCode;
use axum::http::header::{ACCEPT_RANGES, CONTENT_RANGE, RANGE};
use axum::http::request::Parts;
use axum::response::Response;

use super::answer::{self, Refusal};
use super::server::Shared;
use crate::digest::Digest;

const CONTENT_TYPE: &str = "application/octet-stream";

pub(super) fn get(shared: &Shared, name: &str, digest: &str, request: &Parts) -> Result<Response, Refusal> {
    let digest: Digest = digest.parse().map_err(|_| Refusal::DigestInvalid)?;
    let bytes = shared.store().blob(name, &digest)?.ok_or(Refusal::BlobUnknown)?;
    let length = bytes.len();
    let range = request.headers.get(RANGE).and_then(|range| range.to_str().ok());
    let mut response = match range.and_then(|range| range.strip_prefix("bytes=")) {
        Some(range) => {
            let (first, last) = bounds(range, length).ok_or(Refusal::RangeInvalid)?;
            let part = bytes.slice(first..=last);
            let mut response = answer::with_content(&request.method, StatusCode::PARTIAL_CONTENT, CONTENT_TYPE, part);
            answer::set(&mut response, CONTENT_RANGE, &format!("bytes {first}-{last}/{length}"));
            response
        }
        None => answer::with_content(&request.method, StatusCode::OK, CONTENT_TYPE, bytes),
    };
    answer::set(&mut response, ACCEPT_RANGES, "bytes");
    answer::set_digest(&mut response, &digest);
    Ok(response)
}

pub(super) fn delete(shared: &Shared, name: &str, digest: &str) -> Result<Response, Refusal> {
    let digest: Digest = digest.parse().map_err(|_| Refusal::DigestInvalid)?;
    match shared.store_mut().delete_blob(name, &digest)? {
        true => Ok(answer::empty(StatusCode::ACCEPTED)),
        false => Err(Refusal::BlobUnknown),
    }
}

/// The first and the last byte of one range, `1-5` or `1-`; several, and ranges from the end, are not served.
fn bounds(range: &str, length: usize) -> Option<(usize, usize)> {
    let (first, last) = range.split_once('-')?;
    let first: usize = first.parse().ok()?;
    let end = length.checked_sub(1)?;
    let last = if last.is_empty() { end } else { last.parse::<usize>().ok()?.min(end) };
    (first <= last).then_some((first, last))
}
