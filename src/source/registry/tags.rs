//! Which manifest a tag names (OCI distribution specification, *Pulling manifests* and *Checking if content exists in the
//! registry*).
//!
//! A tag is asked for with GET, and what comes is hashed. Some registries count that as a pull and allow so many in a time,
//! which they state; HEAD is no pull there. So of such a registry a tag is asked for with HEAD, and the manifest only if it is
//! new. Elsewhere that would only be a request more.
//!
//! A HEAD says a digest, and a digest that a registry states is never believed to be that of some bytes. It is believed here
//! in one thing only, for which there is no other witness in a GET either: which of its manifests a tag names. So it is
//! listened to where this run has fetched the manifest with that digest from that repository and hashed it, or does so now.
//! A HEAD that is refused, or that states no digest, no type or another one, is followed by a GET.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::content::{self, Name, Served, Stated};
use super::http::{Absence, Http, Reply};
use crate::digest::Digest;
use crate::limits;
use crate::reference::Repository;
use crate::source::Manifest;
use crate::trouble::Trouble;

/// The manifests of a registry that tags were found to name, and how it takes requests for tags.
#[derive(Debug, Default)]
pub(super) struct Tags {
    known: Mutex<Known>,
    /// For the first tag of all, whose answer says whether pulls are limited.
    first: tokio::sync::Mutex<()>,
    habit: AtomicU8,
}

/// How a registry takes requests for tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Habit {
    Unknown,
    Unlimited,
    /// It states how many pulls are left.
    Limited,
    /// It does not answer HEAD as it should.
    NoHead,
}

/// A manifest of a repository by digest, once it was fetched; who asks for it before waits.
type Place = Arc<tokio::sync::Mutex<Option<Manifest>>>;
type Key = (String, Digest);

/// What was of use lately and what was not: the latter is forgotten when the former is full.
#[derive(Debug, Default)]
struct Known {
    young: HashMap<Key, Place>,
    old: HashMap<Key, Place>,
    young_bytes: usize,
}

impl Tags {
    /// The manifest that a tag names, or the 404 that says that there is none: after that many in a row.
    pub(super) async fn manifest(
        &self,
        http: &Http,
        repository: &Repository,
        tag: &str,
        absence: Absence,
    ) -> Result<Reply<Manifest>, Trouble> {
        // One tag is asked for before all others, and its answer says how the others are asked for best.
        let first = match self.habit() {
            Habit::Unknown => tokio::time::timeout(limits::FIRST_TAG_WAIT, self.first.lock()).await.ok(),
            _ => None,
        };
        let _first = first.filter(|_| self.habit() == Habit::Unknown);
        if self.habit() == Habit::Limited
            && let Some(manifest) = self.stated(http, repository, tag).await
        {
            return Ok(Reply::Found(manifest));
        }
        let served = content::served(http, repository, Name::Tag(tag), absence).await;
        let limited = matches!(&served, Ok(Reply::Found(served)) if served.limits_pulls);
        // Whatever came of it, the others need not wait.
        self.learn(if limited { Habit::Limited } else { Habit::Unlimited });
        match served? {
            Reply::Absent(answer) => Ok(Reply::Absent(answer)),
            Reply::Found(Served { manifest, .. }) => {
                if limited {
                    self.keep(repository.path(), &manifest);
                }
                Ok(Reply::Found(manifest))
            }
        }
    }

    /// What a HEAD states that the tag names, if that is a manifest that is known or can be had.
    async fn stated(&self, http: &Http, repository: &Repository, tag: &str) -> Option<Manifest> {
        let Stated { digest, media_type } = match content::stated(http, repository, tag).await {
            Ok(stated) => stated?,
            Err(content::NoHead) => {
                self.learn(Habit::NoHead);
                return None;
            }
        };
        let place = self.known().place((repository.path().to_owned(), digest));
        let mut manifest = place.lock().await;
        if manifest.is_none() {
            let absence = Absence::after(1);
            match content::served(http, repository, Name::Digest(&digest), absence).await {
                Ok(Reply::Found(served)) => self.put(&mut manifest, &served.manifest),
                // The tag itself is asked for, and says what there is.
                Ok(Reply::Absent(_)) | Err(_) => return None,
            }
        }
        manifest.clone().filter(|manifest| manifest.descriptor.media_type == media_type)
    }

