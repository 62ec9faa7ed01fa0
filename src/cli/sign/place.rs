//! Where a signature is written, and whether it can be found there by those who verify.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::super::artifact::{ArtifactArg, ResolvedArtifact};
use crate::audit::{Sources, TargetKind};
use crate::digest::Digest;
use crate::reference::Repository;
use crate::report::printable;
use crate::source::registry::{ReferrersTag, Registry};
use crate::source::{ArtifactSource, Attachment, Referrers};
use crate::trouble::{Trouble, TroubleKind};

/// How long a registry is given to list what was pushed, try by try.
const PAUSES: [Duration; 3] = [Duration::ZERO, Duration::from_millis(250), Duration::from_millis(750)];

/// Where the artifact is.
pub(super) enum Place {
    Registry(Arc<Registry>, Repository),
    Layout(&'static TargetKind, PathBuf, Repository),
}

/// How a signature is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Discovered {
    /// As notation looks for it.
    Listed,
    /// Among the referrers, but not as a signature.
    Hidden,
    /// Not at all.
    Nowhere,
}

impl Place {
    pub(super) fn of(named: &ArtifactArg, sources: &Sources, found: &ResolvedArtifact) -> Result<Place, Trouble> {
        let repository = found.selected.reference.repository.clone();
        match named.target.in_files() {
            Some((kind, path)) => Ok(Place::Layout(kind, path.to_owned(), repository)),
            None => Ok(Place::Registry(sources.registry_at(repository.host())?, repository)),
        }
    }

    /// What it is called; safe to print.
    pub(super) fn name(&self) -> String {
        match self {
            Place::Registry(_, repository) => repository.to_string(),
            Place::Layout(_, path, _) => printable(&path.display().to_string()).into_owned(),
        }
    }

    /// Writes the signature.
    pub(super) async fn write(&self, signature: &Attachment, tag: ReferrersTag) -> Result<(), Trouble> {
        match self {
            Place::Registry(registry, repository) => registry.attach(repository, signature, tag).await,
            Place::Layout(kind, path, _) => {
                let (path, signature) = (path.clone(), signature.clone());
                let write = kind.write.map_err(|reason| Trouble::new(TroubleKind::NotFound, reason))?;
                blocking(move || write(&path, &signature)).await
            }
        }
    }

    /// Looks for the signature as an audit does.
    pub(super) async fn discovered(&self, signature: &Attachment) -> Result<Discovered, Trouble> {
        let digest = signature.manifest.descriptor.digest;
        let mut discovered = Discovered::Nowhere;
        for pause in PAUSES {
            tokio::time::sleep(pause).await;
            let referrers = self.referrers(&signature.subject).await?;
            if referrers.listed.iter().any(|listed| listed.digest == digest) {
                return Ok(Discovered::Listed);
            }
            let hidden = referrers.others.iter().any(|other| other.digest == digest);
            discovered = match (hidden, referrers.doubt) {
                (true, _) => Discovered::Hidden,
                (false, Some(doubt)) => return Err(doubt),
                (false, None) => Discovered::Nowhere,
            };
        }
        Ok(discovered)
    }

    async fn referrers(&self, subject: &Digest) -> Result<Referrers, Trouble> {
        match self {
            Place::Registry(registry, repository) => registry.referrers(repository, subject).await,
            Place::Layout(kind, path, repository) => {
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

impl Discovered {
    /// Why those who verify do not find it, and what to do.
    pub(super) fn reason(self, newer_form: bool) -> &'static str {
        match self {
            Discovered::Listed => "it is listed",
            Discovered::Hidden if newer_form => {
                "the registry takes the media type of its configuration for its artifact type, so that neither notation \
                 nor muster verify takes it for a signature there: sign again with --signature-manifest config"
            }
            Discovered::Hidden => "the registry lists it under another artifact type than a signature's",
            Discovered::Nowhere => "the registry does not list it among those that refer to the artifact",
        }
    }
}
