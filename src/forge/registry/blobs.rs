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
    let bytes = shared.store().blob(shared.blobs_of(name), &digest)?.ok_or(Refusal::BlobUnknown)?;
    let length = bytes.len();
    let range = request.headers.get(RANGE).and_then(|range| range.to_str().ok());
    let mut response = match range.map_or(Part::Whole, |range| part(range, length)) {
        Part::None => return Ok(unsatisfiable(length)),
        Part::Of(first, last) => {
            let part = bytes.slice(first..=last);
            let mut response = answer::with_content(&request.method, StatusCode::PARTIAL_CONTENT, CONTENT_TYPE, part);
            answer::set(&mut response, CONTENT_RANGE, &format!("bytes {first}-{last}/{length}"));
            response
        }
        Part::Whole => answer::with_content(&request.method, StatusCode::OK, CONTENT_TYPE, bytes),
    };
    answer::set(&mut response, ACCEPT_RANGES, "bytes");
    answer::set_digest(&mut response, &digest);
    Ok(response)
}

pub(super) fn delete(shared: &Shared, name: &str, digest: &str) -> Result<Response, Refusal> {
    let digest: Digest = digest.parse().map_err(|_| Refusal::DigestInvalid)?;
    match shared.store_mut().delete_blob(shared.blobs_of(name), &digest)? {
        true => Ok(answer::empty(StatusCode::ACCEPTED)),
        false => Err(Refusal::BlobUnknown),
    }
}

/// What of a blob is wanted.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Whole,
    /// From this byte to that one.
    Of(usize, usize),
    /// What the blob does not have.
    None,
}

/// What a `Range` asks of a blob of this length (RFC 9110, section 14.1.2): `bytes=1-5`, `bytes=1-`, `bytes=-5`. What is no
/// range of bytes is not heeded, nor are several ranges at a time.
fn part(range: &str, length: usize) -> Part {
    let number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().unwrap_or(usize::MAX));
    let Some((unit, set)) = range.split_once('=') else { return Part::Whole };
    let Some((first, last)) = set.trim().split_once('-').filter(|_| unit.eq_ignore_ascii_case("bytes")) else {
        return Part::Whole;
    };
    let (Some(first_byte), Some(last_byte)) = (number(first), number(last)) else { return Part::Whole };
    let end = length.checked_sub(1);
    match (first, last, end) {
        ("", "", _) => Part::Whole,
        ("", _, Some(end)) if last_byte > 0 => Part::Of(length.saturating_sub(last_byte), end),
        ("", ..) => Part::None,
        (_, "", Some(end)) if first_byte <= end => Part::Of(first_byte, end),
        (_, "", _) => Part::None,
        _ if first_byte > last_byte => Part::Whole,
        (.., Some(end)) if first_byte <= end => Part::Of(first_byte, last_byte.min(end)),
        _ => Part::None,
    }
}

fn unsatisfiable(length: usize) -> Response {
    let mut response = Refusal::RangeInvalid.answer();
    answer::set(&mut response, CONTENT_RANGE, &format!("bytes */{length}"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_those_of_http() {
        for (range, length, expected) in [
            ("bytes=2-4", 10, Part::Of(2, 4)),
            ("bytes=0-", 10, Part::Of(0, 9)),
            ("bytes=9-", 10, Part::Of(9, 9)),
            ("bytes=5-500", 10, Part::Of(5, 9)),
            ("bytes=-3", 10, Part::Of(7, 9)),
            ("bytes=-500", 10, Part::Of(0, 9)),
            ("Bytes=-1", 10, Part::Of(9, 9)),
            ("bytes=-99999999999999999999999", 10, Part::Of(0, 9)),
            ("bytes=0-99999999999999999999999", 10, Part::Of(0, 9)),
            ("bytes=10-", 10, Part::None),
            ("bytes=10-12", 10, Part::None),
            ("bytes=-0", 10, Part::None),
            ("bytes=0-", 0, Part::None),
            ("bytes=-1", 0, Part::None),
            ("bytes=4-2", 10, Part::Whole),
            ("bytes=0-1,4-5", 10, Part::Whole),
            ("bytes=-", 10, Part::Whole),
            ("bytes=a-b", 10, Part::Whole),
            ("bytes=+1-2", 10, Part::Whole),
            ("lines=0-1", 10, Part::Whole),
            ("", 10, Part::Whole),
        ] {
            assert_eq!(part(range, length), expected, "{range} of {length}");
        }
    }
}
