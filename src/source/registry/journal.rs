//! What is written to registries, noted before it is written: whoever has to leave nothing behind knows what to delete,
//! however the writing ends.
//!
//! Follows the OCI distribution specification, *Content Management*, only in this: a manifest is deleted before what it
//! names, as some registries demand. Nothing is read here and nothing deleted.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::digest::Digest;
use crate::reference::Repository;

/// What has been written, shared by all that write.
#[derive(Debug, Clone, Default)]
pub struct Journal(Arc<Mutex<Vec<Entry>>>);

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
    /// A manifest.
    Manifest {
        /// Its digest.
        digest: Digest,
        /// The manifests that it names: its subject, and what an index lists.
        names: Vec<Digest>,
    },
}

impl Written {
    /// Its digest.
    pub fn digest(&self) -> &Digest {
        match self {
            Written::Blob(digest) | Written::Manifest { digest, .. } => digest,
        }
    }
}

impl Journal {
    pub(super) fn note_blob(&self, repository: &Repository, digest: Digest) {
        self.note(repository, Written::Blob(digest));
    }

    pub(super) fn note_manifest(&self, repository: &Repository, digest: Digest, bytes: &[u8]) {
        self.note(repository, Written::Manifest { digest, names: names(bytes) });
    }

    /// Takes out what was written to the repositories that `wanted` says, in layers: what is in a layer is named by nothing
    /// in a later one. Blobs come last.
    pub fn take(&self, wanted: impl Fn(&Repository) -> bool) -> Vec<Vec<Entry>> {
        let mut entries = self.entries();
        let (taken, kept) = std::mem::take(&mut *entries).into_iter().partition(|entry| wanted(&entry.repository));
        *entries = kept;
        drop(entries);
        layers(taken)
    }

    /// What was written last: this many entries at most, in the order in which they were noted.
    pub fn last(&self, count: usize) -> Vec<Entry> {
        let entries = self.entries();
        entries[entries.len().saturating_sub(count)..].to_vec()
    }

    fn note(&self, repository: &Repository, written: Written) {
        self.entries().push(Entry { repository: repository.clone(), written });
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, Vec<Entry>> {
        // A list is whole even if a thread died while it held the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The entries, each once, by how many others stand below them.
fn layers(entries: Vec<Entry>) -> Vec<Vec<Entry>> {
    let mut heights: HashMap<(Repository, Digest), usize> = HashMap::new();
    let mut layers: Vec<Vec<Entry>> = Vec::new();
    for entry in entries {
        // What an entry names was written before it: content goes first.
        let height = match &entry.written {
            Written::Blob(_) => 0,
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
        journal.note_blob(&here, digest("layer"));
        journal.note_manifest(&here, digest("image"), b"{}");
        journal.note_manifest(&there, digest("elsewhere"), b"no JSON");
        let index = format!(r#"{{"manifests":[{{"digest":"{}"}},{{"digest":7}}]}}"#, digest("image"));
        journal.note_manifest(&here, digest("index"), index.as_bytes());
        let signature = format!(r#"{{"subject":{{"digest":"{}"}}}}"#, digest("index"));
        journal.note_manifest(&here, digest("signature"), signature.as_bytes());
        journal.note_blob(&here, digest("layer"));
        let taken = |path: &str| -> Vec<Vec<Digest>> {
            let layers = journal.take(|repository| repository.path().starts_with(path));
            layers.iter().map(|layer| layer.iter().map(|entry| *entry.written.digest()).collect()).collect()
        };
        let expected: Vec<Vec<Digest>> = ["signature", "index", "image", "layer"].map(|name| vec![digest(name)]).into();
        assert_eq!(taken("x/"), expected);
        assert_eq!(taken("x/"), Vec::<Vec<Digest>>::new());
        assert_eq!(taken(""), [vec![digest("elsewhere")], vec![]]);
    }
}
