//! Names in scenario files: those of what is there by default, which ones are allowed, and what is said of unknown ones.

use std::ops::Range;

use super::finding::{Findings, Rule};
use super::spanned::Spanned;
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

/// Whether `name` is one by which things may be called.
pub(super) fn check_name(name: &Spanned<String>, what: &str, findings: &mut Findings<'_, '_>) {
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
