//! Certificate policies, and what authorities say of those below them.
//!
//! Follows RFC 5280, sections 4.2.1.4, 4.2.1.5, 4.2.1.11 and 4.2.1.14. Policies are read to their ends and never compared.

use std::collections::HashSet;

use crate::pki::der::{self, Element};

/// anyPolicy.
const ANY: &[u8] = &[0x55, 0x1d, 0x20, 0x00];

/// Reads certificate policies: each once, perhaps with qualifiers.
pub(super) fn policies(value: Element<'_>) -> Option<()> {
    let mut seen = HashSet::new();
    for policy in some(value)? {
        let parts = policy.children(der::SEQUENCE).ok()?;
        let (policy, qualifiers) = match parts.as_slice() {
            [policy] => (policy, None),
            [policy, qualifiers] => (policy, Some(qualifiers)),
            _ => return None,
        };
        if policy.tag != der::OBJECT_IDENTIFIER || !seen.insert(policy.contents) {
            return None;
        }
        for qualifier in qualifiers.map_or(Some(Vec::new()), |qualifiers| some(*qualifiers))? {
            let parts = qualifier.children(der::SEQUENCE).ok()?;
            // What a qualifier says depends on its type.
            if !matches!(parts.as_slice(), [kind, _] if kind.tag == der::OBJECT_IDENTIFIER) {
                return None;
            }
        }
    }
    Some(())
}

/// Reads policy mappings: pairs of policies, none of which is anyPolicy.
pub(super) fn mappings(value: Element<'_>) -> Option<()> {
    let is_policy = |policy: &Element<'_>| policy.tag == der::OBJECT_IDENTIFIER && policy.contents != ANY;
    let is_pair = |pair: &Element<'_>| {
        pair.children(der::SEQUENCE).is_ok_and(|pair| pair.len() == 2 && pair.iter().all(is_policy))
    };
    some(value)?.iter().all(is_pair).then_some(())
}

/// Reads policy constraints: whether they demand a policy of the certificates below (requireExplicitPolicy).
pub(super) fn constraints(value: Element<'_>) -> Option<bool> {
    let parts = some(value)?;
    let tags: Vec<u8> = parts.iter().map(|part| part.tag).collect();
    let numbers = parts.iter().all(|part| is_count(part.contents));
    (matches!(tags.as_slice(), [0x80] | [0x81] | [0x80, 0x81]) && numbers).then(|| tags.contains(&0x80))
}

/// Reads inhibitAnyPolicy: a number of certificates.
pub(super) fn inhibit_any(value: Element<'_>) -> Option<()> {
    (value.tag == der::INTEGER && is_count(value.contents)).then_some(())
}

/// A number of certificates, which is not negative and has an end.
fn is_count(contents: &[u8]) -> bool {
    der::check_primitive(der::INTEGER, contents).is_ok() && matches!(contents, [0..=0x7f, ..] if contents.len() <= 4)
}

/// The values inside a sequence that must not be empty.
fn some(sequence: Element<'_>) -> Option<Vec<Element<'_>>> {
    sequence.children(der::SEQUENCE).ok().filter(|values| !values.is_empty())
}
