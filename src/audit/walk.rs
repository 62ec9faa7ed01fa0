//! The walk over a registry: its catalog, the tags of each repository, and what lists of tags name as lying below.
//!
//! The filter decides before anything is asked. Tags of a few repositories are listed ahead of their turn; the order stays
//! that of the catalog and of the tag lists, and repositories that only lists of tags name come after those, each once. What
//! is wrong with a list is trouble of its repository, and what a list does not say is noted.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use futures_util::StreamExt;
use tokio::sync::mpsc;

use super::filter::Filter;
use super::lists::{ListKind, Noted};
use super::order::Task;
use super::selected::Selected;
use super::selection::{AHEAD, Ended, Item, Selection, Sent};
use crate::digest::Digest;
use crate::failure::quote;
use crate::limits;
use crate::reference::Repository;
use crate::source::{ArtifactSource, Extent, ListTrouble, TagEntry};
use crate::trouble::{Trouble, TroubleKind};

/// How many repositories have their tags listed ahead of their turn.
const LISTINGS_AHEAD: usize = 32;

/// A walk over repositories of one registry.
pub(super) struct Walk<'a> {
    source: Arc<dyn ArtifactSource>,
    filter: Arc<Filter>,
    items: &'a mpsc::Sender<Item>,
    /// The repositories whose tags were listed, by the beginning of the hash of the name.
    seen: HashSet<[u8; 16]>,
    /// What lists of tags named, and how deep it lies below what was walked to first.
    below: VecDeque<(Repository, usize)>,
    /// How many of those there were.
    followed: usize,
}

/// What a list of tags gives.
enum Found {
    Item(Item),
    Below(Repository),
}

/// Whose repositories a walk is about, of those in a catalog.
#[derive(Debug, Clone)]
pub(super) struct Catalog {
    host: String,
    /// Only what lies below this one.
    below: Option<Repository>,
}

impl Catalog {
    /// All of it.
    pub(super) fn of(host: String) -> Catalog {
        Catalog { host, below: None }
    }

    /// What lies below `namespace`.
    pub(super) fn below(namespace: Repository) -> Catalog {
        Catalog { host: namespace.host().to_owned(), below: Some(namespace) }
    }

    fn has(&self, repository: &Repository) -> bool {
        self.below.as_ref().is_none_or(|namespace| repository.is_below(namespace))
    }
}

