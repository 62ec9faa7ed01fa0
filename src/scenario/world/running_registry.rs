//! Registries that answer: embedded ones, those in containers, and parts of those that are there anyway.
//!
//! They are written to by the client that signing writes with (OCI distribution specification, *Push*, *Content Management*,
//! *Referrers Tag Schema*).

use std::borrow::Cow;
use std::collections::HashSet;
use std::env;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::runtime::Handle;

use super::needs::{Capability, Demand, Needs};
use super::registry::{Manners, RegistryKind, RegistryPlan};
use super::{Overrides, SetupError};
use crate::digest::Digest;
use crate::forge::registry::{EmbeddedRegistry, Flavour, Login, Options};
use crate::forge::{Artifact, Blob, ContainerError, Containers, RegistryContainer};
use crate::limits;
use crate::reference::Repository;
use crate::scenario::kept::Kept;
use crate::source::registry::{Credentials, ReferrersTag, Registry, RegistryOptions, Timings};
use crate::source::{Attachment, Content, moved};
use crate::trouble::Trouble;

/// The image of `oras`, unless [`ORAS_VARIABLE`] names another.
const ORAS: &str = "ghcr.io/oras-project/registry:v1.0.0-rc.4";
/// Names another image for `oras`, where that one cannot be pulled.
const ORAS_VARIABLE: &str = "MUSTER_ORAS_IMAGE";

/// A registry that answers.
#[derive(Debug)]
pub(in crate::scenario) struct RunningRegistry {
    /// The host by which references name it.
    pub(in crate::scenario) host: String,
    /// Where it is reached: a host with its port, and the path below which its repositories lie, if it is not at its root.
    pub(in crate::scenario) address: String,
    /// The registry itself, where it runs inside the process. It stops when this is dropped.
    pub(in crate::scenario) embedded: Option<EmbeddedRegistry>,
    /// The container that it runs in. It stays until it is removed.
    container: Option<RegistryContainer>,
    /// The client that writes.
    client: Arc<Registry>,
    /// Where its repositories lie, if it is a part of a registry that is not the scenario's own.
    pub(super) place: Option<Repository>,
    /// Blobs that are there already, by repository, where the registry is not in this process.
    blobs: Mutex<HashSet<(String, Digest)>>,
    /// Tags that this scenario has made, by repository: these it may move.
    tags: Mutex<HashSet<(String, String)>>,
}

impl RunningRegistry {
    /// Starts the registry of `plan`, or one of the kind that the run puts in its place. `part` is where the case may write
    /// in a registry that is not its own. Blocks; there must be a runtime to wait with.
    pub(super) fn start(
        plan: &RegistryPlan,
        needs: &Needs<'_>,
        overrides: &Overrides,
    ) -> Result<RunningRegistry, SetupError> {
        let instead = overrides.registry.as_ref();
        let chosen = plan.manners != Manners::default();
        let manners = chosen.then_some(Demand { host: &plan.host, what: Capability::Manners });
        let demands = needs.demands.iter().filter(|demand| demand.host == plan.host).copied().chain(manners);
        let kind = choose(plan, demands, instead)?;
        let containers: &Arc<Containers> = &overrides.containers;
        let (mut embedded, mut container, mut place) = (None, None, None);
        let (address, client) = match kind {
            RegistryKind::Embedded(flavour) => {
                let Manners { tokens, page } = plan.manners;
                let login = tokens.map(|requests| Login::Token { user: None, requests }).unwrap_or_default();
                let options =
                    Options { flavour: *flavour, login, list_page: page, referrers_page: page, ..Options::default() };
                let registry = EmbeddedRegistry::start(options)
                    .map_err(|error| SetupError::Failed(format!("the embedded registry cannot be started: {error}")))?;
                let address = registry.host();
                embedded = Some(registry);
                (address.clone(), client(&address, needs)?)
            }
            RegistryKind::External(address) => {
                let part = overrides.part.as_ref().ok_or_else(|| SetupError::Failed(not_asked_for(address)))?;
                let below = part.place_of(&plan.host).map_err(SetupError::Failed)?;
                let address = below.to_string();
                place = Some(below);
                (address, part.registry())
            }
            RegistryKind::Oras | RegistryKind::Container(_) => {
                let started = Handle::current().block_on(containers.start(&image(kind)));
                let started = started.map_err(|error| no_container(kind, instead.is_some(), &error))?;
                let address = started.address().to_owned();
                container = Some(started);
                (address.clone(), client(&address, needs)?)
            }
        };
        let (blobs, tags) = (Mutex::default(), Mutex::default());
        Ok(RunningRegistry { host: plan.host.clone(), address, embedded, container, client, place, blobs, tags })
    }

