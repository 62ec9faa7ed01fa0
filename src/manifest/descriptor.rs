//! Content descriptors (OCI image specification, *Descriptors*).

use std::collections::BTreeMap;

use crate::digest::Digest;

/// What is said of some content: what it is, which digest and how many bytes it has.
///
/// `data` and `urls` of the specification are not read: content is fetched and hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptor {
    /// The media type, without parameters.
    pub media_type: String,
    /// The digest.
    pub digest: Digest,
    /// The size, in bytes.
    pub size: u64,
    /// The artifact type, where the descriptor of a manifest states one.
    pub artifact_type: Option<String>,
    /// Annotations; empty where there are none.
    pub annotations: BTreeMap<String, String>,
}
