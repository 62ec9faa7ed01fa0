//! CRLs (RFC 5280, section 5), complete and delta, sound or broken in any way.
//!
//! A draft is sound by default: version 2, the authority's name and key identifier, a number, both times. Everything that
//! a CRL says is a field; what fields cannot express is done to its bytes, before they are signed or after.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use der::Encode;
use time::{Duration, OffsetDateTime};

use super::asn1::{
    self, algorithm, bits, enumerated, explicit, extension_value, generalized_time, integer, pkix_time, sequence,
};
use super::extension::{UNKNOWN, points};
use super::{Authority, ForgeError, Key, authority_key_identifier, tlv};

const NUMBER: &str = "2.5.29.20";
const REASON: &str = "2.5.29.21";
const INVALIDITY: &str = "2.5.29.24";
const DELTA_INDICATOR: &str = "2.5.29.27";
const ISSUING_DISTRIBUTION_POINT: &str = "2.5.29.28";
const FRESHEST: &str = "2.5.29.46";

/// An entry of a CRL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrlEntry {
    /// The content of the serial number's INTEGER, as it stands in the certificate.
    pub serial: Vec<u8>,
    /// Since when.
    pub revoked_at: OffsetDateTime,
    /// Why, by RFC 5280's number: 1 keyCompromise, 6 certificateHold, 8 removeFromCRL.
    pub reason: Option<u8>,
    /// Since when the key is thought to be in wrong hands.
    pub invalidity: Option<OffsetDateTime>,
    /// Further extensions: dotted object identifier, whether critical, DER.
    pub extra: Vec<(String, bool, Vec<u8>)>,
}

impl CrlEntry {
    /// That `serial` is revoked since `revoked_at`, for no stated reason.
    pub fn new(serial: impl Into<Vec<u8>>, revoked_at: OffsetDateTime) -> CrlEntry {
        CrlEntry { serial: serial.into(), revoked_at, reason: None, invalidity: None, extra: Vec::new() }
    }

    /// For this reason.
    pub fn because(mut self, reason: u8) -> CrlEntry {
        self.reason = Some(reason);
        self
    }

    /// Invalid since then.
    pub fn invalid_since(mut self, since: OffsetDateTime) -> CrlEntry {
        self.invalidity = Some(since);
        self
    }

    fn extensions(&self) -> Result<Vec<u8>, ForgeError> {
        let mut extensions = Vec::new();
        if let Some(reason) = self.reason {
            extensions.extend(extension_value(REASON, false, &enumerated(reason))?);
        }
        if let Some(since) = self.invalidity {
            extensions.extend(extension_value(INVALIDITY, false, &generalized_time(since))?);
        }
        for (oid, critical, value) in &self.extra {
            extensions.extend(extension_value(oid, *critical, value)?);
        }
        Ok(if extensions.is_empty() { extensions } else { tlv(asn1::SEQUENCE, &extensions) })
    }
}

