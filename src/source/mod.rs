//! Where artifacts come from: a registry, an OCI layout (directory or archive), or memory.
//!
//! Every source answers the same few questions, and keeps two answers apart that must never be mixed up: *absent*
//! (`Ok(None)`, an empty list) and *unreachable* ([`Trouble`]). What a source returns has been hashed against the digest
//! it was asked for; what a registry says of a digest is never believed.

mod attachment;
pub mod budget;
pub mod layout;
pub mod memory;
pub mod registry;
pub(crate) mod resolver;

use std::sync::Arc;

pub use attachment::{Attachment, Content};
pub use resolver::{Resolver, SystemResolver};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;

use budget::Share;

use crate::digest::Digest;
use crate::failure::{Code, Failure};
use crate::manifest::Descriptor;
use crate::reference::{Reference, Repository};

/// Something that holds artifacts and their referrers.
#[async_trait]
pub trait ArtifactSource: Send + Sync {
    /// The repositories, in the source's order, each once. One `Err` ends the stream.
    fn repositories(&self) -> BoxStream<'_, Result<Repository, Trouble>>;

    /// The tags of a repository, in the source's order, each once. One `Err` ends the stream.
    fn tags<'a>(&'a self, repository: &'a Repository) -> BoxStream<'a, Result<String, Trouble>>;

    /// The manifest that a reference names; the digest decides where both tag and digest are given. `None`: there is no
    /// such repository, tag or digest.
    async fn manifest(&self, reference: &Reference) -> Result<Option<Manifest>, Trouble>;

    /// The manifests that name `subject` as their subject.
    async fn referrers(&self, repository: &Repository, subject: &Digest) -> Result<Referrers, Trouble>;

    /// The blob that `descriptor` describes, never more than `limit` bytes. `None`: there is no such blob. Content that has
    /// the digest but another size is [`TroubleKind::SizeMisstated`].
    async fn blob(
        &self,
        repository: &Repository,
        descriptor: &Descriptor,
        limit: u64,
    ) -> Result<Option<Bytes>, Trouble>;
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
    /// Those whose listed artifact type is the signature's: what notation finds.
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

/// Trouble on the way: nothing is known of the artifact because of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Trouble {
    /// What kind.
    pub kind: TroubleKind,
    /// What happened where, as one sentence without a full stop; text from outside has been quoted.
    pub message: String,
}

/// The kinds of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TroubleKind {
    /// What was asked for by name is not there.
    NotFound,
    /// Nothing says which repository an artifact of a layout belongs to.
    RepositoryUnknown,
    /// No connection, a broken one, TLS that does not hold, or a server that keeps failing.
    Unreachable,
    /// The registry refuses: credentials missing, wrong or not enough.
    AccessDenied,
    /// No answer in time.
    TimedOut,
    /// An answer that contradicts the request or itself: a wrong digest, no JSON, an address elsewhere.
    AnswerInvalid,
    /// An answer over a limit.
    AnswerTooLarge,
    /// Content has the digest of its descriptor, but not the size: whoever wrote the descriptor is wrong, not who serves.
    SizeMisstated,
    /// A manifest or blob that another one names is not there.
    ContentMissing,
    /// A plugin that is needed is not there, or must not be run as it is.
    PluginMissing,
    /// A plugin was run, and did not answer as the contract says: it failed, hung, or wrote nonsense.
    PluginFailed,
}

impl Trouble {
    /// Trouble of `kind`.
    pub fn new(kind: TroubleKind, message: impl Into<String>) -> Trouble {
        Trouble { kind, message: message.into() }
    }
}

impl From<TroubleKind> for Code {
    fn from(kind: TroubleKind) -> Code {
        match kind {
            TroubleKind::NotFound => Code::NotFound,
            TroubleKind::RepositoryUnknown => Code::RepositoryUnknown,
            TroubleKind::Unreachable => Code::Unreachable,
            TroubleKind::AccessDenied => Code::AccessDenied,
            TroubleKind::TimedOut => Code::TimedOut,
            TroubleKind::AnswerInvalid | TroubleKind::SizeMisstated => Code::AnswerInvalid,
            TroubleKind::AnswerTooLarge => Code::AnswerTooLarge,
            TroubleKind::ContentMissing => Code::ContentMissing,
            TroubleKind::PluginMissing => Code::PluginMissing,
            TroubleKind::PluginFailed => Code::PluginFailed,
        }
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Failure {
        Failure { code: trouble.kind.into(), message: trouble.message }
    }
}
