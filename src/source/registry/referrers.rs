//! Who refers to an artifact (OCI distribution specification, *Listing Referrers* and *Referrers Tag Schema*).
//!
//! "None" is said only when the registry says so: a list that is empty, or, where there is no API, no tag under which such
//! registries keep the list. A 404 is heard several times in a row before it says that, and the artifact itself must then
//! still be there: a registry that says 404 to everything says nothing. To be sent to a page where people log in is the same:
//! registries without the API send whatever address they do not know there. That page's server may not want to be asked any
//! more: no list is there either way, and it is not waited for. Whatever else comes in place of a list (another
//! status, a page for people, an index of another kind) leaves open what the list would be: what is found under the tag is
//! judged, and if nothing that passes is found, that is trouble. A list that calls itself one is read though it is served as
//! plain JSON or text, as older registries do.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::HeaderName;
use url::Url;

use crate::digest::Digest;
use crate::failure::quote;
use crate::limits;
use crate::manifest::{self, Descriptor, IMAGE_INDEX, ImageIndex, IndexEntry, ManifestKind, SIGNATURE_ARTIFACT_TYPE};
use crate::reference::Repository;
use crate::source::{Manifest, Referrers};
use crate::trouble::{Trouble, TroubleKind};

use super::answer::Answer;
use super::challenge::Scope;
use super::content::{self, Name};
use super::http::{Absence, Action, Ask, Http, Reply};
use super::paging::Pages;
use super::referrers_api::{Api, Apis};
use super::retry::Fault;
use super::transport::Bound;

/// The header in which registries say that they filtered a list, and the annotation in which they said so before 1.1.
const FILTERS_APPLIED: HeaderName = HeaderName::from_static("oci-filters-applied");
const FILTERS_ANNOTATION: &str = "org.opencontainers.referrers.filtersApplied";
/// The content types of pages for people.
const PAGES: [&str; 2] = ["text/html", "application/xhtml+xml"];
/// The content types that say nothing of what an answer is, under which some registries serve lists of referrers.
const PLAIN_TYPES: [&str; 4] = ["application/json", "text/json", "text/plain", "application/octet-stream"];

/// What was asked of the API.
#[derive(Debug)]
enum Listed {
    /// The list.
    List(Vec<Descriptor>),
    /// The registry has no API.
    NoApi,
    /// The registry answered, but not with a list.
    Refused(Trouble),
}

/// What the API answered with.
enum Page {
    /// A page of the list.
    List(Box<(Answer, ImageIndex)>),
    /// A page for people at another address than was asked.
    LogIn(Box<Answer>),
}

/// What is under the tag of the referrers tag schema.
#[derive(Debug)]
enum Tagged {
    List(Vec<Descriptor>),
    /// The artifact itself: some registries take the tag for its digest. So there is no such tag.
    Subject,
    /// There is no such tag.
    Nothing,
}

/// Why the referrers were not read.
enum Unread {
    Trouble(Trouble),
    /// There are so many that they are read one list at a time.
    Long,
}

impl From<Trouble> for Unread {
    fn from(trouble: Trouble) -> Unread {
        Unread::Trouble(trouble)
    }
}

/// A question for the referrers of a manifest.
struct Question<'a> {
    http: &'a Http,
    apis: &'a Apis,
    repository: &'a Repository,
    subject: &'a Digest,
    /// How many bytes a list may have that is read beside others.
    longest: u64,
}

/// Which referrers are wanted.
#[derive(Clone, Copy)]
enum Wanted {
    Signatures,
    All,
}

/// The referrers of `subject` that may be signatures.
pub(super) async fn referrers(
    http: &Http,
    apis: &Apis,
    repository: &Repository,
    subject: &Digest,
) -> Result<Referrers, Trouble> {
    ask(|longest| Question { http, apis, repository, subject, longest }, Wanted::Signatures).await
}

