//! A world: registries that answer, everybody who holds a key, trust stores on disk, and a clock that only steps move.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;

use super::cast::Cast;
use super::inventory::Inventory;
use super::keystore::NoKey;
use super::plan::{Plan, RegistryKind, StoreContent};
use super::plugins::Plugins;
use super::registries::{Demand, NoRegistry, RunningRegistry};
use super::responding::Responding;
use super::steps::{Action, Content, Push, RegistryFault};
use super::words::{Answer, Keystore};
use crate::audit::Sources;
use crate::forge::Containers;
use crate::source::registry::{Credentials, RegistryOptions, Timings};
use crate::temporary::Folder;

/// How long an audit waits for a registry that is to stay silent.
const SILENCE: Duration = Duration::from_millis(500);

/// What a run puts in the place of what scenarios say.
#[derive(Debug, Clone, Default)]
pub(super) struct Instead {
    pub(super) registry: Option<RegistryKind>,
    pub(super) keystore: Option<Keystore>,
    pub(super) containers: Arc<Containers>,
    /// Muster's own executable file, which plugins are made of.
    pub(super) program: Option<PathBuf>,
}

/// Why there is no world.
#[derive(Debug)]
pub(super) enum NoWorld {
    /// Something that it needs is not here: the case is skipped.
    Unavailable(String),
    /// It cannot be built.
    Failed(String),
}

/// A world at some point of its story.
pub(super) struct World {
    pub(super) clock: OffsetDateTime,
    pub(super) cast: Arc<Cast>,
    pub(super) responding: Responding,
    pub(super) plugins: Arc<Plugins>,
    /// How far the clocks of time stamping authorities may be off, as they say.
    pub(super) accuracies: Vec<time::Duration>,
    pub(super) registries: Vec<RunningRegistry>,
    /// Holds `x509/`.
    pub(super) stores: Folder,
    pub(super) sources: Arc<Sources>,
    pub(super) inventory: Inventory,
    /// What makes its artifacts different from those of others.
    pub(super) identity: String,
    /// How long the last step took to make signatures.
    pub(super) signing: Duration,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World")
            .field("clock", &self.clock)
            .field("registries", &self.registries)
            .finish_non_exhaustive()
    }
}

impl World {
    /// The world at the beginning of `plan`; `id` is what its artifacts are told apart by.
    pub(super) fn build(plan: &Plan, id: &str, instead: &Instead) -> Result<World, NoWorld> {
        let mut registries = Vec::with_capacity(plan.registries.len());
        for registry in &plan.registries {
            let demand = Demand::of(plan, &registry.host);
            registries.push(RunningRegistry::start(registry, demand, instead.registry.as_ref(), &instead.containers)?);
        }
        needs(plan, &registries)?;
        let cast = Cast::make(plan, instead.keystore)?;
        let stores =
            write_stores(plan, &cast).map_err(|error| NoWorld::Failed(format!("the trust stores: {error}")))?;
        let options = RegistryOptions {
            addresses: registries.iter().map(|known| (known.host.clone(), known.address.clone())).collect(),
            // The hosts of scenarios are reached elsewhere than their names say: nobody's password belongs there.
            credentials: Credentials::Anonymous,
            timings: timings(plan),
            ..RegistryOptions::default()
        };
        let responding = Responding::start(plan, &cast).map_err(NoWorld::Failed)?;
        let plugins = install(plan, instead.program.as_deref())?;
        Ok(World {
            clock: plan.now,
            responding,
            plugins: Arc::new(plugins),
            accuracies: plan.timestamp_authorities.iter().map(|authority| authority.accuracy).collect(),
            cast: Arc::new(cast),
            sources: Arc::new(Sources::new(options, None)),
            inventory: Inventory::default(),
            identity: identity(id, &registries, &stores),
            registries,
            stores,
            signing: Duration::ZERO,
        })
    }

    /// Stops what would go on by itself.
    pub(super) async fn stop(self) -> Result<(), String> {
        let mut stopped = Ok(());
        for registry in self.registries {
            stopped = stopped.and(registry.stop().await);
        }
        stopped
    }

