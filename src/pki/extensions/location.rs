//! Where to look: distribution points of CRLs and of deltas, and access to an authority or by it.
//!
//! Follows RFC 5280, sections 4.2.1.13, 4.2.1.15, 4.2.2.1 and 4.2.2.2. Here is only checked that they are what their
//! definitions say; what is asked later is read by [`distribution_point`](crate::pki::distribution_point).

use super::general_name;
use crate::pki::der::{self, Element};

/// `[0]`, `[1]` and `[2]` of a `DistributionPoint`: its name, the reasons, who issues the CRL.
const NAME: u8 = 0xa0;
const REASONS: u8 = 0x81;
const CRL_ISSUER: u8 = 0xa2;
/// `[0]` and `[1]` of a `DistributionPointName`.
const FULL_NAME: u8 = 0xa0;
const RELATIVE_NAME: u8 = 0xa1;

/// Checks distribution points: at least one, each with a place or an issuer.
pub(super) fn distribution_points(value: Element<'_>) -> Option<()> {
    let points = value.children(der::SEQUENCE).ok().filter(|points| !points.is_empty())?;
    for point in points {
        let parts = point.children(der::SEQUENCE).ok()?;
        let tags: Vec<u8> = parts.iter().map(|part| part.tag).collect();
        let known = tags.iter().all(|tag| [NAME, REASONS, CRL_ISSUER].contains(tag));
        let ordered = tags.is_sorted_by(|one, next| one & 0x1f < next & 0x1f);
        // A point that says neither where the CRL is nor who issues it is none.
        if !known || !ordered || tags.iter().all(|tag| *tag == REASONS) {
            return None;
        }
        for part in parts {
            match part.tag {
                NAME => point_name(part)?,
                CRL_ISSUER => general_name::names(&part.children(CRL_ISSUER).ok()?)?,
                _ => der::check_primitive(der::BIT_STRING, part.contents).ok()?,
            }
        }
    }
    Some(())
}

fn point_name(name: Element<'_>) -> Option<()> {
    let choice = name.children(NAME).ok()?;
    let [choice] = choice.as_slice() else { return None };
    let parts = choice.children(choice.tag).ok().filter(|parts| !parts.is_empty())?;
    match choice.tag {
        FULL_NAME => general_name::names(&parts),
        // A part of a name: what has to be put behind the issuer's.
        RELATIVE_NAME => {
            let is_attribute = |attribute: &Element<'_>| {
                let parts = attribute.children(der::SEQUENCE).unwrap_or_default();
                matches!(parts.as_slice(), [kind, _] if kind.tag == der::OBJECT_IDENTIFIER)
            };
            parts.iter().all(is_attribute).then_some(())
        }
        _ => None,
    }
}

/// Checks descriptions of access: at least one, each the object identifier of a method, and a name.
pub(super) fn access(value: Element<'_>) -> Option<()> {
    let descriptions = value.children(der::SEQUENCE).ok().filter(|descriptions| !descriptions.is_empty())?;
    descriptions.into_iter().try_for_each(description)
}

fn description(description: Element<'_>) -> Option<()> {
    match description.children(der::SEQUENCE).ok()?.as_slice() {
        [method, location] if method.tag == der::OBJECT_IDENTIFIER => general_name::general_name(*location).map(drop),
        _ => None,
    }
}
