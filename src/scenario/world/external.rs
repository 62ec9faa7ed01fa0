//! A registry that is there before and after: the part of it that a run may write to, and what becomes of that at the end.
//!
//! Everything lies below a path with a random name, and there below a number for each case and the host that the scenario
//! writes, so that no case meets another and no two registries of a scenario become one. What is pushed is noted before it
//! is pushed, and deleted when the case ends or the run does: tags, then manifests before what they name (OCI distribution
//! specification, *Content Management*), then blobs, those apart that were there before. It refuses to write outside that path, and over a tag that exists.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_lc_rs::rand;
use futures_util::{StreamExt as _, stream};

use crate::audit::Sources;
use crate::digest::Digest;
use crate::failure::quote;
use crate::limits;
use crate::reference::{Repository, is_host, is_path};
use crate::scenario::notes::{Note, Notes};
use crate::source::moved::{self, Moved};
use crate::source::registry::{Entry, Journal, Registry, RegistryOptions, Written};

/// How many things are deleted at a time.
const AT_A_TIME: usize = 16;
/// How many of the last requests may still have been under way when a run was told to stop.
const UNDER_WAY: usize = 256;
/// How long a registry is given to have taken what was under way.
const SETTLE: Duration = Duration::from_millis(150);

/// A registry that is not a scenario's own.
#[derive(Debug)]
pub(in crate::scenario) struct External {
    registry: Arc<Registry>,
    /// Everything that is written lies below.
    place: Repository,
    journal: Journal,
    notes: Notes,
    cleared: Mutex<Cleared>,
}

/// The part of such a registry that one case writes to.
#[derive(Debug, Clone)]
pub(in crate::scenario) struct Part {
    external: Arc<External>,
    place: Repository,
}

/// What was deleted so far, and what could not be.
#[derive(Debug, Default)]
struct Cleared {
    manifests: usize,
    blobs_left: usize,
    left: Vec<(String, String)>,
}

impl External {
    /// The registry at `target`, `HOST` or `HOST/PATH`, reached as `options` say. Nothing is asked yet.
    pub(in crate::scenario) fn open(target: &str, options: &RegistryOptions, notes: Notes) -> Result<External, String> {
        let (host, path) = target.split_once('/').map_or((target, None), |(host, path)| (host, Some(path)));
        let mut random = [0; 8];
        rand::fill(&mut random).map_err(|_| "the system gives no random numbers".to_owned())?;
        let name = format!("muster-test-{}", random.map(|byte| format!("{byte:02x}")).concat());
        let name = path.map_or_else(|| name.clone(), |path| format!("{path}/{name}"));
        let refused = || format!("{} is not HOST or HOST/PATH", quote(target));
        let place = Repository::new(host, &name).map_err(|_| refused()).and_then(|place| match is_host(host) {
            true => Ok(place),
            false => Err(refused()),
        })?;
        let journal = Journal::default();
        let options = RegistryOptions { journal: Some(journal.clone()), ..options.clone() };
        let registry = Registry::new(host, options).map_err(|trouble| trouble.message)?;
        Ok(External { registry: Arc::new(registry), place, journal, notes, cleared: Mutex::default() })
    }

    /// The part for the case with this number.
    pub(in crate::scenario) fn part(self: &Arc<External>, number: usize) -> Result<Part, String> {
        let place = moved::below(&self.place, &number.to_string())?;
        Ok(Part { external: Arc::clone(self), place })
    }

    /// Says what will be written: by so many cases, to these repositories, with how many tags each.
    pub(in crate::scenario) fn announce(&self, cases: usize, repositories: BTreeMap<String, u64>) {
        let repositories = repositories.into_iter().collect();
        self.notes.tell(Note::Writes { place: self.place.to_string(), cases, repositories });
    }

    /// Deletes what is left of cases that did not end by themselves, and says what was deleted and what stays. Where the
    /// run was told to stop, that takes no longer than a user waits.
    pub(in crate::scenario) async fn finish(&self, stopped: bool) {
        self.journal.close();
        let time = if stopped { limits::SCENARIO_DELETION_WHEN_STOPPED } else { limits::SCENARIO_DELETION };
        self.clear(&self.place, Instant::now() + time, true).await;
        self.tell();
    }

    /// Says what was deleted since this was said last, and what could not be.
    fn tell(&self) {
        let Cleared { manifests, blobs_left, left } =
            std::mem::take(&mut *self.cleared.lock().unwrap_or_else(PoisonError::into_inner));
        let place = self.place.to_string();
        match left.is_empty() {
            true if manifests == 0 => {}
            true => self.notes.tell(Note::Deleted { place, manifests, blobs_left }),
            false => self.notes.tell(Note::Left { place, manifests: left }),
        }
    }

