//! OCI image layouts as sources: a directory, or the same as a tar archive, plain or compressed with gzip.
//!
//! Follows the OCI image specification, *Image Layout*, and its annotation `org.opencontainers.image.ref.name`: a name
//! that is a full reference (`host/repository:tag`) says which repository's trust policy applies, unless the caller does:
//! the caller's scope is for everything in the layout. What refers to what is read once, when the layout is opened.
//!
//! A layout is a stranger's files. Nothing is extracted; links, devices and names that lead elsewhere are refused; every
//! read is bounded and hashed. A manifest that is listed but cannot be read leaves open what it refers to, so that an
//! artifact without any other signature is then in [`Trouble`], never unsigned.

mod archive;
mod arrangement;
mod catalogue;
mod directory;
mod files;
mod write;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use tokio::sync::Semaphore;

use super::budget::{Budget, Content};
use super::{ArtifactSource, ListTrouble, Manifest, Referrers, TagEntry};
use crate::digest::Digest;
use crate::failure::quote;
use crate::limits;
use crate::manifest::Descriptor;
use crate::reference::{Reference, Repository};
use crate::trouble::{Trouble, TroubleKind};

use archive::Archive;
use arrangement::{Arrangement, Tagged};
use catalogue::Catalogue;
use directory::Directory;
use files::Files;

pub use catalogue::Unreadable;
pub use write::attach;

/// How many files of a layout are read at a time.
const READS_AT_A_TIME: usize = 4;

/// An opened layout. What it lists has been read; the rest is read on demand.
#[derive(Debug)]
pub struct Layout {
    files: Arc<Files>,
    catalogue: Arc<Catalogue>,
    arrangement: Arrangement,
    budget: Budget,
    /// How many files are read at a time, each on a thread of its own.
    reads: Semaphore,
}

/// An artifact that an audit of the whole layout selects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name that the layout gives it, whatever it is: text from outside.
    pub name: Option<String>,
    /// The name that containerd and docker give it besides, which says nothing of itself: text from outside.
    pub containerd_name: Option<String>,
    /// The name as a reference: in the given scope, or else if it is one by itself.
    pub reference: Option<String>,
    /// The repository whose trust policy applies. `None`: the layout does not say, and no scope was given.
    pub repository: Option<Repository>,
    /// Which manifest.
    pub descriptor: Descriptor,
    /// Whether the entry has no name and is listed by an index in the layout, which covers it.
    pub part: bool,
}

impl Layout {
    /// Opens a layout directory. The directory itself may be a symbolic link, nothing in it may.
    ///
    /// Blocks while the listed manifests are read.
    pub fn open_directory(path: &Path) -> Result<Layout, Trouble> {
        Layout::open(Files::Directory(Directory::open(path)?))
    }

    /// Opens a layout in a tar archive, plain or compressed with gzip: its first bytes say which.
    ///
    /// Blocks while the archive is gone through once and the listed manifests are read.
    pub fn open_archive(path: &Path) -> Result<Layout, Trouble> {
        Layout::open(Files::Archive(Archive::open(path)?))
    }

    fn open(mut files: Files) -> Result<Layout, Trouble> {
        let catalogue = Arc::new(Catalogue::read(&mut files)?);
        let arrangement = Arrangement::of(&catalogue, None);
        let (budget, reads) = (Budget::default(), Semaphore::new(READS_AT_A_TIME));
        Ok(Layout { files: Arc::new(files), catalogue, arrangement, budget, reads })
    }

    /// The same layout, which holds no more than `budget` allows, together with all others that share the budget.
    pub fn within(self, budget: &Budget) -> Layout {
        Layout { budget: budget.clone(), ..self }
    }

    /// The same layout, with `scope` as the repository of everything in it, whatever its names say.
    pub fn scoped(self, scope: &Repository) -> Layout {
        Layout { arrangement: Arrangement::of(&self.catalogue, Some(scope)), ..self }
    }

    /// The same layout for those who know the repository and the digest of what they ask for: it holds everything in any
    /// repository, and has no tags.
    pub fn pool(&self) -> Layout {
        let (files, catalogue) = (Arc::clone(&self.files), Arc::clone(&self.catalogue));
        let (budget, reads) = (self.budget.clone(), Semaphore::new(READS_AT_A_TIME));
        Layout { files, catalogue, arrangement: Arrangement::pool(), budget, reads }
    }

    /// The artifacts of the layout, in the order of `index.json`: every manifest with a name, and every one without that
    /// does not only refer to another. An audit of the whole layout leaves out those that are parts of another one.
    pub fn entries(&self) -> &[Entry] {
        &self.arrangement.entries
    }

    /// The entries of `index.json` that cannot be read.
    pub fn unreadable(&self) -> &[Unreadable] {
        &self.catalogue.unreadable
    }

    /// Trouble if an entry does not say what is read for its digest: another one does, with another size or media type.
    pub fn check_listed(&self, entry: &Entry) -> Result<(), Trouble> {
        match self.catalogue.agrees(&entry.descriptor) {
            true => Ok(()),
            false => Err(self.misstated(&entry.descriptor.digest)),
        }
    }

    fn misstated(&self, digest: &Digest) -> Trouble {
        let message = format!("{digest} is listed with another size or media type as well");
        self.files.trouble(TroubleKind::AnswerInvalid, &message)
    }

    /// How many entries are left out because they have no name and only refer to another manifest.
    pub fn referring(&self) -> u64 {
        self.arrangement.referring
    }