/// What a catalog came to.
#[derive(Debug, Default)]
struct Listed {
    /// How many repositories it named.
    all: u64,
    /// How many of them the walk is about.
    own: u64,
    /// Why nothing of it is known.
    refused: Option<Trouble>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(source: Arc<dyn ArtifactSource>, filter: Arc<Filter>, items: &'a mpsc::Sender<Item>) -> Walk<'a> {
        Walk { source, filter, items, seen: HashSet::new(), below: VecDeque::new(), followed: 0 }
    }

    /// Selects the tags of `repository`, which the user named, and of what lies below.
    pub(super) async fn repository(mut self, repository: Repository) -> Sent {
        if self.filter.may_want_below(&repository.to_string()) {
            let tags = list_tags(Arc::clone(&self.source), repository, Arc::clone(&self.filter), Named::ByUser);
            self.forward(tags, 0).await?;
        }
        self.all_below().await
    }

    /// Selects the tags of all repositories of a catalog, and of what lies below them.
    pub(super) async fn catalog(mut self, catalog: Catalog) -> Sent {
        let (listings, mut listed) = mpsc::channel(LISTINGS_AHEAD);
        let (source, filter, about) = (Arc::clone(&self.source), Arc::clone(&self.filter), catalog.clone());
        let task = Task::spawn(async move { list_repositories(source, filter, about, listings).await });
        while let Some((repository, listing)) = listed.recv().await {
            if let Some(repository) = repository {
                self.seen.insert(hash(&repository));
            }
            self.forward(listing, 0).await?;
        }
        let Ok(found) = task.join().await else {
            return self.items.send(Item::Fault { place: catalog.host }).await;
        };
        match &catalog.below {
            None => match found {
                Listed { refused: Some(trouble), .. } => self.trouble(catalog.host, no_catalog(trouble)).await?,
                Listed { all: 0, .. } => self.items.send(Item::Noted(Noted::EmptyCatalog)).await?,
                _ => {}
            },
            // Registries without a catalog of such repositories may say in a list of tags what lies below.
            Some(namespace) if found.own == 0 => self.namespace(namespace.clone(), found).await?,
            Some(_) => {}
        }
        self.all_below().await
    }

    /// Looks below `namespace`, of which the catalog says nothing.
    async fn namespace(&mut self, namespace: Repository, found: Listed) -> Sent {
        let mut named = 0_u64;
        let source = Arc::clone(&self.source);
        let mut tags = source.tags(&namespace);
        while let Some(entry) = tags.next().await {
            match entry {
                Ok(TagEntry::Below(repository)) => {
                    named += 1;
                    self.add_below(repository, 1);
                }
                // Its own tags are no matter; what may lie below is.
                Err(ListTrouble { trouble, extent: extent @ (Extent::Below(_) | Extent::Rest(_)) }) => {
                    let missing = match extent {
                        Extent::Below(Some(path)) if !self.filter.may_want(&format!("{}/{path}", namespace.host())) => {
                            continue;
                        }
                        Extent::Rest(at_least) => Some((ListKind::Tags, at_least)),
                        _ => None,
                    };
                    self.items.send(Item::Trouble { place: namespace.to_string(), trouble, missing }).await?;
                }
                _ => {}
            }
        }
        if named > 0 {
            return Ok(());
        }
        let (place, host) = (format!("{namespace}/"), namespace.host());
        let trouble = match found.refused {
            Some(trouble) => no_catalog(trouble),
            None => {
                let listed = match found.all {
                    0 => format!(
                        "the catalog of {host} is empty: name repositories (HOST/REPOSITORY, or a list of them, @FILE)"
                    ),
                    _ => format!("the catalog of {host} lists no repository below {}", quote(namespace.path())),
                };
                Trouble::new(TroubleKind::NotFound, listed)
            }
        };
        self.trouble(place, trouble).await
    }

    /// Selects what lists of tags named.
    async fn all_below(&mut self) -> Sent {
        while let Some((repository, depth)) = self.below.pop_front() {
            if !self.seen.insert(hash(&repository)) || !self.filter.may_want_below(&repository.to_string()) {
                continue;
            }
            self.followed += 1;
            if self.followed > limits::REPOSITORIES_BELOW || depth > limits::REPOSITORIES_BELOW_DEPTH {
                let message = format!(
                    "there are more repositories below others than are followed ({}, and {} one below the other): name those \
                     that are missing",
                    limits::REPOSITORIES_BELOW,
                    limits::REPOSITORIES_BELOW_DEPTH
                );
                let trouble = Trouble::new(TroubleKind::AnswerTooLarge, message);
                let missing = Some((ListKind::Repositories, self.below.len() as u64 + 1));
                return self.items.send(Item::Trouble { place: repository.to_string(), trouble, missing }).await;
            }
            let tags = list_tags(Arc::clone(&self.source), repository, Arc::clone(&self.filter), Named::ByList);
            self.forward(tags, depth).await?;
        }
        Ok(())
    }

    fn add_below(&mut self, repository: Repository, depth: usize) {
        // One more than is followed is enough to see that there are too many.
        if self.below.len() <= limits::REPOSITORIES_BELOW {
            self.below.push_back((repository, depth));
        }
    }

    async fn forward(&mut self, mut from: Selection<Found>, depth: usize) -> Sent {
        while let Some(found) = from.next().await {
            match found {
                Found::Item(item) => self.items.send(item).await?,
                Found::Below(repository) => self.add_below(repository, depth + 1),
            }
        }
        Ok(())
    }

    async fn trouble(&self, place: String, trouble: Trouble) -> Sent {
        self.items.send(Item::Trouble { place, trouble, missing: None }).await
    }
}

/// Lists the repositories of a catalog, with a list of tags for each that may be wanted.
async fn list_repositories(
    source: Arc<dyn ArtifactSource>,
    filter: Arc<Filter>,
    catalog: Catalog,
    listings: mpsc::Sender<(Option<Repository>, Selection<Found>)>,
) -> Listed {
    let mut listed = Listed::default();
    let Catalog { host, .. } = &catalog;
    let mut repositories = source.repositories();
    while let Some(repository) = repositories.next().await {
        let listing = match repository {
            Ok(repository) => {
                listed.all += 1;
                if !catalog.has(&repository) {
                    continue;
                }
                listed.own += 1;
                if !filter.may_want(&repository.to_string()) {
                    continue;
                }
                let tags = list_tags(Arc::clone(&source), repository.clone(), Arc::clone(&filter), Named::ByList);
                (Some(repository), tags)
            }
            Err(ListTrouble { trouble, extent }) => {
                let missing = match extent {
                    Extent::Whole | Extent::Unknown => {
                        listed.refused = Some(trouble);
                        return listed;
                    }
                    Extent::Entry(Some(name)) => {
                        listed.all += 1;
                        let is_own = catalog.below.as_ref().is_none_or(|below| name.starts_with(&below.below_it()));
                        if !is_own || !filter.may_want(&format!("{host}/{name}")) {
                            continue;
                        }
                        None
                    }
                    Extent::Entry(None) | Extent::Below(_) => None,
                    Extent::Rest(at_least) => Some((ListKind::Repositories, at_least)),
                };
                let trouble = Item::Trouble { place: host.clone(), trouble, missing };
                (None, Selection::of(Found::Item(trouble)))
            }
        };
        if listings.send(listing).await.is_err() {
            return listed;
        }
    }
    let read = Selection::of(Found::Item(Item::Noted(Noted::Catalog)));
    // A closed channel means that the run has ended.
    let _ = listings.send((None, read)).await;
    listed
}

/// Who named a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    ByUser,
    ByList,
}

