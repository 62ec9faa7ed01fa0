//! The one artifact that `sign`, `list` and `inspect` are about: named on the command line, looked for once.

use std::future::Future;
use std::io;

use bytes::Bytes;
use clap::Args;

use super::args::{AccessArgs, parse_count};
use super::console::Console;
use super::error::CliError;
use super::{registry_access, target};
use crate::audit::{self, Selected, Sources, Target};
use crate::evidence::{Signature, Signatures};
use crate::failure::quote;
use crate::limits;
use crate::manifest::Descriptor;
use crate::reference::Repository;
use crate::report::printable;
use crate::source::Manifest;
use crate::source::registry::RegistryOptions;
use crate::trouble::{Trouble, TroubleKind};

/// Which artifact, and how its registry is reached.
#[derive(Debug, Args)]
pub(super) struct ArtifactArgs {
    /// HOST/REPOSITORY@DIGEST, HOST/REPOSITORY:TAG or oci:DIR:REF
    #[arg(value_name = "REF", required = true)]
    reference: Option<String>,

    /// Take REF as PATH@DIGEST or PATH:TAG in an OCI layout
    #[arg(long)]
    oci_layout: bool,

    #[command(flatten)]
    access: AccessArgs,
}

/// How much is looked at.
#[derive(Debug, Args)]
pub(super) struct LimitArgs {
    /// How many signatures are looked at at most
    #[arg(long, value_name = "N", default_value_t = limits::MAX_SIGNATURES, value_parser = parse_count)]
    max_signatures: usize,
}

/// The artifact that a command line names, before it is looked for.
#[derive(Debug)]
pub(super) struct ArtifactArg {
    pub(super) target: Target,
    options: RegistryOptions,
}

/// An artifact that was found, with its manifest.
pub(super) struct ResolvedArtifact {
    pub(super) selected: Selected,
    pub(super) manifest: Manifest,
    /// What the artifact is called: `host/repository@digest`, or in a layout `path@digest`; safe to print.
    pub(super) name: String,
}

impl ArtifactArgs {
    /// Reads the arguments, and the password from standard input where that is wanted.
    pub(super) fn named(&self) -> Result<ArtifactArg, CliError> {
        let reference = self.reference.as_deref().ok_or_else(|| CliError::Usage("no artifact is named".to_owned()))?;
        let target = target::single(reference, self.oci_layout).map_err(CliError::Usage)?;
        let targets = std::slice::from_ref(&target);
        let options = registry_access::options(&self.access, None, limits::REQUESTS_PER_HOST, targets, io::stdin())
            .map_err(CliError::Usage)?;
        Ok(ArtifactArg { target, options })
    }
}

impl ArtifactArg {
    /// The sources, opened anew. A layout's artifacts need no repository here: no policy is asked.
    pub(super) fn sources(&self) -> Result<Sources, Trouble> {
        let scope = Repository::new("localhost", "layout")
            .map_err(|error| Trouble::new(TroubleKind::NotFound, error.to_string()))?;
        Ok(Sources::new(self.options.clone(), Some(scope)))
    }

    /// Looks for the artifact.
    pub(super) async fn find(&self, sources: &Sources) -> Result<ResolvedArtifact, Trouble> {
        let selected = sources.artifact(&self.target).await?;
        let Some(mut manifest) = selected.source.manifest(&selected.reference).await? else {
            let message = format!("there is no {}", quote(&selected.label));
            return Err(Trouble::new(TroubleKind::NotFound, message));
        };
        // It is held to the end: a copy, since holding a share of the budget while waiting for another could deadlock.
        manifest.bytes = Bytes::copy_from_slice(&manifest.bytes);
        let place = match self.target.in_files() {
            Some((_, path)) => path.display().to_string(),
            None => selected.reference.repository.to_string(),
        };
        let name = format!("{}@{}", printable(&place), manifest.descriptor.digest);
        Ok(ResolvedArtifact { selected, manifest, name })
    }
}

impl ResolvedArtifact {
    /// The artifact as it is.
    pub(super) fn descriptor(&self) -> &Descriptor {
        &self.manifest.descriptor
    }

    /// What `each` makes of its signatures, and whether there are or may be more. One after the other is held.
    pub(super) async fn signatures<T: Send>(
        &self,
        limit: &LimitArgs,
        each: impl Fn(Signature) -> T + Sync,
    ) -> Result<Signatures<T>, Trouble> {
        let Selected { source, reference, .. } = &self.selected;
        let most = limit.max_signatures;
        audit::each_signature_of(source.as_ref(), &reference.repository, self.descriptor(), most, each).await
    }
}

impl LimitArgs {
    /// Says that there is more.
    pub(super) fn warn(&self, console: Console) {
        let most = self.max_signatures;
        console
            .warning(format_args!("there are more than {most} signatures: --max-signatures says how many are shown"));
    }
}

/// Runs what waits for networks and disks.
pub(super) fn run<T, E: Into<CliError>>(work: impl Future<Output = Result<T, E>>) -> Result<T, CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(CliError::Start)?;
    let result = runtime.block_on(work);
    // A credential helper that hangs must not hold up the end.
    runtime.shutdown_background();
    result.map_err(Into::into)
}
