//! Writing to a registry (OCI distribution specification, *Pushing Manifests*, *Pushing Manifests with Subject*).
//!
//! Content goes before the manifest that names it, so that a push that ends halfway leaves nothing that refers to anything.
//! A manifest counts as written where the registry says so (201), and keeps these very bytes; where an answer got lost, or
//! says something else, the manifest is read back.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::HeaderName;
use tokio::time::Instant;

use crate::digest::Digest;
use crate::failure::quote;
use crate::limits;
use crate::reference::Repository;
use crate::source::attachment::Attachment;
use crate::trouble::{Trouble, TroubleKind};

use super::Registry;
use super::answer::Answer;
use super::challenge::Scope;
use super::content::{self, Name, STATED_DIGEST};
use super::http::{Absence, Action, Ask, Http, Reply};
use super::referrers_tag;
use super::retry::Fault;
use super::upload;

/// The header by which a registry says that it lists a manifest among the referrers of its subject.
const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");

/// When the index of the referrers tag schema is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReferrersTag {
    /// Where the registry does not say that it lists the manifest itself, as the specification demands; and where it says so
    /// and does not.
    #[default]
    WhereNeeded,
    /// Always.
    Forced,
}

/// A manifest that was pushed and refers to another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pushed {
    /// Whether the registry says that it lists it.
    pub(crate) is_listed: bool,
    /// How long the registry took to take it, without what it held back.
    pub(super) took: Duration,
}

/// Pushes `attachment`, and lists it where the registry does not say that it does.
pub(super) async fn attach(
    registry: &Registry,
    repository: &Repository,
    attachment: &Attachment,
    tag: ReferrersTag,
) -> Result<(), Trouble> {
    let pushed = referrer(registry, repository, attachment).await.map_err(|fault| fault.trouble)?;
    if pushed.is_listed && tag == ReferrersTag::WhereNeeded {
        return Ok(());
    }
    let listed = async { referrers_tag::list(registry, repository, attachment, pushed).await?.clear().await };
    listed.await.map_err(|unlisted| unlisted.trouble)
}

/// Pushes `attachment`, and lists it nowhere.
pub(super) async fn referrer(
    registry: &Registry,
    repository: &Repository,
    attachment: &Attachment,
) -> Result<Pushed, Fault> {
    for content in &attachment.blobs {
        // That blobs are refused says nothing of manifests.
        upload::blob(registry, repository, content).await.map_err(Fault::unsaid)?;
    }
    let pushed = &attachment.manifest;
    let name = pushed.descriptor.digest.to_string();
    let (began, held) = (Instant::now(), registry.http.held());
    let subject = manifest(registry, repository, &name, &pushed.descriptor.media_type, &pushed.bytes).await?;
    let took = began.elapsed().saturating_sub(registry.http.held().saturating_sub(held));
    Ok(Pushed { is_listed: subject == Some(attachment.subject), took })
}

/// Whether a tag is there already.
pub(super) async fn has_tag(http: &Http, repository: &Repository, tag: &str) -> Result<bool, Trouble> {
    let found = content::manifest(http, repository, Name::Tag(tag), Absence::after(1)).await?;
    Ok(matches!(found, Reply::Found(_)))
}

/// Puts a manifest under a tag or its digest; returns the subject among whose referrers the registry says that it lists it.
pub(super) async fn manifest(
    registry: &Registry,
    repository: &Repository,
    name: &str,
    media_type: &str,
    bytes: &Bytes,
) -> Result<Option<Digest>, Fault> {
    let ask = noted(registry, repository, name, media_type, bytes)?;
    match registry.http.change(&ask).await {
        Ok(answer) => taken(&answer, bytes),
        // Also where a try before it was taken and its answer got lost: a registry may refuse to take it twice.
        Err(fault) if !fault.refused && is_there(&registry.http, repository, name, bytes).await => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// The same, sent once: where the manifest has to be made anew before it is sent again.
pub(super) async fn manifest_once(
    registry: &Registry,
    repository: &Repository,
    tag: &str,
    media_type: &str,
    bytes: &Bytes,
) -> Result<(), Fault> {
    let ask = noted(registry, repository, tag, media_type, bytes)?;
    let answer = registry.http.change_once(&ask).await?;
    taken(&answer, bytes).map(|_| ())
}

/// The request that puts a manifest; it is noted first where that is wanted.
fn noted(
    registry: &Registry,
    repository: &Repository,
    name: &str,
    media_type: &str,
    bytes: &Bytes,
) -> Result<Ask, Trouble> {
    if let Some(journal) = &registry.journal {
        // No digest is a tag: it has a colon.
        let tag = Some(name).filter(|name| !name.contains(':'));
        journal.note_manifest(repository, tag, Digest::sha256(bytes), bytes)?;
    }
    let url = registry.http.url(&format!("v2/{}/manifests/{name}", repository.path()));
    let put = Action::Put(media_type.to_owned(), bytes.clone());
    Ok(Ask::short(put, url, Scope::Push(repository.path().to_owned())))
}

/// The subject that a registry names which says that it took the manifest `bytes`, and none that differs from it.
fn taken(answer: &Answer, bytes: &Bytes) -> Result<Option<Digest>, Fault> {
    if let Some(stated) = answer.header(STATED_DIGEST)? {
        let kept: Option<Digest> = stated.parse().ok();
        if !kept.is_some_and(|kept| kept.matches(bytes)) {
            let message = format!(
                "{} was answered with the digest {}: the registry keeps another manifest than was pushed, {}",
                answer.request(),
                quote(stated),
                Digest::sha256(bytes)
            );
            return Err(Fault::lasting(TroubleKind::AnswerInvalid, message));
        }
    }
    Ok(answer.header(SUBJECT)?.and_then(|text| text.parse().ok()))
}

/// Whether what is under a tag or a digest is this manifest.
async fn is_there(http: &Http, repository: &Repository, name: &str, bytes: &Bytes) -> bool {
    let digest: Option<Digest> = name.parse().ok();
    let name = digest.as_ref().map_or(Name::Tag(name), Name::Digest);
    let found = content::manifest(http, repository, name, Absence::after(limits::NOT_FOUND_ANSWERS)).await;
    matches!(found, Ok(Reply::Found(found)) if found.bytes == *bytes)
}
