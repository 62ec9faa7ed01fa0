//! The extensions of a certificate that are honoured.
//!
//! Follows RFC 5280, section 4.2, and the signature specification, *Certificate Requirements*: basic constraints, key
//! usage, extended key usage, and where revocation is published. Every other extension is ignored, critical or not, as
//! that specification demands. An extension that occurs twice, or one of these that cannot be read, makes the
//! certificate malformed.

use std::collections::HashSet;

use x509_parser::der_parser::oid;
use x509_parser::der_parser::oid::Oid;
use x509_parser::extensions::{self as parsed, DistributionPointName, GeneralName, X509Extension};
use x509_parser::prelude::FromDer;

use super::der::{self, Element};

/// What the honoured extensions say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extensions {
    /// Basic constraints, if present.
    pub basic_constraints: Option<BasicConstraints>,
    /// Key usage, if present.
    pub key_usage: Option<KeyUsage>,
    /// The purposes of the extended key usage as dotted object identifiers, if present, and whether it is critical.
    pub extended_key_usage: Option<(Vec<String>, bool)>,
    /// The addresses of certificate revocation lists, as written.
    pub crl_urls: Vec<String>,
    /// The addresses of OCSP responders, as written.
    pub ocsp_urls: Vec<String>,
    /// Critical extensions that are not honoured, as dotted object identifiers.
    pub critical_ignored: Vec<String>,
    /// Whether the certificate names delta CRLs (freshestCRL). Their addresses are taken from the base CRL alone.
    pub freshest_crl: bool,
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
        if extension.oid == oid!(2.5.29.19) {
            let (ca, path_length) = read("basicConstraints", extension, read_basic_constraints)?;
            self.basic_constraints = Some(BasicConstraints { critical, ca, path_length });
        } else if extension.oid == oid!(2.5.29.15) {
            let bits = read("keyUsage", extension, read_key_usage)?;
            self.key_usage = Some(KeyUsage { critical, bits });
        } else if extension.oid == oid!(2.5.29.37) {
            let purposes = read("extKeyUsage", extension, read_purposes)?;
            self.extended_key_usage = Some((purposes, critical));
        } else if extension.oid == oid!(2.5.29.31) {
            let points: parsed::CRLDistributionPoints<'_> = decode("cRLDistributionPoints", extension)?;
            self.crl_urls = points.iter().flat_map(full_name).filter_map(address).collect();
        } else if extension.oid == oid!(1.3.6.1.5.5.7.1.1) {
            let access: parsed::AuthorityInfoAccess<'_> = decode("authorityInfoAccess", extension)?;
            let ocsp = access.iter().filter(|description| description.access_method == oid!(1.3.6.1.5.5.7.48.1));
            self.ocsp_urls = ocsp.filter_map(|description| address(&description.access_location)).collect();
        } else if extension.oid == oid!(2.5.29.46) {
            self.freshest_crl = true;
        } else if critical {
            self.critical_ignored.push(extension.oid.to_id_string());
        }
        Ok(())
    }
}

/// Reads the value of an extension, which must be one DER value, with `reader`.
fn read<'a, T>(
    name: &str,
    extension: &X509Extension<'a>,
    reader: impl FnOnce(Element<'a>) -> Option<T>,
) -> Result<T, String> {
    der::check(extension.value).map_err(|error| format!("has an extension {name} that {error}"))?;
    let value = der::only(extension.value).ok().and_then(reader);
    value.ok_or_else(|| format!("has an extension {name} that cannot be read"))
}

/// Reads the value of an extension by the library's definition.
fn decode<'a, T, E>(name: &str, extension: &X509Extension<'a>) -> Result<T, String>
where
    T: FromDer<'a, E>,
{
    read(name, extension, |value| match T::from_der(value.whole) {
        Ok(([], value)) => Some(value),
        _ => None,
    })
}

fn read_basic_constraints(value: Element<'_>) -> Option<(bool, Option<u32>)> {
    let children = value.children(der::SEQUENCE).ok()?;
    let (ca, path_length) = match children.as_slice() {
        [ca, path_length @ ..] if ca.tag == der::BOOLEAN => (ca.contents != [0], path_length),
        path_length => (false, path_length),
    };
    match path_length {
        [] => Some((ca, None)),
        [number] if number.tag == der::INTEGER => Some((ca, Some(read_unsigned(number.contents)?))),
        _ => None,
    }
}

/// A number that is not negative; one that is too large for the type counts as the largest there is.
fn read_unsigned(contents: &[u8]) -> Option<u32> {
    match contents {
        [] | [0x80..=0xff, ..] => None,
        _ => Some(contents.iter().fold(0_u32, |value, byte| value.saturating_mul(256).saturating_add((*byte).into()))),
    }
}

fn read_key_usage(value: Element<'_>) -> Option<u16> {
    let [_unused, bits @ ..] = value.contents else { return None };
    let byte = |position: usize| u16::from(bits.get(position).copied().unwrap_or_default().reverse_bits());
    (value.tag == der::BIT_STRING).then(|| byte(0) | byte(1) << 8)
}

fn read_purposes(value: Element<'_>) -> Option<Vec<String>> {
    let purposes = value.children(der::SEQUENCE).ok()?;
    let sound = !purposes.is_empty() && purposes.iter().all(|purpose| purpose.tag == der::OBJECT_IDENTIFIER);
    sound.then(|| purposes.iter().map(|purpose| Oid::new(purpose.contents.into()).to_id_string()).collect())
}

fn full_name<'a>(point: &'a parsed::CRLDistributionPoint<'a>) -> &'a [GeneralName<'a>] {
    match &point.distribution_point {
        Some(DistributionPointName::FullName(names)) => names,
        _ => &[],
    }
}

fn address(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::URI(address) => Some((*address).to_owned()),
        _ => None,
    }
}
