//! Where to look: distribution points of CRLs and of deltas, and access to an authority or by it.
//!
//! Follows RFC 5280, sections 4.2.1.13, 4.2.1.15, 4.2.2.1 and 4.2.2.2. Addresses are kept as they are written.

use super::general_name;
use crate::pki::der::{self, Element};

/// id-ad-ocsp.
const OCSP: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01];

/// `[0]`, `[1]` and `[2]` of a `DistributionPoint`: its name, the reasons, who issues the CRL.
const NAME: u8 = 0xa0;
const REASONS: u8 = 0x81;
const CRL_ISSUER: u8 = 0xa2;
/// `[0]` and `[1]` of a `DistributionPointName`.
const FULL_NAME: u8 = 0xa0;
const RELATIVE_NAME: u8 = 0xa1;

/// The addresses in distribution points.
pub(super) fn distribution_points(value: Element<'_>) -> Option<Vec<String>> {
    let points = value.children(der::SEQUENCE).ok().filter(|points| !points.is_empty())?;
    let mut addresses = Vec::new();
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
                NAME => addresses.extend(point_name(part)?),
                CRL_ISSUER => general_name::names(&part.children(CRL_ISSUER).ok()?)?,
                _ => der::check_primitive(der::BIT_STRING, part.contents).ok()?,
            }
        }
    }
    Some(addresses)
}

fn point_name(name: Element<'_>) -> Option<Vec<String>> {
    let choice = name.children(NAME).ok()?;
    let [choice] = choice.as_slice() else { return None };
    let parts = choice.children(choice.tag).ok().filter(|parts| !parts.is_empty())?;
    match choice.tag {
        FULL_NAME => {
            general_name::names(&parts)?;
            Some(parts.iter().filter_map(general_name::address).collect())
        }
        // A part of a name: what has to be put behind the issuer's.
        RELATIVE_NAME => {
            let is_attribute = |attribute: &Element<'_>| {
                let parts = attribute.children(der::SEQUENCE).unwrap_or_default();
                matches!(parts.as_slice(), [kind, _] if kind.tag == der::OBJECT_IDENTIFIER)
            };
            parts.iter().all(is_attribute).then(Vec::new)
        }
        _ => None,
    }
}

/// The addresses of OCSP responders in descriptions of access.
pub(super) fn ocsp_responders(value: Element<'_>) -> Option<Vec<String>> {
    let described = access(value)?;
    Some(
        described
            .iter()
            .filter(|(method, _)| *method == OCSP)
            .filter_map(|(_, at)| general_name::address(at))
            .collect(),
    )
}

/// The descriptions of access: the object identifier of a method, and a name.
pub(super) fn access(value: Element<'_>) -> Option<Vec<(&[u8], Element<'_>)>> {
    let descriptions = value.children(der::SEQUENCE).ok().filter(|descriptions| !descriptions.is_empty())?;
    descriptions.into_iter().map(description).collect()
}

fn description(description: Element<'_>) -> Option<(&[u8], Element<'_>)> {
    match description.children(der::SEQUENCE).ok()?.as_slice() {
        [method, location] if method.tag == der::OBJECT_IDENTIFIER => {
            general_name::general_name(*location)?;
            Some((method.contents, *location))
        }
        _ => None,
    }
}
