//! What is written to registries, noted before it is written: a run that must leave nothing behind knows what to delete,
//! however the writing ends.
//!
//! Follows the OCI distribution specification, *Content Management*, only in this: a tag is deleted before its manifest, and a
//! manifest before what it names, as some registries demand. Nothing is read here and nothing deleted.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::digest::Digest;
use crate::reference::Repository;
use crate::trouble::{Trouble, TroubleKind};

/// What has been written, shared by all that write.
#[derive(Debug, Clone, Default)]
pub struct Journal(Arc<Mutex<Pages>>);

#[derive(Debug, Default)]
struct Pages {
    entries: Vec<Entry>,
    /// The blobs among them.
    blobs: HashSet<(Repository, Digest)>,
    /// Whether nothing more is to be written.
    closed: bool,
}

/// Something that was written, or was going to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where.
    pub repository: Repository,
    /// What.
    pub written: Written,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// A blob.
    Blob(Digest),
    /// A tag, and the manifest to which it leads.
    Tag(String, Digest),
    /// A manifest.
    Manifest {
        /// Its digest.
        digest: Digest,
        /// The manifests that it names: its subject, and what an index lists.
        names: Vec<Digest>,
    },
}

impl Written {
    /// Its digest; of a tag, that of its manifest.
    pub fn digest(&self) -> &Digest {
        match self {
            Written::Blob(digest) | Written::Tag(_, digest) | Written::Manifest { digest, .. } => digest,
        }
    }
}

impl Journal {
    /// Notes a blob that is going to be written; fails where nothing more is.
    pub(super) fn note_blob(&self, repository: &Repository, digest: Digest) -> Result<(), Trouble> {
        self.note(repository, Written::Blob(digest))
    }

    /// Whether a blob was noted, and has not been taken out.
    pub(super) fn has_blob(&self, repository: &Repository, digest: Digest) -> bool {
        self.pages().blobs.contains(&(repository.clone(), digest))
    }

    /// Notes a manifest that is going to be written, under `tag` if there is one; fails where nothing more is.
    pub(super) fn note_manifest(
        &self,
        repository: &Repository,
        tag: Option<&str>,
        digest: Digest,
        bytes: &[u8],
    ) -> Result<(), Trouble> {
        self.note(repository, Written::Manifest { digest, names: names(bytes) })?;
        match tag {
            Some(tag) => self.note(repository, Written::Tag(tag.to_owned(), digest)),
            None => Ok(()),
        }
    }

    /// From now on nothing more is written by those who note it here.
    pub fn close(&self) {
        self.pages().closed = true;
    }

    /// Takes out what was written to the repositories that `wanted` says, in layers: what is in a layer is named by nothing
    /// in a later one. Tags come first, blobs last.
    pub fn take(&self, wanted: impl Fn(&Repository) -> bool) -> Vec<Vec<Entry>> {
        let mut pages = self.pages();
        let entries = std::mem::take(&mut pages.entries);
        let (taken, kept) = entries.into_iter().partition(|entry| wanted(&entry.repository));
        pages.entries = kept;
        pages.blobs.retain(|(repository, _)| !wanted(repository));
        drop(pages);
        layers(taken)
    }

    /// What was written last to the repositories that `wanted` says: this many entries at most, the last one first.
    pub fn last(&self, count: usize, wanted: impl Fn(&Repository) -> bool) -> Vec<Entry> {
        let pages = self.pages();
        pages.entries.iter().rev().filter(|entry| wanted(&entry.repository)).take(count).cloned().collect()
    }

