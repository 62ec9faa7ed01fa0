//! The subject of a certificate, and what a trust policy can make of it.
//!
//! Follows RFC 5280, section 4.1.2.4, and the trust store and trust policy specification, *Trusted Identities
//! Constraints*. The reference implementation compares not the attributes themselves but their text, so the text here
//! is composed as it composes it: attributes by type in a fixed order, those of one type together, and those without a
//! short name as hexadecimal DER. What that text cannot express unambiguously is refused to match anything. (Of two
//! common names or serial numbers the reference implementation sees only the last; here such a subject matches nothing.)

use std::fmt::Write as _;

use x509_parser::der_parser::oid::Oid;

use crate::limits;

use super::der::{self, DerError, Element};
use super::distinguished_name::DistinguishedName;

/// The attributes that have a short name, in the order in which the text lists them.
const NAMED: [(&str, &str); 9] = [
    ("2.5.4.5", "SERIALNUMBER"),
    ("2.5.4.3", "CN"),
    ("2.5.4.11", "OU"),
    ("2.5.4.10", "O"),
    ("2.5.4.17", "POSTALCODE"),
    ("2.5.4.9", "STREET"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.6", "C"),
];

/// The relative distinguished names of a subject in the order in which they are encoded; of each, its attributes: object
/// identifier as dotted decimals, and value.
///
/// The value of an attribute that has no short name is `#` and its DER in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rdns(pub Vec<Vec<(String, String)>>);

impl Rdns {
    /// Reads a `Name`.
    pub(super) fn from_element(name: Element<'_>) -> Result<Rdns, DerError> {
        let mut room = limits::NAME_ATTRIBUTES;
        let mut read_set = |set: Element<'_>| {
            let attributes = set.children(der::SET)?;
            if attributes.is_empty() {
                return Err(DerError("has a part of a name without an attribute"));
            }
            let enough = room.checked_sub(attributes.len());
            room = enough.ok_or(DerError("has a name with more attributes than any honest certificate has"))?;
            attributes.into_iter().map(read_attribute).collect()
        };
        Ok(Rdns(name.children(der::SEQUENCE)?.into_iter().map(&mut read_set).collect::<Result<_, _>>()?))
    }

    /// Whether there is an attribute of the type `oid`, in dotted decimals.
    pub(super) fn has(&self, oid: &str) -> bool {
        self.values(oid).next().is_some()
    }

    /// The subject as text, in the manner of RFC 4514: `CN=…,OU=…,O=…,L=…,ST=…,C=…`.
    ///
    /// Control characters and those that reorder what a reader sees are escaped as `\XX`, so that the text can be
    /// printed, and copied into a trust policy.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (oid, name) in NAMED {
            let mut values = self.values(oid).peekable();
            if values.peek().is_some() {
                separate(&mut text, ',');
            }
            for (position, value) in values.enumerate() {
                if position > 0 {
                    text.push('+');
                }
                text.push_str(name);
                text.push('=');
                escape_into(&mut text, value);
            }
        }
        for (oid, value) in self.attributes().filter(|(oid, _)| !is_named(oid)).rev() {
            separate(&mut text, ',');
            text.push_str(oid);
            text.push('=');
            text.push_str(value);
        }
        text
    }

    /// What identities of a trust policy are compared with.
    ///
    /// # Errors
    ///
    /// The reason, as the end of a sentence "the subject …", why no identity can match this subject: an attribute that
    /// the reference implementation cannot name, a type that occurs twice, or `C`, `ST` or `O` missing.
    pub fn to_name(&self) -> Result<DistinguishedName, String> {
        if let Some((oid, _)) = self.attributes().find(|(oid, _)| !is_named(oid)) {
            return Err(format!("has an attribute of type {oid}, which identities cannot name"));
        }
        for (oid, name) in NAMED {
            if self.values(oid).count() > 1 {
                return Err(format!("has more than one attribute {name}"));
            }
            if self.values(oid).any(|value| value.contains('\0')) {
                return Err(format!("has a NUL character in its attribute {name}"));
            }
        }
        DistinguishedName::parse(&self.text()).map_err(|error| format!("is not one that identities can name: {error}"))
    }

    fn attributes(&self) -> impl DoubleEndedIterator<Item = &(String, String)> {
        self.0.iter().flatten()
    }

    fn values<'a>(&'a self, oid: &'a str) -> impl Iterator<Item = &'a str> {
        self.attributes().filter(move |attribute| attribute.0 == oid).map(|attribute| attribute.1.as_str())
    }
}

fn is_named(oid: &str) -> bool {
    NAMED.iter().any(|(named, _)| *named == oid)
}

fn separate(text: &mut String, separator: char) {
    if !text.is_empty() {
        text.push(separator);
    }
}

fn read_attribute(attribute: Element<'_>) -> Result<(String, String), DerError> {
    let children = attribute.children(der::SEQUENCE)?;
    let [oid, value] = children.as_slice() else {
        return Err(DerError("has an attribute in a name that is not a type and a value"));
    };
    if oid.tag != der::OBJECT_IDENTIFIER {
        return Err(DerError("has an attribute in a name without a type"));
    }
    let oid = Oid::new(oid.contents.into()).to_id_string();
    let text = read_string(*value)?;
    let value = if is_named(&oid) { text } else { format!("#{}", hex::encode(value.whole)) };
    Ok((oid, value))
}

/// Reads a string of any of the types that names are made of.
pub(super) fn read_string(value: Element<'_>) -> Result<String, DerError> {
    const WRONG: DerError = DerError("has characters in a name that its string type does not have");
    let printable = |byte: &u8| byte.is_ascii_alphanumeric() || b" '()+,-./:=?*&".contains(byte);
    let numeric = |byte: &u8| byte.is_ascii_digit() || *byte == b' ';
    let bytes = value.contents;
    let latin = || bytes.iter().copied().map(char::from).collect();
    match value.tag {
        der::UTF8_STRING => String::from_utf8(bytes.to_vec()).map_err(|_| WRONG),
        der::PRINTABLE_STRING if bytes.iter().all(printable) => Ok(latin()),
        der::NUMERIC_STRING if bytes.iter().all(numeric) => Ok(latin()),
        der::IA5_STRING if bytes.is_ascii() => Ok(latin()),
        // What the world means by T.61 is Latin-1.
        der::TELETEX_STRING => Ok(latin()),
        der::BMP_STRING if bytes.len().is_multiple_of(2) => {
            let units = bytes.chunks_exact(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1]));
            // A surrogate is not a character of the Basic Multilingual Plane.
            units.map(char::from_u32).collect::<Option<String>>().ok_or(WRONG)
        }
        der::PRINTABLE_STRING | der::NUMERIC_STRING | der::IA5_STRING | der::BMP_STRING => Err(WRONG),
        _ => Err(DerError("has a value in a name that is not a string")),
    }
}

fn escape_into(text: &mut String, value: &str) {
    let last = value.chars().count().saturating_sub(1);
    for (position, character) in value.chars().enumerate() {
        match character {
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' => text.extend(['\\', character]),
            ' ' if position == 0 || position == last => text.push_str("\\ "),
            '#' if position == 0 => text.push_str("\\#"),
            _ if character.is_control() || rearranges(character) => {
                for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                    // Writing to a string cannot fail.
                    let _ = write!(text, "\\{byte:02x}");
                }
            }
            _ => text.push(character),
        }
    }
}

/// Whether a character is invisible and changes how others are shown.
fn rearranges(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests;