    /// Deletes what was written below `place`. If it was `broken_off`, the registry may still be taking what was on its way:
    /// that is deleted once more.
    async fn clear(&self, place: &Repository, by: Instant, broken_off: bool) {
        let below = format!("{}/", place.path());
        let lies_there = |repository: &Repository| repository.path().starts_with(&below);
        let under_way = if broken_off { self.journal.last(UNDER_WAY, lies_there) } else { Vec::new() };
        // Registries that delete a manifest with its last tag have no such manifest afterwards.
        let mut untagged = HashSet::new();
        for layer in self.journal.take(lies_there) {
            let deletions = layer.iter().map(|entry| async move { (entry, self.delete(entry, by).await) });
            let mut deletions = stream::iter(deletions.collect::<Vec<_>>()).buffer_unordered(AT_A_TIME);
            while let Some((entry, deleted)) = deletions.next().await {
                let mut cleared = self.cleared.lock().unwrap_or_else(PoisonError::into_inner);
                match (&entry.written, deleted) {
                    (Written::Blob(_), Ok(_)) => {}
                    (Written::Blob(_), Err(_)) => cleared.blobs_left += 1,
                    (Written::Tag(_, digest), Ok(true)) => drop(untagged.insert((entry.repository.clone(), *digest))),
                    // Some registries delete no tags, and some let them go with their manifest.
                    (Written::Tag(..), _) => {}
                    (Written::Manifest { digest, .. }, Ok(was_there)) => {
                        let went_before = untagged.contains(&(entry.repository.clone(), *digest));
                        cleared.manifests += usize::from(was_there || went_before);
                    }
                    (Written::Manifest { digest, .. }, Err(why)) => {
                        cleared.left.push((entry.repository.at(*digest).to_string(), why));
                    }
                }
            }
        }
        if !under_way.is_empty() {
            tokio::time::sleep(SETTLE).await;
            // Most of it is gone by now, and trouble with the rest has been told.
            let again = under_way.iter().map(|entry| self.delete(entry, by));
            stream::iter(again.collect::<Vec<_>>()).buffer_unordered(AT_A_TIME).collect::<Vec<_>>().await;
        }
    }

    /// Deletes something; `false` if it was gone.
    async fn delete(&self, Entry { repository, written }: &Entry, by: Instant) -> Result<bool, String> {
        let deletion = async {
            match written {
                Written::Blob(digest) => self.registry.delete_blob(repository, digest).await,
                Written::Tag(tag, _) => self.registry.delete_tag(repository, tag).await,
                Written::Manifest { digest, .. } => self.registry.delete_manifest(repository, digest).await,
            }
        };
        match tokio::time::timeout_at(by.into(), deletion).await {
            Ok(deleted) => deleted.map_err(|trouble| trouble.message),
            Err(_) => Err("there was no time left".to_owned()),
        }
    }
}

/// Worlds that are kept end one by one, and the last of them takes this along.
impl Drop for External {
    fn drop(&mut self) {
        self.tell();
    }
}

impl Part {
    /// The registry itself, to be written to below the part's place.
    pub(super) fn registry(&self) -> Arc<Registry> {
        Arc::clone(&self.external.registry)
    }

    /// Where the repositories of the scenario's registry `host` lie.
    pub(in crate::scenario) fn place_of(&self, host: &str) -> Result<Repository, String> {
        moved::below(&self.place, &path_of(host))
    }

    /// `sources`, in which `host` is what lies at its place.
    pub(super) fn readable(&self, sources: Sources, host: &str, place: &Repository) -> Sources {
        sources.with_source(host, Arc::new(Moved::new(self.registry(), host, place.clone())))
    }

    /// Deletes what the case has written; with what was on its way, if it was broken off.
    pub(super) async fn clear(&self, broken_off: bool) {
        self.external.clear(&self.place, Instant::now() + limits::SCENARIO_DELETION, broken_off).await;
    }
}

/// A host as one part of a path; no two hosts have the same.
fn path_of(host: &str) -> String {
    if is_path(host) {
        return host.to_owned();
    }
    let plain = |character: char| if character.is_ascii_alphanumeric() { character.to_ascii_lowercase() } else { ' ' };
    let words: String = host.chars().map(plain).collect();
    let words: Vec<&str> = words.split_whitespace().collect();
    let hash = Digest::sha256(host.as_bytes()).bytes().iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    words.into_iter().map(str::to_owned).chain([hash]).collect::<Vec<String>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_parts_of_paths_and_stay_apart() {
        assert_eq!(path_of("registry.acme-rockets.io"), "registry.acme-rockets.io");
        let hosts =
            ["localhost:5000", "localhost-5000", "LOCALHOST:5000", "[::1]:5000", "[::1:5000]", "a..io", "a.io."];
        let paths: Vec<String> = hosts.iter().map(|host| path_of(host)).collect();
        assert!(paths.iter().all(|path| is_path(path) && !path.contains('/')), "{paths:?}");
        assert_eq!(paths.iter().collect::<std::collections::BTreeSet<_>>().len(), hosts.len(), "{paths:?}");
    }

    #[test]
    fn every_run_has_a_place_of_its_own_below_what_was_named() {
        let open = |target: &str| {
            External::open(target, &RegistryOptions::default(), Notes::default()).map(|external| external.place.clone())
        };
        let places = ["localhost:5000", "localhost:5000/team/scratch"].map(|target| {
            let [first, second] = [open(target).unwrap(), open(target).unwrap()];
            assert_ne!(first, second);
            first.to_string()
        });
        assert!(places[0].starts_with("localhost:5000/muster-test-"), "{places:?}");
        assert!(places[1].starts_with("localhost:5000/team/scratch/muster-test-"), "{places:?}");
        for target in ["", "a b", "localhost:5000/", "localhost:5000/UP", "localhost:5000/../x", "http://a.io"] {
            assert!(open(target).is_err(), "{target}");
        }
    }
}
