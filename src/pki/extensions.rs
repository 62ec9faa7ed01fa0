//! The extensions of a certificate.
//!
//! Follows RFC 5280, section 4.2, and the signature specification, *Certificate Requirements*. One table, [`KINDS`], says of
//! every extension that is known how it is read and whether it may be critical. Few of them are honoured: basic constraints,
//! key usage, extended key usage, and where revocation is published. The others are read to their ends all the same. Refused
//! is an extension that occurs twice, one that is known and is not what its definition says, one that is critical where
//! RFC 5280 forbids that, and more of them than any honest certificate has. Extensions that are not in the table are
//! ignored, critical or not, as the specification demands; in chains for time stamping critical ones are refused.

mod alternative_name;
mod kinds;
mod name_constraints;
mod policy;
mod uri;
mod usage;

use std::collections::HashSet;

use x509_parser::extensions::X509Extension;

use super::der;
use super::distribution_point::DistributionPoint;
use super::general_name::{GeneralName, NameForm};
use crate::limits;

pub(super) use alternative_name::NameForms;
use kinds::{Critical, KINDS};

/// What the extensions say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extensions {
    /// Basic constraints, if present.
    pub basic_constraints: Option<BasicConstraints>,
    /// Key usage, if present.
    pub key_usage: Option<KeyUsage>,
    /// The purposes of the extended key usage as dotted object identifiers, if present, and whether it is critical.
    pub extended_key_usage: Option<(Vec<String>, bool)>,
    /// Where certificate revocation lists are published, if the certificate says so at all.
    pub crl_points: Option<Vec<DistributionPoint>>,
    /// Where OCSP responders are; not all of these need be addresses.
    pub ocsp_locations: Vec<GeneralName>,
    /// Critical extensions that are not heeded here, as dotted object identifiers.
    pub critical_ignored: Vec<String>,
    /// Whether the certificate names delta CRLs (freshestCRL). Their addresses are taken from the base CRL alone.
    pub freshest_crl: bool,
    /// The forms of the names in subjectAltName.
    pub(super) alternative_names: NameForms,
    /// The forms of names that name constraints limit, and whether the constraints are critical.
    pub(super) limited_names: Option<(NameForms, bool)>,
    /// Whether policy constraints demand a policy of the certificates below.
    pub(super) demands_policy: bool,
}

/// The basic constraints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BasicConstraints {
    /// Whether the extension is critical.
    pub critical: bool,
    /// Whether the certificate may issue others.
    pub ca: bool,
    /// How many certificates may stand between this one and the leaf.
    pub path_length: Option<u32>,
}

/// The key usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyUsage {
    /// Whether the extension is critical.
    pub critical: bool,
    /// The bits, `digitalSignature` the lowest.
    bits: u16,
}

impl KeyUsage {
    /// The names of the bits, `digitalSignature` first.
    const NAMES: [&str; 9] = [
        "digitalSignature",
        "nonRepudiation",
        "keyEncipherment",
        "dataEncipherment",
        "keyAgreement",
        "keyCertSign",
        "cRLSign",
        "encipherOnly",
        "decipherOnly",
    ];

    /// The usages that are set, by their names in RFC 5280: `digitalSignature`.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().enumerate().filter(move |(bit, _)| self.bits >> bit & 1 == 1).map(|(_, name)| name)
    }

    /// Whether the usage of this name is set.
    pub fn allows(self, name: &str) -> bool {
        self.names().any(|set| set == name)
    }
}

impl Extensions {
    /// Reads the extensions of a certificate.
    ///
    /// # Errors
    ///
    /// What is wrong with them, as the end of a sentence: "it …".
    pub(super) fn read(extensions: &[X509Extension<'_>]) -> Result<Extensions, String> {
        if extensions.len() > limits::CERTIFICATE_EXTENSIONS {
            let (found, most) = (extensions.len(), limits::CERTIFICATE_EXTENSIONS);
            return Err(format!("has {found} extensions, more than the {most} allowed"));
        }
        let mut read = Extensions::default();
        let mut seen = HashSet::new();
        for extension in extensions {
            if !seen.insert(extension.oid.as_bytes()) {
                return Err(format!("has the extension {} twice", extension.oid.to_id_string()));
            }
            read.add(extension)?;
        }
        Ok(read)
    }

    fn add(&mut self, extension: &X509Extension<'_>) -> Result<(), String> {
        let critical = extension.critical;
        let Some(kind) = KINDS.iter().find(|kind| kind.oid == extension.oid.as_bytes()) else {
            if critical {
                self.critical_ignored.push(extension.oid.to_id_string());
            }
            return Ok(());
        };
        let name = kind.name;
        if critical && kind.critical == Critical::Never {
            return Err(format!("has a critical extension {name}, which must not be critical ({})", kind.section));
        }
        der::check(extension.value).map_err(|error| format!("has an extension {name} that {error}"))?;
        let read = der::only(extension.value).ok().and_then(|value| (kind.read)(self, critical, value));
        read.ok_or_else(|| format!("has an extension {name} that is not what {} says", kind.section))?;
        if critical && kind.critical != Critical::Heeded {
            self.critical_ignored.push(extension.oid.to_id_string());
        }
        Ok(())
    }
}
