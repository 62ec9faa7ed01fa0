//! Manifests (OCI distribution specification, *Pulling manifests*, *Pushing Manifests*, *Deleting Manifests*).

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::Response;

use super::answer::{self, Refusal, SUBJECT};
use super::content;
use super::indexed::Indexed;
use super::server::Shared;
use crate::digest::{Algorithm, Digest};
use crate::reference::is_tag;

/// The longest manifest taken, in bytes: what the specification asks of every registry.
const MANIFEST_BYTES: usize = 4 << 20;

/// The last part of a manifest's path. A tag has no colon, a digest has one.
enum Named<'a> {
    Tag(&'a str),
    Digest(Digest),
}

impl<'a> Named<'a> {
    fn read(reference: &'a str) -> Result<Named<'a>, Refusal> {
        match reference.parse() {
            Ok(digest) => Ok(Named::Digest(digest)),
            Err(_) if is_tag(reference) => Ok(Named::Tag(reference)),
            Err(_) if reference.contains(':') => Err(Refusal::DigestInvalid),
            Err(_) => Err(Refusal::ManifestInvalid),
        }
    }
}

pub(super) fn get(shared: &Shared, name: &str, reference: &str, method: &Method) -> Result<Response, Refusal> {
    let named = Named::read(reference)?;
    let store = shared.store();
    let held = store.repository(name).ok_or(Refusal::NameUnknown)?;
    let digest = match named {
        Named::Tag(tag) => *held.tags().get(tag).ok_or(Refusal::ManifestUnknown)?,
        Named::Digest(digest) => digest,
    };
    let stored = held.manifest(&digest).ok_or(Refusal::ManifestUnknown)?;
    let mut response = answer::with_content(method, StatusCode::OK, &stored.listed.media_type, stored.content.bytes()?);
    answer::set_digest(&mut response, &digest);
    Ok(response)
}

pub(super) async fn put(
    shared: &Shared,
    name: &str,
    reference: &str,
    request: &Parts,
    body: Body,
) -> Result<Response, Refusal> {
    let named = Named::read(reference)?;
    let bytes = content::read(body, MANIFEST_BYTES).await?;
    let (tag, digest) = match named {
        Named::Tag(tag) => (Some(tag), Digest::of(Algorithm::Sha256, &bytes)),
        Named::Digest(digest) if digest.matches(&bytes) => (None, digest),
        Named::Digest(_) => return Err(Refusal::DigestInvalid),
    };
    let indexed = Indexed::read(&bytes).ok_or(Refusal::ManifestInvalid)?;
    let flavour = shared.options.flavour;
    if !flavour.takes_subject(&indexed) {
        return Err(Refusal::ManifestInvalid);
    }
    let stated = request.headers.get(CONTENT_TYPE).and_then(|stated| stated.to_str().ok());
    let media_type = stated.or(indexed.media_type.as_deref()).ok_or(Refusal::ManifestInvalid)?;
    shared.store_mut().put_manifest(name, tag, digest, media_type, bytes)?;

    let mut response = answer::empty(StatusCode::CREATED);
    answer::set(&mut response, LOCATION, &format!("/v2/{name}/manifests/{digest}"));
    answer::set_digest(&mut response, &digest);
    if let Some(subject) = indexed.subject.filter(|_| flavour.confirms_subject()) {
        answer::set(&mut response, SUBJECT, &subject.to_string());
    }
    Ok(response)
}

/// By digest, the manifest goes with all its tags; by tag, the tag alone.
pub(super) fn delete(shared: &Shared, name: &str, reference: &str) -> Result<Response, Refusal> {
    let named = Named::read(reference)?;
    let mut store = shared.store_mut();
    if store.repository(name).is_none() {
        return Err(Refusal::NameUnknown);
    }
    let gone = match named {
        Named::Tag(tag) => store.delete_tag(name, tag)?,
        Named::Digest(digest) => {
            let tagged =
                |name| store.repository(name).is_some_and(|held| held.tags().values().any(|tag| *tag == digest));
            if shared.options.keeps_tagged && tagged(name) {
                return Err(Refusal::Unsupported);
            }
            store.delete_manifest(name, &digest)?
        }
    };
    if gone { Ok(answer::empty(StatusCode::ACCEPTED)) } else { Err(Refusal::ManifestUnknown) }
}