/// All referrers of `subject`.
pub(super) async fn all_referrers(
    http: &Http,
    apis: &Apis,
    repository: &Repository,
    subject: &Digest,
) -> Result<Referrers, Trouble> {
    ask(|longest| Question { http, apis, repository, subject, longest }, Wanted::All).await
}

async fn ask<'a>(question: impl Fn(u64) -> Question<'a>, wanted: Wanted) -> Result<Referrers, Trouble> {
    let first = question(limits::SHORT_LIST_BYTES);
    match first.answered(wanted).await {
        Ok(referrers) => Ok(referrers),
        Err(Unread::Trouble(trouble)) => Err(trouble),
        // Read anew from the start, since no task may wait while holding what has been read.
        Err(Unread::Long) => {
            let held = Some(Arc::new(first.http.budget().long_list().await));
            match question(u64::MAX).answered(wanted).await {
                Ok(referrers) => Ok(Referrers { held, ..referrers }),
                Err(Unread::Trouble(trouble)) => Err(trouble),
                Err(Unread::Long) => {
                    Err(Trouble::new(TroubleKind::AnswerTooLarge, "the list of referrers is too long"))
                }
            }
        }
    }
}

/// The referrers where the list under the tag is all there is.
fn without_api(tagged: Tagged, doubt: Option<Trouble>) -> Referrers {
    let found = match tagged {
        Tagged::List(list) => list,
        Tagged::Subject | Tagged::Nothing => Vec::new(),
    };
    let (listed, others) = split(found);
    let others = if listed.is_empty() { others } else { Vec::new() };
    Referrers { listed, others, doubt, held: None }
}

