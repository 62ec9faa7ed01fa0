//! Selection: from targets to references, as a stream.
//!
//! What is selected waits ahead of its turn, so that judging never waits for a listing; the order stays that of the targets,
//! the catalog and the tag lists.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::filter::Filter;
use super::lists::{ListKind, Noted};
use super::order::Task;
use super::passed_over::PassedOver;
use super::selected::Selected;
use super::sources::Sources;
use super::target::Target;
use super::walk::{Catalog, Walk};
use crate::reference::Reference;
use crate::trouble::Trouble;

/// How many references wait to be judged.
pub(super) const AHEAD: usize = 256;

/// What is selected, one by one. The task that selects ends when this is dropped.
pub(super) struct Selection<T = Item> {
    items: mpsc::Receiver<T>,
    /// `None` once it has ended.
    task: Option<Task<()>>,
    place: String,
}

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
        /// Of a list that broke off: what it is of, and how much at least is missing.
        missing: Option<(ListKind, u64)>,
    },
    /// Selecting ended before its time, by a panic: there may be more.
    Fault {
        /// Where.
        place: String,
    },
    /// What was seen while selecting, and is no artifact by itself.
    PassedOver {
        /// The kind of what was seen.
        kind: PassedOver,
        /// How much of it there is.
        count: u64,
    },
    /// What a list says beside names.
    Noted(Noted),
}

/// What is handed over, one by one, by a task that may end before its time.
pub(super) trait Ended: Send + 'static {
    /// That the task did, at `place`: there may be more.
    fn fault(place: String) -> Self;
}

impl Ended for Item {
    fn fault(place: String) -> Item {
        Item::Fault { place }
    }
}

impl<T: Ended> Selection<T> {
    /// Starts `work`, which hands over what it selects at `place`, `ahead` items before they are asked for.
    pub(super) fn start<F: Future<Output = ()> + Send + 'static>(
        place: impl Into<String>,
        ahead: usize,
        work: impl FnOnce(mpsc::Sender<T>) -> F,
    ) -> Selection<T> {
        let (sender, items) = mpsc::channel(ahead);
        Selection { items, task: Some(Task::spawn(work(sender))), place: place.into() }
    }

    /// `item` alone.
    pub(super) fn of(item: T) -> Selection<T> {
        let (sender, items) = mpsc::channel(1);
        // The channel is open and empty: there is room for one.
        let _ = sender.try_send(item);
        Selection { items, task: None, place: String::new() }
    }

    /// The next item; `None` after the last. A selection whose task did not come to its end is never complete in silence: its
    /// last item is the [fault](Ended::fault).
    pub(super) async fn next(&mut self) -> Option<T> {
        if let Some(item) = self.items.recv().await {
            return Some(item);
        }
        let ended = self.task.as_mut()?.ended().await;
        self.task = None;
        ended.is_err().then(|| T::fault(std::mem::take(&mut self.place)))
    }
}

/// Starts selecting; the stream ends when everything has been selected, and selection ends when the stream is dropped.
pub(super) fn select(targets: Vec<Target>, sources: Arc<Sources>, filter: Filter) -> Selection {
    Selection::start("the targets", AHEAD, async move |items| {
        let filter = Arc::new(filter);
        for target in targets {
            // A closed channel means that the run has ended.
            if select_target(target, &sources, &filter, &items).await.is_err() {
                return;
            }
        }
    })
}

pub(super) type Sent = Result<(), mpsc::error::SendError<Item>>;