    /// Stops the registry, where it would go on by itself.
    pub(super) async fn stop(self) -> Result<(), String> {
        match self.container {
            Some(container) => container.remove().await.map_err(|error| error.to_string()),
            None => Ok(()),
        }
    }

    /// Pushes an artifact: blobs, then the manifest, under `tag` where there is one. What no registry would take over HTTP is
    /// put into an embedded one from behind.
    pub(in crate::scenario) async fn push(
        &self,
        repository: &str,
        tag: Option<&str>,
        artifact: &Artifact,
    ) -> Result<(), String> {
        let manifest = &artifact.manifest;
        if let Some(registry) = &self.embedded
            && manifest.bytes.len() as u64 > limits::MANIFEST_BYTES
        {
            let put = registry.put_manifest(repository, tag, &manifest.descriptor.media_type, manifest.bytes.clone());
            return put.map(|_| ()).map_err(|error| error.to_string());
        }
        let repository = self.repository(repository)?;
        for blob in &artifact.blobs {
            self.push_blob(&repository, blob).await?;
        }
        let pushed = match (tag, subject_of(artifact)) {
            (None, Some(subject)) => {
                let attachment = Attachment { subject, manifest: content(manifest), blobs: Vec::new() };
                self.client.attach(&repository, &attachment, ReferrersTag::WhereNeeded).await
            }
            (None, None) => self.client.push_manifest(&repository, None, &content(manifest)).await,
            (Some(tag), _) => {
                self.claim(&repository, tag).await?;
                self.client.push_manifest(&repository, Some(tag), &content(manifest)).await
            }
        };
        pushed.map_err(said)
    }

    /// What was pushed, its content shared with the registry where that one holds it in this process: so that it is there once.
    pub(in crate::scenario) fn shared(&self, repository: &str, kept: Kept) -> Kept {
        match &self.embedded {
            Some(registry) => kept.shared(|digest| registry.content(repository, digest)),
            None => kept,
        }
    }

    /// Deletes a manifest, and takes it from the list of referrers that clients keep.
    pub(in crate::scenario) async fn delete(&self, repository: &str, artifact: &Artifact) -> Result<(), String> {
        let (repository, digest) = (self.repository(repository)?, artifact.descriptor().digest);
        if !self.client.delete_manifest(&repository, &digest).await.map_err(said)? {
            return Err(format!("{} was gone before it was deleted", repository.at(digest)));
        }
        match subject_of(artifact) {
            Some(subject) => self.client.unlist(&repository, &subject, &digest).await.map_err(said),
            None => Ok(()),
        }
    }

    /// Deletes a blob.
    pub(in crate::scenario) async fn delete_blob(&self, repository: &str, digest: &Digest) -> Result<(), String> {
        let repository = self.repository(repository)?;
        if !self.client.delete_blob(&repository, digest).await.map_err(said)? {
            return Err(format!("the blob {digest} of {repository} was gone before it was deleted"));
        }
        let key = (repository.path().to_owned(), *digest);
        self.blobs.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
        Ok(())
    }

    async fn push_blob(&self, repository: &Repository, blob: &Blob) -> Result<(), String> {
        if let Some(registry) = &self.embedded {
            if registry.content(repository.path(), &blob.descriptor.digest).is_some() {
                return Ok(());
            }
            return self.client.push_blob(repository, &content(blob)).await.map(|_| ()).map_err(said);
        }
        let key = (repository.path().to_owned(), blob.descriptor.digest);
        if self.blobs.lock().unwrap_or_else(PoisonError::into_inner).contains(&key) {
            return Ok(());
        }
        self.client.push_blob(repository, &content(blob)).await.map_err(said)?;
        self.blobs.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
        Ok(())
    }

    /// Makes sure that `tag` may be written: in a registry that is not the scenario's own, only what it has made itself.
    async fn claim(&self, repository: &Repository, tag: &str) -> Result<(), String> {
        if self.place.is_none() {
            return Ok(());
        }
        let key = (repository.path().to_owned(), tag.to_owned());
        if self.tags.lock().unwrap_or_else(PoisonError::into_inner).contains(&key) {
            return Ok(());
        }
        if self.client.has_tag(repository, tag).await.map_err(said)? {
            return Err(format!("{repository}:{tag} is there already, and muster test writes over nothing"));
        }
        self.tags.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
        Ok(())
    }

