//! Distinguished names as trust policies write them after `x509.subject:`.
//!
//! Follows the trust store and trust policy specification, *Trusted Identities Constraints*, which builds on RFC 4514;
//! where both leave something open, what the reference implementation does. Names are compared as sets of attributes:
//! types and values exactly, in any order. It refuses what cannot be compared that way: more than one attribute in a
//! relative distinguished name, a type twice, a value in encoded form, and names without `C`, `ST` and `O`.

use std::collections::BTreeMap;
use std::fmt;

use crate::failure::quote;

/// The attributes that every name must have.
const MANDATORY: [&str; 3] = ["C", "ST", "O"];

/// The types that the subject of a certificate can have.
const KNOWN: [&str; 9] = ["C", "ST", "L", "STREET", "POSTALCODE", "O", "OU", "CN", "SERIALNUMBER"];

/// A distinguished name: attributes by type, each type once. `S` has become `ST`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DistinguishedName {
    attributes: BTreeMap<String, String>,
}

/// Why a text is not a distinguished name that can be matched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DnError {
    /// `=#`: a value in encoded form.
    #[error("it contains \"=#\": values in hexadecimal encoding are not supported")]
    EncodedValue,
    /// A part that is not `type=value`.
    #[error("{} is not of the form type=value", quote(.0))]
    Incomplete(String),
    /// `+` without a backslash before it.
    #[error("it has more than one attribute in a relative distinguished name: write \"\\+\" for a plus sign")]
    MultiValued,
    /// A backslash that escapes nothing.
    #[error("{} has a backslash before neither a special character nor two hexadecimal digits", quote(.0))]
    Escape(String),
    /// A character that must be escaped.
    #[error("{} has the character {} without a backslash before it", quote(.0), quote(&.1.to_string()))]
    Unescaped(String, char),
    /// Hexadecimal escapes that do not make up characters.
    #[error("{} has hexadecimal escapes that are not UTF-8", quote(.0))]
    NotUtf8(String),
    /// A type that occurs twice.
    #[error("it has the attribute {} more than once", quote(.0))]
    Duplicate(String),
    /// A mandatory attribute that is not there, or empty.
    #[error("it has no attribute {0}: C, ST and O are mandatory")]
    Missing(&'static str),
}

impl DistinguishedName {
    /// Reads a name: attributes `type=value`, separated by `,` or `;`.
    ///
    /// Types are case-sensitive. Spaces around types and values do not count, unless escaped. Escapes are a backslash
    /// before one of ` "#+,;<=>\`, or before two hexadecimal digits that stand for a byte of UTF-8. Types that no
    /// certificate can match (`UID`, `2.5.4.42`) are read like others.
    ///
    /// # Errors
    ///
    /// If the text breaks these rules, a type occurs twice, or `C`, `ST` or `O` is missing or empty.
    pub fn parse(text: &str) -> Result<DistinguishedName, DnError> {
        if text.contains("=#") {
            return Err(DnError::EncodedValue);
        }
        let mut attributes = BTreeMap::new();
        for part in split(text)? {
            let (kind, value) = part.split_once('=').ok_or_else(|| DnError::Incomplete(part.to_owned()))?;
            let kind = unescape(kind)?;
            if kind.is_empty() {
                return Err(DnError::Incomplete(part.to_owned()));
            }
            let kind = if kind == "S" { "ST".to_owned() } else { kind };
            if attributes.contains_key(&kind) {
                return Err(DnError::Duplicate(kind));
            }
            attributes.insert(kind, unescape(value)?);
        }
        let name = DistinguishedName { attributes };
        match MANDATORY.into_iter().find(|kind| name.get(kind).is_empty()) {
            Some(kind) => Err(DnError::Missing(kind)),
            None => Ok(name),
        }
    }

    /// The attributes, type to value, by type.
    pub fn attributes(&self) -> &BTreeMap<String, String> {
        &self.attributes
    }

    /// The types among them that no subject of a certificate can have: an identity with one never matches, unless its
    /// value is empty.
    pub fn unknown_types(&self) -> impl Iterator<Item = &str> {
        self.attributes.keys().map(String::as_str).filter(|kind| !KNOWN.contains(kind))
    }

    /// Whether `other` has every attribute of this name with the same value. An empty value is as good as none.
    pub fn is_subset_of(&self, other: &DistinguishedName) -> bool {
        self.attributes.iter().all(|(kind, value)| other.get(kind) == value)
    }

    fn get(&self, kind: &str) -> &str {
        self.attributes.get(kind).map_or("", String::as_str)
    }
}

impl fmt::Display for DistinguishedName {
    /// `C=US, O=wabbit-networks.io, ST=WA`, for messages: values in quotation marks where they need any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || " .-_:/@'".contains(c));
        for (position, (kind, value)) in self.attributes.iter().enumerate() {
            let separator = if position == 0 { "" } else { ", " };
            let [kind, value] = [kind, value].map(|text| if plain(text) { text.clone() } else { quote(text) });
            write!(f, "{separator}{kind}={value}")?;
        }
        Ok(())
    }
}

/// Cuts a name at its separators.
fn split(text: &str) -> Result<Vec<&str>, DnError> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut escaped = false;
    for (position, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'+' => return Err(DnError::MultiValued),
            b',' | b';' => {
                parts.push(&text[start..position]);
                start = position + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    Ok(parts)
}

/// Takes the spaces around a type or value away, and its escapes.
fn unescape(text: &str) -> Result<String, DnError> {
    let mut bytes = Vec::with_capacity(text.len());
    // How much of `bytes` must stay: what is behind are unescaped spaces.
    let mut kept = 0;
    let mut rest = text.trim_start_matches(' ').bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'\\' => bytes.push(unescape_one(&mut rest).ok_or_else(|| DnError::Escape(text.to_owned()))?),
            b'"' | b'<' | b'>' | 0 => return Err(DnError::Unescaped(text.to_owned(), char::from(byte))),
            b' ' => {
                bytes.push(byte);
                continue;
            }
            _ => bytes.push(byte),
        }
        kept = bytes.len();
    }
    bytes.truncate(kept);
    String::from_utf8(bytes).map_err(|_| DnError::NotUtf8(text.to_owned()))
}

/// What follows a backslash.
fn unescape_one(rest: &mut impl Iterator<Item = u8>) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let first = rest.next()?;
    if b" \"#+,;<=>\\".contains(&first) {
        return Some(first);
    }
    let (high, low) = (digit(first)?, digit(rest.next()?)?);
    u8::try_from(high << 4 | low).ok()
}

#[cfg(test)]
mod tests;
