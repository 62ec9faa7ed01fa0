//! The registries of a world: the one place that a further kind of registry is joined at.

use super::plan::{RegistryKind, RegistryPlan};
use super::writer::Writer;
use crate::forge::Artifact;
use crate::forge::registry::{EmbeddedRegistry, Flavour, Options};
use crate::limits;

/// Why there is no registry.
#[derive(Debug)]
pub(super) enum NoRegistry {
    /// The kind is not here; the case is skipped.
    Unavailable(String),
    /// It is here, and cannot be started or reached.
    Failed(String),
}

/// A registry that answers.
#[derive(Debug)]
pub(super) struct RunningRegistry {
    /// The host by which references name it.
    pub(super) host: String,
    /// Where it is reached: a host with its port.
    pub(super) address: String,
    pub(super) writer: Writer,
    /// The registry itself, where it runs inside the process. It stops when this is dropped.
    pub(super) embedded: Option<EmbeddedRegistry>,
}

impl RunningRegistry {
    /// Starts the registry of `plan`, or one of the kind `instead`.
    pub(super) fn start(plan: &RegistryPlan, instead: Option<&RegistryKind>) -> Result<RunningRegistry, NoRegistry> {
        let kind = choose(plan, instead)?;
        let (address, embedded) = match kind {
            RegistryKind::Embedded(flavour) => {
                let registry = EmbeddedRegistry::start(Options { flavour: *flavour, ..Options::default() })
                    .map_err(|error| NoRegistry::Failed(format!("the embedded registry cannot be started: {error}")))?;
                (registry.host(), Some(registry))
            }
            RegistryKind::External(address) => (address.clone(), None),
            RegistryKind::Oras | RegistryKind::Container(_) => {
                return Err(NoRegistry::Unavailable("registries in containers are not joined yet".to_owned()));
            }
        };
        let writer = Writer::new(&address).map_err(NoRegistry::Failed)?;
        Ok(RunningRegistry { host: plan.host.clone(), address, writer, embedded })
    }

    /// Pushes an artifact. What no registry would take over HTTP is put into an embedded one from behind.
    pub(super) async fn push(&self, repository: &str, tag: Option<&str>, artifact: &Artifact) -> Result<(), String> {
        let manifest = &artifact.manifest;
        match &self.embedded {
            Some(registry) if manifest.bytes.len() as u64 > limits::MANIFEST_BYTES => {
                let put =
                    registry.put_manifest(repository, tag, &manifest.descriptor.media_type, manifest.bytes.clone());
                put.map(|_| ()).map_err(|error| error.to_string())
            }
            _ => self.writer.push(repository, tag, artifact).await,
        }
    }
}

/// What to start. A flavour that the scenario is about cannot be had elsewhere.
fn choose<'a>(plan: &'a RegistryPlan, instead: Option<&'a RegistryKind>) -> Result<&'a RegistryKind, NoRegistry> {
    match (&plan.kind, instead) {
        (planned, None) => Ok(planned),
        (RegistryKind::Embedded(Flavour::Current), Some(instead)) => Ok(instead),
        (planned, Some(RegistryKind::Embedded(Flavour::Current))) if matches!(planned, RegistryKind::Embedded(_)) => {
            Ok(planned)
        }
        (RegistryKind::Embedded(Flavour::ReleaseCandidate), Some(RegistryKind::Oras)) => Ok(&RegistryKind::Oras),
        (RegistryKind::Embedded(_), Some(_)) => {
            Err(NoRegistry::Unavailable("the case needs a flavour that only the embedded registry has".to_owned()))
        }
        (_, Some(instead)) => Ok(instead),
    }
}
