//! Selection: from targets to references, as a stream.
//!
//! Tags of a few repositories are listed ahead of their turn, so that judging never waits for a listing; the order stays
//! that of the targets, the catalog and the tag lists.

use std::sync::Arc;

use futures_util::StreamExt;
use tokio::sync::mpsc;

use super::filter::Filter;
use super::passed_over::PassedOver;
use super::selected::Selected;
use super::sources::Sources;
use super::target::Target;
use crate::reference::{Reference, Repository};
use crate::source::ArtifactSource;
use crate::trouble::Trouble;

/// How many references wait to be judged.
const AHEAD: usize = 256;
/// How many repositories have their tags listed ahead of their turn.
const LISTINGS_AHEAD: usize = 8;

/// One item of a selection.
pub(super) enum Item {
    /// Something to judge.
    Artifact(Selected),
    /// What could not be listed, and why.
    Trouble {
        /// The host, repository or layout.
        place: String,
        /// Why.
        trouble: Trouble,
    },
    /// What was seen while selecting, and is no artifact by itself.
    PassedOver {
        /// The kind of what was seen.
        kind: PassedOver,
        /// How much of it there is.
        count: u64,
    },
}

/// Starts selecting; the stream ends when everything has been selected, and selection ends when the stream is dropped.
pub(super) fn select(targets: Vec<Target>, sources: Arc<Sources>, filter: Filter) -> mpsc::Receiver<Item> {
    let (items, selected) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        let filter = Arc::new(filter);
        for target in targets {
            // A closed channel means that the run has ended.
            if select_target(target, &sources, &filter, &items).await.is_err() {
                return;
            }
        }
    });
    selected
}

type Sent = Result<(), mpsc::error::SendError<Item>>;

async fn select_target(
    target: Target,
    sources: &Arc<Sources>,
    filter: &Arc<Filter>,
    items: &mpsc::Sender<Item>,
) -> Sent {
    let place = target.to_string();
    match select_from(target, sources, filter, items).await {
        Ok(sent) => sent,
        Err(trouble) => items.send(Item::Trouble { place, trouble }).await,
    }
}

async fn select_from(
    target: Target,
    sources: &Arc<Sources>,
    filter: &Arc<Filter>,
    items: &mpsc::Sender<Item>,
) -> Result<Sent, Trouble> {
    Ok(match target {
        Target::Registry(host) => {
            let source = sources.registry(&host)?;
            select_registry(source, host, filter, items).await
        }
        Target::Repository(repository) => {
            let source = sources.registry(repository.host())?;
            forward(list_tags(source, repository, Arc::clone(filter)), items).await
        }
        Target::Artifact(reference) => {
            let source = sources.registry(reference.repository.host())?;
            let label = reference.to_string();
            items
                .send(Item::Artifact(Selected { source, reference, label, repository_from: None, listed: false }))
                .await
        }
        target @ Target::Layout { .. } => {
            let found = sources.layout_entries(&target).await?;
            let artifacts = found.selected.into_iter().filter(|selected| {
                let Reference { repository, tag, .. } = &selected.reference;
                filter.wants(&repository.to_string(), tag.as_deref())
            });
            let troubled = found.troubled.into_iter().filter(|entry| match &entry.reference {
                Some(Reference { repository, tag, .. }) => filter.wants(&repository.to_string(), tag.as_deref()),
                None => filter.wants_unnamed(),
            });
            let troubled = troubled.map(|entry| Item::Trouble { place: entry.label, trouble: entry.trouble });
            let referring = (found.referring > 0 && filter.wants_unnamed())
                .then_some(Item::PassedOver { kind: PassedOver::Referrer, count: found.referring });
            for item in artifacts.map(Item::Artifact).chain(troubled).chain(referring) {
                if let Err(closed) = items.send(item).await {
                    return Ok(Err(closed));
                }
            }
            Ok(())
        }
    })
}

async fn select_registry(
    source: Arc<dyn ArtifactSource>,
    host: String,
    filter: &Arc<Filter>,
    items: &mpsc::Sender<Item>,
) -> Sent {
    let (listings, mut listed) = mpsc::channel(LISTINGS_AHEAD);
    let filter = Arc::clone(filter);
    tokio::spawn(async move {
        let mut repositories = source.repositories();
        while let Some(repository) = repositories.next().await {
            let listing = match repository {
                Ok(repository) if filter.excludes_repository(&repository.to_string()) => continue,
                Ok(repository) => list_tags(Arc::clone(&source), repository, Arc::clone(&filter)),
                Err(trouble) => single(Item::Trouble { place: host.clone(), trouble }),
            };
            if listings.send(listing).await.is_err() {
                return;
            }
        }
    });
    while let Some(listing) = listed.recv().await {
        forward(listing, items).await?;
    }
    Ok(())
}

fn list_tags(source: Arc<dyn ArtifactSource>, repository: Repository, filter: Arc<Filter>) -> mpsc::Receiver<Item> {
    let (items, listed) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        let name = repository.to_string();
        let mut tags = source.tags(&repository);
        while let Some(tag) = tags.next().await {
            let item = match tag.map(|tag| (repository.tagged(&tag), tag)) {
                Ok((_, tag)) if !filter.wants(&name, Some(&tag)) => continue,
                Ok((Ok(reference), _)) => {
                    let label = reference.to_string();
                    Item::Artifact(Selected {
                        source: Arc::clone(&source),
                        reference,
                        label,
                        repository_from: None,
                        listed: true,
                    })
                }
                // The source lists only tags that are tags; one that is not has no reference to be judged by.
                Ok((Err(_), _)) => continue,
                Err(trouble) => Item::Trouble { place: name.clone(), trouble },
            };
            if items.send(item).await.is_err() {
                return;
            }
        }
    });
    listed
}

async fn forward(mut from: mpsc::Receiver<Item>, to: &mpsc::Sender<Item>) -> Sent {
    while let Some(item) = from.recv().await {
        to.send(item).await?;
    }
    Ok(())
}

fn single(item: Item) -> mpsc::Receiver<Item> {
    let (items, listed) = mpsc::channel(1);
    // The channel is open and empty: there is room for one.
    let _ = items.try_send(item);
    listed
}