impl Question<'_> {
    async fn answered(&self, wanted: Wanted) -> Result<Referrers, Unread> {
        match wanted {
            Wanted::Signatures => self.referrers().await,
            Wanted::All => self.all().await,
        }
    }

    /// All referrers: what the API lists, and what is under the tag, where clients put it before there was the API.
    async fn all(&self) -> Result<Referrers, Unread> {
        let (mut found, doubt, answers) = match self.by_api(None).await? {
            Listed::List(list) => (list, None, limits::NOT_FOUND_ANSWERS),
            Listed::NoApi => (Vec::new(), None, limits::NO_REFERRERS_TAG_ANSWERS),
            Listed::Refused(doubt) => (Vec::new(), Some(doubt), limits::NOT_FOUND_ANSWERS),
        };
        if let Tagged::List(tagged) = self.by_tag(answers).await? {
            found.extend(tagged);
        }
        let (listed, others) = split(found);
        Ok(Referrers { listed, others, doubt, held: None })
    }

    async fn referrers(&self) -> Result<Referrers, Unread> {
        match self.by_api(Some(SIGNATURE_ARTIFACT_TYPE)).await? {
            Listed::List(filtered) => self.with_api(filtered).await,
            Listed::NoApi => {
                let tagged = self.by_tag(limits::NO_REFERRERS_TAG_ANSWERS).await?;
                if matches!(tagged, Tagged::Nothing) {
                    self.check_that_subject_is_there().await?;
                }
                Ok(without_api(tagged, None))
            }
            Listed::Refused(doubt) => {
                let tagged = self.by_tag(limits::NOT_FOUND_ANSWERS).await?;
                Ok(without_api(tagged, Some(doubt)))
            }
        }
    }

    /// The referrers where the registry has the API, which listed `filtered` when it was asked for signatures.
    async fn with_api(&self, filtered: Vec<Descriptor>) -> Result<Referrers, Unread> {
        let (listed, mut others) = split(filtered);
        if !listed.is_empty() {
            return Ok(Referrers { listed, ..Referrers::default() });
        }
        match self.by_api(None).await? {
            Listed::List(unfiltered) => others.extend(unfiltered),
            Listed::Refused(trouble) => return Err(trouble.into()),
            Listed::NoApi => {
                let message = format!("the registry lists the referrers of {} only by artifact type", self.subject);
                return Err(Trouble::new(TroubleKind::AnswerInvalid, message).into());
            }
        }
        // What was pushed before the registry had the API may be listed only there.
        if let Tagged::List(tagged) = self.by_tag(limits::NOT_FOUND_ANSWERS).await? {
            others.extend(tagged);
        }
        Ok(Referrers { others: unique(others), ..Referrers::default() })
    }

    /// What the API lists.
    async fn by_api(&self, artifact_type: Option<&str>) -> Result<Listed, Unread> {
        let mut url = self.http.url(&format!("v2/{}/referrers/{}", self.repository.path(), self.subject));
        if let Some(artifact_type) = artifact_type {
            url.query_pairs_mut().append_pair("artifactType", artifact_type);
        }
        let mut pages = Pages::new(&self.http.base, &url, limits::REFERRERS_PAGES);
        let (mut answer, mut index) = match self.first_page(&url).await? {
            Ok(page) => page,
            Err(no_list) => return Ok(no_list),
        };
        let mut found = Vec::new();
        let mut bytes = 0_u64;
        loop {
            bytes += answer.body.len() as u64;
            if bytes > limits::REFERRERS_BYTES {
                let most = limits::REFERRERS_BYTES;
                let message = format!("{} has more than the {most} bytes of pages that are read", answer.request());
                return Err(Trouble::new(TroubleKind::AnswerTooLarge, message).into());
            }
            if bytes > self.longest {
                return Err(Unread::Long);
            }
            let is_filtered = artifact_type.is_some() && is_filtered(&answer, &index)?;
            found.extend(index.manifests.into_iter().map(|entry| match bare(entry) {
                // The registry says of what kind it is by listing it.
                untyped if is_filtered && untyped.artifact_type.is_none() => {
                    Descriptor { artifact_type: artifact_type.map(str::to_owned), ..untyped }
                }
                descriptor => descriptor,
            }));
            let next = pages.next(&answer)?;
            // No task waits for a page while holding another.
            drop(answer);
            let Some(next) = next else { return Ok(Listed::List(found)) };
            (answer, index) = match self.page(next, Absence::after(limits::NOT_FOUND_ANSWERS)).await {
                Ok(Reply::Found(Page::List(page))) => *page,
                Ok(Reply::Found(Page::LogIn(answer))) => {
                    return Err(answer.invalid("is a page for people, not the next page of referrers").into());
                }
                Ok(Reply::Absent(answer)) => return Err(answer.invalid("is not the next page of referrers").into()),
                Err(fault) => return Err(fault.trouble.into()),
            };
        }
    }

    /// The first page, or what there is in its place.
    async fn first_page(&self, url: &Url) -> Result<Result<(Answer, ImageIndex), Listed>, Trouble> {
        let path = self.repository.path();
        let known = self.apis.of(path);
        let absence = match known {
            // Asked all the same: a list now would show that it was not so.
            Api::Absent => Absence::after(1),
            Api::There => Absence::after(limits::NO_REFERRERS_API_ANSWERS),
            Api::Unknown => {
                // The first time in some time: what passes may need as long to do so.
                let pause = if self.apis.is_any_known() { Duration::ZERO } else { self.http.timings().pause.0 / 2 };
                Absence { answers: limits::NO_REFERRERS_API_ANSWERS, apart: pause }
            }
        };
        let mut reply = self.page(url.clone(), absence).await;
        // A refusal that passes would have the tag decide. Who may not read is not heard twice: accounts get locked.
        let may_pass =
            |fault: &Fault| fault.answered && !fault.is_passing() && fault.trouble.kind != TroubleKind::AccessDenied;
        if reply.as_ref().is_err_and(may_pass) && !sends_to_log_in(&reply) {
            reply = self.page(url.clone(), absence).await;
        }
        // As often as a 404 has to come that says the same.
        for _ in 1..absence.answers {
            if !sends_to_log_in(&reply) {
                break;
            }
            tokio::time::sleep(absence.apart).await;
            reply = self.page(url.clone(), absence).await;
        }
        match reply {
            Ok(Reply::Found(Page::List(page))) => match self.apis.note(path, Api::There) {
                Api::Absent => Err(page.0.invalid(
                    "is a list of referrers, though this registry said before that it keeps none for this repository: what \
                     was decided of other artifacts of it in this run may be wrong",
                )),
                Api::There | Api::Unknown => Ok(Ok(*page)),
            },
            Ok(Reply::Found(Page::LogIn(answer))) => match self.apis.note(path, Api::Absent) {
                Api::There => Err(answer.invalid("is a page for people, though the registry listed referrers before")),
                Api::Absent | Api::Unknown => Ok(Err(Listed::NoApi)),
            },
            // It may say that it does not know the repository, which it takes the address to name: the tag is asked for there.
            Ok(Reply::Absent(answer)) => match self.apis.note(path, Api::Absent) {
                Api::There => {
                    let message = format!("{}, though it listed referrers before", answer.sentence());
                    Err(Trouble::new(TroubleKind::AnswerInvalid, message))
                }
                Api::Absent | Api::Unknown => Ok(Err(Listed::NoApi)),
            },
            // A server that wants to be asked later says nothing of a list: where no tag does, it stays open.
            Err(Fault { trouble, astray: true, .. })
                if trouble.kind == TroubleKind::RateLimited && known != Api::There =>
            {
                let why = format!("another server answered in place of the list: {}", trouble.message);
                Ok(Err(Listed::Refused(Trouble::new(TroubleKind::AnswerInvalid, why))))
            }
            Err(Fault { trouble, answered, astray, .. }) if known != Api::There && (answered || astray) => {
                Ok(Err(Listed::Refused(trouble)))
            }
            Err(fault) => Err(fault.trouble),
        }
    }

    async fn page(&self, url: Url, absence: Absence) -> Result<Reply<Page>, Fault> {
        let ask = Ask {
            action: Action::Get,
            url,
            accept: IMAGE_INDEX.to_owned(),
            scope: Scope::Repository(self.repository.path().to_owned()),
            bound: Bound::AtMost(limits::PAGE_BYTES),
            absence,
            ending: Some(format!("/referrers/{}", self.subject)),
        };
        self.http.get(&ask, |answer| read_page(&ask.url, answer)).await
    }

    /// What is under the tag; `answers` is how many 404s say that there is no such tag.
    async fn by_tag(&self, answers: usize) -> Result<Tagged, Unread> {
        let (repository, tag) = (self.repository, self.subject.referrers_tag());
        let found = content::manifest(self.http, repository, Name::Tag(&tag), Absence::after(answers)).await?;
        let list = match found {
            Reply::Found(Manifest { bytes, .. }) if self.subject.matches(&bytes) => return Ok(Tagged::Subject),
            Reply::Found(Manifest { bytes, .. }) if bytes.len() as u64 > self.longest => return Err(Unread::Long),
            Reply::Found(Manifest { descriptor, bytes }) if descriptor.media_type == IMAGE_INDEX => index(&bytes),
            Reply::Found(Manifest { descriptor, .. }) => Err(format!("it is a {}", quote(&descriptor.media_type))),
            Reply::Absent(answer) if answer.says_repository_unknown() => {
                return Err(Trouble::new(TroubleKind::NotFound, answer.sentence()).into());
            }
            Reply::Absent(_) => return Ok(Tagged::Nothing),
        };
        match list {
            Ok(index) => Ok(Tagged::List(index.manifests.into_iter().map(bare).collect())),
            Err(error) => {
                let message = format!("{repository}:{tag} is no index of referrers: {error}");
                Err(Trouble::new(TroubleKind::AnswerInvalid, message).into())
            }
        }
    }

    /// Checks that not everything is answered with 404 just now.
    async fn check_that_subject_is_there(&self) -> Result<(), Trouble> {
        let absence = Absence::after(limits::NOT_FOUND_ANSWERS);
        match content::manifest(self.http, self.repository, Name::Digest(self.subject), absence).await? {
            Reply::Found(_) => Ok(()),
            Reply::Absent(answer) => {
                let message = format!(
                    "{}, like its referrers: whether it has any is not known while the registry has not even the artifact",
                    answer.sentence()
                );
                Err(Trouble::new(TroubleKind::ContentMissing, message))
            }
        }
    }
}

