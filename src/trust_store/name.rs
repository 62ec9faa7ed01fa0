//! What trust policies call a trust store: `ca:wabbit-networks`.
//!
//! Follows *trust-store-trust-policy*, Trust Store. The name becomes part of a path, so one that is not a plain file
//! name is refused here, `.` and `..` included.

use std::fmt;
use std::str::FromStr;

use crate::failure::quote;

/// The longest name of a store, in bytes: no file system has longer file names.
const NAME_BYTES: usize = 255;

/// What the certificates of a store are trusted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StoreType {
    /// Signers of the scheme `notary.x509`.
    Ca,
    /// Signers of the scheme `notary.x509.signingAuthority`.
    SigningAuthority,
    /// Authorities that make time stamps.
    Tsa,
}

/// A store by type and name; the name is a plain file name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StoreName {
    kind: StoreType,
    name: String,
}

/// Why a text does not name a store. Each says what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreNameError {
    /// There is no colon.
    #[error("{} does not read type:name", quote(.0))]
    Form(String),
    /// The type is not one of the three.
    #[error("{} is not a type of trust store", quote(.0))]
    Type(String),
    /// The name is not a plain file name.
    #[error("{} is not a name for a trust store: expected letters, digits, _ . - but not . or .. alone, 255 at most", quote(.0))]
    Name(String),
}

impl StoreType {
    /// All three.
    pub const ALL: [StoreType; 3] = [StoreType::Ca, StoreType::SigningAuthority, StoreType::Tsa];

    /// The word in policies, and the name of the directory.
    pub fn as_str(self) -> &'static str {
        match self {
            StoreType::Ca => "ca",
            StoreType::SigningAuthority => "signingAuthority",
            StoreType::Tsa => "tsa",
        }
    }
}

impl StoreName {
    /// The store of `kind` called `name`.
    pub fn new(kind: StoreType, name: &str) -> Result<StoreName, StoreNameError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
        if name.is_empty() || name.len() > NAME_BYTES || !name.bytes().all(plain) || name == "." || name == ".." {
            return Err(StoreNameError::Name(name.to_owned()));
        }
        Ok(StoreName { kind, name: name.to_owned() })
    }

    /// What the store is for.
    pub fn kind(&self) -> StoreType {
        self.kind
    }

    /// The name without the type: a plain file name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl FromStr for StoreName {
    type Err = StoreNameError;

    fn from_str(text: &str) -> Result<StoreName, StoreNameError> {
        let (kind, name) = text.split_once(':').ok_or_else(|| StoreNameError::Form(text.to_owned()))?;
        let kind = StoreType::ALL.into_iter().find(|known| known.as_str() == kind);
        let kind = kind.ok_or_else(|| StoreNameError::Type(text.split(':').next().unwrap_or_default().to_owned()))?;
        StoreName::new(kind, name)
    }
}

impl fmt::Display for StoreType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for StoreName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        for text in ["ca:a.b_c-D9", "signingAuthority:x", "tsa:...", "ca:.hidden"] {
            assert_eq!(text.parse::<StoreName>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn g09_names_that_are_not_plain_are_refused() {
        for name in ["", ".", "..", "a/b", "../x", "a\\b", "a b", "x:y", "é", "a\0", "a\n", "*", &"a".repeat(256)] {
            let text = format!("ca:{name}");
            assert!(matches!(text.parse::<StoreName>(), Err(StoreNameError::Name(_))), "{text:?} was taken");
        }
        for text in ["", "ca", "CA:x", "signingauthority:x", "other:y", ":x", " ca:x"] {
            assert!(text.parse::<StoreName>().is_err(), "{text:?} was taken");
        }
    }
}
