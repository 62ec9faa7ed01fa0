//! Who refers to an artifact (OCI distribution specification, *Listing Referrers* and *Referrers Tag Schema*).
//!
//! "None" is said only when the registry says so: a list that is empty, or a 404 for the tag where registries without
//! the API keep it. A registry that refuses, fails or does not know the repository is trouble.

use std::collections::HashSet;

use reqwest::StatusCode;
use url::Url;

use crate::digest::Digest;
use crate::failure::quote;
use crate::limits;
use crate::manifest::{self, Descriptor, IMAGE_INDEX, ManifestKind, SIGNATURE_ARTIFACT_TYPE};
use crate::reference::Repository;
use crate::source::{Manifest, Referrers, Trouble, TroubleKind};

use super::answer::Answer;
use super::challenge::Scope;
use super::content::{self, Found, Name};
use super::http::{Action, Ask, Http};
use super::paging::Pages;
use super::transport::Bound;

/// The referrers of `subject`.
pub(super) async fn referrers(http: &Http, repository: &Repository, subject: &Digest) -> Result<Referrers, Trouble> {
    let Some(filtered) = by_api(http, repository, subject, Some(SIGNATURE_ARTIFACT_TYPE)).await? else {
        let (listed, others) = split(unique(by_tag(http, repository, subject).await?));
        let others = if listed.is_empty() { others } else { Vec::new() };
        return Ok(Referrers { listed, others });
    };
    // Whatever the registry says of filtering.
    let (listed, mut others) = split(unique(filtered));
    if !listed.is_empty() {
        return Ok(Referrers { listed, others: Vec::new() });
    }
    let Some(unfiltered) = by_api(http, repository, subject, None).await? else {
        let message = format!("the registry lists the referrers of {subject} only by artifact type");
        return Err(Trouble::new(TroubleKind::AnswerInvalid, message));
    };
    others.extend(unfiltered);
    others.extend(by_tag(http, repository, subject).await?);
    Ok(Referrers { listed: Vec::new(), others: unique(others) })
}

/// The referrers by the API. `None`: the registry has no such API.
async fn by_api(
    http: &Http,
    repository: &Repository,
    subject: &Digest,
    artifact_type: Option<&str>,
) -> Result<Option<Vec<Descriptor>>, Trouble> {
    let mut url = http.url(&format!("v2/{}/referrers/{subject}", repository.path()));
    if let Some(artifact_type) = artifact_type {
        url.query_pairs_mut().append_pair("artifactType", artifact_type);
    }
    let mut pages = Pages::new(&http.base, &url, limits::REFERRERS_PAGES);
    let mut found = Vec::new();
    let mut bytes = 0_u64;
    let mut next = Some(url);
    let mut is_first = true;
    while let Some(url) = next {
        let answer = page(http, repository, url).await?;
        if !is_index(&answer)? {
            return if is_first { Ok(None) } else { Err(answer.invalid("is not the next page of referrers")) };
        }
        bytes += answer.body.len() as u64;
        if bytes > limits::REFERRERS_BYTES {
            let message = format!(
                "{} has more than the {} bytes of pages that are read",
                answer.request(),
                limits::REFERRERS_BYTES
            );
            return Err(Trouble::new(TroubleKind::AnswerTooLarge, message));
        }
        found.extend(entries(&answer.body).map_err(|error| answer.invalid(format!("is refused: {error}")))?);
        next = pages.next(&answer)?;
        is_first = false;
    }
    Ok(Some(found))
}

async fn page(http: &Http, repository: &Repository, url: Url) -> Result<Answer, Trouble> {
    let ask = Ask {
        action: Action::Get,
        url,
        accept: IMAGE_INDEX.to_owned(),
        scope: Scope::Repository(repository.path().to_owned()),
        bound: Bound::AtMost(limits::PAGE_BYTES),
    };
    http.answer(&ask).await
}

/// Whether an answer is an index of referrers. Otherwise the registry has no API for them, unless it knows it so well
/// that it says the repository is unknown.
fn is_index(answer: &Answer) -> Result<bool, Trouble> {
    if answer.says_repository_unknown() {
        return Err(Trouble::new(TroubleKind::NotFound, answer.sentence()));
    }
    if answer.status != StatusCode::OK {
        return Ok(false);
    }
    match answer.media_type()? {
        Some(media_type) => Ok(media_type == IMAGE_INDEX),
        None => Err(answer.invalid("states no content type")),
    }
}

/// The referrers by the tag schema; none where there is no such tag.
async fn by_tag(http: &Http, repository: &Repository, subject: &Digest) -> Result<Vec<Descriptor>, Trouble> {
    let tag = subject.referrers_tag();
    let index = match content::manifest(http, repository, Name::Tag(&tag)).await? {
        Found::Manifest(Manifest { descriptor, bytes }) if descriptor.media_type == IMAGE_INDEX => entries(&bytes),
        Found::Manifest(Manifest { descriptor, .. }) => Err(format!("it is a {}", quote(&descriptor.media_type))),
        Found::Nothing(answer) if answer.says_repository_unknown() => {
            return Err(Trouble::new(TroubleKind::NotFound, answer.sentence()));
        }
        Found::Nothing(_) => return Ok(Vec::new()),
    };
    index.map_err(|error| {
        Trouble::new(TroubleKind::AnswerInvalid, format!("{repository}:{tag} is no index of referrers: {error}"))
    })
}

fn entries(bytes: &[u8]) -> Result<Vec<Descriptor>, String> {
    match manifest::parse(bytes, IMAGE_INDEX).map_err(|error| error.to_string())? {
        ManifestKind::Index(index) => Ok(index.manifests.into_iter().map(|entry| entry.descriptor).collect()),
        _ => Err("it is no index".to_owned()),
    }
}

/// The same descriptors, each digest once, in order.
fn unique(mut descriptors: Vec<Descriptor>) -> Vec<Descriptor> {
    let mut seen = HashSet::new();
    descriptors.retain(|descriptor| seen.insert(descriptor.digest));
    descriptors
}

/// Those that are listed as signatures, and the others.
fn split(descriptors: Vec<Descriptor>) -> (Vec<Descriptor>, Vec<Descriptor>) {
    descriptors.into_iter().partition(|descriptor| descriptor.artifact_type.as_deref() == Some(SIGNATURE_ARTIFACT_TYPE))
}