/// Whether the registry sends to where people log in: there is a page for them.
fn sends_to_log_in(reply: &Result<Reply<Page>, Fault>) -> bool {
    matches!(reply, Ok(Reply::Found(Page::LogIn(_))))
}

/// Reads what was answered to the question for the list at `asked`.
fn read_page(asked: &Url, answer: Answer) -> Result<Page, Trouble> {
    let media_type = answer.media_type()?;
    let is_list = match media_type.as_deref() {
        Some(IMAGE_INDEX) => true,
        // Served as what it is not, it must say itself what it is.
        Some(plain) if PLAIN_TYPES.contains(&plain) => {
            content::own_type(&answer.body).is_some_and(|own| own == IMAGE_INDEX)
        }
        Some(page) if PAGES.contains(&page) => {
            let moved = (answer.url.origin(), answer.url.path()) != (asked.origin(), asked.path());
            if moved {
                return Ok(Page::LogIn(Box::new(answer)));
            }
            false
        }
        Some(_) => false,
        None => return Err(answer.invalid("states no content type")),
    };
    match media_type {
        Some(other) if !is_list => {
            Err(answer.invalid(format!("is of type {}, not an index of referrers", quote(&other))))
        }
        _ => match index(&answer.body) {
            Ok(index) => Ok(Page::List(Box::new((answer, index)))),
            Err(error) => Err(answer.invalid(format!("is refused: {error}"))),
        },
    }
}