    /// Where the repository at `path` lies.
    fn repository(&self, path: &str) -> Result<Repository, String> {
        match &self.place {
            Some(place) => moved::below(place, path).map_err(|error| format!("{path} {error}")),
            None => Repository::new(self.client.host(), path).map_err(|error| error.to_string()),
        }
    }
}

/// A client of a registry that is the scenario's own.
fn client(address: &str, needs: &Needs<'_>) -> Result<Arc<Registry>, SetupError> {
    // No other client writes there.
    let timings = Timings { settle: (Duration::ZERO, needs.timings.settle.1), ..needs.timings };
    let options = RegistryOptions {
        credentials: Credentials::Anonymous,
        timings,
        own_hosts: vec![address.to_owned()],
        ..RegistryOptions::default()
    };
    Registry::new(address, options).map(Arc::new).map_err(|trouble| SetupError::Failed(trouble.message))
}

fn content(blob: &Blob) -> Content {
    Content { descriptor: blob.descriptor.clone(), bytes: blob.bytes.clone() }
}

fn said(trouble: Trouble) -> String {
    trouble.message
}

/// The subject that a manifest of the forge names.
fn subject_of(artifact: &Artifact) -> Option<Digest> {
    let manifest: Value = serde_json::from_slice(&artifact.manifest.bytes).ok()?;
    manifest.pointer("/subject/digest")?.as_str()?.parse().ok()
}

/// Why a registry that only the file names is not written to.
pub(in crate::scenario) fn not_asked_for(address: &str) -> String {
    format!(
        "the scenario writes to the registry {address}, which is not its own: only you can say that it may, by \
         --registry external={address}"
    )
}

