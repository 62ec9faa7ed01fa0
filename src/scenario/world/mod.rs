//! The world of a scenario: what is there before anything happens.
//!
//! A thing of the world is one file: its form in the scenario file, its check, which resolves names and fills in defaults,
//! and its making. `things!` below is the list of them all, in the order in which they are checked and made; the form of
//! a scenario file, the JSON Schema and the table in `scenarios/README.md` come from it. CRLs and OCSP responders are
//! parts of authorities. A world that runs has registries that answer, holders of certificates, trust stores on disk, and
//! a clock that only steps move.

mod approval_timeline;
mod approver;
mod authority;
mod certificate;
mod crl;
mod custodian;
mod external;
mod gateway_key;
mod holders;
mod key;
mod key_policy;
mod keystore;
mod needs;
mod ocsp;
mod plugin;
mod plugin_file;
mod registry;
mod responders;
mod running_registry;
mod setup_error;
mod store_entry;
mod timestamp_authority;
mod token_key;
mod trust_store;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use time::OffsetDateTime;
use time::macros::datetime;

pub(super) use approval_timeline::{Approvals, Deed, DeedKind};
pub(super) use custodian::Custodian;
pub(super) use external::{External, Part};
pub(super) use gateway_key::{ApprovalRun, GatewayKey, KeyChange, Unsigned};
pub(super) use holders::{Holder, Holders, Whose};
pub(super) use key_policy::{PolicyPlan, RawKeyPolicy};
pub use keystore::Keystore;
pub(super) use needs::{Capability, Demand, Needs};
pub(super) use plugin::Plugins;
pub use registry::RegistryKind;
pub(super) use registry::{FlavourWord, RegistryWord};
use responders::Responders;
pub use running_registry::{CheckedRegistry, check_registry};
pub(super) use running_registry::{RunningRegistry, not_asked_for};
pub(super) use setup_error::SetupError;
pub(super) use store_entry::Held;
pub(super) use token_key::TokenCondition;
pub(super) use trust_store::write_store;

use super::cases::Plan;
use super::expectation::Difference;
use super::files::Files;
use super::finding::Findings;
use super::inventory::Inventory;
use super::matrix::{RawMatrix, Variant};
use super::policy_path::ProjectFiles;
use super::scalar::Instant;
use super::spanned::{OrderedMap, Spanned};
use super::steps::{RawStep, RawVerify};
use super::wanted::Wanted;
use crate::audit::Sources;
use crate::forge::Containers;
use crate::forge::gateway::{Gateway, GatewayClock, GatewaySetup};
use crate::source::registry::{Credentials, RegistryOptions};
use crate::temporary::Folder;

/// When a scenario begins.
const NOW: OffsetDateTime = datetime!(2026-01-01 0:00 UTC);

/// A member of a scenario file under which things of one kind are written.
pub(super) trait Member {
    /// Such a thing, with every name resolved and every default filled in.
    type Thing: Thing;

    /// Adds these things to those of `reading`, and what is there by default; its findings tell what is wrong.
    fn check(&self, reading: &mut Reading<'_, '_, '_>);
}

/// A thing that can be made.
pub(super) trait Thing {
    /// Makes it, on the site of the world. Things that stand before it in the list are there already.
    fn make(&self, site: &mut Site<'_>) -> Result<(), SetupError>;
}

/// Reading the things of a scenario, for one variant of its matrix.
pub(super) struct Reading<'r, 's, 'a> {
    scenario: &'r RawScenario,
    variant: Variant,
    files: &'r ProjectFiles,
    things: Things,
    findings: &'r mut Findings<'s, 'a>,
}

/// The site of a world that is being made.
pub(super) struct Site<'p> {
    things: &'p Things,
    needs: &'p Needs<'p>,
    overrides: &'p Overrides,
    registries: Vec<RunningRegistry>,
    holders: Holders,
    people: Vec<Arc<approver::Person>>,
    /// The gateway of keys that need approvals, once there is one.
    gateway: Option<Gateway>,
    custodians: BTreeMap<usize, Custodian>,
    /// Holds `x509/`.
    stores: Folder,
    plugins: Plugins,
}

