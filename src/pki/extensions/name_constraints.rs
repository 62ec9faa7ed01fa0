//! Name constraints: which names the certificates below an authority may have.
//!
//! Follows RFC 5280, section 4.2.1.10. The constraints are read to their ends, and refused where they make no sense; of
//! what they say only the forms of names are kept. Whether a name lies within them is never judged: where the constraints
//! have to be obeyed, a name of such a form is refused.

use super::alternative_name::{NameForms, is_ipv4_in_ipv6};
use super::uri;
use crate::pki::der::{self, Element};
use crate::pki::general_name::NameForm;

/// `[0]` and `[1]`: what is permitted, and what is excluded; within a subtree minimum and maximum.
const TAGGED: [u8; 2] = [0xa0, 0xa1];

/// The forms of names that the constraints limit.
pub(super) fn limited(value: Element<'_>) -> Option<NameForms> {
    let parts = value.children(der::SEQUENCE).ok()?;
    let tags: Vec<u8> = parts.iter().map(|part| part.tag).collect();
    if tags.is_empty() || !tags.is_sorted_by(|one, next| one < next) || !tags.iter().all(|tag| TAGGED.contains(tag)) {
        return None;
    }
    let mut forms = NameForms::default();
    for part in parts {
        let subtrees = part.children(part.tag).ok()?;
        if subtrees.is_empty() {
            return None;
        }
        for subtree in subtrees {
            forms.insert(base(subtree)?);
        }
    }
    Some(forms)
}

/// The form of the name at the root of a subtree.
fn base(subtree: Element<'_>) -> Option<NameForm> {
    let parts = subtree.children(der::SEQUENCE).ok()?;
    let [base, distances @ ..] = parts.as_slice() else { return None };
    let tags: Vec<u8> = distances.iter().map(|distance| distance.tag).collect();
    let numbers = distances.iter().all(|distance| der::check_primitive(der::INTEGER, distance.contents).is_ok());
    if !matches!(tags.as_slice(), [] | [0x80] | [0x81] | [0x80, 0x81]) || !numbers {
        return None;
    }
    let text = || std::str::from_utf8(base.contents).ok().filter(|text| text.is_ascii());
    let form = NameForm::of(base.tag)?;
    let sound = match form {
        NameForm::Dns => is_domain_constraint(text()?),
        NameForm::Uri => text()?.parse::<std::net::IpAddr>().is_err() && is_domain_constraint(text()?),
        NameForm::Email => match text()?.rsplit_once('@') {
            Some((local, domain)) => is_local_part(local) && uri::is_domain(domain),
            None => is_domain_constraint(text()?),
        },
        NameForm::Ip => is_range(base.contents),
        _ => NameForm::read(*base).is_some(),
    };
    sound.then_some(form)
}

/// A domain, perhaps with a dot before it; nothing stands for every domain.
fn is_domain_constraint(text: &str) -> bool {
    text.is_empty() || uri::is_domain(text.strip_prefix('.').unwrap_or(text))
}

/// What stands before the `@` of an address, unquoted.
fn is_local_part(text: &str) -> bool {
    let is_atom = |atom: &str| {
        !atom.is_empty() && atom.bytes().all(|byte| byte.is_ascii_graphic() && !b"()<>[]:;@\\,\"".contains(&byte))
    };
    text.split('.').all(is_atom)
}

/// An address and a mask of as many bytes: ones, then zeros.
fn is_range(contents: &[u8]) -> bool {
    if !matches!(contents.len(), 8 | 32) {
        return false;
    }
    let (address, mask) = contents.split_at(contents.len() / 2);
    let bits: Vec<bool> = mask.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1)).collect();
    bits.is_sorted_by(|one, next| one >= next) && !is_ipv4_in_ipv6(address)
}