/// A CRL before it is signed.
#[derive(Debug, Clone)]
pub struct CrlDraft<'a> {
    /// Whose certificates the CRL is about: its name and key identifier are written.
    pub issuer: &'a Authority,
    /// From when on it holds.
    pub this_update: OffsetDateTime,
    /// When the next one is due at the latest.
    pub next_update: Option<OffsetDateTime>,
    /// The number of the CRL.
    pub number: Option<u64>,
    /// The number of the complete CRL that it adds to, which makes it a delta.
    pub delta_base: Option<u64>,
    /// What is revoked.
    pub entries: Vec<CrlEntry>,
    /// Where deltas to it are published.
    pub freshest: Vec<String>,
    /// The value of its issuingDistributionPoint in DER; it is critical. See [`CrlScope::encode`].
    pub issuing_distribution_point: Option<Vec<u8>>,
    /// Further extensions: dotted object identifier, whether critical, DER.
    pub extra: Vec<(String, bool, Vec<u8>)>,
    /// Whether the CRL names the issuer's key.
    pub authority_key_identifier: bool,
    /// The version as it is written: 1 is version 2, `None` leaves it out, as version 1 does.
    pub version: Option<u8>,
    /// The algorithm as it is stated, inside and beside the signature: dotted object identifier, whether NULL follows.
    pub algorithm: Option<(&'static str, bool)>,
    /// The algorithm stated beside the signature, when it is to differ from the one inside.
    pub outer_algorithm: Option<(&'static str, bool)>,
    /// Done to the bytes before they are signed.
    pub alter_tbs: Option<fn(Vec<u8>) -> Vec<u8>>,
    /// Done to the finished CRL.
    pub alter: Option<fn(Vec<u8>) -> Vec<u8>>,
}

impl<'a> CrlDraft<'a> {
    /// A complete CRL without entries that holds for a week.
    pub fn new(issuer: &'a Authority, this_update: OffsetDateTime) -> CrlDraft<'a> {
        CrlDraft {
            issuer,
            this_update,
            next_update: this_update.checked_add(Duration::WEEK),
            number: Some(1),
            delta_base: None,
            entries: Vec::new(),
            freshest: Vec::new(),
            issuing_distribution_point: None,
            extra: Vec::new(),
            authority_key_identifier: true,
            version: Some(1),
            algorithm: None,
            outer_algorithm: None,
            alter_tbs: None,
            alter: None,
        }
    }

    /// With an entry.
    pub fn with(mut self, entry: CrlEntry) -> CrlDraft<'a> {
        self.entries.push(entry);
        self
    }

    /// Adds an unknown extension.
    pub fn add_unknown(&mut self, critical: bool) {
        self.extra.push((UNKNOWN.to_owned(), critical, asn1::null()));
    }

    /// Adds an unknown extension to every entry.
    pub fn add_unknown_to_entries(&mut self, critical: bool) {
        for entry in &mut self.entries {
            entry.extra.push((UNKNOWN.to_owned(), critical, asn1::null()));
        }
    }

    /// Signs with `key`, the issuer's if it is to be sound: the CRL in DER (or what `alter` makes of it).
    pub fn sign(&self, key: &Key) -> Result<Vec<u8>, ForgeError> {
        let stated = self.algorithm.unwrap_or(key.kind().certificate_algorithm());
        let mut tbs = self.tbs(stated)?;
        if let Some(alter) = self.alter_tbs {
            tbs = alter(tbs);
        }
        let signature = key.sign_certificate(&tbs)?;
        let (oid, null) = self.outer_algorithm.unwrap_or(stated);
        let crl = sequence(&[&tbs, &algorithm(oid, null)?, &bits(&signature)]);
        Ok(self.alter.map_or(crl.clone(), |alter| alter(crl)))
    }

    fn tbs(&self, (oid, null): (&str, bool)) -> Result<Vec<u8>, ForgeError> {
        let mut tbs = self.version.map_or(Vec::new(), integer);
        tbs.extend(algorithm(oid, null)?);
        tbs.extend(self.issuer.subject().der()?);
        tbs.extend(pkix_time(self.this_update));
        tbs.extend(self.next_update.map_or(Vec::new(), pkix_time));
        if !self.entries.is_empty() {
            tbs.extend(self.revoked()?);
        }
        let extensions = self.extensions()?;
        if !extensions.is_empty() {
            tbs.extend(explicit(0, &tlv(asn1::SEQUENCE, &extensions)));
        }
        Ok(tlv(asn1::SEQUENCE, &tbs))
    }

    /// The list of entries. There may be a million, most of them of one moment.
    fn revoked(&self) -> Result<Vec<u8>, ForgeError> {
        let mut list = Vec::with_capacity(self.entries.len() * 40);
        let mut written: Option<(OffsetDateTime, Vec<u8>)> = None;
        for entry in &self.entries {
            let time = match written {
                Some((time, bytes)) if time == entry.revoked_at => bytes,
                _ => pkix_time(entry.revoked_at),
            };
            let content = [tlv(asn1::INTEGER, &entry.serial).as_slice(), &time, &entry.extensions()?].concat();
            list.extend(tlv(asn1::SEQUENCE, &content));
            written = Some((entry.revoked_at, time));
        }
        Ok(tlv(asn1::SEQUENCE, &list))
    }

    fn extensions(&self) -> Result<Vec<u8>, ForgeError> {
        let mut extensions = Vec::new();
        if self.authority_key_identifier {
            extensions.extend(authority_key_identifier(self.issuer.key().public_key())?.to_der()?);
        }
        if let Some(number) = self.number {
            extensions.extend(extension_value(NUMBER, false, &integer(number))?);
        }
        if let Some(base) = self.delta_base {
            extensions.extend(extension_value(DELTA_INDICATOR, true, &integer(base))?);
        }
        if let Some(value) = &self.issuing_distribution_point {
            extensions.extend(extension_value(ISSUING_DISTRIBUTION_POINT, true, value)?);
        }
        if !self.freshest.is_empty() {
            extensions.extend(extension_value(FRESHEST, false, &points(&self.freshest)?.to_der()?)?);
        }
        for (oid, critical, value) in &self.extra {
            extensions.extend(extension_value(oid, *critical, value)?);
        }
        Ok(extensions)
    }
}

/// What an issuingDistributionPoint restricts a CRL to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CrlScope<'a> {
    /// The address of the distribution point.
    pub url: Option<&'a str>,
    /// onlyContainsUserCerts.
    pub only_users: bool,
    /// onlyContainsCACerts.
    pub only_authorities: bool,
    /// onlySomeReasons, as the content of the BIT STRING.
    pub only_reasons: Option<&'a [u8]>,
    /// indirectCRL.
    pub indirect: bool,
    /// onlyContainsAttributeCerts.
    pub only_attributes: bool,
}

impl CrlScope<'_> {
    /// The value of the extension, for [`CrlDraft::issuing_distribution_point`].
    pub fn encode(&self) -> Vec<u8> {
        let mut value = Vec::new();
        if let Some(url) = self.url {
            // distributionPoint [0], fullName [0], uniformResourceIdentifier [6].
            value.extend(explicit(0, &explicit(0, &asn1::implicit(6, url.as_bytes()))));
        }
        let mut flag = |number, set| {
            if set {
                value.extend(asn1::implicit(number, &[0xff]));
            }
        };
        flag(1, self.only_users);
        flag(2, self.only_authorities);
        if let Some(reasons) = self.only_reasons {
            value.extend(asn1::implicit(3, reasons));
        }
        let mut flag = |number, set| {
            if set {
                value.extend(asn1::implicit(number, &[0xff]));
            }
        };
        flag(4, self.indirect);
        flag(5, self.only_attributes);
        tlv(asn1::SEQUENCE, &value)
    }
}

/// `der` as PEM under `label`.
pub fn pem(label: &str, der: &[u8]) -> Vec<u8> {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n")).into_bytes()
}
