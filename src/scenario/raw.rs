//! A scenario file as it is written: members by name with their places, nothing judged yet.
//!
//! The JSON Schema is made from these types, so that what an editor says and what Muster says is the same. Unknown
//! members and members given twice are refused.

mod expect;
mod form;
mod plugin;
mod responder;
mod world;

use schemars::JsonSchema;
use serde::Deserialize;

pub(super) use expect::{RawChecks, RawExpect, RawPolicy, RawSignature, RawSignatures, RawStatement};
pub(super) use form::{Detail, Fails};
pub(super) use plugin::RawPlugin;
pub(super) use responder::{RawCrl, RawOcsp, RawTimestampAuthority};
pub(super) use world::{RawAuthority, RawKey, RawMatrix, RawRegistry, RawStore, RawStores, RawVariant};

use super::placed::{Entries, Placed};
use super::scalar::Instant;
use super::steps::{RawStep, RawVerify};

/// A scenario: what the world looks like, what happens in it, and what must come out.
///
/// What is left out is sound: an authority `wabbit`, a key `builder` that it certifies, the registry
/// `registry.wabbit-networks.io`, the trust store `ca:wabbit-networks` that holds the authority, and a trust policy of
/// level strict for every repository that trusts everybody whom the stores trust.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawScenario {
    /// What the scenario shows, in a sentence.
    pub(super) title: Placed<String>,
    /// The section of the specification that says so.
    #[serde(default)]
    pub(super) spec: Option<String>,
    /// Whether it takes so long that it is skipped unless it is asked for, by a filter or by all that is slow.
    #[serde(default)]
    pub(super) slow: bool,
    /// When it begins; 2026-01-01T00:00:00Z if left out. The wall's clock is never asked.
    #[serde(default)]
    pub(super) now: Option<Placed<Instant>>,
    /// Runs the scenario once for each combination. A value is the default of everything that states none.
    #[serde(default)]
    pub(super) matrix: Option<Placed<RawMatrix>>,
    /// Authorities by name.
    #[serde(default)]
    pub(super) authorities: Entries<RawAuthority>,
    /// Signing keys by name.
    #[serde(default)]
    pub(super) keys: Entries<RawKey>,
    /// Time stamping authorities by name.
    #[serde(default)]
    pub(super) timestamp_authorities: Entries<RawTimestampAuthority>,
    /// Verification plugins by name.
    #[serde(default)]
    pub(super) plugins: Entries<RawPlugin>,
    /// Registries by the host that references write.
    #[serde(default)]
    pub(super) registries: Entries<RawRegistry>,
    /// Trust stores by type and name.
    #[serde(default)]
    pub(super) trust_stores: RawStores,
    /// What happens, in this order.
    #[serde(default)]
    pub(super) steps: Vec<Placed<RawStep>>,
    /// What is verified after the last step.
    #[serde(default)]
    pub(super) verify: Vec<Placed<RawVerify>>,
}
