//! What a key may be used for: basic constraints, key usage, extended key usage; and its identifiers.
//!
//! Follows RFC 5280, sections 4.2.1.1 to 4.2.1.3, 4.2.1.9 and 4.2.1.12, and for the period in which a private key is used
//! RFC 3280, section 4.2.1.4.

use x509_parser::der_parser::oid::Oid;

use crate::pki::der::{self, Element};
use crate::pki::general_name::GeneralName;

/// Reads basic constraints: whether it is an authority's certificate, and how long the path below may be.
pub(super) fn basic_constraints(value: Element<'_>) -> Option<(bool, Option<u32>)> {
    let children = value.children(der::SEQUENCE).ok()?;
    let (ca, path_length) = match children.as_slice() {
        [ca, path_length @ ..] if ca.tag == der::BOOLEAN => (ca.contents != [0], path_length),
        path_length => (false, path_length),
    };
    match path_length {
        [] => Some((ca, None)),
        [number] if number.tag == der::INTEGER => Some((ca, Some(unsigned(number.contents)?))),
        _ => None,
    }
}

/// A number that is not negative; one that is too large for the type counts as the largest there is.
fn unsigned(contents: &[u8]) -> Option<u32> {
    match contents {
        [] | [0x80..=0xff, ..] => None,
        _ => Some(contents.iter().fold(0_u32, |value, byte| value.saturating_mul(256).saturating_add((*byte).into()))),
    }
}

/// Reads a key usage: its bits, the first one the lowest.
pub(super) fn key_usage(value: Element<'_>) -> Option<u16> {
    let [_unused, bits @ ..] = value.contents else { return None };
    let byte = |position: usize| u16::from(bits.get(position).copied().unwrap_or_default().reverse_bits());
    (value.tag == der::BIT_STRING).then(|| byte(0) | byte(1) << 8)
}

/// Reads an extended key usage: at least one purpose, as dotted object identifiers.
pub(super) fn purposes(value: Element<'_>) -> Option<Vec<String>> {
    let purposes = value.children(der::SEQUENCE).ok()?;
    let sound = !purposes.is_empty() && purposes.iter().all(|purpose| purpose.tag == der::OBJECT_IDENTIFIER);
    sound.then(|| purposes.iter().map(|purpose| Oid::new(purpose.contents.into()).to_id_string()).collect())
}

/// Reads the identifier of the certificate's own key: bytes.
pub(super) fn subject_key_identifier(value: Element<'_>) -> Option<()> {
    (value.tag == der::OCTET_STRING).then_some(())
}

/// Reads the identifier of the issuer's key: bytes, or an issuer and a serial number, or both.
pub(super) fn authority_key_identifier(value: Element<'_>) -> Option<()> {
    const ISSUER: u8 = 0xa1;
    const SERIAL: u8 = 0x82;
    let parts = value.children(der::SEQUENCE).ok()?;
    let (_key, rest) = match parts.as_slice() {
        [key, rest @ ..] if key.tag == 0x80 => (Some(key), rest),
        rest => (None, rest),
    };
    match rest {
        [] => Some(()),
        [issuer, serial] if (issuer.tag, serial.tag) == (ISSUER, SERIAL) => {
            GeneralName::read_all(*issuer, ISSUER)?;
            der::check_primitive(der::INTEGER, serial.contents).ok()
        }
        _ => None,
    }
}

/// Reads the period in which a private key is used: its beginning, its end, or both.
pub(super) fn private_key_period(value: Element<'_>) -> Option<()> {
    let parts = value.children(der::SEQUENCE).ok()?;
    let tags: Vec<u8> = parts.iter().map(|part| part.tag).collect();
    let is_time = |time: &Element<'_>| matches!(time.contents, [digits @ .., b'Z'] if digits.len() == 14 && digits.iter().all(u8::is_ascii_digit));
    (matches!(tags.as_slice(), [0x80] | [0x81] | [0x80, 0x81]) && parts.iter().all(is_time)).then_some(())
}
