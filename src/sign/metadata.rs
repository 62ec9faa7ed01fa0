//! User metadata: what a signer says of an artifact beside its digest, as annotations of the signed descriptor.
//!
//! Follows *signature-specification*, Payload: names that begin with `io.cncf.notary` are the specification's own.

use std::collections::BTreeMap;

use crate::failure::quote;

/// What names of the specification begin with.
const RESERVED: &str = "io.cncf.notary";

/// Why metadata is not signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// The specification's own.
    #[error("user metadata may not have the name {}: names that begin with {RESERVED} are reserved", quote(.0))]
    Reserved(String),
    /// The name has two different values.
    #[error("user metadata has two values of {}", quote(.0))]
    Doubled(String),
}

/// The metadata of `pairs`.
///
/// # Errors
///
/// A name that is reserved, or one with two values.
pub fn check_metadata(pairs: &[(String, String)]) -> Result<BTreeMap<String, String>, MetadataError> {
    let mut metadata = BTreeMap::new();
    for (name, value) in pairs {
        if name.starts_with(RESERVED) {
            return Err(MetadataError::Reserved(name.clone()));
        }
        if metadata.insert(name.clone(), value.clone()).is_some_and(|before| before != *value) {
            return Err(MetadataError::Doubled(name.clone()));
        }
    }
    Ok(metadata)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pairs: &[(&str, &str)]) -> Result<usize, MetadataError> {
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        check_metadata(&pairs).map(|metadata| metadata.len())
    }

    #[test]
    fn reserved_and_contradicting_names_are_refused() {
        assert_eq!(check(&[("a", "1"), ("b", "1"), ("a", "1")]), Ok(2));
        assert_eq!(check(&[("a", "1"), ("a", "2")]), Err(MetadataError::Doubled("a".to_owned())));
        for name in ["io.cncf.notary", "io.cncf.notary.x", "io.cncf.notaryx"] {
            assert_eq!(check(&[(name, "1")]), Err(MetadataError::Reserved(name.to_owned())));
        }
        assert_eq!(check(&[("io.cncf", "1")]), Ok(1));
    }
}