impl Site<'_> {
    /// The gateway of keys that need approvals, started when it is first asked for, on the clock of the scenario.
    fn gateway(&mut self) -> Result<Gateway, SetupError> {
        if let Some(gateway) = &self.gateway {
            return Ok(gateway.clone());
        }
        let setup = GatewaySetup { clock: GatewayClock::Moved(self.things.now), ..GatewaySetup::default() };
        let started = Gateway::start(setup);
        let gateway = started.map_err(|error| SetupError::Failed(format!("the gateway cannot be started: {error}")))?;
        Ok(self.gateway.insert(gateway).clone())
    }
}

/// What a run puts in the place of what scenarios say.
#[derive(Debug, Clone, Default)]
pub(super) struct Overrides {
    pub(super) registry: Option<RegistryKind>,
    /// Where the case may write in a registry that is not its own.
    pub(super) part: Option<Part>,
    pub(super) keystore: Option<Keystore>,
    pub(super) containers: Arc<Containers>,
    /// Muster's own executable file, which plugins are made of.
    pub(super) program: Option<PathBuf>,
    /// Whether the world is still wanted.
    pub(super) wanted: Wanted,
}

macro_rules! things {
    ($($(#[$doc:meta])+ $member:ident: $written:ty,)+) => {
        /// A scenario: what the world looks like, what happens in it, and what must come out.
        ///
        /// What is left out is sound: an authority `wabbit`, a key `builder` that it certifies, the registry
        /// `registry.wabbit-networks.io`, the trust store `ca:wabbit-networks` that holds the authority, and a trust
        /// policy of level strict for every repository that trusts every identity of the stores.
        // One struct for the whole file, because unknown members are refused: serde cannot do both with parts of it.
        #[derive(Debug, Deserialize, JsonSchema)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        pub(super) struct RawScenario {
            /// What the scenario shows, in a sentence.
            pub(super) title: Spanned<String>,
            /// The section of the specification that says so.
            pub(super) spec: Option<String>,
            /// Whether it takes so long that it is skipped unless it is asked for, by a filter or by all that is slow.
            #[serde(default)]
            pub(super) slow: bool,
            /// When it begins; 2026-01-01T00:00:00Z if left out. The wall's clock is never asked.
            pub(super) now: Option<Spanned<Instant>>,
            /// Runs the scenario once for each combination. A value is the default of everything that states none.
            pub(super) matrix: Option<Spanned<RawMatrix>>,
            $($(#[$doc])+ #[serde(default)] pub(super) $member: $written,)+
            /// What happens, in this order.
            #[serde(default)]
            pub(super) steps: Vec<Spanned<RawStep>>,
            /// What is verified after the last step.
            #[serde(default)]
            pub(super) verify: Vec<Spanned<RawVerify>>,
        }

        /// The things of a world, with every name resolved.
        #[derive(Debug)]
        pub(super) struct Things {
            /// When the scenario begins.
            pub(super) now: OffsetDateTime,
            $($(#[$doc])+ pub(super) $member: Vec<<$written as Member>::Thing>,)+
        }

        impl Things {
            /// Checks the things of a scenario; `findings` is told what is wrong.
            pub(super) fn check(
                scenario: &RawScenario,
                variant: Variant,
                files: &ProjectFiles,
                findings: &mut Findings<'_, '_>,
            ) -> Things {
                let now = scenario.now.as_ref().map_or(NOW, |now| now.value.0);
                let things = Things { now, $($member: Vec::new(),)+ };
                let mut reading = Reading { scenario, variant, files, things, findings };
                $(scenario.$member.check(&mut reading);)+
                reading.things
            }

            fn make(&self, site: &mut Site<'_>) -> Result<(), SetupError> {
                $(for thing in &self.$member {
                    site.overrides.wanted.still().map_err(SetupError::Failed)?;
                    thing.make(site)?;
                })+
                Ok(())
            }
        }
    };
}

things! {
    /// Registries by the host that references write.
    registries: OrderedMap<registry::RawRegistry>,
    /// Authorities by name.
    authorities: OrderedMap<authority::RawAuthority>,
    /// People who agree or refuse that keys sign, by name.
    approvers: OrderedMap<approver::RawApprover>,
    /// Signing keys by name.
    keys: OrderedMap<key::RawKey>,
    /// Time stamping authorities by name.
    timestamp_authorities: OrderedMap<timestamp_authority::RawTimestampAuthority>,
    /// Trust stores by type and name.
    trust_stores: trust_store::RawStores,
    /// Plugins by name: those that verify, and those that hold signing keys.
    plugins: OrderedMap<plugin::RawPlugin>,
}

/// A world at some point of its story.
pub(super) struct World {
    pub(super) clock: OffsetDateTime,
    pub(super) holders: Arc<Holders>,
    /// Who holds the keys that sign as for `muster sign`, by their position.
    pub(super) custodians: BTreeMap<usize, Custodian>,
    pub(super) responders: Responders,
    pub(super) plugins: Arc<Plugins>,
    pub(super) registries: Vec<RunningRegistry>,
    /// Where it writes in a registry that is not its own.
    part: Option<Part>,
    /// Holds `x509/`, and what is written beside it.
    pub(super) stores: Folder,
    /// Files that were written, with their signatures.
    pub(super) files: Files,
    pub(super) sources: Arc<Sources>,
    pub(super) inventory: Inventory,
    /// What makes its artifacts different from those of others.
    pub(super) identity: String,
    /// What steps found otherwise than they expect it, until the runner takes it.
    pub(super) differences: Vec<Difference>,
    /// Whether a step could not be done.
    pub(super) broken_off: bool,
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
    /// The world at the beginning of `plan`; `id` is what its artifacts are told apart by. Blocks; there must be a runtime
    /// to wait with.
    pub(super) fn build(plan: &Plan, id: &str, overrides: &Overrides) -> Result<World, SetupError> {
        let things = &plan.things;
        let needs = Needs::of(things, &plan.steps);
        let stores = Folder::new("muster-scenario-")
            .map_err(|error| SetupError::Failed(format!("the folder of the trust stores: {error}")))?;
        let mut site = Site {
            things,
            needs: &needs,
            overrides,
            registries: Vec::new(),
            holders: Holders::default(),
            people: Vec::new(),
            gateway: None,
            custodians: BTreeMap::new(),
            stores,
            plugins: Plugins::new(),
        };
        things.make(&mut site)?;
        let Site { registries, holders, custodians, stores, plugins, .. } = site;
        let responders = Responders::start(things, &holders, needs.slow_responders)?;
        let own = registries.iter().filter(|registry| registry.place.is_none());
        let options = RegistryOptions {
            own_hosts: own.clone().map(|known| known.host.clone()).collect(),
            addresses: own.map(|known| (known.host.clone(), known.address.clone())).collect(),
            // The hosts of scenarios are reached elsewhere than their names say: no stored password belongs there.
            credentials: Credentials::Anonymous,
            timings: needs.timings,
            ..RegistryOptions::default()
        };
        let mut sources = Sources::new(options, None);
        for registry in &registries {
            if let (Some(part), Some(place)) = (&overrides.part, &registry.place) {
                sources = part.readable(sources, &registry.host, place);
            }
        }
        Ok(World {
            clock: things.now,
            holders: Arc::new(holders.with_subjects()),
            custodians,
            responders,
            plugins: Arc::new(plugins),
            sources: Arc::new(sources),
            inventory: Inventory::default(),
            identity: identity(id, &registries, &stores),
            registries,
            part: overrides.part.clone(),
            files: Files::below(stores.path()),
            stores,
            differences: Vec::new(),
            broken_off: false,
            signing: Duration::ZERO,
        })
    }

    /// Stops what would go on by itself, and deletes what it has pushed to a registry that stays.
    pub(super) async fn stop(self) -> Result<(), String> {
        let mut stopped = Ok(());
        if let Some(part) = &self.part {
            part.clear(self.broken_off).await;
        }
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
