//! The shape of a certificate.
//!
//! Follows RFC 5280, section 4.1: every part where the grammar says, of the type it says, and nothing between or behind
//! them. The parser that reads the values overlooks parts that are one too many, and takes some types for others; what
//! passes here leaves it no room to.

use super::der::{self, DerError, Element};

const SHAPE: DerError = DerError("does not have the parts that a certificate has");

/// The parts of a certificate that are kept as they are.
pub(super) struct Outline<'a> {
    /// What the signature is over.
    pub(super) signed: Element<'a>,
    pub(super) serial: Element<'a>,
    pub(super) issuer: Element<'a>,
    pub(super) subject: Element<'a>,
    /// The `SubjectPublicKeyInfo`.
    pub(super) key: Element<'a>,
}

impl<'a> Outline<'a> {
    /// Looks at all of `der`, which must be one certificate.
    pub(super) fn read(der: &'a [u8]) -> Result<Outline<'a>, DerError> {
        der::check(der)?;
        let parts = der::only(der)?.children(der::SEQUENCE)?;
        let [signed, algorithm, signature] = parts.as_slice() else { return Err(SHAPE) };
        let fields = signed.children(der::SEQUENCE)?;
        // The version is optional, and alone in having this tag.
        let fields = match fields.as_slice() {
            [version, fields @ ..] if version.tag == VERSION => {
                check_tags(&version.children(VERSION)?, &[der::INTEGER])?;
                fields
            }
            fields => fields,
        };
        let [serial, inner_algorithm, issuer, validity, subject, key, optional @ ..] = fields else {
            return Err(SHAPE);
        };
        check_tags(&[*serial, *signature], &[der::INTEGER, der::BIT_STRING])?;
        if signature.contents.first() != Some(&0) {
            return Err(DerError("has a signature that is not a whole number of bytes"));
        }
        if inner_algorithm.whole != algorithm.whole {
            return Err(DerError("names two different signature algorithms"));
        }
        check_algorithm(algorithm)?;
        let times = validity.children(der::SEQUENCE)?;
        if times.len() != 2 {
            return Err(SHAPE);
        }
        times.iter().try_for_each(check_time)?;
        check_optional(optional)?;
        Ok(Outline { signed: *signed, serial: *serial, issuer: *issuer, subject: *subject, key: *key })
    }
}

/// `[0]`, the version.
const VERSION: u8 = 0xa0;
/// `[1]` and `[2]`, identifiers of issuer and subject, long out of use.
const UNIQUE_IDENTIFIERS: [u8; 2] = [0x81, 0x82];
/// `[3]`, the extensions.
const EXTENSIONS: u8 = 0xa3;

fn check_tags(elements: &[Element<'_>], tags: &[u8]) -> Result<(), DerError> {
    if elements.iter().map(|element| element.tag).eq(tags.iter().copied()) { Ok(()) } else { Err(SHAPE) }
}

/// An algorithm is an object identifier, perhaps followed by parameters.
fn check_algorithm(algorithm: &Element<'_>) -> Result<(), DerError> {
    match algorithm.children(der::SEQUENCE)?.as_slice() {
        [oid] | [oid, _] => check_tags(&[*oid], &[der::OBJECT_IDENTIFIER]),
        _ => Err(DerError("names an algorithm with more than its parameters")),
    }
}

/// The parts of a `SubjectPublicKeyInfo`.
pub(super) struct Key<'a> {
    /// The contents of the algorithm's object identifier.
    pub(super) algorithm: &'a [u8],
    pub(super) parameters: Option<Element<'a>>,
    /// The contents of the bit string.
    pub(super) bits: &'a [u8],
}

/// Takes a `SubjectPublicKeyInfo` apart: an algorithm and a bit string.
pub(super) fn read_key(key: Element<'_>) -> Result<Key<'_>, DerError> {
    let parts = key.children(der::SEQUENCE)?;
    check_tags(&parts, &[der::SEQUENCE, der::BIT_STRING])?;
    check_algorithm(&parts[0])?;
    let algorithm = parts[0].children(der::SEQUENCE)?;
    Ok(Key { algorithm: algorithm[0].contents, parameters: algorithm.get(1).copied(), bits: parts[1].contents })
}

/// Times are whole seconds in UTC: `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ` (RFC 5280, section 4.1.2.5).
fn check_time(time: &Element<'_>) -> Result<(), DerError> {
    let digits = match time.tag {
        der::UTC_TIME => 12,
        der::GENERALIZED_TIME => 14,
        _ => return Err(DerError("has a time that is neither UTCTime nor GeneralizedTime")),
    };
    match time.contents {
        [time @ .., b'Z'] if time.len() == digits && time.iter().all(u8::is_ascii_digit) => Ok(()),
        _ => Err(DerError("has a time that is not whole seconds in UTC")),
    }
}

/// What may follow the key: each at most once, in this order.
fn check_optional(fields: &[Element<'_>]) -> Result<(), DerError> {
    let [issuer, subject] = UNIQUE_IDENTIFIERS;
    let tags: Vec<u8> = fields.iter().map(|field| field.tag).collect();
    let ascending = tags.is_sorted_by(|one, next| one < next);
    if !ascending || !tags.iter().all(|tag| [issuer, subject, EXTENSIONS].contains(tag)) {
        return Err(SHAPE);
    }
    let Some(extensions) = fields.iter().find(|field| field.tag == EXTENSIONS) else { return Ok(()) };
    let extensions = extensions.children(EXTENSIONS)?;
    check_tags(&extensions, &[der::SEQUENCE])?;
    for extension in extensions[0].children(der::SEQUENCE)? {
        let parts = extension.children(der::SEQUENCE)?;
        let critical: &[u8] = if parts.len() == 3 { &[der::BOOLEAN] } else { &[] };
        check_tags(&parts, &[&[der::OBJECT_IDENTIFIER], critical, &[der::OCTET_STRING]].concat())?;
    }
    Ok(())
}
