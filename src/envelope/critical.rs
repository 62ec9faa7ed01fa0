//! What must be marked critical, what may be, and what happens to an unknown critical attribute.
//!
//! Follows *signature-specification*, Signed Attributes; *signature-envelope-jws* and *signature-envelope-cose*, `crit`;
//! RFC 7515 section 4.1.11 and RFC 9052 section 3.1, which keep registered headers out of the list. An unknown critical
//! attribute fails the signature unless a verification plugin is named, which is then the one to know it.

use std::collections::HashSet;

use super::attribute::{
    AUTHENTIC_SIGNING_TIME, EXPIRY, Label, Protected, SIGNING_SCHEME, SIGNING_TIME, SYSTEM, VERIFICATION_PLUGIN,
    VERIFICATION_PLUGIN_MINIMUM_VERSION,
};
use super::format::Format;
use super::signer_info::SigningScheme;
use crate::failure::{Code, Failure, quote};

/// Checks the list of critical attributes against the header that it stands in.
pub(super) fn check(format: Format, scheme: SigningScheme, protected: &Protected) -> Result<(), Failure> {
    let listed = protected.critical.as_ref().map_err(Clone::clone)?;
    let present: HashSet<&Label> = protected.attributes.iter().map(|attribute| &attribute.label).collect();
    let mut critical: HashSet<&Label> = HashSet::with_capacity(listed.len());
    for label in listed {
        if !critical.insert(label) {
            return Err(malformed(format!("{label} is listed as critical twice")));
        }
        if !may_be_listed(format, label) {
            return Err(malformed(format!("{label} is listed as critical, which it must not be")));
        }
        if !present.contains(label) {
            return Err(malformed(format!("{label} is listed as critical but is not there")));
        }
    }
    for name in
        [SIGNING_SCHEME, AUTHENTIC_SIGNING_TIME, EXPIRY, VERIFICATION_PLUGIN, VERIFICATION_PLUGIN_MINIMUM_VERSION]
    {
        let label = Label::from(name);
        // A time that is missing is not this list's fault; one of the other scheme is refused as such.
        let asked = name != AUTHENTIC_SIGNING_TIME || scheme == SigningScheme::SigningAuthority;
        let required = name == SIGNING_SCHEME || (asked && present.contains(&label));
        if required && !critical.contains(&label) {
            return Err(malformed(format!("{} is not marked critical", quote(name))));
        }
    }
    if protected.get(VERIFICATION_PLUGIN).is_some() {
        return Ok(());
    }
    match listed.iter().find(|label| !label.is_one_of(&SYSTEM)) {
        Some(label) if label.is(VERIFICATION_PLUGIN_MINIMUM_VERSION) => {
            Err(malformed("a version of a verification plugin is demanded, but no plugin is named"))
        }
        Some(label) => {
            let message = format!("the critical attribute {label} is not known here");
            Err(Failure::new(Code::CriticalUnknown, message))
        }
        None => Ok(()),
    }
}

/// Whether the specifications allow `label` in the list at all. The signing time must not be listed in JWS, where the
/// reference implementation refuses it; in COSE it accepts it.
fn may_be_listed(format: Format, label: &Label) -> bool {
    match (format, label) {
        (Format::Jws, label) => !label.is_one_of(&["alg", "cty", "crit", SIGNING_TIME]),
        (Format::Cose, Label::Integer(number)) => !(0..=8).contains(number),
        (Format::Cose, Label::Text(_)) => true,
    }
}

fn malformed(message: impl Into<String>) -> Failure {
    Failure::new(Code::CriticalMalformed, message)
}

#[cfg(test)]
mod tests;
