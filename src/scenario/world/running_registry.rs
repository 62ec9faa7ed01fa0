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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::World;
    use super::*;
    use crate::scenario::load::parse;

    /// A host where nothing listens: setting up a world asks it nothing.
    const ELSEWHERE: &str = "127.0.0.1:1";

    /// Why the world of a scenario with these members cannot be set up where the run puts `instead` in the place of its
    /// registries; `None` if it can.
    fn unavailable(members: &str, instead: Option<RegistryKind>) -> Option<String> {
        let text = format!("title: x\n{members}\nverify:\n  - expect: {{ result: pass }}\n");
        let scenario = parse(text.as_bytes(), Path::new("x.yaml")).unwrap_or_else(|errors| panic!("{text}{errors:?}"));
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let _entered = runtime.enter();
        let overrides = Overrides { registry: instead, ..Overrides::default() };
        match World::build(&scenario.cases[0].plan, "x", &overrides) {
            Ok(_) => None,
            Err(SetupError::Unavailable(reason)) => Some(reason),
            Err(error) => panic!("{text}{error:?}"),
        }
    }

    fn elsewhere() -> Option<RegistryKind> {
        Some(RegistryKind::External(ELSEWHERE.to_owned()))
    }

    #[test]
    fn what_only_the_embedded_registry_can_do_is_unavailable_elsewhere() {
        let attach = "attach: { name: sbom, artifactType: a/b, sign: {} }";
        for (steps, needs) in [
            ("push: {}", None),
            ("push: {}\n  - sign: {}", None),
            (&*format!("push: {{}}\n  - {attach}"), None),
            ("push: { padding: 1 }", Some("manifests of any length")),
            ("push: {}\n  - sign: { manifest: artifact-manifest }", Some("artifact manifests from before OCI 1.1")),
            (
                &*format!("push: {{}}\n  - {}", attach.replace("{}", "{ manifest: artifact-manifest }")),
                Some("artifact manifests from before OCI 1.1"),
            ),
            ("push: {}\n  - fault: { on: blob, answer: forbidden }", Some("faults on demand")),
        ] {
            let steps = format!("steps:\n  - {steps}");
            let reason = |needs| format!("the case needs {needs}, which only the embedded registry is sure to have");
            assert_eq!(unavailable(&steps, elsewhere()), needs.map(reason), "{steps}");
            let embedded = Some(RegistryKind::Embedded(Flavour::Current));
            assert_eq!((unavailable(&steps, embedded), unavailable(&steps, None)), (None, None), "{steps}");
        }
    }

    #[test]
    fn a_registry_that_the_scenario_names_takes_the_manifests_that_are_sent_there() {
        let named = format!(
            "registries:\n  registry.wabbit-networks.io: {{ kind: external, address: '{ELSEWHERE}' }}\nsteps:\n  - push: {{}}"
        );
        for instead in [None, elsewhere()] {
            let signed = format!("{named}\n  - sign: {{ manifest: artifact-manifest }}");
            assert_eq!(unavailable(&signed, instead.clone()), None);
            for step in
                ["fault: { on: blob, answer: forbidden }", "push: { to: registry.wabbit-networks.io/a:b, padding: 1 }"]
            {
                assert!(unavailable(&format!("{named}\n  - {step}"), instead.clone()).is_some(), "{step}");
            }
        }
    }

    #[test]
    fn flavours_are_not_replaced_by_registries_that_lack_them() {
        let of_flavour = |flavour| RegistryPlan { host: "a.io".to_owned(), kind: RegistryKind::Embedded(flavour) };
        let chosen = |flavour, instead: &RegistryKind| {
            choose(&of_flavour(flavour), std::iter::empty(), Some(instead)).ok().cloned()
        };
        let (embedded, external) = (RegistryKind::Embedded(Flavour::Current), elsewhere().unwrap());
        for flavour in [Flavour::WithoutReferrers, Flavour::ReleaseCandidate] {
            assert_eq!(chosen(flavour, &embedded), Some(RegistryKind::Embedded(flavour)));
            assert_eq!(chosen(flavour, &external), None);
        }
        assert_eq!(chosen(Flavour::Current, &external), Some(external));
        assert_eq!(chosen(Flavour::ReleaseCandidate, &RegistryKind::Oras), Some(RegistryKind::Oras));
        assert_eq!(chosen(Flavour::WithoutReferrers, &RegistryKind::Oras), None);
    }
}
