//! What a registry holds: content by digest, and by repository what of it is there under which tag.
//!
//! Everything but the content of blobs is in memory; a folder, where there is one, is written along. Without one, blobs are
//! in memory too, until there is much of them: then further ones go to a file without a name. What many manifests have in
//! common is there once, so that a hundred thousand of them take little more than their content.

mod folder;
mod held_content;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use super::indexed::Indexed;
use crate::digest::Digest;
use crate::limits;

use folder::Folder;
pub use held_content::HeldContent;
use held_content::{ByDigest, Overflow};

/// All repositories.
#[derive(Debug, Default)]
pub(super) struct Store {
    repositories: BTreeMap<String, Held>,
    /// Everything that was put into any repository, also what was deleted there.
    contents: HashSet<ByDigest>,
    /// What manifests have in common.
    listed: HashSet<Arc<Listed>>,
    /// How many bytes of blobs are in memory.
    in_memory: usize,
    /// Where further ones go.
    overflow: Option<Overflow>,
    folder: Option<Folder>,
}

/// What one repository holds.
#[derive(Debug, Default)]
pub(super) struct Held {
    manifests: HashMap<ByDigest, Arc<Listed>>,
    tags: BTreeMap<String, Digest>,
    blobs: HashSet<ByDigest>,
    /// By subject, those that refer to it, in the order in which they came.
    referrers: HashMap<Digest, Vec<Digest>>,
}

/// A manifest as it was pushed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stored<'a> {
    pub(super) content: &'a Arc<HeldContent>,
    pub(super) listed: &'a Listed,
}

/// What is said of a manifest beside its content; of those of one kind it is the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Listed {
    pub(super) media_type: String,
    pub(super) size: usize,
    /// What it says itself, but for its subject.
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
        let Some(content) = self.repository(name).and_then(|held| held.blobs.get(digest)) else { return Ok(None) };
        match &self.folder {
            Some(folder) => folder.content(digest),
            None => content.0.bytes().map(Some),
        }
    }

    /// A manifest or a blob that the repository has, unless it is in the folder alone.
    pub(super) fn content(&self, name: &str, digest: &Digest) -> Option<Arc<HeldContent>> {
        let held = self.repository(name)?;
        let manifest = held.manifest(digest).map(|stored| stored.content);
        let content = manifest.or_else(|| held.blobs.get(digest).map(|content| &content.0))?;
        (!content.is_in_folder()).then(|| Arc::clone(content))
    }

    pub(super) fn put_blob(&mut self, name: &str, digest: Digest, bytes: Bytes) -> io::Result<()> {
        if let Some(folder) = &self.folder {
            folder.put_content(&digest, &bytes)?;
            folder.link_blob(name, &digest)?;
        }
        let content = match self.contents.get(&digest) {
            Some(known) => known.clone(),
            None => {
                let content = ByDigest(Arc::new(self.keep_blob(digest, bytes)?));
                self.contents.insert(content.clone());
                content
            }
        };
        self.held(name).blobs.insert(content);
        Ok(())
    }

    /// Puts a blob where there is room.
    fn keep_blob(&mut self, digest: Digest, bytes: Bytes) -> io::Result<HeldContent> {
        if self.folder.is_some() {
            return Ok(HeldContent::in_folder(digest));
        }
        if self.in_memory + bytes.len() <= limits::EMBEDDED_BLOBS_IN_MEMORY_BYTES {
            self.in_memory += bytes.len();
            return Ok(HeldContent::in_memory(digest, bytes));
        }
        let overflow = match &mut self.overflow {
            Some(overflow) => overflow,
            none => none.insert(Overflow::new()?),
        };
        overflow.put(digest, &bytes)
    }

    /// Makes a blob of repository `from` (of any, where it is `None`) one of `name` too. `false`: it is not there.
    pub(super) fn mount_blob(&mut self, name: &str, from: Option<&str>, digest: Digest) -> io::Result<bool> {
        let there = match from {
            Some(from) => self.repository(from).and_then(|held| held.blobs.get(&digest)),
            None => self.repositories.values().find_map(|held| held.blobs.get(&digest)),
        };
        let Some(content) = there.cloned() else { return Ok(false) };
        if let Some(folder) = &self.folder {
            folder.link_blob(name, &digest)?;
        }
        self.held(name).blobs.insert(content);
        Ok(true)
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
        self.keep_manifest(name, digest, media_type, bytes);
        if let Some(tag) = tag {
            self.held(name).tags.insert(tag.to_owned(), digest);
        }
        Ok(())
    }

    /// Notes a manifest of a repository.
    fn keep_manifest(&mut self, name: &str, digest: Digest, media_type: &str, bytes: Bytes) {
        let mut indexed = Indexed::read(&bytes).unwrap_or_default();
        let subject = indexed.subject.take();
        let listed = Listed { media_type: media_type.to_owned(), size: bytes.len(), indexed };
        let listed = match self.listed.get(&listed) {
            Some(known) => Arc::clone(known),
            None => {
                let listed = Arc::new(listed);
                self.listed.insert(Arc::clone(&listed));
                listed
            }
        };
        let content = match self.contents.get(&digest) {
            Some(known) if !known.0.is_in_folder() => known.clone(),
            _ => {
                let content = ByDigest(Arc::new(HeldContent::in_memory(digest, bytes)));
                self.contents.replace(content.clone());
                content
            }
        };
        let held = self.held(name);
        if held.manifests.insert(content, listed).is_none()
            && let Some(subject) = subject
        {
            // Most have one signature.
            held.referrers.entry(subject).or_insert_with(|| Vec::with_capacity(1)).push(digest);
        }
    }

    /// Takes a manifest out of a repository, with the tags that lead to it. `false`: it is not there.
    pub(super) fn delete_manifest(&mut self, name: &str, digest: &Digest) -> io::Result<bool> {
        let Some(held) = self.repositories.get_mut(name) else { return Ok(false) };
        let Some((content, _)) = held.manifests.remove_entry(digest) else { return Ok(false) };
        let subject = Indexed::read(&content.0.bytes()?).and_then(|indexed| indexed.subject);
        if let Some(referrers) = subject.and_then(|subject| held.referrers.get_mut(&subject)) {
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
    fn is_empty(&self) -> bool {
        self.manifests.is_empty() && self.tags.is_empty() && self.blobs.is_empty()
    }

    pub(super) fn tags(&self) -> &BTreeMap<String, Digest> {
        &self.tags
    }

    pub(super) fn manifest(&self, digest: &Digest) -> Option<Stored<'_>> {
        let (content, listed) = self.manifests.get_key_value(digest)?;
        Some(Stored { content: &content.0, listed })
    }

    /// The manifests that refer to `subject`, in the order in which they came.
    pub(super) fn referrers(&self, subject: &Digest) -> impl Iterator<Item = Stored<'_>> {
        let digests = self.referrers.get(subject).map(Vec::as_slice).unwrap_or_default();
        digests.iter().filter_map(|digest| self.manifest(digest))
    }
}
