//! What a run sees and does not judge by itself, counted while it goes on.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::lists::{ListCounts, ListKind, Noted};
use super::passed_over::{PassedOver, PassedOverCounts};
use super::platform::{PlatformFound, Platforms, WantedPlatform};

/// The counts of a run, shared by its tasks.
#[derive(Debug)]
pub(super) struct Aside(Mutex<AsideCounts>);

/// What was seen and not judged by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AsideCounts {
    /// What was passed over, by kind.
    pub passed_over: PassedOverCounts,
    /// The platforms that were asked for by name, in that order.
    pub platforms: Vec<PlatformFound>,
    /// What was learnt from lists of repositories and tags.
    pub lists: ListCounts,
}

impl Aside {
    /// Nothing counted yet.
    pub(super) fn new(platforms: &Platforms) -> Aside {
        let none =
            |wanted: &WantedPlatform| PlatformFound { platform: wanted.to_string(), manifests: 0, indexes_without: 0 };
        let platforms = platforms.named().iter().map(none).collect();
        Aside(Mutex::new(AsideCounts { platforms, ..AsideCounts::default() }))
    }

    /// Counts what is passed over.
    pub(super) fn pass_over(&self, kind: PassedOver, count: u64) {
        self.counts().passed_over.add(kind, count);
    }

    /// Counts what a list said beside names.
    pub(super) fn note(&self, noted: Noted) {
        self.counts().lists.note(noted);
    }

    /// Counts a list that broke off.
    pub(super) fn miss(&self, kind: ListKind, at_least: u64) {
        self.counts().lists.miss(kind, at_least);
    }

    /// Counts the manifests that one image index has for a platform.
    pub(super) fn find(&self, wanted: &WantedPlatform, manifests: u64) {
        let name = wanted.to_string();
        if let Some(found) = self.counts().platforms.iter_mut().find(|found| found.platform == name) {
            found.manifests += manifests;
            found.indexes_without += u64::from(manifests == 0);
        }
    }

    /// What was counted so far.
    pub(super) fn so_far(&self) -> AsideCounts {
        self.counts().clone()
    }

    fn counts(&self) -> MutexGuard<'_, AsideCounts> {
        // A panic elsewhere cannot leave numbers half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