async fn select_target(
    target: Target,
    sources: &Arc<Sources>,
    filter: &Arc<Filter>,
    items: &mpsc::Sender<Item>,
) -> Sent {
    let place = target.to_string();
    match select_from(target, sources, filter, items).await {
        Ok(sent) => sent,
        Err(trouble) => items.send(Item::Trouble { place, trouble, missing: None }).await,
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
            Walk::new(source, Arc::clone(filter), items).catalog(Catalog::of(host)).await
        }
        Target::Namespace(namespace) => {
            let source = sources.registry(namespace.host())?;
            Walk::new(source, Arc::clone(filter), items).catalog(Catalog::below(namespace)).await
        }
        Target::Repository(repository) => {
            let source = sources.registry(repository.host())?;
            Walk::new(source, Arc::clone(filter), items).repository(repository).await
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
            let troubled =
                troubled.map(|entry| Item::Trouble { place: entry.label, trouble: entry.trouble, missing: None });
            let referring = [
                (PassedOver::Referrer, found.referring.saturating_sub(found.stray)),
                (PassedOver::StrayReferrer, found.stray),
            ];
            let referring = referring.into_iter().filter(|(_, count)| *count > 0 && filter.wants_unnamed());
            let referring = referring.map(|(kind, count)| Item::PassedOver { kind, count });
            for item in artifacts.map(Item::Artifact).chain(troubled).chain(referring) {
                if let Err(closed) = items.send(item).await {
                    return Ok(Err(closed));
                }
            }
            Ok(())
        }
    })
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use bytes::Bytes;
    use futures_util::stream::{self, BoxStream, StreamExt};
    use tokio::sync::oneshot;

    use super::*;
    use crate::digest::Digest;
    use crate::manifest::Descriptor;
    use crate::reference::Repository;
    use crate::source::{ArtifactSource, ListTrouble, Manifest, Referrers, TagEntry};

    /// Lists `repositories`, of which each has the tags `one` and `two`. Where one is `None`, listing them panics; of that
    /// called `a.io/broken`, listing the tags does, after the first.
    struct Listing(Vec<Option<&'static str>>);

    #[async_trait]
    impl ArtifactSource for Listing {
        fn repositories(&self) -> BoxStream<'_, Result<Repository, ListTrouble>> {
            let listed = self.0.iter().map(|name| Ok(name.expect("a defect").parse().unwrap()));
            stream::iter(listed).boxed()
        }

        fn tags<'a>(&'a self, repository: &'a Repository) -> BoxStream<'a, Result<TagEntry, ListTrouble>> {
            let tags = ["one", "two"].into_iter().map(|tag| {
                assert!(tag == "one" || repository.to_string() != "a.io/broken", "a defect");
                Ok(TagEntry::Tag(tag.to_owned()))
            });
            stream::iter(tags).boxed()
        }

        async fn manifest(&self, _: &Reference) -> Result<Option<Manifest>, Trouble> {
            Ok(None)
        }

        async fn referrers(&self, _: &Repository, _: &Digest) -> Result<Referrers, Trouble> {
            Ok(Referrers::default())
        }

        async fn blob(&self, _: &Repository, _: &Descriptor, _: u64) -> Result<Option<Bytes>, Trouble> {
            Ok(None)
        }
    }

    /// What is selected in a registry that lists these repositories.
    async fn selected(repositories: &[Option<&'static str>]) -> Vec<String> {
        let source = Arc::new(Listing(repositories.to_vec()));
        let mut selection = Selection::start("a.io", 1, async move |items: mpsc::Sender<Item>| {
            let walk = Walk::new(source, Arc::default(), &items);
            let _ = walk.catalog(Catalog::of("a.io".to_owned())).await;
        });
        let mut names = Vec::new();
        while let Some(item) = selection.next().await {
            names.push(match item {
                Item::Noted(_) => continue,
                Item::Artifact(selected) => selected.label,
                Item::Fault { place } => format!("fault at {place}"),
                Item::Trouble { place, .. } => format!("trouble at {place}"),
                Item::PassedOver { .. } => "passed over".to_owned(),
            });
        }
        names
    }

    #[tokio::test]
    async fn a_panic_while_tags_are_listed_is_a_fault_and_the_other_repositories_are_selected() {
        assert_eq!(
            selected(&[Some("a.io/broken"), Some("a.io/b")]).await,
            ["a.io/broken:one", "fault at a.io/broken", "a.io/b:one", "a.io/b:two"]
        );
    }

    #[tokio::test]
    async fn a_panic_while_repositories_are_listed_is_a_fault() {
        assert_eq!(selected(&[Some("a.io/b"), None]).await, ["a.io/b:one", "a.io/b:two", "fault at a.io"]);
        assert_eq!(selected(&[Some("a.io/b")]).await, ["a.io/b:one", "a.io/b:two"]);
    }

    #[tokio::test]
    async fn a_selection_that_is_dropped_ends_its_task_though_nothing_is_selected() {
        let (held, gone) = oneshot::channel::<()>();
        let selection = Selection::<Item>::start("a.io", 1, async move |items| {
            let _both = (held, items);
            std::future::pending::<()>().await;
        });
        tokio::task::yield_now().await;
        drop(selection);
        assert!(gone.await.is_err());
    }
}
