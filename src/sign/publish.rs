//! Publishing a signature: it is written beside its artifact, and then looked for as an audit looks for it.
//!
//! Follows *signature-specification*, OCI Signatures, and the OCI distribution specification, Listing Referrers. A
//! signature that was written and is not listed is no error of the write: [`Published::discovery`] says so. Nothing is
//! signed here, and an archive is never written into.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::audit::TargetKind;
use crate::digest::Digest;
use crate::reference::Repository;
use crate::source::registry::{ReferrersTag, Registry};
use crate::source::{ArtifactSource, Attachment, Referrers};
use crate::trouble::{Trouble, TroubleKind};

/// How long a registry is given to list what was pushed, try by try.
const PAUSES: [Duration; 3] = [Duration::ZERO, Duration::from_millis(250), Duration::from_millis(750)];

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

/// A signature that was written.
#[derive(Debug)]
#[non_exhaustive]
pub struct Published {
    /// The digest of its manifest.
    pub signature: Digest,
    /// Whether a verifier finds it; an error if that could not be looked up.
    pub discovery: Result<Discovery, Trouble>,
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
    destination.write(signature, tag).await?;
    let discovery = destination.discovered(signature).await;
    Ok(Published { signature: signature.manifest.descriptor.digest, discovery })
}

impl Destination {
    async fn write(&self, signature: &Attachment, tag: ReferrersTag) -> Result<(), Trouble> {
        match &self.0 {
            Kind::Registry(registry, repository) => registry.attach(repository, signature, tag).await,
            Kind::InFiles(kind, path, _) => {
                let (path, signature) = (path.clone(), signature.clone());
                let write = kind.write.map_err(|reason| Trouble::new(TroubleKind::FileUnusable, reason))?;
                blocking(move || write(&path, &signature)).await
            }
        }
    }

    /// Looks for the signature as an audit does.
    async fn discovered(&self, signature: &Attachment) -> Result<Discovery, Trouble> {
        let digest = signature.manifest.descriptor.digest;
        let mut discovery = Discovery::NotListed;
        for pause in PAUSES {
            tokio::time::sleep(pause).await;
            let referrers = self.referrers(&signature.subject).await?;
            if referrers.listed.iter().any(|listed| listed.digest == digest) {
                return Ok(Discovery::Listed);
            }
            let other_type = referrers.others.iter().any(|other| other.digest == digest);
            discovery = match (other_type, referrers.doubt) {
                (true, _) => Discovery::OtherType,
                (false, Some(doubt)) => return Err(doubt),
                (false, None) => Discovery::NotListed,
            };
        }
        Ok(discovery)
    }

    async fn referrers(&self, subject: &Digest) -> Result<Referrers, Trouble> {
        match &self.0 {
            Kind::Registry(registry, repository) => registry.referrers(repository, subject).await,
            Kind::InFiles(kind, path, repository) => {
                let (open, path) = (kind.open, path.clone());
                // An opened layout remembers what it listed before.
                let layout = blocking(move || open(&path)).await?;
                layout.referrers(repository, subject).await
            }
        }
    }
}

/// Waits for disks away from the asynchronous threads.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Trouble> + Send + 'static) -> Result<T, Trouble> {
    let interrupted = |_| Trouble::new(TroubleKind::Unreachable, "work on the layout was interrupted");
    tokio::task::spawn_blocking(work).await.map_err(interrupted)?
}
