//! Registries that answer: embedded ones, those in containers, and those that are there anyway.

use std::borrow::Cow;
use std::env;
use std::sync::Arc;

use tokio::runtime::Handle;

use super::needs::{Capability, Demand};
use super::registry::{RegistryKind, RegistryPlan};
use super::{Overrides, SetupError};
use crate::forge::registry::{EmbeddedRegistry, Flavour, Options};
use crate::forge::{Artifact, ContainerError, Containers, RegistryContainer};
use crate::limits;
use crate::scenario::writer::Writer;

/// The image of `oras`, unless [`ORAS_VARIABLE`] names another.
const ORAS: &str = "ghcr.io/oras-project/registry:v1.0.0-rc.4";
/// Names another image for `oras`, where that one cannot be pulled.
const ORAS_VARIABLE: &str = "MUSTER_ORAS_IMAGE";

/// A registry that answers.
#[derive(Debug)]
pub(in crate::scenario) struct RunningRegistry {
    /// The host by which references name it.
    pub(in crate::scenario) host: String,
    /// Where it is reached: a host with its port.
    pub(in crate::scenario) address: String,
    pub(in crate::scenario) writer: Writer,
    /// The registry itself, where it runs inside the process. It stops when this is dropped.
    pub(in crate::scenario) embedded: Option<EmbeddedRegistry>,
    /// The container that it runs in. It stays until it is removed.
    container: Option<RegistryContainer>,
}

impl RunningRegistry {
    /// Starts the registry of `plan`, or one of the kind that the run puts in its place. Blocks; there must be a runtime
    /// to wait with.
    pub(super) fn start<'s>(
        plan: &RegistryPlan,
        demands: impl Iterator<Item = Demand<'s>>,
        overrides: &Overrides,
    ) -> Result<RunningRegistry, SetupError> {
        let instead = overrides.registry.as_ref();
        let kind = choose(plan, demands, instead)?;
        let containers: &Arc<Containers> = &overrides.containers;
        let mut container = None;
        let (address, embedded) = match kind {
            RegistryKind::Embedded(flavour) => {
                let registry = EmbeddedRegistry::start(Options { flavour: *flavour, ..Options::default() })
                    .map_err(|error| SetupError::Failed(format!("the embedded registry cannot be started: {error}")))?;
                (registry.host(), Some(registry))
            }
            RegistryKind::External(address) => (address.clone(), None),
            RegistryKind::Oras | RegistryKind::Container(_) => {
                let started = Handle::current().block_on(containers.start(&image(kind)));
                let started = started.map_err(|error| no_container(kind, instead.is_some(), &error))?;
                let address = started.address().to_owned();
                container = Some(started);
                (address, None)
            }
        };
        let writer = Writer::new(&address).map_err(SetupError::Failed)?;
        Ok(RunningRegistry { host: plan.host.clone(), address, writer, embedded, container })
    }

    /// Stops the registry, where it would go on by itself.
    pub(super) async fn stop(self) -> Result<(), String> {
        match self.container {
            Some(container) => container.remove().await.map_err(|error| error.to_string()),
            None => Ok(()),
        }
    }

    /// Pushes an artifact. What no registry would take over HTTP is put into an embedded one from behind.
    pub(in crate::scenario) async fn push(
        &self,
        repository: &str,
        tag: Option<&str>,
        artifact: &Artifact,
    ) -> Result<(), String> {
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

/// What to start. A flavour that the scenario is about is not to be found elsewhere, nor are faults on demand.
fn choose<'a, 's>(
    plan: &'a RegistryPlan,
    demands: impl Iterator<Item = Demand<'s>>,
    instead: Option<&'a RegistryKind>,
) -> Result<&'a RegistryKind, SetupError> {
    use RegistryKind::{Embedded, Oras};
    let kind = match (&plan.kind, instead) {
        (planned, None) => planned,
        (Embedded(Flavour::Current), Some(instead)) => instead,
        (planned @ Embedded(_), Some(Embedded(Flavour::Current))) => planned,
        (Embedded(Flavour::ReleaseCandidate), Some(Oras)) => &Oras,
        (Embedded(_), Some(_)) => {
            let reason = "the case needs a flavour that only the embedded registry has";
            return Err(SetupError::Unavailable(reason.to_owned()));
        }
        (_, Some(instead)) => instead,
    };
    if matches!(kind, Embedded(_)) {
        return Ok(kind);
    }
    // A scenario that names a registry of its own knows what that one takes.
    let named = !matches!(plan.kind, Embedded(_));
    for Demand { what, .. } in demands {
        if what != Capability::ArtifactManifests || !named {
            let reason = format!("the case needs {}, which only the embedded registry is sure to have", what.as_str());
            return Err(SetupError::Unavailable(reason));
        }
    }
    Ok(kind)
}

/// Whether every registry of a run can be of `kind`: for containers, whether there is an engine and an image.
///
/// # Errors
/// Why not.
pub async fn check_registry(kind: &RegistryKind) -> Result<(), String> {
    match kind {
        RegistryKind::Embedded(_) | RegistryKind::External(_) => Ok(()),
        RegistryKind::Oras | RegistryKind::Container(_) => {
            let containers = Containers::default();
            containers.fetch(&image(kind)).await.map_err(|error| error.to_string())
        }
    }
}

fn image(kind: &RegistryKind) -> Cow<'_, str> {
    match kind {
        RegistryKind::Container(image) => Cow::Borrowed(image),
        _ => named_image().map_or(Cow::Borrowed(ORAS), Cow::Owned),
    }
}

fn named_image() -> Option<String> {
    env::var(ORAS_VARIABLE).ok().filter(|image| !image.is_empty())
}

/// A case that cannot have its container is skipped, unless this very engine or image was asked for.
fn no_container(kind: &RegistryKind, asked: bool, error: &ContainerError) -> SetupError {
    let reason = error.to_string();
    match error {
        _ if asked => SetupError::Failed(reason),
        ContainerError::LeftOut | ContainerError::NoEngine(_) | ContainerError::Elsewhere(_) => {
            SetupError::Unavailable(reason)
        }
        ContainerError::NoImage { .. } if *kind == RegistryKind::Oras && named_image().is_none() => {
            SetupError::Unavailable(format!("{reason}; {ORAS_VARIABLE} can name another"))
        }
        _ => SetupError::Failed(reason),
    }
}
