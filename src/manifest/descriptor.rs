//! Content descriptors (OCI image specification, *Descriptors*).

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::ManifestError;
use super::fields::Fields;
use crate::digest::Digest;

/// The members that a descriptor is read by.
const MEMBERS: &[&str] = &["mediaType", "digest", "size", "artifactType", "annotations", "platform", "data", "urls"];

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

impl Descriptor {
    /// A descriptor of content that has been measured: no artifact type, no annotations.
    pub fn new(media_type: impl Into<String>, digest: Digest, size: u64) -> Descriptor {
        Descriptor { media_type: media_type.into(), digest, size, artifact_type: None, annotations: BTreeMap::new() }
    }

    /// Reads the descriptor that `value` is; `what` names it in messages.
    pub(super) fn read(what: &'static str, value: &RawValue) -> Result<Descriptor, ManifestError> {
        Descriptor::from_fields(&Fields::inside(what, value, MEMBERS)?)
    }

    /// Reads the descriptor among `fields`.
    pub(super) fn from_fields(fields: &Fields<'_>) -> Result<Descriptor, ManifestError> {
        Ok(Descriptor {
            media_type: fields.required_text("mediaType")?,
            digest: super::digest(&fields.required_text("digest")?)?,
            size: fields.required_integer("size")?,
            artifact_type: fields.text("artifactType")?,
            annotations: fields.annotations()?,
        })
    }

    /// The members that a descriptor is read by, for those that read it with more.
    pub(super) fn members() -> &'static [&'static str] {
        MEMBERS
    }
}