    /// The registry that references name by `host`.
    pub(super) fn registry(&self, host: &str) -> Result<&RunningRegistry, String> {
        let found = self.registries.iter().find(|registry| registry.host == host);
        found.ok_or_else(|| format!("there is no registry {host}"))
    }
}

/// What makes artifacts of a case its own. In a registry that is there before and after, they differ from those of every
/// other run, so that what an earlier one has signed is not found again.
fn identity(id: &str, registries: &[RunningRegistry], stores: &Folder) -> String {
    match registries.iter().all(|registry| registry.embedded.is_some()) {
        true => id.to_owned(),
        false => format!("{id} {}", stores.path().display()),
    }
}

fn install(plan: &Plan, program: Option<&Path>) -> Result<Plugins, NoWorld> {
    let missing = || NoWorld::Unavailable("the case needs plugins, which only the program itself can make".to_owned());
    let program = if plan.plugins.is_empty() { Path::new("") } else { program.ok_or_else(missing)? };
    Plugins::install(&plan.plugins, program).map_err(|error| match error.kind() {
        std::io::ErrorKind::Unsupported => NoWorld::Unavailable(format!("the case needs plugins: {error}")),
        _ => NoWorld::Failed(format!("the plugins: {error}")),
    })
}

/// Whether the registries can do what the steps want of them: some of it only an embedded one can.
fn needs(plan: &Plan, registries: &[RunningRegistry]) -> Result<(), NoWorld> {
    let embedded = |host: &str| registries.iter().any(|known| known.host == host && known.embedded.is_some());
    for step in &plan.steps {
        let (host, what) = match &step.action {
            Action::Fault(RegistryFault { registry, .. }) => (registry.as_str(), "faults on demand"),
            Action::Push(Push { to, content: Content::Image { padding: 1.. }, .. }) => {
                (to.reference.repository.host(), "manifests of any length")
            }
            _ => continue,
        };
        if !embedded(host) {
            return Err(NoWorld::Unavailable(format!("the case needs {what}, which only the embedded registry has")));
        }
    }
    Ok(())
}

/// Faults on demand last, so that trying again only takes time.
fn timings(plan: &Plan) -> Timings {
    let answers = plan.steps.iter().filter_map(|step| match &step.action {
        Action::Fault(RegistryFault { answer, times, .. }) => Some((*answer, *times)),
        _ => None,
    });
    let answers: Vec<(Answer, usize)> = answers.collect();
    let mut timings = Timings::default();
    if answers.is_empty() {
        return timings;
    }
    timings.pause = (Duration::from_millis(1), Duration::from_millis(2));
    if answers.iter().any(|(_, times)| *times == usize::MAX) {
        timings.retries = 1;
    }
    if answers.iter().any(|(answer, _)| *answer == Answer::Silence) {
        timings.retries = 0;
        timings.connect = SILENCE;
        timings.idle = SILENCE;
    }
    timings
}

/// Writes the trust stores as notation keeps them.
fn write_stores(plan: &Plan, cast: &Cast) -> std::io::Result<Folder> {
    let root = Folder::new("muster-scenario-")?;
    for store in &plan.stores {
        let directory = root.path().join("x509").join(store.name.kind().as_str()).join(store.name.name());
        match &store.content {
            StoreContent::Missing => {}
            StoreContent::Broken => {
                std::fs::create_dir_all(&directory)?;
                std::fs::write(directory.join("broken.crt"), "this is no certificate\n")?;
            }
            StoreContent::Certificates(anchors) => {
                std::fs::create_dir_all(&directory)?;
                for (number, anchor) in anchors.iter().enumerate() {
                    std::fs::write(directory.join(format!("{number}.crt")), cast.certificate(*anchor))?;
                }
            }
        }
    }
    Ok(root)
}

impl From<NoKey> for NoWorld {
    fn from(reason: NoKey) -> NoWorld {
        match reason {
            NoKey::Unavailable(reason) => NoWorld::Unavailable(reason),
            NoKey::Failed(reason) => NoWorld::Failed(reason),
        }
    }
}

impl From<NoRegistry> for NoWorld {
    fn from(reason: NoRegistry) -> NoWorld {
        match reason {
            NoRegistry::Unavailable(reason) => NoWorld::Unavailable(reason),
            NoRegistry::Failed(reason) => NoWorld::Failed(reason),
        }
    }
}
