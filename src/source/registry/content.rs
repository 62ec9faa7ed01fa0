//! Manifests and blobs (OCI distribution specification, *Pulling manifests*, *Pulling blobs*).
//!
//! Content is hashed whatever the registry says of it. What does not have the digest that was asked for or is stated, what
//! is of another type than was asked for and what is no manifest is asked for once more, and then not listened to. The digest
//! found then is what the artifact is called from there on.

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::HeaderName;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::digest::Digest;
use crate::failure::quote;
use crate::limits;
use crate::manifest::{self, Descriptor, MANIFEST_MEDIA_TYPES};
use crate::reference::Repository;
use crate::source::Manifest;
use crate::trouble::{Trouble, TroubleKind};

use super::answer::Answer;
use super::challenge::Scope;
use super::http::{Absence, Action, Ask, Http, Reply};
use super::transport::Bound;

/// The header in which registries state the digest of what they serve.
pub(super) const STATED_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// The headers in which registries state how many manifests may still be asked for, as Docker Hub does.
const PULL_LIMITS: [&str; 2] = ["ratelimit-limit", "ratelimit-remaining"];

/// What a manifest is asked for by.
#[derive(Debug, Clone, Copy)]
pub(super) enum Name<'a> {
    Tag(&'a str),
    Digest(&'a Digest),
}

/// A manifest, and what its answer says beside.
#[derive(Debug)]
pub(super) struct Served {
    pub(super) manifest: Manifest,
    /// Whether the registry states how many manifests may be asked for.
    pub(super) limits_pulls: bool,
}

/// What a HEAD states of what a tag names. Nothing of it is checked.
#[derive(Debug)]
pub(super) struct Stated {
    pub(super) digest: Digest,
    pub(super) media_type: String,
}

/// The registry does not answer HEAD with what it would answer GET.
#[derive(Debug)]
pub(super) struct NoHead;

/// A manifest, or the 404 that says that there is none: after that many in a row.
pub(super) async fn manifest(
    http: &Http,
    repository: &Repository,
    name: Name<'_>,
    absence: Absence,
) -> Result<Reply<Manifest>, Trouble> {
    match served(http, repository, name, absence).await? {
        Reply::Found(served) => Ok(Reply::Found(served.manifest)),
        Reply::Absent(answer) => Ok(Reply::Absent(answer)),
    }
}

/// The same with what its answer says beside.
pub(super) async fn served(
    http: &Http,
    repository: &Repository,
    name: Name<'_>,
    absence: Absence,
) -> Result<Reply<Served>, Trouble> {
    let ask = ask(http, Action::Get, repository, name, absence);
    let read = |answer: Answer| {
        let limits_pulls = PULL_LIMITS.into_iter().any(|name| answer.headers.contains_key(name));
        read_manifest(answer, name).map(|manifest| Served { manifest, limits_pulls })
    };
    http.get(&ask, read).await.map_err(|fault| fault.trouble)
}

/// What a HEAD states of a tag. `None`: nothing, this time.
pub(super) async fn stated(http: &Http, repository: &Repository, tag: &str) -> Result<Option<Stated>, NoHead> {
    let ask = ask(http, Action::Head, repository, Name::Tag(tag), Absence::after(1));
    let answer = match http.once(&ask).await {
        Ok(answer) if answer.status == StatusCode::OK => answer,
        Ok(_) => return Ok(None),
        // Who may not read one repository may read another.
        Err(fault) if fault.trouble.kind == TroubleKind::AccessDenied => return Ok(None),
        Err(fault) if fault.answered && !fault.is_passing() => return Err(NoHead),
        Err(_) => return Ok(None),
    };
    let digest = answer.header(STATED_DIGEST).ok().flatten().and_then(|text| text.parse().ok());
    match (digest, answer.media_type()) {
        (Some(digest), Ok(Some(media_type))) => Ok(Some(Stated { digest, media_type })),
        _ => Err(NoHead),
    }
}

fn ask(http: &Http, action: Action, repository: &Repository, name: Name<'_>, absence: Absence) -> Ask {
    let word = match name {
        Name::Tag(tag) => tag.to_owned(),
        Name::Digest(digest) => digest.to_string(),
    };
    Ask {
        action,
        url: http.url(&format!("v2/{}/manifests/{word}", repository.path())),
        accept: MANIFEST_MEDIA_TYPES.join(", "),
        scope: Scope::Repository(repository.path().to_owned()),
        bound: Bound::AtMost(limits::MANIFEST_BYTES),
        absence,
        ending: None,
    }
}

/// Reads a manifest. What is under a tag is one, or else the answer is something else with the manifest's address: a page
/// for people, or half of it.
fn read_manifest(answer: Answer, name: Name<'_>) -> Result<Manifest, Trouble> {
    let Some(media_type) = answer.media_type()? else { return Err(answer.invalid("states no content type")) };
    if !MANIFEST_MEDIA_TYPES.contains(&media_type.as_str()) {
        return Err(answer.invalid(format!("is of type {}, which is no manifest's", quote(&media_type))));
    }
    let (digest, stated) = digest(&answer, name)?;
    let refused = match (name, stated) {
        // The bytes are those that were meant.
        (Name::Digest(_), _) => None,
        // The registry vouches for them, whatever rule of manifests they break.
        (Name::Tag(_), true) => no_object(&answer.body),
        (Name::Tag(_), false) => manifest::parse(&answer.body, &media_type).err().map(|error| error.to_string()),
    };
    if let Some(why) = refused {
        return Err(answer.invalid(format!("is no manifest: {why}")));
    }
    // What was signed names the type, and would be said not to match.
    if let Some(own) = own_type(&answer.body).filter(|own| *own != media_type) {
        return Err(answer.invalid(format!(
            "is of type {}, but says itself that it is {}",
            quote(&media_type),
            quote(&own)
        )));
    }
    let descriptor = Descriptor::new(media_type, digest, answer.body.len() as u64);
    Ok(Manifest { descriptor, bytes: answer.body })
}

/// Why bytes are not one complete JSON object.
fn no_object(bytes: &[u8]) -> Option<String> {
    match serde_json::from_slice::<IgnoredAny>(bytes) {
        Err(error) => Some(error.to_string()),
        Ok(_) if bytes.trim_ascii_start().starts_with(b"{") => None,
        Ok(_) => Some("it is no JSON object".to_owned()),
    }
}

/// The media type that a manifest states for itself.
pub(super) fn own_type(bytes: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Own {
        media_type: Option<String>,
    }
    serde_json::from_slice::<Own>(bytes).ok()?.media_type.filter(|own| !own.is_empty())
}

/// The digest of a manifest: the one that was asked for, or the one that is stated, or SHA-256; checked in any case. And
/// whether it is stated.
fn digest(answer: &Answer, name: Name<'_>) -> Result<(Digest, bool), Trouble> {
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
    let digest = match (name, stated) {
        (Name::Digest(asked), _) => *asked,
        (Name::Tag(_), Some(stated)) => stated,
        (Name::Tag(_), None) => Digest::sha256(&answer.body),
    };
    Ok((digest, stated.is_some()))
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
        bound: Bound::Described { digest: *digest, size: descriptor.size, most: limit },
        absence: Absence::after(limits::NOT_FOUND_ANSWERS),
        ending: None,
    };
    let read = |answer: Answer| match digest.matches(&answer.body) {
        true => Ok(answer.body),
        false => Err(answer.invalid(format!("has the digest {}", Digest::of(digest.algorithm(), &answer.body)))),
    };
    match http.get(&ask, read).await.map_err(|fault| fault.trouble)? {
        Reply::Found(bytes) => Ok(Some(bytes)),
        Reply::Absent(_) => Ok(None),
    }
}

/// The first bytes of the blob with this digest, if there is one.
pub(super) async fn beginning(http: &Http, repository: &Repository, digest: &Digest) -> Result<Option<Bytes>, Trouble> {
    let ask = Ask {
        action: Action::Get,
        url: http.url(&format!("v2/{}/blobs/{digest}", repository.path())),
        accept: "*/*".to_owned(),
        scope: Scope::Repository(repository.path().to_owned()),
        bound: Bound::Beginning,
        absence: Absence::after(limits::NOT_FOUND_ANSWERS),
        ending: None,
    };
    match http.get(&ask, |answer| Ok(answer.body)).await.map_err(|fault| fault.trouble)? {
        Reply::Found(bytes) => Ok(Some(bytes)),
        Reply::Absent(_) => Ok(None),
    }
}
