//! One CRL, base or delta: read once, its signature verified once, then looked into however often.
//!
//! Follows RFC 5280, section 5. Only DER is read, only CRLs of version 2 signed by the very issuer of the certificate, and
//! only by an algorithm that certificates may be signed by. A critical extension that is not understood, of the CRL or of
//! any entry, makes the whole CRL worthless, as section 5.2 and 5.3 demand; so does anything left over.
//!
//! The list stays as it came. What is kept beside it are four bytes an entry.

mod ask;
mod delta;
mod distribution_point;
mod entries;
mod revoked;

use std::cmp::Ordering;

use time::OffsetDateTime;

use super::Answer;
use super::extension::{Extension, oid};
use super::fields::Fields;
use super::flaw::{Flaw, check_current};
use super::signed::Signed;
use crate::limits;
use crate::pki::Certificate;
use crate::pki::der::{self, Element};

use distribution_point::Scope;
use entries::Entries;

pub(super) use ask::ask;

/// `[0]`, the extensions of a CRL.
const EXTENSIONS: u8 = 0xa0;

/// A CRL whose signature holds. Whether it is current depends on the time, and is asked apart.
#[derive(Debug)]
pub(super) struct Crl {
    this_update: OffsetDateTime,
    next_update: Option<OffsetDateTime>,
    entries: Entries,
    extensions: Extensions,
}

/// What the extensions of a CRL say.
#[derive(Debug, Default)]
struct Extensions {
    number: Option<Number>,
    /// The number of the base CRL to which a delta belongs; a base has none.
    delta_indicator: Option<Number>,
    scope: Option<Scope>,
    /// The addresses of delta CRLs, where the extension is there.
    freshest: Option<Vec<String>>,
}

impl Crl {
    /// Reads a CRL and verifies that `issuer` signed it.
    pub(super) fn read(answer: &Answer, issuer: &Certificate) -> Result<Crl, Flaw> {
        let bytes = answer.bytes();
        if bytes.len() as u64 > limits::CRL_BYTES {
            return Err(Flaw::from(format!(
                "has {} bytes, and less than {} are read",
                bytes.len(),
                limits::CRL_BYTES + 1
            )));
        }
        if bytes.starts_with(b"-----BEGIN") {
            return Err(Flaw::from("is PEM, and RFC 5280 publishes CRLs in DER"));
        }
        der::check(bytes)?;
        let mut parts = Fields::of(der::only(bytes)?, der::SEQUENCE)?;
        let signed = Signed::read(&mut parts)?;
        parts.end()?;

        let mut fields = Fields::of(signed.content, der::SEQUENCE)?;
        if fields.optional(der::INTEGER).map(|version| version.contents) != Some(&[1]) {
            return Err(Flaw::from("is not of version 2"));
        }
        if fields.required(der::SEQUENCE)?.whole != signed.algorithm.whole {
            return Err(Flaw::from("names two different signature algorithms"));
        }
        check_signer(fields.required(der::SEQUENCE)?, issuer)?;
        signed.check(issuer)?;

        let this_update = fields.time()?;
        let next_update = fields.optional_time()?;
        let list = fields.optional(der::SEQUENCE);
        let extensions = fields.explicit(EXTENSIONS)?.map(Extensions::read).transpose()?.unwrap_or_default();
        fields.end()?;
        Ok(Crl { this_update, next_update, entries: Entries::read(bytes, list)?, extensions })
    }

    /// Checks that this is a base CRL in force at `at` which, fetched from `url`, speaks of `certificate`.
    fn check_base(&self, url: &str, certificate: &Certificate, at: OffsetDateTime) -> Result<(), Flaw> {
        if self.extensions.delta_indicator.is_some() {
            return Err(Flaw::from("is a delta CRL, and says nothing without its base"));
        }
        check_current(self.this_update, self.next_update, at)?;
        self.extensions.scope.as_ref().map_or(Ok(()), |scope| scope.check(url, certificate.is_ca()))
    }
}

/// Checks that `issuer`, who has issued the certificate in question, goes by the `name` in the CRL and may sign CRLs.
fn check_signer(name: Element<'_>, issuer: &Certificate) -> Result<(), Flaw> {
    if name.whole != issuer.subject_raw() {
        return Err(Flaw::from("is not by who issued the certificate"));
    }
    if !issuer.is_ca() {
        return Err(Flaw::from("is by somebody who is no certificate authority"));
    }
    if issuer.extensions().key_usage.is_some_and(|usage| !usage.allows("cRLSign")) {
        return Err(Flaw::from("is by an authority whose key usage does not include cRLSign"));
    }
    Ok(())
}

impl Extensions {
    fn read(list: Element<'_>) -> Result<Extensions, Flaw> {
        let mut read = Extensions::default();
        for extension in Extension::read_all(list)? {
            match extension.oid {
                oid::CRL_NUMBER => read.number = Some(Number::read(extension.value()?)?),
                oid::DELTA_INDICATOR => read.delta_indicator = Some(Number::read(extension.value()?)?),
                oid::ISSUING_DISTRIBUTION_POINT => read.scope = Some(Scope::read(extension.value()?)?),
                oid::FRESHEST_CRL => read.freshest = Some(distribution_point::addresses(extension.value()?)?),
                // Which of the issuer's keys signed is found out by trying the one that there is.
                oid::AUTHORITY_KEY => {}
                _ => extension.pass_over()?,
            }
        }
        Ok(read)
    }
}

/// The number of a CRL: not negative, of any length; its bytes, the first of which is not zero.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Number(Vec<u8>);

impl Number {
    fn read(value: Element<'_>) -> Result<Number, Flaw> {
        match (value.tag, value.contents) {
            (der::INTEGER, [0, digits @ ..]) => Ok(Number(digits.to_vec())),
            (der::INTEGER, digits @ [1..=0x7f, ..]) => Ok(Number(digits.to_vec())),
            _ => Err(Flaw::from("has a number that is none")),
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Number) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.cmp(&other.0))
    }
}
