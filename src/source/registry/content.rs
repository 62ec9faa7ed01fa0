//! Manifests and blobs (OCI distribution specification, *Pulling manifests*, *Pulling blobs*).
//!
//! Content is hashed whatever the registry says of it, and a registry that states a digest its content does not have is
//! not listened to any further. A tag is asked for once; the digest found then is what the artifact is called from there
//! on.

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::HeaderName;

use crate::digest::Digest;
use crate::failure::quote;
use crate::limits;
use crate::manifest::{Descriptor, MANIFEST_MEDIA_TYPES};
use crate::reference::Repository;
use crate::source::{Manifest, Trouble, TroubleKind};

use super::answer::Answer;
use super::challenge::Scope;
use super::http::{Action, Ask, Http};
use super::transport::Bound;

/// The header in which registries state the digest of what they serve.
const STATED_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// What a manifest is asked for by.
#[derive(Debug, Clone, Copy)]
pub(super) enum Name<'a> {
    Tag(&'a str),
    Digest(&'a Digest),
}

/// A manifest, or the 404 that says that there is none.
pub(super) enum Found {
    Manifest(Manifest),
    Nothing(Answer),
}

/// The manifest of `name`.
pub(super) async fn manifest(http: &Http, repository: &Repository, name: Name<'_>) -> Result<Found, Trouble> {
    let word = match name {
        Name::Tag(tag) => tag.to_owned(),
        Name::Digest(digest) => digest.to_string(),
    };
    let ask = Ask {
        action: Action::Get,
        url: http.url(&format!("v2/{}/manifests/{word}", repository.path())),
        accept: MANIFEST_MEDIA_TYPES.join(", "),
        scope: Scope::Repository(repository.path().to_owned()),
        bound: Bound::AtMost(limits::MANIFEST_BYTES),
    };
    let answer = http.answer(&ask).await?;
    if answer.status == StatusCode::NOT_FOUND {
        return Ok(Found::Nothing(answer));
    }
    let digest = digest(&answer, name)?;
    let Some(media_type) = answer.media_type()? else { return Err(answer.invalid("states no content type")) };
    let size = answer.body.len() as u64;
    let descriptor = Descriptor { media_type, digest, size, artifact_type: None, annotations: Default::default() };
    Ok(Found::Manifest(Manifest { descriptor, bytes: answer.body }))
}

/// The digest of a manifest: the one that was asked for, or the one that is stated, or SHA-256; checked in any case.
fn digest(answer: &Answer, name: Name<'_>) -> Result<Digest, Trouble> {
    let measured = |algorithm| Digest::of(algorithm, &answer.body);
    if let Name::Digest(asked) = name
        && !asked.matches(&answer.body)
    {
        return Err(answer.invalid(format!("has the digest {}", measured(asked.algorithm()))));
    }
    let stated: Option<Digest> = match answer.header(STATED_DIGEST)? {
        None => None,
        Some(text) => {
            Some(text.parse().map_err(|error| answer.invalid(format!("states the digest {}: {error}", quote(text))))?)
        }
    };
    if let Some(stated) = stated.filter(|stated| !stated.matches(&answer.body)) {
        let measured = measured(stated.algorithm());
        return Err(answer.invalid(format!("states the digest {stated}, but has {measured}")));
    }
    Ok(match (name, stated) {
        (Name::Digest(asked), _) => *asked,
        (Name::Tag(_), Some(stated)) => stated,
        (Name::Tag(_), None) => Digest::sha256(&answer.body),
    })
}

/// The blob of `descriptor`, if there is one.
pub(super) async fn blob(
    http: &Http,
    repository: &Repository,
    descriptor: &Descriptor,
    limit: u64,
) -> Result<Option<Bytes>, Trouble> {
    let digest = &descriptor.digest;
    if descriptor.size > limit {
        let message = format!("blob {digest} has {} bytes, more than the {limit} that are read", descriptor.size);
        return Err(Trouble::new(TroubleKind::AnswerTooLarge, message));
    }
    let ask = Ask {
        action: Action::Get,
        url: http.url(&format!("v2/{}/blobs/{digest}", repository.path())),
        accept: "*/*".to_owned(),
        scope: Scope::Repository(repository.path().to_owned()),
        bound: Bound::Exactly(descriptor.size),
    };
    let answer = http.answer(&ask).await?;
    if answer.status == StatusCode::NOT_FOUND {
        return Ok(None);
    }
    if !digest.matches(&answer.body) {
        return Err(answer.invalid(format!("has the digest {}", Digest::of(digest.algorithm(), &answer.body))));
    }
    Ok(Some(answer.body))
}
