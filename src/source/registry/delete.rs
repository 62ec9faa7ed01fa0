//! Deleting from a registry (OCI distribution specification, *Content Management*): manifests, tags and blobs.
//!
//! Only for what writes: an audit deletes nothing. What is not there any more is deleted; a registry that does not let
//! delete is trouble, and never passed over.

use reqwest::StatusCode;

use crate::digest::Digest;
use crate::failure::quote;
use crate::manifest::IMAGE_INDEX;
use crate::reference::Repository;
use crate::source::attachment;
use crate::trouble::{Trouble, TroubleKind};

use super::challenge::Scope;
use super::content::{self, Name};
use super::http::{Absence, Action, Ask, Http, Reply};
use super::retry::Fault;
use super::{Registry, push};

/// Deletes the manifest with this digest, and with it, as registries do, the tags that lead to it. `false`: it was not there.
pub(super) async fn manifest(http: &Http, repository: &Repository, digest: &Digest) -> Result<bool, Trouble> {
    delete(http, repository, &format!("manifests/{digest}")).await
}

/// Deletes a manifest that another has replaced. It is tried once, also where the registry wants to be asked later:
/// it is in the way of nothing.
pub(super) async fn replaced(http: &Http, repository: &Repository, digest: &Digest) -> Result<bool, Fault> {
    let answer = http.change_once(&ask(http, repository, &format!("manifests/{digest}"))).await?;
    Ok(answer.status != StatusCode::NOT_FOUND)
}

/// Deletes a tag. What it led to stays, where the registry does as the specification says.
pub(super) async fn tag(http: &Http, repository: &Repository, tag: &str) -> Result<bool, Trouble> {
    delete(http, repository, &format!("manifests/{tag}")).await
}

/// Deletes a blob from the repository.
pub(super) async fn blob(http: &Http, repository: &Repository, digest: &Digest) -> Result<bool, Trouble> {
    delete(http, repository, &format!("blobs/{digest}")).await
}

/// Takes a referrer of `subject` from the index of the referrers tag schema, if there is one that lists it.
pub(super) async fn unlist(
    registry: &Registry,
    repository: &Repository,
    subject: &Digest,
    referrer: &Digest,
) -> Result<(), Trouble> {
    let tag = subject.referrers_tag();
    let absence = Absence::after(1);
    let found = match content::manifest(&registry.http, repository, Name::Tag(&tag), absence).await? {
        Reply::Found(found) => found,
        Reply::Absent(_) => return Ok(()),
    };
    let shorter = match found.descriptor.media_type.as_str() {
        IMAGE_INDEX => attachment::without(&found.bytes, referrer),
        other => Err(format!("it is a {}", quote(other))),
    };
    let shorter = shorter.map_err(|error| {
        let message = format!("{repository}:{tag} is no index of referrers, and is not written over: {error}");
        Trouble::new(TroubleKind::AnswerInvalid, message)
    })?;
    match shorter {
        Some(index) => {
            let put = push::manifest(registry, repository, &tag, IMAGE_INDEX, &index.into()).await;
            put.map(|_| ()).map_err(|fault| fault.trouble)
        }
        None => Ok(()),
    }
}

async fn delete(http: &Http, repository: &Repository, what: &str) -> Result<bool, Trouble> {
    let answer = http.send(&ask(http, repository, what)).await?;
    Ok(answer.status != StatusCode::NOT_FOUND)
}

fn ask(http: &Http, repository: &Repository, what: &str) -> Ask {
    let url = http.url(&format!("v2/{}/{what}", repository.path()));
    Ask::short(Action::Delete, url, Scope::Delete(repository.path().to_owned()))
}
