//! What the steps of a scenario need of its world before anything happens: registries that can do it, and clients that do
//! not wait for minutes.

use std::collections::BTreeSet;

use super::Things;
use crate::scenario::steps::PlacedAction;
use crate::source::registry::Timings;

/// Everything that is needed.
#[derive(Debug, Default)]
pub(in crate::scenario) struct Needs<'s> {
    pub(in crate::scenario) demands: Vec<Demand<'s>>,
    /// How long an audit waits for registries, and how often it tries again.
    pub(in crate::scenario) timings: Timings,
    /// The keys whose tokens get into trouble, by position.
    pub(in crate::scenario) troubled_tokens: BTreeSet<usize>,
    /// Whether the gateway of keys that need approvals is to give no answer at some time.
    pub(in crate::scenario) silent_gateway: bool,
    /// Whether some CRL or OCSP answer is to be slow at some time.
    pub(in crate::scenario) slow_responders: bool,
}

/// What a registry must be able to do.
#[derive(Debug, Clone, Copy)]
pub(in crate::scenario) struct Demand<'s> {
    pub(in crate::scenario) host: &'s str,
    pub(in crate::scenario) what: Capability,
}

/// What not every registry can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::scenario) enum Capability {
    /// Answer wrongly on demand: only the embedded registry.
    Faults,
    /// Take manifests of any length: only the embedded registry.
    LongManifests,
    /// Want tokens that soon serve no more, or list a few names a page: only the embedded registry.
    Manners,
    /// List all of its repositories, and no others: no registry that others use.
    Catalog,
    /// Take manifests that name content which is not there: only the embedded registry.
    MissingContent,
    /// Take artifact manifests from before OCI 1.1: registries differ, and distribution's do not.
    ArtifactManifests,
}

impl<'s> Needs<'s> {
    /// What `things` and `steps` need.
    pub(super) fn of(things: &Things, steps: &'s [PlacedAction]) -> Needs<'s> {
        let mut needs = Needs::default();
        for authority in &things.authorities {
            authority.crl.iter().for_each(|crl| crl.prepare(&mut needs));
            authority.ocsp.iter().for_each(|ocsp| ocsp.prepare(&mut needs));
        }
        for step in steps {
            step.action.prepare(&mut needs);
        }
        needs
    }
}

impl Capability {
    /// What it is, as the object of "needs".
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Capability::Faults => "faults on demand",
            Capability::Manners => "tokens or pages of its own choice",
            Capability::Catalog => "a catalog of its own repositories alone",
            Capability::LongManifests => "manifests of any length",
            Capability::MissingContent => "manifests whose layers were left out",
            Capability::ArtifactManifests => "artifact manifests from before OCI 1.1",
        }
    }
}
