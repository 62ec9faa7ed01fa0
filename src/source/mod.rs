//! Where artifacts come from: a registry, or an OCI layout (directory or archive).
//!
//! Every source answers the same few questions, and keeps two answers apart that must never be mixed up: *absent*
//! (`Ok(None)`, an empty list) and *unreachable* ([`Trouble`]). What a source returns has been hashed against the digest
//! it was asked for; what a registry says of a digest is never believed.

mod attachment;
pub mod budget;
pub mod layout;
mod list;
#[cfg(feature = "testbench")]
pub(crate) mod moved;
pub mod registry;
pub(crate) mod resolver;
mod traffic;
mod waiting;

use std::sync::Arc;
use std::time::Duration;

pub use attachment::{Attachment, Content};
pub use list::{Extent, ListTrouble, TagEntry};
pub use resolver::{Resolver, SystemResolver};
pub use traffic::{Traffic, TrafficCounts};
pub use waiting::Waiting;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;

use budget::Share;

use crate::digest::Digest;
use crate::manifest::Descriptor;
use crate::reference::{Reference, Repository};
use crate::trouble::{Trouble, TroubleKind};

/// A source of artifacts and their referrers: a registry or an OCI layout.
#[async_trait]
pub trait ArtifactSource: Send + Sync {
    /// The repositories, in the source's order, each once. An `Err` ends the stream, unless it [goes
    /// on](ListTrouble::goes_on).
    fn repositories(&self) -> BoxStream<'_, Result<Repository, ListTrouble>>;

    /// The tags of a repository, in the source's order, each once, and what else its list says. An `Err` ends the stream,
    /// unless it [goes on](ListTrouble::goes_on).
    fn tags<'a>(&'a self, repository: &'a Repository) -> BoxStream<'a, Result<TagEntry, ListTrouble>>;

    /// The manifest that a reference names; the digest decides where both tag and digest are given. `None`: there is no
    /// such repository, tag or digest.
    async fn manifest(&self, reference: &Reference) -> Result<Option<Manifest>, Trouble>;

    /// The manifest with this digest, which another manifest of the repository lists or refers to. A source that keeps the
    /// content of all repositories in one place has it under whatever names it is given there, so that no name can hide it.
    async fn listed_manifest(&self, repository: &Repository, digest: &Digest) -> Result<Option<Manifest>, Trouble> {
        self.manifest(&repository.at(*digest)).await
    }

    /// For how long requests to this source had to wait so far, because a host or the user says how often it may be asked. It
    /// does not count against the time of an artifact.
    fn held(&self) -> Duration {
        Duration::ZERO
    }

    /// The manifests that name `subject` as their subject.
    async fn referrers(&self, repository: &Repository, subject: &Digest) -> Result<Referrers, Trouble>;

    /// All manifests that name `subject` as their subject, as far as the source lists them: the signatures in `listed`, everything
    /// else in `others`. A source that does not say otherwise lists what [`referrers`](ArtifactSource::referrers) finds.
    async fn all_referrers(&self, repository: &Repository, subject: &Digest) -> Result<Referrers, Trouble> {
        self.referrers(repository, subject).await
    }

    /// The blob that `descriptor` describes, never more than `limit` bytes. `None`: there is no such blob. Content that has
    /// the digest but another size is [`TroubleKind::SizeMisstated`].
    async fn blob(
        &self,
        repository: &Repository,
        descriptor: &Descriptor,
        limit: u64,
    ) -> Result<Option<Bytes>, Trouble>;

    /// The first bytes of the blob with this digest: 512 at least, or all. `None`: there is no such blob. They are not hashed, and
    /// only say what a blob is not: a registry that lies about them might as well not list what names it. A source that does not
    /// say otherwise has too much to look into.
    async fn beginning(&self, _repository: &Repository, digest: &Digest) -> Result<Option<Bytes>, Trouble> {
        Err(Trouble::new(TroubleKind::AnswerTooLarge, format!("blob {digest} is not looked into")))
    }
}

/// A manifest as it was served.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// Media type as served, digest and size as measured.
    pub descriptor: Descriptor,
    /// The bytes that have this digest.
    pub bytes: Bytes,
}

/// The referrers of an artifact that may be signatures.
#[derive(Debug, Clone, Default)]
pub struct Referrers {
    /// The referrers whose listed artifact type is the signature's: what notation finds.
    pub listed: Vec<Descriptor>,
    /// Asked for only when `listed` is empty: every other referrer, since a registry of the release-candidate era
    /// states another type for a signature. Their manifests decide.
    pub others: Vec<Descriptor>,
    /// Why these may not be all. Where no signature among them passes, nothing is known: the artifact is neither unsigned nor
    /// badly signed.
    pub doubt: Option<Trouble>,
    /// That others with as long a list wait until this is dropped.
    pub held: Option<Arc<Share>>,
}
