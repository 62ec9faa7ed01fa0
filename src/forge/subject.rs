//! Subjects of certificates, from the way people write them.
//!
//! `C=US, ST=WA, O=acme, OU=a, OU=b, CN=x`: encoded in the order in which they are written, repeated types allowed, `+`
//! joins attributes to one multi-valued RDN, `\` escapes the next character. A type is one of the common names or a
//! dotted object identifier.

use der::asn1::{Any, ObjectIdentifier, SetOfVec};
use der::{Encode, Tag};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::name::{Name, RdnSequence, RelativeDistinguishedName};

use super::ForgeError;
use crate::failure::quote;

/// The ASN.1 string type in which values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextKind {
    /// PrintableString for the country, UTF8String for the rest.
    Usual,
    /// PrintableString throughout.
    Printable,
    /// TeletexString throughout.
    Teletex,
    /// IA5String throughout.
    Ia5,
}

/// A distinguished name to be written into a certificate: RDNs in encoded order, each of (type, value).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The RDNs; the type is a dotted object identifier.
    pub rdns: Vec<Vec<(String, String)>>,
    /// How values are written.
    pub text: TextKind,
}

const TYPES: [(&str, &str); 10] = [
    ("C", "2.5.4.6"),
    ("ST", "2.5.4.8"),
    ("S", "2.5.4.8"),
    ("L", "2.5.4.7"),
    ("O", "2.5.4.10"),
    ("OU", "2.5.4.11"),
    ("CN", "2.5.4.3"),
    ("SERIALNUMBER", "2.5.4.5"),
    ("STREET", "2.5.4.9"),
    ("DC", "0.9.2342.19200300.100.1.25"),
];

impl Subject {
    /// Reads `C=US, ST=WA, O=acme`.
    pub fn parse(text: &str) -> Result<Subject, ForgeError> {
        let refused = || ForgeError::Subject(quote(text));
        let mut rdns = Vec::new();
        for rdn in split(text, ',') {
            let mut attributes = Vec::new();
            for attribute in split(rdn, '+') {
                let (kind, value) = attribute.split_once('=').ok_or_else(refused)?;
                let kind = kind.trim();
                let known = TYPES.iter().find(|(name, _)| name.eq_ignore_ascii_case(kind));
                let oid = known.map_or(kind, |(_, oid)| oid);
                ObjectIdentifier::new(oid).map_err(|_| refused())?;
                attributes.push((oid.to_owned(), unescape(value)));
            }
            rdns.push(attributes);
        }
        Ok(Subject { rdns, text: TextKind::Usual })
    }

    /// The same name with its values written in another string type.
    pub fn written_as(mut self, text: TextKind) -> Subject {
        self.text = text;
        self
    }

    /// The name as `x509-cert` holds it.
    pub fn name(&self) -> Result<Name, ForgeError> {
        let mut rdns = Vec::new();
        for rdn in &self.rdns {
            let mut attributes = Vec::new();
            for (oid, value) in rdn {
                let oid = ObjectIdentifier::new(oid).map_err(|_| ForgeError::Subject(quote(oid)))?;
                let tag = match self.text {
                    TextKind::Usual if oid == COUNTRY => Tag::PrintableString,
                    TextKind::Usual => Tag::Utf8String,
                    TextKind::Printable => Tag::PrintableString,
                    TextKind::Teletex => Tag::TeletexString,
                    TextKind::Ia5 => Tag::Ia5String,
                };
                attributes.push(AttributeTypeAndValue { oid, value: Any::new(tag, value.as_bytes())? });
            }
            let attributes = SetOfVec::try_from(attributes)?;
            rdns.push(RelativeDistinguishedName(attributes));
        }
        Ok(RdnSequence(rdns))
    }

    /// The name in DER.
    pub fn der(&self) -> Result<Vec<u8>, ForgeError> {
        Ok(self.name()?.to_der()?)
    }
}

const COUNTRY: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.6");

/// Splits at `separator` where it is not escaped.
fn split(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        if character == separator && !escaped {
            parts.push(&text[start..at]);
            start = at + character.len_utf8();
        }
        escaped = character == '\\' && !escaped;
    }
    parts.push(&text[start..]);
    parts
}

/// Drops outer blanks that are not escaped, and the escapes.
fn unescape(value: &str) -> String {
    let mut text = String::new();
    let mut kept = 0;
    let mut characters = value.trim_start().chars();
    while let Some(character) = characters.next() {
        let escaped = character == '\\';
        text.extend(if escaped { characters.next() } else { Some(character) });
        if escaped || !character.is_whitespace() {
            kept = text.len();
        }
    }
    text.truncate(kept);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multi_valued_rdns_are_sorted_as_der_demands() {
        let der = |text| Subject::parse(text).unwrap().der().unwrap();
        assert_eq!(der("O=acme+CN=x"), der("CN=x+O=acme"));
        assert_ne!(der("O=acme,CN=x"), der("CN=x,O=acme"));
    }

    #[test]
    fn reads_what_people_write() {
        let subject = Subject::parse(r"C=US, ST=WA , O=acme\, inc, OU=a, OU=b + CN=\ x\ , 1.2.3=y").unwrap();
        let values: Vec<Vec<&str>> =
            subject.rdns.iter().map(|rdn| rdn.iter().map(|(_, value)| value.as_str()).collect()).collect();
        assert_eq!(values, [vec!["US"], vec!["WA"], vec!["acme, inc"], vec!["a"], vec!["b", " x "], vec!["y"]]);
        assert_eq!(subject.rdns[5][0].0, "1.2.3");
        for text in ["", "US", "X=1", "C=US,,O=x"] {
            assert!(Subject::parse(text).is_err(), "{text:?}");
        }
    }
}
