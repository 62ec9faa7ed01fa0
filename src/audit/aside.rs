//! What a run sees and does not judge by itself, counted while it goes on.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::lists::{ListCounts, ListKind, Noted};
use super::passed_over::{PassedOver, PassedOverCounts};
use super::platform::{PlatformFound, Platforms, WantedPlatform};
use crate::digest::Digest;
use crate::limits;
use crate::reference::Repository;

/// The counts of a run, shared by its tasks.
#[derive(Debug)]
pub(super) struct Aside {
    counts: Mutex<AsideCounts>,
    /// The unsigned artifacts, and those for which cosign has a tag with its signature, each once: they are met in any order.
    unsigned: Places,
    signed_by_cosign: Places,
}

/// Manifests by repository and digest, hashed: of many, little is held.
#[derive(Debug, Default)]
struct Places(Mutex<HashSet<u64>>);

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
    /// How many of the unsigned artifacts, each digest of a repository once, have a signature of cosign under its tag. `None`:
    /// there are too many to compare.
    pub unsigned_with_cosign: Option<u64>,
}

impl Aside {
    /// Nothing counted yet.
    pub(super) fn new(platforms: &Platforms) -> Aside {
        let none =
            |wanted: &WantedPlatform| PlatformFound { platform: wanted.to_string(), manifests: 0, indexes_without: 0 };
        let platforms = platforms.named().iter().map(none).collect();
        let counts = AsideCounts { platforms, ..AsideCounts::default() };
        Aside { counts: Mutex::new(counts), unsigned: Places::default(), signed_by_cosign: Places::default() }
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

    /// Notes an artifact that is unsigned.
    pub(super) fn note_unsigned(&self, repository: &Repository, digest: &Digest) {
        self.unsigned.add(repository, digest);
    }

    /// Notes that a tag of cosign has its signature of an artifact.
    pub(super) fn note_cosign(&self, repository: &Repository, digest: &Digest) {
        self.signed_by_cosign.add(repository, digest);
    }

    /// What was counted so far.
    pub(super) fn so_far(&self) -> AsideCounts {
        let (unsigned, signed_by_cosign) = (self.unsigned.held(), self.signed_by_cosign.held());
        let full = |places: &HashSet<u64>| places.len() > limits::UNSIGNED_REMEMBERED;
        // With some left out, the number would depend on which.
        let unsigned_with_cosign = match full(&unsigned) || full(&signed_by_cosign) {
            true if !signed_by_cosign.is_empty() => None,
            _ => Some(unsigned.intersection(&signed_by_cosign).count() as u64),
        };
        AsideCounts { unsigned_with_cosign, ..self.counts().clone() }
    }

    fn counts(&self) -> MutexGuard<'_, AsideCounts> {
        // A panic elsewhere cannot leave numbers half changed.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Places {
    fn add(&self, repository: &Repository, digest: &Digest) {
        let mut hasher = DefaultHasher::new();
        (repository, digest).hash(&mut hasher);
        let mut held = self.held();
        if held.len() <= limits::UNSIGNED_REMEMBERED {
            held.insert(hasher.finish());
        }
    }

    fn held(&self) -> MutexGuard<'_, HashSet<u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