    fn note(&self, repository: &Repository, written: Written) -> Result<(), Trouble> {
        let mut pages = self.pages();
        if pages.closed {
            let message = format!("nothing more is written to {repository}: the run was told to stop");
            return Err(Trouble::new(TroubleKind::Unreachable, message));
        }
        if let Written::Blob(digest) = &written {
            pages.blobs.insert((repository.clone(), *digest));
        }
        pages.entries.push(Entry { repository: repository.clone(), written });
        Ok(())
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        // A list is whole even if a thread died while it held the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The entries, each once, by how many others stand below them.
fn layers(entries: Vec<Entry>) -> Vec<Vec<Entry>> {
    let mut heights: HashMap<(Repository, Digest), usize> = HashMap::new();
    let mut layers: Vec<Vec<Entry>> = Vec::new();
    let (tags, entries): (Vec<_>, Vec<_>) =
        entries.into_iter().partition(|entry| matches!(entry.written, Written::Tag(..)));
    for entry in entries {
        // What an entry names was written before it: content goes first.
        let height = match &entry.written {
            Written::Blob(_) | Written::Tag(..) => 0,
            Written::Manifest { names, .. } => {
                let named = names.iter().filter_map(|digest| heights.get(&(entry.repository.clone(), *digest)));
                1 + named.max().copied().unwrap_or(0)
            }
        };
        if heights.insert((entry.repository.clone(), *entry.written.digest()), height).is_none() {
            layers.resize_with(layers.len().max(height + 1), Vec::new);
            layers[height].push(entry);
        }
    }
    // A tag leads to where it was put last.
    let mut seen = HashSet::new();
    let mut is_last = |entry: &Entry| match &entry.written {
        Written::Tag(tag, _) => seen.insert((entry.repository.clone(), tag.clone())),
        _ => false,
    };
    let tags: Vec<_> = tags.into_iter().rev().filter(|entry| is_last(entry)).collect();
    if !tags.is_empty() {
        layers.push(tags);
    }
    layers.reverse();
    layers
}

/// The manifests that a manifest names, whatever else it is.
fn names(bytes: &[u8]) -> Vec<Digest> {
    let Ok(manifest) = serde_json::from_slice::<Value>(bytes) else { return Vec::new() };
    let listed = manifest.get("manifests").and_then(Value::as_array).into_iter().flatten();
    let named = listed.chain(manifest.get("subject"));
    named.filter_map(|descriptor| descriptor.get("digest")?.as_str()?.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(name: &str) -> Digest {
        Digest::sha256(name.as_bytes())
    }

    #[test]
    fn what_names_goes_before_what_is_named() {
        let (here, there) = (Repository::new("a.io", "x/a").unwrap(), Repository::new("a.io", "y/a").unwrap());
        let journal = Journal::default();
        journal.note_blob(&here, digest("layer")).unwrap();
        journal.note_manifest(&here, Some("v1"), digest("image"), b"{}").unwrap();
        journal.note_manifest(&there, None, digest("elsewhere"), b"no JSON").unwrap();
        let index = format!(r#"{{"manifests":[{{"digest":"{}"}},{{"digest":7}}]}}"#, digest("image"));
        journal.note_manifest(&here, Some("v1"), digest("index"), index.as_bytes()).unwrap();
        let signature = format!(r#"{{"subject":{{"digest":"{}"}}}}"#, digest("index"));
        journal.note_manifest(&here, None, digest("signature"), signature.as_bytes()).unwrap();
        journal.note_blob(&here, digest("layer")).unwrap();
        let taken = |path: &str| -> Vec<Vec<Digest>> {
            let layers = journal.take(|repository| repository.path().starts_with(path));
            layers.iter().map(|layer| layer.iter().map(|entry| *entry.written.digest()).collect()).collect()
        };
        assert!(journal.has_blob(&here, digest("layer")) && !journal.has_blob(&there, digest("layer")));
        // The tag, which leads to the index by now, is the first to go.
        let expected: Vec<Vec<Digest>> =
            ["index", "signature", "index", "image", "layer"].map(|name| vec![digest(name)]).into();
        assert_eq!(taken("x/"), expected);
        assert_eq!(taken("x/"), Vec::<Vec<Digest>>::new());
        assert!(!journal.has_blob(&here, digest("layer")));
        let last = journal.last(5, |repository| repository.path().starts_with("y/"));
        assert_eq!(last.iter().map(|entry| *entry.written.digest()).collect::<Vec<_>>(), [digest("elsewhere")]);
        assert_eq!(taken(""), [vec![digest("elsewhere")], vec![]]);
        journal.close();
        assert!(journal.note_blob(&here, digest("late")).is_err());
        assert_eq!(taken(""), Vec::<Vec<Digest>>::new());
    }
}