    /// How many of those refer to a manifest that the layout does not list.
    pub fn stray(&self) -> u64 {
        self.arrangement.stray
    }

    /// Reads the blob of a descriptor away from the asynchronous threads.
    async fn read(&self, descriptor: &Descriptor, content: Content, limit: u64) -> Result<Option<Bytes>, Trouble> {
        let interrupted = || Trouble::new(TroubleKind::Unreachable, "reading a layout was interrupted");
        // What is longer than it is said to be is not read.
        let share = match descriptor.size {
            0..=limits::SMALL_ANSWER_BYTES => None,
            size => Some(self.budget.share(content, size.min(limit)).await),
        };
        let _turn = self.reads.acquire().await.map_err(|_| interrupted())?;
        let (files, descriptor) = (Arc::clone(&self.files), descriptor.clone());
        let read = tokio::task::spawn_blocking(move || files.blob(&descriptor, limit));
        let bytes = read.await.map_err(|_| interrupted())??;
        Ok(bytes.map(|bytes| match share {
            Some(share) => share.bytes(bytes),
            None => bytes,
        }))
    }

    async fn read_manifest(&self, descriptor: &Descriptor) -> Result<Option<Manifest>, Trouble> {
        match self.read(descriptor, Content::Document, limits::MANIFEST_BYTES).await? {
            Some(bytes) => {
                let descriptor = Descriptor::new(&descriptor.media_type, descriptor.digest, descriptor.size);
                Ok(Some(Manifest { descriptor, bytes }))
            }
            None => {
                let message = format!("{} lists manifest {}, but does not hold it", self.files, descriptor.digest);
                Err(Trouble::new(TroubleKind::ContentMissing, message))
            }
        }
    }

    fn resolve(&self, reference: &Reference) -> Result<Option<&Descriptor>, Trouble> {
        let digest = match (&reference.digest, self.arrangement.tagged(reference)) {
            (Some(digest), _) => self.arrangement.holds(&reference.repository, digest).then_some(*digest),
            (None, Some(Tagged::One(digest))) => Some(digest),
            (None, Some(Tagged::Several)) => {
                let message = format!("{} names several manifests in {}", quote(&reference.to_string()), self.files);
                return Err(Trouble::new(TroubleKind::AnswerInvalid, message));
            }
            (None, None) => None,
        };
        Ok(digest.and_then(|digest| self.catalogue.manifest(&digest)))
    }
}

#[async_trait]
impl ArtifactSource for Layout {
    fn repositories(&self) -> BoxStream<'_, Result<Repository, ListTrouble>> {
        stream::iter(self.arrangement.repositories.iter().cloned().map(Ok)).boxed()
    }

    fn tags<'a>(&'a self, repository: &'a Repository) -> BoxStream<'a, Result<TagEntry, ListTrouble>> {
        stream::iter(self.arrangement.tags(repository).map(|tag| Ok(TagEntry::Tag(tag.to_owned())))).boxed()
    }

    async fn manifest(&self, reference: &Reference) -> Result<Option<Manifest>, Trouble> {
        let Some(descriptor) = self.resolve(reference)? else { return Ok(None) };
        if self.arrangement.misstated.contains(&descriptor.digest) {
            return Err(self.misstated(&descriptor.digest));
        }
        self.read_manifest(descriptor).await
    }

    /// A layout is one pool of content: the repository makes no difference.
    async fn listed_manifest(&self, _repository: &Repository, digest: &Digest) -> Result<Option<Manifest>, Trouble> {
        let Some(descriptor) = self.catalogue.manifest(digest) else { return Ok(None) };
        self.read_manifest(descriptor).await
    }

    /// Manifests that say they are signatures are in `listed`; since all of them have been read, `others` has only signatures
    /// of other systems. A layout is one pool of content: the repository makes no difference.
    async fn referrers(&self, _repository: &Repository, subject: &Digest) -> Result<Referrers, Trouble> {
        let listed = self.catalogue.signatures(subject).to_vec();
        match self.catalogue.doubt().cloned() {
            Some(doubt) if listed.is_empty() => Err(doubt),
            doubt => {
                let others = if listed.is_empty() { self.catalogue.foreign_signatures(subject) } else { Vec::new() };
                Ok(Referrers { listed, others, doubt, held: None })
            }
        }
    }

    async fn all_referrers(&self, _repository: &Repository, subject: &Digest) -> Result<Referrers, Trouble> {
        let listed = self.catalogue.signatures(subject).to_vec();
        let (others, doubt) = (self.catalogue.attached(subject), self.catalogue.unread().cloned());
        Ok(Referrers { listed, others, doubt, held: None })
    }

    async fn blob(
        &self,
        _repository: &Repository,
        descriptor: &Descriptor,
        limit: u64,
    ) -> Result<Option<Bytes>, Trouble> {
        self.read(descriptor, Content::Envelope, limit).await
    }

    async fn beginning(&self, _repository: &Repository, digest: &Digest) -> Result<Option<Bytes>, Trouble> {
        let interrupted = || Trouble::new(TroubleKind::Unreachable, "reading a layout was interrupted");
        let _turn = self.reads.acquire().await.map_err(|_| interrupted())?;
        let (files, digest) = (Arc::clone(&self.files), *digest);
        tokio::task::spawn_blocking(move || files.beginning(&digest)).await.map_err(|_| interrupted())?
    }
}
