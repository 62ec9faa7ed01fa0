//! General names: what certificates and CRLs call places and people by (RFC 5280, section 4.2.1.6).
//!
//! Only what is compared or asked later is taken apart. A value of a type that does not exist is refused.

use super::der::{self, Element};
use super::rdns::Rdns;

/// A general name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GeneralName {
    /// uniformResourceIdentifier, as written.
    Uri(String),
    /// directoryName: a `Name` in DER.
    Directory(Box<[u8]>),
    /// dNSName, as written.
    Dns(Box<[u8]>),
    /// Any other kind, and an address that is not text: the whole value in DER.
    Other(Box<[u8]>),
}

impl GeneralName {
    /// Reads one; `None` if it is not a general name.
    pub(crate) fn read(element: Element<'_>) -> Option<GeneralName> {
        Some(match element.tag {
            0x86 => match std::str::from_utf8(element.contents) {
                Ok(address) => GeneralName::Uri(address.to_owned()),
                Err(_) => GeneralName::Other(element.whole.into()),
            },
            0xa4 => {
                let name = der::only(element.contents).ok()?;
                Rdns::from_element(name).ok()?;
                GeneralName::Directory(name.whole.into())
            }
            0x82 => GeneralName::Dns(element.contents.into()),
            // otherName, rfc822Name, x400Address, ediPartyName, iPAddress, registeredID.
            0xa0 | 0x81 | 0xa3 | 0xa5 | 0x87 | 0x88 => GeneralName::Other(element.whole.into()),
            _ => return None,
        })
    }

    /// Reads the names inside `list`, which must have this `tag`.
    pub(crate) fn read_all(list: Element<'_>, tag: u8) -> Option<Vec<GeneralName>> {
        list.values(tag).ok()?.map(|name| GeneralName::read(name.ok()?)).collect()
    }

    /// The address, if it is one.
    pub fn uri(&self) -> Option<&str> {
        match self {
            GeneralName::Uri(address) => Some(address),
            _ => None,
        }
    }

    /// How long it is, in bytes.
    pub(crate) fn length(&self) -> usize {
        match self {
            GeneralName::Uri(address) => address.len(),
            GeneralName::Directory(bytes) | GeneralName::Dns(bytes) | GeneralName::Other(bytes) => bytes.len(),
        }
    }

    /// What kind of name it is, for messages: "a directoryName".
    pub fn kind(&self) -> &'static str {
        match self {
            GeneralName::Uri(_) => "an address",
            GeneralName::Directory(_) => "a directoryName",
            GeneralName::Dns(_) => "a dNSName",
            GeneralName::Other(_) => "a name that is no address",
        }
    }
}
