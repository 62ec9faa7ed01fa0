//! What a registry holds: content by digest, and by repository what of it is there under which tag.
//!
//! Everything but the content of blobs is in memory; a folder, where there is one, is written along.

mod folder;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::path::Path;

use bytes::Bytes;

use super::indexed::Indexed;
use crate::digest::Digest;

use folder::Folder;

/// All repositories.
#[derive(Debug, Default)]
pub(super) struct Store {
    repositories: BTreeMap<String, Held>,
    /// The content of blobs, where there is no folder that has it.
    blobs: HashMap<Digest, Bytes>,
    folder: Option<Folder>,
}

/// What one repository holds.
#[derive(Debug, Default)]
pub(super) struct Held {
    manifests: HashMap<Digest, Stored>,
    tags: BTreeMap<String, Digest>,
    blobs: HashSet<Digest>,
    /// By subject, those that refer to it, in the order in which they came.
    referrers: HashMap<Digest, Vec<Digest>>,
}

/// A manifest as it was pushed.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) media_type: String,
    pub(super) bytes: Bytes,
    pub(super) indexed: Indexed,
}

impl Store {
    pub(super) fn in_memory() -> Store {
        Store::default()
    }

    /// A store that keeps everything in `root`, with all that is there already. Referrers then come in the order of
    /// their digests. Content is not hashed again: what was changed in the folder from outside is served as it is.
    pub(super) fn in_folder(root: &Path) -> io::Result<Store> {
        let folder = Folder::open(root)?;
        let mut store = Store::default();
        folder.read(&mut store)?;
        for held in store.repositories.values_mut() {
            held.referrers.values_mut().for_each(|referrers| referrers.sort_unstable());
        }
        store.folder = Some(folder);
        Ok(store)
    }

    /// The repositories that hold something.
    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        self.repositories.iter().filter(|(_, held)| !held.is_empty()).map(|(name, _)| name)
    }

    pub(super) fn repository(&self, name: &str) -> Option<&Held> {
        self.repositories.get(name)
    }

    fn held(&mut self, name: &str) -> &mut Held {
        if !self.repositories.contains_key(name) {
            self.repositories.insert(name.to_owned(), Held::default());
        }
        self.repositories.entry(name.to_owned()).or_default()
    }

    /// The content of a blob that the repository has.
    pub(super) fn blob(&self, name: &str, digest: &Digest) -> io::Result<Option<Bytes>> {
        let there = self.repository(name).is_some_and(|held| held.blobs.contains(digest));
        match &self.folder {
            _ if !there => Ok(None),
            Some(folder) => folder.content(digest),
            None => Ok(self.blobs.get(digest).cloned()),
        }
    }

    pub(super) fn put_blob(&mut self, name: &str, digest: Digest, bytes: Bytes) -> io::Result<()> {
        match &self.folder {
            Some(folder) => {
                folder.put_content(&digest, &bytes)?;
                folder.link_blob(name, &digest)?;
            }
            None => {
                self.blobs.insert(digest, bytes);
            }
        }
        self.held(name).blobs.insert(digest);
        Ok(())
    }

    /// Makes a blob of repository `from` (of any, where it is `None`) one of `name` too. `false`: it is not there.
    pub(super) fn mount_blob(&mut self, name: &str, from: Option<&str>, digest: Digest) -> io::Result<bool> {
        let there = match from {
            Some(from) => self.repository(from).is_some_and(|held| held.blobs.contains(&digest)),
            None => self.repositories.values().any(|held| held.blobs.contains(&digest)),
        };
        if there {
            if let Some(folder) = &self.folder {
                folder.link_blob(name, &digest)?;
            }
            self.held(name).blobs.insert(digest);
        }
        Ok(there)
    }

    /// Takes a blob out of a repository. `false`: it is not there.
    pub(super) fn delete_blob(&mut self, name: &str, digest: &Digest) -> io::Result<bool> {
        let Some(held) = self.repositories.get_mut(name) else { return Ok(false) };
        if !held.blobs.remove(digest) {
            return Ok(false);
        }
        if let Some(folder) = &self.folder {
            folder.unlink_blob(name, digest)?;
        }
        Ok(true)
    }

    /// Puts a manifest that has this digest.
    pub(super) fn put_manifest(
        &mut self,
        name: &str,
        tag: Option<&str>,
        digest: Digest,
        media_type: &str,
        bytes: Bytes,
    ) -> io::Result<()> {
        if let Some(folder) = &self.folder {
            folder.put_content(&digest, &bytes)?;
            folder.link_manifest(name, &digest, media_type)?;
            if let Some(tag) = tag {
                folder.link_tag(name, tag, &digest)?;
            }
        }
        let held = self.held(name);
        held.put(digest, media_type, bytes);
        if let Some(tag) = tag {
            held.tags.insert(tag.to_owned(), digest);
        }
        Ok(())
    }

    /// Takes a manifest out of a repository, with the tags that lead to it. `false`: it is not there.
    pub(super) fn delete_manifest(&mut self, name: &str, digest: &Digest) -> io::Result<bool> {
        let Some(held) = self.repositories.get_mut(name) else { return Ok(false) };
        let Some(stored) = held.manifests.remove(digest) else { return Ok(false) };
        if let Some(referrers) = stored.indexed.subject.and_then(|subject| held.referrers.get_mut(&subject)) {
            referrers.retain(|referrer| referrer != digest);
        }
        let (gone, kept) = std::mem::take(&mut held.tags).into_iter().partition(|(_, tagged)| tagged == digest);
        held.tags = kept;
        if let Some(folder) = &self.folder {
            let gone: BTreeMap<String, Digest> = gone;
            gone.keys().try_for_each(|tag| folder.unlink_tag(name, tag))?;
            folder.unlink_manifest(name, digest)?;
        }
        Ok(true)
    }

    /// Takes a tag away, and nothing else. `false`: it is not there.
    pub(super) fn delete_tag(&mut self, name: &str, tag: &str) -> io::Result<bool> {
        let Some(held) = self.repositories.get_mut(name) else { return Ok(false) };
        if held.tags.remove(tag).is_none() {
            return Ok(false);
        }
        if let Some(folder) = &self.folder {
            folder.unlink_tag(name, tag)?;
        }
        Ok(true)
    }
}

impl Held {
    fn put(&mut self, digest: Digest, media_type: &str, bytes: Bytes) {
        let indexed = Indexed::read(&bytes).unwrap_or_default();
        let subject = indexed.subject;
        let new = self.manifests.insert(digest, Stored { media_type: media_type.to_owned(), bytes, indexed }).is_none();
        if let Some(subject) = subject.filter(|_| new) {
            self.referrers.entry(subject).or_default().push(digest);
        }
    }

    fn is_empty(&self) -> bool {
        self.manifests.is_empty() && self.tags.is_empty() && self.blobs.is_empty()
    }

    pub(super) fn tags(&self) -> &BTreeMap<String, Digest> {
        &self.tags
    }

    pub(super) fn manifest(&self, digest: &Digest) -> Option<&Stored> {
        self.manifests.get(digest)
    }

    /// The manifests that refer to `subject`, in the order in which they came.
    pub(super) fn referrers(&self, subject: &Digest) -> impl Iterator<Item = (&Digest, &Stored)> {
        let digests = self.referrers.get(subject).map(Vec::as_slice).unwrap_or_default();
        digests.iter().filter_map(|digest| self.manifests.get_key_value(digest))
    }
}
