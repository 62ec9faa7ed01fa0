//! Uploads (OCI distribution specification, *Pushing blobs*): at once, after a `POST`, in chunks, or mounted from
//! another repository.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::body::Body;
use axum::http::header::{CONTENT_RANGE, LOCATION, RANGE};
use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode};
use axum::response::Response;
use bytes::{Bytes, BytesMut};

use super::answer::{self, Refusal};
use super::content;
use super::route::parameter;
use super::server::Shared;
use crate::digest::Digest;

const UPLOAD_ID: HeaderName = HeaderName::from_static("docker-upload-uuid");

/// The uploads under way.
#[derive(Debug, Default)]
pub(super) struct Uploads(Mutex<Sessions>);

#[derive(Debug, Default)]
struct Sessions {
    begun: u64,
    by_id: HashMap<String, Session>,
}

#[derive(Debug)]
struct Session {
    repository: String,
    received: BytesMut,
}

impl Uploads {
    fn lock(&self) -> MutexGuard<'_, Sessions> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, name: &str) -> String {
        let mut sessions = self.lock();
        sessions.begun += 1;
        let id = format!("upload-{}", sessions.begun);
        sessions.by_id.insert(id.clone(), Session { repository: name.to_owned(), received: BytesMut::new() });
        id
    }

    /// Puts a chunk behind what has been received, and says how many bytes that makes.
    fn append(&self, name: &str, id: &str, range: Option<(usize, usize)>, chunk: &[u8]) -> Result<usize, Refusal> {
        let mut sessions = self.lock();
        let session = sessions.of(name, id)?;
        let start = session.received.len();
        let follows =
            |(first, last): (usize, usize)| first == start && last.checked_add(1) == Some(start + chunk.len());
        if range.is_some_and(|range| !follows(range)) {
            return Err(Refusal::ChunkOutOfOrder);
        }
        if start + chunk.len() > content::BLOB_BYTES {
            return Err(Refusal::TooLarge);
        }
        session.received.extend_from_slice(chunk);
        Ok(session.received.len())
    }

    fn length(&self, name: &str, id: &str) -> Result<usize, Refusal> {
        Ok(self.lock().of(name, id)?.received.len())
    }

    /// Ends an upload and hands out what was received.
    fn end(&self, name: &str, id: &str) -> Result<Bytes, Refusal> {
        let mut sessions = self.lock();
        sessions.of(name, id)?;
        sessions.by_id.remove(id).map(|session| session.received.freeze()).ok_or(Refusal::UploadUnknown)
    }
}

impl Sessions {
    fn of(&mut self, name: &str, id: &str) -> Result<&mut Session, Refusal> {
        self.by_id.get_mut(id).filter(|session| session.repository == name).ok_or(Refusal::UploadUnknown)
    }
}

/// `POST`: the whole blob at once where its digest is given, a mount where that can be done, or else an upload begins.
pub(super) async fn begin(shared: &Shared, name: &str, request: &Parts, body: Body) -> Result<Response, Refusal> {
    if let Some(digest) = parameter(&request.uri, "digest") {
        let bytes = content::read(body, content::BLOB_BYTES).await?;
        return keep(shared, name, &digest, bytes);
    }
    if let Some(digest) = parameter(&request.uri, "mount") {
        let digest: Digest = digest.parse().map_err(|_| Refusal::DigestInvalid)?;
        let from = parameter(&request.uri, "from");
        if shared.store_mut().mount_blob(name, from.as_deref(), digest)? {
            return Ok(created(name, &digest));
        }
    }
    let id = shared.uploads.begin(name);
    Ok(progress(StatusCode::ACCEPTED, name, &id, 0))
}

/// `PATCH`: the next chunk.
pub(super) async fn append(
    shared: &Shared,
    name: &str,
    id: &str,
    request: &Parts,
    body: Body,
) -> Result<Response, Refusal> {
    let range = chunk_range(request)?;
    let chunk = content::read(body, content::BLOB_BYTES).await?;
    match shared.uploads.append(name, id, range, &chunk) {
        Ok(length) => Ok(progress(StatusCode::ACCEPTED, name, id, length)),
        // A client that lost an answer learns from this one where to go on.
        Err(Refusal::ChunkOutOfOrder) => {
            let mut response = Refusal::ChunkOutOfOrder.answer();
            set_progress(&mut response, name, id, shared.uploads.length(name, id)?);
            Ok(response)
        }
        Err(refusal) => Err(refusal),
    }
}

/// `PUT`: perhaps a last chunk, and the digest of it all.
pub(super) async fn finish(
    shared: &Shared,
    name: &str,
    id: &str,
    request: &Parts,
    body: Body,
) -> Result<Response, Refusal> {
    let digest = parameter(&request.uri, "digest").ok_or(Refusal::DigestInvalid)?;
    let range = chunk_range(request)?;
    let chunk = content::read(body, content::BLOB_BYTES).await?;
    if !chunk.is_empty() {
        shared.uploads.append(name, id, range, &chunk)?;
    }
    let bytes = shared.uploads.end(name, id)?;
    keep(shared, name, &digest, bytes)
}

/// `GET`: how far an upload is.
pub(super) fn status(shared: &Shared, name: &str, id: &str) -> Result<Response, Refusal> {
    Ok(progress(StatusCode::NO_CONTENT, name, id, shared.uploads.length(name, id)?))
}

/// `DELETE`: an upload is given up.
pub(super) fn cancel(shared: &Shared, name: &str, id: &str) -> Result<Response, Refusal> {
    shared.uploads.end(name, id).map(|_| answer::empty(StatusCode::NO_CONTENT))
}

fn keep(shared: &Shared, name: &str, digest: &str, bytes: Bytes) -> Result<Response, Refusal> {
    let digest: Digest = digest.parse().map_err(|_| Refusal::DigestInvalid)?;
    if !digest.matches(&bytes) {
        return Err(Refusal::DigestInvalid);
    }
    shared.store_mut().put_blob(shared.blobs_of(name), digest, bytes)?;
    Ok(created(name, &digest))
}

fn created(name: &str, digest: &Digest) -> Response {
    let mut response = answer::empty(StatusCode::CREATED);
    answer::set(&mut response, LOCATION, &format!("/v2/{name}/blobs/{digest}"));
    answer::set_digest(&mut response, digest);
    response
}

fn progress(status: StatusCode, name: &str, id: &str, length: usize) -> Response {
    let mut response = answer::empty(status);
    set_progress(&mut response, name, id, length);
    response
}

fn set_progress(response: &mut Response, name: &str, id: &str, length: usize) {
    answer::set(response, LOCATION, &format!("/v2/{name}/blobs/uploads/{id}"));
    // The specification has no way to write an empty range; registries write this.
    answer::set(response, RANGE, &format!("0-{}", length.saturating_sub(1)));
    answer::set(response, UPLOAD_ID, id);
}

/// The `Content-Range` of a chunk, `first-last`, if one is given.
fn chunk_range(request: &Parts) -> Result<Option<(usize, usize)>, Refusal> {
    let Some(range) = request.headers.get(CONTENT_RANGE) else { return Ok(None) };
    let bounds = range.to_str().ok().and_then(|range| range.split_once('-'));
    match bounds.map(|(first, last)| (first.parse(), last.parse())) {
        Some((Ok(first), Ok(last))) => Ok(Some((first, last))),
        _ => Err(Refusal::ChunkOutOfOrder),
    }
}
