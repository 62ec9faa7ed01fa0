//! Publishing a signature: it is written beside its artifact, and then looked for as an audit looks for it.
//!
//! Follows *signature-specification*, OCI Signatures, and the OCI distribution specification, Listing Referrers and Referrers
//! Tag Schema. A signature that was written and is not listed is no error of the write: [`Published`] says that, and why. A
//! registry that says that it lists a signature and has no referrers API has it listed under the referrers tag; one that is
//! late is asked again for a while. Nothing is signed here, and an archive is never written into.

mod push;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use push::Push;

use crate::audit::TargetKind;
use crate::digest::Digest;
use crate::manifest::Descriptor;
use crate::reference::Repository;
use crate::source::registry::{ReferrersTag, Registry, Unlisted};
use crate::source::{ArtifactSource, Attachment, Referrers};
use crate::trouble::{Trouble, TroubleKind};

/// Where the artifact is, and its signature is written.
#[derive(Clone)]
pub struct Destination(Kind);

#[derive(Clone)]
enum Kind {
    Registry(Arc<Registry>, Repository),
    InFiles(&'static TargetKind, PathBuf, Repository),
}

impl Destination {
    /// The repository of a registry.
    pub fn registry(registry: Arc<Registry>, repository: Repository) -> Destination {
        Destination(Kind::Registry(registry, repository))
    }

    /// The OCI layout in the directory `path`, whose artifacts count as those of `repository`.
    pub fn layout(path: &Path, repository: Repository) -> Destination {
        Destination::in_files(&TargetKind::DIRECTORY, path, repository)
    }

    /// What lies in files of this kind at `path`, whose artifacts count as those of `repository`.
    pub fn in_files(kind: &'static TargetKind, path: &Path, repository: Repository) -> Destination {
        Destination(Kind::InFiles(kind, path.to_owned(), repository))
    }
}

/// The repository, or the path of the layout, which is not escaped.
impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Registry(_, repository) => repository.fmt(f),
            Kind::InFiles(_, path, _) => path.display().fmt(f),
        }
    }
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Destination({self})")
    }
}

/// A signature that is to be written, and how.
#[derive(Clone, Copy)]
pub struct Publication<'a> {
    signature: &'a Attachment,
    /// When the index of the referrers tag schema is kept; a layout has none.
    pub tag: ReferrersTag,
    /// Whether the manifest from before OCI 1.1 is written where the registry refuses the one of OCI 1.1, or lists it as
    /// something else than a signature: with it, notation 1.3.2 signs there.
    pub older_form: bool,
    /// Is told when it takes longer.
    pub told: Option<&'a (dyn Fn(Waiting) + Sync)>,
}

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Waiting {
    /// The list under the referrers tag, to stay as it was written: others may write to it.
    Tag {
        /// The digest of the signature, which was pushed.
        signature: Digest,
    },
    /// The registry, which does not list the signature yet.
    Listing {
        /// The digest of the signature, which was pushed.
        signature: Digest,
        /// For how long it is asked at most.
        at_most: Duration,
    },
}

/// A signature that was written.
#[derive(Debug)]
#[non_exhaustive]
pub struct Published {
    /// The digest of its manifest.
    pub signature: Digest,
    /// Whether a verifier finds it; an error if that could not be looked up.
    pub discovery: Result<Discovery, Trouble>,
    /// Why the index of the referrers tag schema lacks it, where it was to be there.
    pub unlisted: Option<Unlisted>,
    /// Whether the registry has the referrers API, as far as it was asked.
    pub has_referrers_api: Option<bool>,
    /// Why the form of OCI 1.1 was not taken, where it is written in the older one.
    pub older_form: Option<OlderForm>,
}

/// Why a signature was written in the manifest from before OCI 1.1.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum OlderForm {
    /// The registry refused the manifest of OCI 1.1.
    Refused(Trouble),
    /// The registry listed it under another artifact type. It was pushed before, and this says whether it was deleted.
    OtherType {
        /// The manifest of OCI 1.1.
        first: Digest,
        /// Whether it was deleted.
        deleted: bool,
    },
}

/// Whether a verifier finds a signature among the referrers of its artifact. It is not [`crate::evidence::Discovery`],
/// which says of a signature that was found whether notation would have found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Discovery {
    /// The signature is listed as a signature.
    Listed,
    /// The signature is listed under another artifact type than a signature's.
    OtherType,
    /// The signature is not listed.
    NotListed,
}