/// What to start. A flavour that the scenario is about is not to be found elsewhere, nor are faults on demand.
fn choose<'a, 's>(
    plan: &'a RegistryPlan,
    demands: impl Iterator<Item = Demand<'s>>,
    instead: Option<&'a RegistryKind>,
) -> Result<&'a RegistryKind, SetupError> {
    use RegistryKind::{Embedded, External, Oras};
    let kind = match (&plan.kind, instead) {
        // A file alone must not have anything written to a registry that others use.
        (External(address), None) => return Err(SetupError::Failed(not_asked_for(address))),
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

/// What [`check_registry`] has started: for one run, which removes it, as
/// [`Options::checked`](crate::scenario::Options::checked).
#[derive(Debug, Clone, Default)]
pub struct CheckedRegistry {
    containers: Option<Arc<Containers>>,
}

impl CheckedRegistry {
    /// That there is no container engine, where it was looked for already: cases that need one are skipped for `error`.
    #[cfg(feature = "containers")]
    pub fn unavailable(error: ContainerError) -> CheckedRegistry {
        CheckedRegistry { containers: Some(Arc::new(Containers::unavailable(error))) }
    }

    /// The containers of the run: those that the check began, else none yet, watched over by `program`.
    pub(in crate::scenario) fn containers(&self, program: Option<&Path>) -> Arc<Containers> {
        self.containers.clone().unwrap_or_else(|| Arc::new(Containers::watched_by(program)))
    }
}

/// Whether every registry of a run can be of `kind`: for containers, whether there is an engine and an image, and whether a
/// container of it is reached and answers as a registry. `program` is muster's own executable file, which removes that one
/// when this process is killed.
///
/// # Errors
/// Why not.
pub async fn check_registry(kind: &RegistryKind, program: Option<&Path>) -> Result<CheckedRegistry, String> {
    match kind {
        RegistryKind::Embedded(_) | RegistryKind::External(_) => Ok(CheckedRegistry::default()),
        RegistryKind::Oras | RegistryKind::Container(_) => {
            let containers = Arc::new(Containers::watched_by(program));
            if let Err(error) = containers.ready_for(&image(kind)).await {
                // It may run, and not be reached. What is the matter is said already.
                let _ = containers.remove_all(limits::CONTAINER_REMOVAL_AT_THE_END).await;
                return Err(error.to_string());
            }
            Ok(CheckedRegistry { containers: Some(containers) })
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
        ContainerError::LeftOut
        | ContainerError::NoEngine(_)
        | ContainerError::Misnamed(_)
        | ContainerError::OutsideOfEnvironment { .. } => SetupError::Unavailable(reason),
        ContainerError::NoImage { .. } if *kind == RegistryKind::Oras && named_image().is_none() => {
            SetupError::Unavailable(format!("{reason}; {ORAS_VARIABLE} can name another"))
        }
        _ => SetupError::Failed(reason),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{External, World};
    use super::*;
    use crate::scenario::load::parse;
    use crate::scenario::notes::Notes;
    use crate::source::ArtifactSource as _;

    /// A host where nothing listens: setting up a world asks it nothing.
    const ELSEWHERE: &str = "127.0.0.1:1";

    /// Why the world of a scenario with these members cannot be set up where the run puts `instead` in the place of its
    /// registries; `None` if it can.
    fn unavailable(members: &str, instead: Option<RegistryKind>) -> Option<String> {
        let text = format!("title: x\n{members}\nverify:\n  - expect: {{ result: pass }}\n");
        let scenario = parse(text.as_bytes(), Path::new("x.yaml")).unwrap_or_else(|errors| panic!("{text}{errors:?}"));
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let _entered = runtime.enter();
        let external = External::open(ELSEWHERE, &RegistryOptions::default(), Notes::default()).unwrap();
        let part = Some(Arc::new(external).part(1).unwrap());
        let overrides = Overrides { registry: instead, part, ..Overrides::default() };
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
        let signed = format!("{named}\n  - sign: {{ manifest: artifact-manifest }}");
        assert_eq!(unavailable(&signed, elsewhere()), None);
        for step in
            ["fault: { on: blob, answer: forbidden }", "push: { to: registry.wabbit-networks.io/a:b, padding: 1 }"]
        {
            assert!(unavailable(&format!("{named}\n  - {step}"), elsewhere()).is_some(), "{step}");
        }
    }

    /// Random names do not meet; this one is met on purpose.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_tag_that_exists_is_not_written_over() {
        let outside = EmbeddedRegistry::start(Options::default()).unwrap();
        let external = External::open(&outside.host(), &RegistryOptions::default(), Notes::default()).unwrap();
        let part = Arc::new(external).part(1).unwrap();
        let place = part.place_of("a.io").unwrap();
        let foreign = Artifact::image("foreign").manifest;
        let put = outside.put_manifest(
            &format!("{}/app", place.path()),
            Some("v1"),
            &foreign.descriptor.media_type,
            foreign.bytes,
        );
        let foreign = put.unwrap();
        let plan = RegistryPlan {
            host: "a.io".to_owned(),
            kind: RegistryKind::Embedded(Flavour::Current),
            manners: Manners::default(),
        };
        let overrides = Overrides {
            registry: Some(RegistryKind::External(outside.host())),
            part: Some(part),
            ..Overrides::default()
        };
        let registry = RunningRegistry::start(&plan, &Needs::default(), &overrides).unwrap();
        let (first, second) = (Artifact::image("first"), Artifact::image("second"));
        let refused = registry.push("app", Some("v1"), &first).await.unwrap_err();
        assert_eq!(refused, format!("{place}/app:v1 is there already, and muster test writes over nothing"));
        // What it has made itself it may move.
        registry.push("app", Some("v2"), &first).await.unwrap();
        registry.push("app", Some("v2"), &second).await.unwrap();
        let client = Registry::new(&outside.host(), RegistryOptions::default()).unwrap();
        let app = moved::below(&place, "app").unwrap();
        let named = async |tag: &str| {
            let found = client.manifest(&app.tagged(tag).unwrap()).await.unwrap();
            found.map(|manifest| manifest.descriptor.digest)
        };
        assert_eq!(named("v1").await, Some(foreign));
        assert_eq!(named("v2").await, Some(second.descriptor().digest));
    }

    #[test]
    fn a_registry_that_only_the_file_names_is_not_written_to() {
        let plan = RegistryPlan { host: "a.io".to_owned(), kind: elsewhere().unwrap(), manners: Manners::default() };
        let refused = choose(&plan, std::iter::empty(), None).unwrap_err();
        let SetupError::Failed(reason) = refused else { panic!("{refused:?}") };
        assert!(reason.ends_with("by --registry external=127.0.0.1:1"), "{reason}");
        let embedded = RegistryKind::Embedded(Flavour::Current);
        assert_eq!(choose(&plan, std::iter::empty(), Some(&embedded)).ok(), Some(&embedded));
    }

    #[test]
    fn flavours_are_not_replaced_by_registries_that_lack_them() {
        let of_flavour = |flavour| RegistryPlan {
            host: "a.io".to_owned(),
            kind: RegistryKind::Embedded(flavour),
            manners: Manners::default(),
        };
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