/// The descriptor of an entry, without the annotations: a long list has many of them, and none is read.
fn bare(entry: IndexEntry) -> Descriptor {
    Descriptor { annotations: BTreeMap::new(), ..entry.descriptor }
}

/// Whether the registry says that the list holds what was asked for alone.
fn is_filtered(answer: &Answer, index: &ImageIndex) -> Result<bool, Trouble> {
    let annotation = index.annotations.get(FILTERS_ANNOTATION).map(String::as_str);
    let applied = answer.header(FILTERS_APPLIED)?.or(annotation).unwrap_or_default();
    Ok(applied.split(',').any(|filter| filter.trim() == "artifactType"))
}

fn index(bytes: &[u8]) -> Result<ImageIndex, String> {
    match manifest::parse(bytes, IMAGE_INDEX).map_err(|error| error.to_string())? {
        ManifestKind::Index(index) => Ok(index),
        _ => Err("it is no index".to_owned()),
    }
}

/// The same descriptors, each digest once, in order.
fn unique(mut descriptors: Vec<Descriptor>) -> Vec<Descriptor> {
    let mut seen = HashSet::new();
    descriptors.retain(|descriptor| seen.insert(descriptor.digest));
    descriptors
}

/// Those that are listed as signatures, if only in one of several places, and the others; each once.
fn split(descriptors: Vec<Descriptor>) -> (Vec<Descriptor>, Vec<Descriptor>) {
    let is_signature = |descriptor: &Descriptor| descriptor.artifact_type.as_deref() == Some(SIGNATURE_ARTIFACT_TYPE);
    let (listed, others): (Vec<_>, Vec<_>) = descriptors.into_iter().partition(is_signature);
    let listed = unique(listed);
    let known: HashSet<_> = listed.iter().map(|descriptor| descriptor.digest).collect();
    let others = others.into_iter().filter(|descriptor| !known.contains(&descriptor.digest)).collect();
    (listed, unique(others))
}
