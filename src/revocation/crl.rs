//! One CRL, base or delta: read once, its signature verified once, then looked into however often.
//!
//! Follows RFC 5280, section 5. Only DER is read, only CRLs of version 2 signed by the very issuer of the certificate, and
//! only by an algorithm that certificates may be signed by. A critical extension that is not understood, of the CRL or of
//! any entry, makes the whole CRL worthless, as section 5.2 and 5.3 demand; so does anything left over.
//!
//! The list stays as it came and is walked value by value: no tree is built of it, whatever is in it. What is kept beside it
//! are four bytes an entry.

mod ask;
mod delta;
mod distribution_point;
mod entries;
mod revoked;

use time::OffsetDateTime;

use super::answer_error::{AnswerError, check_current};
use super::edition::Edition;
use super::extension::{Extension, oid};
use super::fields::Fields;
use super::signed::Signed;
use super::{Answer, Arrival};
use crate::limits;
use crate::pki::der::{self, Element};
use crate::pki::{Certificate, DistributionPoint, Reasons, is_same_name};

use distribution_point::{Published, Scope};
use entries::Entries;

pub(super) use ask::ask;

/// `[0]`, the extensions of a CRL.
const EXTENSIONS: u8 = 0xa0;

/// A CRL whose signature holds. Whether it is current depends on the time, and is asked apart.
#[derive(Debug)]
pub(super) struct Crl {
    edition: Edition,
    next_update: Option<OffsetDateTime>,
    entries: Entries,
    extensions: Extensions,
}

/// What the extensions of a CRL say.
#[derive(Debug, Default)]
struct Extensions {
    number: Option<Box<[u8]>>,
    /// The number of the base CRL to which a delta belongs; a base has none.
    delta_indicator: Option<Box<[u8]>>,
    scope: Option<Scope>,
    /// Where delta CRLs are, if the extension is there.
    freshest: Option<Vec<DistributionPoint>>,
}

impl Crl {
    /// Reads a CRL and verifies that `issuer` signed it.
    pub(super) fn read(answer: &Answer, issuer: &Certificate) -> Result<Crl, AnswerError> {
        let bytes = answer.bytes();
        if bytes.len() as u64 > limits::CRL_BYTES {
            return Err(AnswerError::from(format!(
                "has {} bytes, and less than {} are read",
                bytes.len(),
                limits::CRL_BYTES + 1
            )));
        }
        if bytes.starts_with(b"-----BEGIN") {
            return Err(AnswerError::from("is PEM, and RFC 5280 publishes CRLs in DER"));
        }
        der::check(bytes)?;
        let mut parts = Fields::of(der::only(bytes)?, der::SEQUENCE)?;
        let signed = Signed::read(&mut parts)?;
        parts.end()?;

        let mut fields = Fields::of(signed.content, der::SEQUENCE)?;
        if fields.optional(der::INTEGER).map(|version| version.contents) != Some(&[1]) {
            return Err(AnswerError::from("is not of version 2"));
        }
        if fields.required(der::SEQUENCE)?.whole != signed.algorithm.whole {
            return Err(AnswerError::from("names two different signature algorithms"));
        }
        check_signer(fields.required(der::SEQUENCE)?, issuer)?;
        signed.check(issuer)?;

        let this_update = fields.time()?;
        let next_update = fields.optional_time()?;
        let list = fields.optional(der::SEQUENCE);
        let mut extensions = fields.explicit(EXTENSIONS)?.map(Extensions::read).transpose()?.unwrap_or_default();
        fields.end()?;
        let edition = Edition { number: extensions.number.take(), made: this_update };
        Ok(Crl { edition, next_update, entries: Entries::read(bytes, list)?, extensions })
    }

    /// Checks that this is a base CRL in force at `at`, and that it speaks of certificates that an authority's certificate
    /// (`authority`) or another is, and of `point`: of which reasons, it tells.
    fn check_base(&self, published: &Published<'_>, authority: bool, when: When) -> Result<Reasons, AnswerError> {
        if self.extensions.delta_indicator.is_some() {
            return Err(AnswerError::from("is a delta CRL, and says nothing without its base"));
        }
        self.check_current(when)?;
        self.extensions.scope.as_ref().map_or(Ok(Reasons::ALL), |scope| scope.check(published, authority))
    }

    fn check_current(&self, When { at, arrival }: When) -> Result<(), AnswerError> {
        check_current(self.edition.made, self.next_update, at, Arrival::present(arrival, at))
    }
}

/// As of when a CRL is judged, and when it came.
#[derive(Debug, Clone, Copy)]
struct When {
    at: OffsetDateTime,
    arrival: Option<Arrival>,
}

/// Checks that `issuer`, who has issued the certificate in question, goes by the `name` in the CRL and may sign CRLs.
fn check_signer(name: Element<'_>, issuer: &Certificate) -> Result<(), AnswerError> {
    if !is_same_name(name.whole, issuer.subject_raw()) {
        return Err(AnswerError::from("is not by who issued the certificate"));
    }
    if !issuer.is_ca() {
        return Err(AnswerError::from("is by an issuer that is not a certificate authority"));
    }
    if issuer.extensions().key_usage.is_some_and(|usage| !usage.allows("cRLSign")) {
        return Err(AnswerError::from("is by an authority whose key usage does not include cRLSign"));
    }
    Ok(())
}

impl Extensions {
    fn read(list: Element<'_>) -> Result<Extensions, AnswerError> {
        let mut read = Extensions::default();
        for extension in Extension::read_all(list)? {
            match extension.oid {
                oid::CRL_NUMBER => read.number = Some(read_number(extension.value()?)?),
                oid::DELTA_INDICATOR => read.delta_indicator = Some(read_number(extension.value()?)?),
                oid::ISSUING_DISTRIBUTION_POINT => read.scope = Some(Scope::read(extension.value()?)?),
                oid::FRESHEST_CRL => {
                    let points = DistributionPoint::read_all(extension.value()?);
                    read.freshest = Some(points.ok_or("has an extension freshestCRL that cannot be read")?);
                }
                // Which of the issuer's keys signed is found out by trying the one that there is.
                oid::AUTHORITY_KEY => {}
                _ => extension.pass_over()?,
            }
        }
        Ok(read)
    }
}

/// The number of a CRL: not negative; its bytes without leading zeros.
fn read_number(value: Element<'_>) -> Result<Box<[u8]>, AnswerError> {
    let digits = match (value.tag, value.contents) {
        (der::INTEGER, [0, digits @ ..]) | (der::INTEGER, digits @ [1..=0x7f, ..]) => digits,
        _ => return Err(AnswerError::from("has a malformed CRL number")),
    };
    if digits.len() > limits::CRL_NUMBER_BYTES {
        return Err(AnswerError::from(format!("has a number of more than {} bytes", limits::CRL_NUMBER_BYTES)));
    }
    Ok(digits.into())
}
