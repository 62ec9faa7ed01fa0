//! The extensions that are known: one table.
//!
//! Follows RFC 5280, section 4.2; the few that others define say who.

use x509_parser::der_parser::oid;

use super::{BasicConstraints, Extensions, KeyUsage, NameForm, alternative_name, name_constraints, policy, usage};
use crate::pki::der::{self, Element};
use crate::pki::distribution_point::{DistributionPoint, ocsp_locations};

/// What it means that an extension is critical.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Critical {
    /// RFC 5280 forbids it.
    Never,
    /// The extension may be critical, and what it says is heeded wherever critical extensions have to be.
    Heeded,
    /// The extension may be critical, but nothing here heeds what it says.
    Unheeded,
}

/// One kind of extension.
pub(super) struct Kind {
    /// The contents of its object identifier.
    pub(super) oid: &'static [u8],
    /// The name of the extension.
    pub(super) name: &'static str,
    pub(super) critical: Critical,
    /// Where the extension is defined.
    pub(super) section: &'static str,
    /// Reads it, critical or not, and keeps what is needed of it; `None` if it is not what the definition says.
    pub(super) read: Reader,
}

type Reader = fn(&mut Extensions, bool, Element<'_>) -> Option<()>;

const fn kind(oid: &'static [u8], name: &'static str, critical: Critical, section: &'static str, read: Reader) -> Kind {
    Kind { oid, name, critical, section, read }
}

/// Every extension that is known, in the order of their object identifiers.
pub(super) const KINDS: &[Kind] = {
    use Critical::{Heeded, Never, Unheeded};
    &[
        kind(&oid!(raw 2.5.29.9), "subjectDirectoryAttributes", Never, "RFC 5280, 4.2.1.8", read_attributes),
        kind(&oid!(raw 2.5.29.14), "subjectKeyIdentifier", Never, "RFC 5280, 4.2.1.2", |_, _, value| {
            usage::subject_key_identifier(value)
        }),
        kind(&oid!(raw 2.5.29.15), "keyUsage", Heeded, "RFC 5280, 4.2.1.3", read_key_usage),
        kind(&oid!(raw 2.5.29.16), "privateKeyUsagePeriod", Unheeded, "RFC 3280, 4.2.1.4", |_, _, value| {
            usage::private_key_period(value)
        }),
        kind(&oid!(raw 2.5.29.17), "subjectAltName", Heeded, "RFC 5280, 4.2.1.6", read_alternative_names),
        kind(&oid!(raw 2.5.29.18), "issuerAltName", Unheeded, "RFC 5280, 4.2.1.7", |_, _, value| {
            alternative_name::alternative_names(value).map(drop)
        }),
        kind(&oid!(raw 2.5.29.19), "basicConstraints", Heeded, "RFC 5280, 4.2.1.9", read_basic_constraints),
        kind(&oid!(raw 2.5.29.30), "nameConstraints", Heeded, "RFC 5280, 4.2.1.10", |read, critical, value| {
            read.limited_names = Some((name_constraints::limited(value)?, critical));
            Some(())
        }),
        kind(&oid!(raw 2.5.29.31), "cRLDistributionPoints", Heeded, "RFC 5280, 4.2.1.13", |read, _, value| {
            read.crl_points = Some(DistributionPoint::read_all(value)?);
            Some(())
        }),
        kind(&oid!(raw 2.5.29.32), "certificatePolicies", Heeded, "RFC 5280, 4.2.1.4", |_, _, value| {
            policy::policies(value)
        }),
        kind(&oid!(raw 2.5.29.33), "policyMappings", Unheeded, "RFC 5280, 4.2.1.5", |_, _, value| {
            policy::mappings(value)
        }),
        kind(&oid!(raw 2.5.29.35), "authorityKeyIdentifier", Never, "RFC 5280, 4.2.1.1", |_, _, value| {
            usage::authority_key_identifier(value)
        }),
        kind(&oid!(raw 2.5.29.36), "policyConstraints", Unheeded, "RFC 5280, 4.2.1.11", |read, _, value| {
            read.demands_policy = policy::constraints(value)?;
            Some(())
        }),
        kind(&oid!(raw 2.5.29.37), "extKeyUsage", Heeded, "RFC 5280, 4.2.1.12", |read, critical, value| {
            read.extended_key_usage = Some((usage::purposes(value)?, critical));
            Some(())
        }),
        kind(&oid!(raw 2.5.29.46), "freshestCRL", Never, "RFC 5280, 4.2.1.15", |read, _, value| {
            read.freshest_crl = true;
            DistributionPoint::read_all(value).map(drop)
        }),
        kind(&oid!(raw 2.5.29.54), "inhibitAnyPolicy", Unheeded, "RFC 5280, 4.2.1.14", |_, _, value| {
            policy::inhibit_any(value)
        }),
        kind(&oid!(raw 1.3.6.1.5.5.7.1.1), "authorityInfoAccess", Never, "RFC 5280, 4.2.2.1", |read, _, value| {
            read.ocsp_locations = ocsp_locations(value)?;
            Some(())
        }),
        kind(&oid!(raw 1.3.6.1.5.5.7.1.2), "biometricInfo", Unheeded, "RFC 3739, 3.2.5", read_sequence),
        kind(&oid!(raw 1.3.6.1.5.5.7.1.3), "qcStatements", Unheeded, "RFC 3739, 3.2.6", read_sequence),
        kind(&oid!(raw 1.3.6.1.5.5.7.1.7), "ipAddrBlocks", Unheeded, "RFC 3779, 2.2.3", read_sequence),
        kind(&oid!(raw 1.3.6.1.5.5.7.1.8), "autonomousSysIds", Unheeded, "RFC 3779, 3.2.3", read_sequence),
        kind(&oid!(raw 1.3.6.1.5.5.7.1.11), "subjectInfoAccess", Never, "RFC 5280, 4.2.2.2", |_, _, value| {
            ocsp_locations(value).map(drop)
        }),
        kind(&oid!(raw 1.3.6.1.5.5.7.1.12), "logotype", Unheeded, "RFC 9399, 4.1", read_sequence),
        kind(&oid!(raw 1.3.6.1.5.5.7.1.24), "tlsfeature", Unheeded, "RFC 7633, 6", |_, _, value| {
            let features = value.children(der::SEQUENCE).ok()?;
            features.iter().all(|feature| feature.tag == der::INTEGER).then_some(())
        }),
    ]
};

fn read_basic_constraints(read: &mut Extensions, critical: bool, value: Element<'_>) -> Option<()> {
    let (ca, path_length) = usage::basic_constraints(value)?;
    read.basic_constraints = Some(BasicConstraints { critical, ca, path_length });
    Some(())
}

fn read_key_usage(read: &mut Extensions, critical: bool, value: Element<'_>) -> Option<()> {
    read.key_usage = Some(KeyUsage { critical, bits: usage::key_usage(value)? });
    Some(())
}

/// Names of other forms than these four are not heeded: if they are all that there is, a critical extension is not.
fn read_alternative_names(read: &mut Extensions, critical: bool, value: Element<'_>) -> Option<()> {
    let forms = alternative_name::alternative_names(value)?;
    let heeded = [NameForm::Email, NameForm::Dns, NameForm::Uri, NameForm::Ip].into_iter().any(|form| forms.has(form));
    if critical && !heeded {
        read.critical_ignored.push("2.5.29.17".to_owned());
    }
    read.alternative_names = forms;
    Some(())
}

/// Attributes of the subject: types and their values.
fn read_attributes(_: &mut Extensions, _: bool, value: Element<'_>) -> Option<()> {
    let is_attribute = |attribute: &Element<'_>| {
        let parts = attribute.children(der::SEQUENCE).unwrap_or_default();
        matches!(parts.as_slice(), [kind, values] if (kind.tag, values.tag) == (der::OBJECT_IDENTIFIER, der::SET))
    };
    let attributes = value.children(der::SEQUENCE).ok()?;
    (!attributes.is_empty() && attributes.iter().all(is_attribute)).then_some(())
}

/// What is not looked into, but is a sequence with something in it.
fn read_sequence(_: &mut Extensions, _: bool, value: Element<'_>) -> Option<()> {
    (value.tag == der::SEQUENCE && !value.contents.is_empty()).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_stands_in_the_table_once_and_says_where_it_is_defined() {
        for (position, kind) in KINDS.iter().enumerate() {
            assert!(
                !KINDS[..position].iter().any(|other| other.oid == kind.oid || other.name == kind.name),
                "{}",
                kind.name
            );
            assert!(kind.section.starts_with("RFC "), "{}", kind.name);
        }
    }
}