    /// Keeps a manifest that a tag was found to name.
    fn keep(&self, path: &str, manifest: &Manifest) {
        let place = self.known().place((path.to_owned(), manifest.descriptor.digest));
        let Ok(mut kept) = place.try_lock() else { return };
        if kept.is_none() {
            self.put(&mut kept, manifest);
        }
    }

    fn put(&self, kept: &mut Option<Manifest>, manifest: &Manifest) {
        // A longer manifest holds a share of the budget, and no task may keep one.
        if manifest.bytes.len() as u64 > limits::SMALL_ANSWER_BYTES {
            return;
        }
        *kept = Some(Manifest { bytes: Bytes::copy_from_slice(&manifest.bytes), ..manifest.clone() });
        self.known().weigh(size_of::<(Key, Manifest)>() + manifest.bytes.len());
    }

    fn habit(&self) -> Habit {
        let habit = self.habit.load(Ordering::Relaxed);
        [Habit::Unlimited, Habit::Limited, Habit::NoHead]
            .into_iter()
            .find(|known| *known as u8 == habit)
            .unwrap_or(Habit::Unknown)
    }

    /// Notes a habit: what is worse for HEAD is kept.
    fn learn(&self, habit: Habit) {
        self.habit.fetch_max(habit as u8, Ordering::Relaxed);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // The maps are whole even if a thread died while it held the lock.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn place(&mut self, key: Key) -> Place {
        if let Some(place) = self.young.get(&key) {
            return Arc::clone(place);
        }
        if self.young.len() >= limits::MANIFESTS_REMEMBERED / 2 {
            self.turn();
        }
        let place = self.old.remove(&key).unwrap_or_default();
        self.young.insert(key, Arc::clone(&place));
        place
    }

    fn weigh(&mut self, bytes: usize) {
        self.young_bytes += bytes;
        if self.young_bytes > limits::MANIFESTS_REMEMBERED_BYTES / 2 {
            self.turn();
        }
    }

    fn turn(&mut self) {
        self.old = std::mem::take(&mut self.young);
        self.young_bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{Descriptor, IMAGE_MANIFEST};

    fn manifest(number: usize, length: usize) -> Manifest {
        let bytes = Bytes::from([&number.to_be_bytes()[..], &vec![b'x'; length]].concat());
        let descriptor = Descriptor::new(IMAGE_MANIFEST, Digest::sha256(&bytes), bytes.len() as u64);
        Manifest { descriptor, bytes }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let tags = Tags::default();
        let held = || {
            let known = tags.known();
            let places = || known.young.values().chain(known.old.values());
            let bytes = |place: &Place| place.try_lock().unwrap().as_ref().map_or(0, |manifest| manifest.bytes.len());
            (places().count(), places().map(bytes).sum::<usize>())
        };
        for number in 0..2 * limits::MANIFESTS_REMEMBERED {
            tags.keep("a", &manifest(number, 10));
        }
        assert!(held().0 <= limits::MANIFESTS_REMEMBERED, "{:?}", held());
        for number in 0..1000 {
            tags.keep("a", &manifest(number, 20_000));
        }
        assert!(held().1 <= limits::MANIFESTS_REMEMBERED_BYTES + 20_000, "{:?}", held());
        let long = usize::try_from(limits::SMALL_ANSWER_BYTES).unwrap();
        let before = held().1;
        tags.keep("a", &manifest(0, long));
        assert!(held().1 <= before);
    }

    #[test]
    fn what_was_learned_of_a_registry_is_not_forgotten() {
        let tags = Tags::default();
        assert_eq!(tags.habit(), Habit::Unknown);
        for (learned, habit) in [
            (Habit::Unlimited, Habit::Unlimited),
            (Habit::Limited, Habit::Limited),
            (Habit::Unlimited, Habit::Limited),
            (Habit::NoHead, Habit::NoHead),
            (Habit::Limited, Habit::NoHead),
        ] {
            tags.learn(learned);
            assert_eq!(tags.habit(), habit);
        }
    }
}