fn list_tags(
    source: Arc<dyn ArtifactSource>,
    repository: Repository,
    filter: Arc<Filter>,
    named: Named,
) -> Selection<Found> {
    Selection::start(repository.to_string(), AHEAD, async move |found| {
        let name = repository.to_string();
        let wanted = filter.may_want(&name);
        let mut tags = source.tags(&repository);
        let (mut count, mut troubled) = (0_u64, false);
        while let Some(entry) = tags.next().await {
            let send = match entry {
                Ok(TagEntry::Tag(tag)) => {
                    count += 1;
                    // The source lists only tags that are tags; one that is not has no reference to be judged by.
                    let Ok(reference) = repository.tagged(&tag) else { continue };
                    if !filter.wants(&name, Some(&tag)) {
                        continue;
                    }
                    let (source, label) = (Arc::clone(&source), reference.to_string());
                    Item::Artifact(Selected { source, reference, label, repository_from: None, listed: true })
                }
                Ok(TagEntry::Below(repository)) => {
                    count += 1;
                    if found.send(Found::Below(repository)).await.is_err() {
                        return;
                    }
                    continue;
                }
                Ok(TagEntry::Untagged(manifests)) => Item::Noted(Noted::Untagged(manifests)),
                Err(ListTrouble { trouble, extent }) => {
                    let missing = match extent {
                        Extent::Below(Some(path)) if !filter.may_want(&format!("{}/{path}", repository.host())) => {
                            continue;
                        }
                        // It was asked for what lies below alone: what may do so is not known only where the user named it,
                        // or where the list broke off.
                        Extent::Entry(_) if !wanted => continue,
                        Extent::Whole | Extent::Unknown if !wanted && named == Named::ByList => return,
                        // A repository that the registry lists and does not know holds nothing any more.
                        Extent::Unknown if named == Named::ByList => break,
                        Extent::Entry(Some(tag)) if !filter.wants(&name, Some(&tag)) => continue,
                        Extent::Rest(at_least) => Some((ListKind::Tags, at_least)),
                        Extent::Entry(_) | Extent::Below(_) | Extent::Whole | Extent::Unknown => None,
                    };
                    troubled = true;
                    let is_whole = matches!(extent, Extent::Whole);
                    if is_whole && trouble.kind == TroubleKind::AccessDenied {
                        let refused = Found::Item(Item::Noted(Noted::RefusedRepository));
                        if found.send(refused).await.is_err() {
                            return;
                        }
                    }
                    Item::Trouble { place: name.clone(), trouble, missing }
                }
            };
            if found.send(Found::Item(send)).await.is_err() {
                return;
            }
        }
        let noted = match (count, troubled) {
            (0, false) if wanted => Some(Noted::EmptyRepository),
            (0, _) => None,
            _ => Some(Noted::TagList),
        };
        if let Some(noted) = noted {
            // A closed channel means that the run has ended.
            let _ = found.send(Found::Item(Item::Noted(noted))).await;
        }
    })
}

/// What to do where a registry gives no catalog.
fn no_catalog(Trouble { kind, message }: Trouble) -> Trouble {
    let answered = [TroubleKind::NotFound, TroubleKind::AccessDenied, TroubleKind::AnswerInvalid].contains(&kind);
    match answered {
        true => Trouble::new(
            kind,
            format!(
                "{message}: this registry gives no catalog, so that its repositories have to be named (HOST/REPOSITORY, or a \
                 list of them, @FILE)"
            ),
        ),
        false => Trouble::new(kind, message),
    }
}

fn hash(repository: &Repository) -> [u8; 16] {
    Digest::sha256(repository.path().as_bytes()).beginning()
}

impl Ended for Found {
    fn fault(place: String) -> Found {
        Found::Item(Item::Fault { place })
    }
}
