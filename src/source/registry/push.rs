//! Writing to a registry (OCI distribution specification, *Pushing blobs*, *Pushing Manifests*, *Pushing Manifests with
//! Subject*).
//!
//! What is pushed is small: each blob goes in one piece. Content goes before the manifest that names it, so that a push that
//! ends halfway leaves nothing that refers to anything. It refuses to send credentials with an upload that the registry sends
//! elsewhere, as it does everywhere, and to give up TLS for one.

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::HeaderName;

use crate::digest::Digest;
use crate::failure::quote;
use crate::limits;
use crate::manifest::IMAGE_INDEX;
use crate::reference::Repository;
use crate::source::attachment::{self, Attachment, Content};
use crate::trouble::{Trouble, TroubleKind};

use super::Registry;
use super::answer::Answer;
use super::challenge::Scope;
use super::content::{self, Name};
use super::http::{Absence, Action, Ask, Http, Reply};
use super::redirect;
use super::transport::Bound;

/// The header by which a registry says that it lists a manifest among the referrers of its subject.
const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
/// The most times that an index of referrers is written while other clients overwrite it.
const TRIES: usize = 3;

/// When the index of the referrers tag schema is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReferrersTag {
    /// Where the registry does not say that it lists the manifest itself, as the specification demands.
    #[default]
    WhereNeeded,
    /// Always.
    Forced,
}

/// Pushes `attachment`, and lists it where the registry does not.
pub(super) async fn attach(
    registry: &Registry,
    repository: &Repository,
    attachment: &Attachment,
    tag: ReferrersTag,
) -> Result<(), Trouble> {
    for content in &attachment.blobs {
        blob(registry, repository, content).await?;
    }
    let pushed = &attachment.manifest;
    let name = pushed.descriptor.digest.to_string();
    let answer = manifest(registry, repository, &name, &pushed.descriptor.media_type, &pushed.bytes).await?;
    let confirmed = answer.header(SUBJECT)?.and_then(|text| text.parse().ok()) == Some(attachment.subject);
    if confirmed && tag == ReferrersTag::WhereNeeded {
        return Ok(());
    }
    list(registry, repository, attachment).await
}

/// Whether a tag is there already.
pub(super) async fn has_tag(http: &Http, repository: &Repository, tag: &str) -> Result<bool, Trouble> {
    let found = content::manifest(http, repository, Name::Tag(tag), Absence::after(1)).await?;
    Ok(matches!(found, Reply::Found(_)))
}

/// Whether a blob is not there. Some registries keep the blobs of all repositories in one store, and show and delete them
/// under the name of any. Where it cannot be known, it may be there.
async fn is_absent(http: &Http, repository: &Repository, digest: &Digest) -> bool {
    let ask = Ask {
        action: Action::Head,
        url: http.url(&format!("v2/{}/blobs/{digest}", repository.path())),
        accept: "*/*".to_owned(),
        scope: Scope::Push(repository.path().to_owned()),
        bound: Bound::AtMost(limits::ERROR_BYTES),
        absence: Absence::after(1),
        ending: None,
    };
    matches!(http.get(&ask, Ok).await, Ok(Reply::Absent(_)))
}

/// Pushes a blob in one piece. What was there before is pushed again, which changes nothing, and is not noted: it stays.
pub(super) async fn blob(registry: &Registry, repository: &Repository, content: &Content) -> Result<(), Trouble> {
    let http = &registry.http;
    let digest = content.descriptor.digest;
    if let Some(journal) = &registry.journal
        && !journal.has_blob(repository, digest)
        && is_absent(http, repository, &digest).await
    {
        journal.note_blob(repository, digest)?;
    }
    let ask = |action, url| Ask {
        action,
        url,
        accept: "*/*".to_owned(),
        scope: Scope::Push(repository.path().to_owned()),
        bound: Bound::AtMost(limits::ERROR_BYTES),
        absence: Absence::after(1),
        ending: None,
    };
    let begun = http.send(&ask(Action::Post, http.url(&format!("v2/{}/blobs/uploads/", repository.path())))).await?;
    let mut url = redirect::target(&Method::POST, &begun.url, &begun.headers)?;
    url.query_pairs_mut().append_pair("digest", &content.descriptor.digest.to_string());
    let put = Action::Put("application/octet-stream".to_owned(), content.bytes.clone());
    http.send(&ask(put, url)).await.map(|_| ())
}

/// Puts a manifest under a tag or its digest.
pub(super) async fn manifest(
    registry: &Registry,
    repository: &Repository,
    name: &str,
    media_type: &str,
    bytes: &Bytes,
) -> Result<Answer, Trouble> {
    let http = &registry.http;
    if let Some(journal) = &registry.journal {
        // No digest is a tag: it has a colon.
        let tag = Some(name).filter(|name| !name.contains(':'));
        journal.note_manifest(repository, tag, Digest::sha256(bytes), bytes)?;
    }
    let ask = Ask {
        action: Action::Put(media_type.to_owned(), bytes.clone()),
        url: http.url(&format!("v2/{}/manifests/{name}", repository.path())),
        accept: "*/*".to_owned(),
        scope: Scope::Push(repository.path().to_owned()),
        bound: Bound::AtMost(limits::ERROR_BYTES),
        absence: Absence::after(1),
        ending: None,
    };
    http.send(&ask).await
}

/// Keeps the index of the referrers tag schema. Nothing locks it: it is read again after it was written, and written again
/// where another client's came in between.
async fn list(registry: &Registry, repository: &Repository, attachment: &Attachment) -> Result<(), Trouble> {
    let tag = attachment.subject.referrers_tag();
    let mut written = 0;
    while let Some(index) = longer(&registry.http, repository, &tag, attachment).await? {
        if written == TRIES {
            let message =
                format!("{repository}:{tag} lost what was added to it {TRIES} times: another client writes to it");
            return Err(Trouble::new(TroubleKind::AnswerInvalid, message));
        }
        if index.len() as u64 > limits::MANIFEST_BYTES {
            let message = format!("{repository}:{tag} has no room for another referrer of {}", attachment.subject);
            return Err(Trouble::new(TroubleKind::AnswerTooLarge, message));
        }
        manifest(registry, repository, &tag, IMAGE_INDEX, &index.into()).await?;
        written += 1;
    }
    Ok(())
}

/// The index with the attachment in it; `None` if it is in it already.
async fn longer(
    http: &Http,
    repository: &Repository,
    tag: &str,
    attachment: &Attachment,
) -> Result<Option<Vec<u8>>, Trouble> {
    let added = &attachment.manifest.descriptor;
    // A list that others keep would be lost to a 404 that passes.
    let absence = Absence::after(limits::NO_REFERRERS_TAG_ANSWERS);
    let found = match content::manifest(http, repository, Name::Tag(tag), absence).await? {
        Reply::Found(found) => found,
        Reply::Absent(_) => return Ok(Some(attachment::index_of(added))),
    };
    let extended = match found.descriptor.media_type.as_str() {
        IMAGE_INDEX => attachment::extended(&found.bytes, added),
        other => Err(format!("it is a {}", quote(other))),
    };
    extended.map_err(|error| {
        let message = format!("{repository}:{tag} is no index of referrers, and is not written over: {error}");
        Trouble::new(TroubleKind::AnswerInvalid, message)
    })
}