/// Writes `signature` beside its artifact, and looks whether it can be discovered there. `tag` says when the index of the
/// referrers tag schema is kept; a layout has none.
///
/// # Errors
///
/// Why the signature could not be written.
///
/// # Examples
///
/// ```no_run
/// use std::path::Path;
///
/// use muster::manifest::Descriptor;
/// use muster::reference::Repository;
/// use muster::sign::{self, Destination, Discovery, SignRequest, SigningKey};
/// use muster::signer::Environment;
/// use muster::source::registry::ReferrersTag;
/// use time::OffsetDateTime;
///
/// # async fn example(artifact: Descriptor, repository: Repository) -> Result<(), Box<dyn std::error::Error>> {
/// let now = OffsetDateTime::now_utc();
/// let key = SigningKey::open("builder.key", Path::new("builder.crt"), &Environment::of_process(), now)?;
/// let signature = sign::sign(&key, &SignRequest::new(artifact, now))?;
///
/// let destination = Destination::layout(Path::new("./layout"), repository);
/// let published = sign::publish(&destination, &signature, ReferrersTag::WhereNeeded).await?;
/// assert_eq!(published.discovery?, Discovery::Listed);
/// # Ok(())
/// # }
/// ```
pub async fn publish(
    destination: &Destination,
    signature: &Attachment,
    tag: ReferrersTag,
) -> Result<Published, Trouble> {
    Publication { tag, ..Publication::new(signature) }.write(destination).await
}

impl<'a> Publication<'a> {
    /// This signature in this form, listed under the referrers tag where that is needed.
    pub fn new(signature: &'a Attachment) -> Publication<'a> {
        Publication { signature, tag: ReferrersTag::default(), older_form: false, told: None }
    }

    /// Writes it, and looks whether it can be discovered.
    ///
    /// # Errors
    ///
    /// Why it could not be written. What can be said of one that was written and is not found stands in [`Published`].
    pub async fn write(&self, destination: &Destination) -> Result<Published, Trouble> {
        match &destination.0 {
            Kind::Registry(registry, repository) => Push { registry, repository, publication: self }.run().await,
            Kind::InFiles(kind, path, repository) => {
                let signature = self.signature;
                in_files(kind, path, signature).await?;
                let referrers = listed_in_files(kind, path, repository, &signature.subject).await;
                let digest = signature.manifest.descriptor.digest;
                let discovery = referrers.and_then(|referrers| discovery(&referrers, &digest));
                Ok(Published {
                    signature: digest,
                    discovery,
                    unlisted: None,
                    has_referrers_api: None,
                    older_form: None,
                })
            }
        }
    }
}

impl fmt::Debug for Publication<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Publication { signature, tag, older_form, told: _ } = self;
        f.debug_struct("Publication")
            .field("signature", &signature.manifest.descriptor.digest)
            .field("tag", tag)
            .field("older_form", older_form)
            .finish()
    }
}

/// What a list of referrers says of a signature.
fn discovery(referrers: &Referrers, signature: &Digest) -> Result<Discovery, Trouble> {
    let has = |listed: &[Descriptor]| listed.iter().any(|listed| listed.digest == *signature);
    match (has(&referrers.listed), has(&referrers.others), &referrers.doubt) {
        (true, ..) => Ok(Discovery::Listed),
        (false, true, _) => Ok(Discovery::OtherType),
        (false, false, Some(doubt)) => Err(doubt.clone()),
        (false, false, None) => Ok(Discovery::NotListed),
    }
}

async fn in_files(kind: &'static TargetKind, path: &Path, signature: &Attachment) -> Result<(), Trouble> {
    let (path, signature) = (path.to_owned(), signature.clone());
    let write = kind.write.map_err(|reason| Trouble::new(TroubleKind::FileUnusable, reason))?;
    blocking(move || write(&path, &signature)).await
}

async fn listed_in_files(
    kind: &'static TargetKind,
    path: &Path,
    repository: &Repository,
    subject: &Digest,
) -> Result<Referrers, Trouble> {
    let (open, path) = (kind.open, path.to_owned());
    // An opened layout remembers what it listed before.
    let layout = blocking(move || open(&path)).await?;
    layout.referrers(repository, subject).await
}

/// Waits for disks away from the asynchronous threads.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Trouble> + Send + 'static) -> Result<T, Trouble> {
    let interrupted = |_| Trouble::new(TroubleKind::Unreachable, "work on the layout was interrupted");
    tokio::task::spawn_blocking(work).await.map_err(interrupted)?
}
