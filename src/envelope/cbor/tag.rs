//! What a tag says of its content, and whether it is true.
//!
//! Follows RFC 8949, section 3.4, and RFC 7049 for tag 35, which the later text leaves out. An item that is not what its
//! tag says is *invalid* there: one reader takes it for what it is, another for what the tag says. The content of any
//! other tag may be anything. Big integers (tags 2 and 3) are refused altogether, before anything here is asked.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

use super::super::instant;
use super::{CborError, Item};

/// Decimal fractions and bigfloats: an array of two integers.
const FRACTIONS: [u64; 2] = [4, 5];
/// A byte string that holds CBOR.
const EMBEDDED: u64 = 24;

/// Where an item stands that has to be something.
#[derive(Debug, Clone, Copy)]
pub(super) enum Within {
    /// Behind this tag.
    Tag(u64),
    /// In the array of a fraction.
    Fraction,
}

/// Checks an item by where it stands. The result says where the elements stand, when it is an array whose elements have to
/// be something too.
pub(super) fn check(within: Within, item: Item<'_>) -> Result<Option<Within>, CborError> {
    let Within::Tag(tag) = within else { return within_fraction(item) };
    let (expected, holds) = match tag {
        0 => ("a time by RFC 3339", is_text(item, instant::is_rfc3339)),
        1 => ("a number of seconds", matches!(item, Item::Unsigned(_) | Item::Negative(_) | Item::Float)),
        4 | 5 => ("an array of two integers", item == Item::Array(2)),
        EMBEDDED => ("a byte string with one CBOR item in it", matches!(item, Item::Bytes(_))),
        32 => ("a URI as text", is_text(item, is_uri)),
        33 => ("base64url as text", is_text(item, |text| BASE64_URL_SAFE_NO_PAD.decode(text).is_ok())),
        34 => ("base64 as text", is_text(item, |text| BASE64_STANDARD.decode(text).is_ok())),
        35 => ("a regular expression as text", is_text(item, |_| true)),
        36 => ("a MIME message as text", is_text(item, |_| true)),
        _ => return Ok(None),
    };
    match holds {
        true => Ok(FRACTIONS.contains(&tag).then_some(Within::Fraction)),
        false => Err(CborError::Tagged(tag, expected)),
    }
}

fn within_fraction(item: Item<'_>) -> Result<Option<Within>, CborError> {
    match item {
        Item::Unsigned(_) | Item::Negative(_) => Ok(None),
        _ => Err(CborError::Fraction),
    }
}

/// The bytes that have to be CBOR because of the tag before them.
pub(super) fn embedded<'a>(within: Within, item: Item<'a>) -> Option<&'a [u8]> {
    match (within, item) {
        (Within::Tag(EMBEDDED), Item::Bytes(bytes)) => Some(bytes),
        _ => None,
    }
}

fn is_text(item: Item<'_>, holds: impl Fn(&str) -> bool) -> bool {
    matches!(item, Item::Text(text) if std::str::from_utf8(text).is_ok_and(holds))
}

/// Whether every character is one that RFC 3986 has, and every percent sign starts an octet.
fn is_uri(text: &str) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let octet = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_hexdigit());
        let holds = match byte {
            b'%' => octet(bytes.next()) && octet(bytes.next()),
            _ => byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=".contains(&byte),
        };
        if !holds {
            return false;
        }
    }
    !text.is_empty()
}
