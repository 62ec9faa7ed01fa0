//! The registries of a world: the one place that a further kind of registry is joined at.

use std::borrow::Cow;
use std::env;
use std::sync::Arc;

use tokio::runtime::Handle;

use super::plan::{Plan, RegistryKind, RegistryPlan};
use super::steps::{Action, Content, Push, RegistryFault, Sign};
use super::words::ManifestForm;
use super::writer::Writer;
use crate::forge::registry::{EmbeddedRegistry, Flavour, Options};
use crate::forge::{Artifact, ContainerError, Containers, RegistryContainer};
use crate::limits;

/// The image of `oras`, unless [`ORAS_VARIABLE`] names another.
const ORAS: &str = "ghcr.io/oras-project/registry:v1.0.0-rc.4";
/// Names another image for `oras`, where that one cannot be pulled.
const ORAS_VARIABLE: &str = "MUSTER_ORAS_IMAGE";

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
    /// The container that it runs in. It stays until it is removed.
    container: Option<RegistryContainer>,
}

impl RunningRegistry {
    /// Starts the registry of `plan`, or one of the kind `instead`. Blocks; there must be a runtime to wait with.
    pub(super) fn start(
        plan: &RegistryPlan,
        demand: Demand,
        instead: Option<&RegistryKind>,
        containers: &Arc<Containers>,
    ) -> Result<RunningRegistry, NoRegistry> {
        let kind = choose(plan, demand, instead)?;
        let mut container = None;
        let (address, embedded) = match kind {
            RegistryKind::Embedded(flavour) => {
                let registry = EmbeddedRegistry::start(Options { flavour: *flavour, ..Options::default() })
                    .map_err(|error| NoRegistry::Failed(format!("the embedded registry cannot be started: {error}")))?;
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
        let writer = Writer::new(&address).map_err(NoRegistry::Failed)?;
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

/// What a case demands of a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Demand {
    /// What every registry does.
    Usual,
    /// Faults at will, or manifests that others refuse.
    Embedded,
}

impl Demand {
    /// What `plan` demands of the registry at `host`.
    pub(super) fn of(plan: &Plan, host: &str) -> Demand {
        let embedded = plan.steps.iter().any(|step| match &step.action {
            Action::Fault(RegistryFault { registry, .. }) => registry == host,
            // Registries differ in whether they take it; distribution's do not.
            Action::Sign(Sign { artifact, signing }) => {
                artifact.reference.repository.host() == host && signing.manifest == ManifestForm::Oldest
            }
            Action::Push(Push { to, content: Content::Image { padding }, .. }) => {
                to.reference.repository.host() == host && *padding as u64 >= limits::MANIFEST_BYTES
            }
            _ => false,
        });
        if embedded { Demand::Embedded } else { Demand::Usual }
    }
}

/// What to start. A flavour that the scenario is about cannot be had elsewhere, nor can faults.
fn choose<'a>(
    plan: &'a RegistryPlan,
    demand: Demand,
    instead: Option<&'a RegistryKind>,
) -> Result<&'a RegistryKind, NoRegistry> {
    match (&plan.kind, instead) {
        (planned, None) => Ok(planned),
        (RegistryKind::Embedded(_), Some(instead))
            if demand == Demand::Embedded && !matches!(instead, RegistryKind::Embedded(_)) =>
        {
            Err(NoRegistry::Unavailable(
                "the case needs faults at will, or manifests that only the embedded registry takes".to_owned(),
            ))
        }
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

/// A case that cannot have its container is skipped, unless somebody asked for this very engine or image.
fn no_container(kind: &RegistryKind, asked: bool, error: &ContainerError) -> NoRegistry {
    let reason = error.to_string();
    match error {
        _ if asked => NoRegistry::Failed(reason),
        ContainerError::LeftOut | ContainerError::NoEngine(_) | ContainerError::Elsewhere(_) => {
            NoRegistry::Unavailable(reason)
        }
        ContainerError::NoImage { .. } if *kind == RegistryKind::Oras && named_image().is_none() => {
            NoRegistry::Unavailable(format!("{reason}; {ORAS_VARIABLE} can name another"))
        }
        _ => NoRegistry::Failed(reason),
    }
}
