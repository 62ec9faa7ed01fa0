//! From what is written to what can be done: names are resolved, defaults filled in, contradictions refused.
//!
//! Everything that is wrong is reported in one go. What comes out cannot be wrong any more.

pub(super) mod expect;
pub(super) mod policy;
pub(super) mod responders;
mod variants;
pub(super) mod world;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use time::OffsetDateTime;
use time::macros::datetime;

use super::finding::{Findings, Rule};
use super::placed::Placed;
use super::plan::{Case, Plan};
use super::raw::{RawScenario, RawVariant};
use super::steps::{self, RawStep};
use crate::failure::quote;
use crate::policy::did_you_mean;

/// The registry that is there unless a scenario says otherwise.
pub(super) const REGISTRY: &str = "registry.wabbit-networks.io";
/// The artifact that is meant where none is named.
pub(super) const ARTIFACT: &str = "registry.wabbit-networks.io/net-monitor:v1";
/// The authority that is there unless a scenario says otherwise.
pub(super) const AUTHORITY: &str = "wabbit";
/// The key that signs where none is named.
pub(super) const KEY: &str = "builder";
/// When a scenario begins.
const NOW: OffsetDateTime = datetime!(2026-01-01 0:00 UTC);

/// The cases of the scenario called `name` in `file`. Where something is wrong, `findings` has been told.
pub(super) fn cases(raw: &RawScenario, file: &Path, name: &str, findings: &mut Findings<'_, '_>) -> Vec<Case> {
    check_title(&raw.title, findings);
    if raw.verify.is_empty() && !raw.steps.iter().any(|step| matches!(step.value, RawStep::Verify(_))) {
        let help = "add verify with at least one expect; a scenario that expects nothing can show nothing";
        findings.error(Rule::NoExpectations, &raw.title.range, "the scenario expects nothing".to_owned(), help);
    }
    let variants = variants::of(raw.matrix.as_ref(), findings);
    let mut policies = policy::Policies::new(file);
    let mut cases = Vec::new();
    for variant in variants {
        let world = world::World::check(raw, variant, findings);
        let steps = steps::check(raw, &world, variant, &mut policies, findings);
        if !findings.is_empty() {
            // Another variant would show the same.
            return Vec::new();
        }
        let plan = Plan {
            now: world.now,
            authorities: world.authorities,
            keys: world.keys,
            timestamp_authorities: world.timestamp_authorities,
            plugins: world.plugins,
            registries: world.registries,
            stores: world.stores,
            steps,
        };
        cases.push(Case { id: format!("{name}{}", variants::label(variant)), plan: Arc::new(plan) });
    }
    cases
}

fn check_title(title: &Placed<String>, findings: &mut Findings<'_, '_>) {
    if title.value.trim().is_empty() {
        findings.error(Rule::Title, &title.range, "the title is empty".to_owned(), "say what the scenario shows");
    }
}

/// Whether `name` is one by which things may be called.
pub(super) fn check_name(name: &Placed<String>, what: &str, findings: &mut Findings<'_, '_>) {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b'/');
    if name.value.is_empty() || name.value.len() > 100 || !name.value.bytes().all(plain) {
        let message = format!("{} is no name for {what}", quote(&name.value));
        findings.error(Rule::Name, &name.range, message, "use letters, digits, _ . and -");
    }
}

/// Says that there is no `what` of this name.
pub(super) fn unknown<'n>(
    what: &str,
    name: &str,
    range: &Range<usize>,
    known: impl Iterator<Item = &'n str>,
    findings: &mut Findings<'_, '_>,
) {
    let known: Vec<&str> = known.collect();
    let help = if known.is_empty() { format!("there is no {what} yet") } else { did_you_mean(name, &known) };
    findings.error(Rule::NameUnknown, range, format!("there is no {what} {}", quote(name)), help);
}

/// The value of an axis, if the variant chose one.
pub(super) fn variant_or<T: Copy>(stated: Option<T>, chosen: Option<T>, usual: T) -> T {
    stated.or(chosen).unwrap_or(usual)
}

pub(super) type Variant = RawVariant;
