//! Content descriptors (OCI image specification, *Descriptors*): the one reader of them, in manifests, in indexes and in
//! what is signed.
//!
//! Every member that the specification names must have its type, the optional ones too: a member of another type is not
//! the one that was meant. An optional member that is `null` is absent, as Go's encoders write it. `data` and `urls` are
//! read no further than that: content is fetched by its digest and hashed.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::value::RawValue;

use super::fields::Fields;
use super::index::Platform;
use super::{ManifestError, digest};
use crate::digest::Digest;
use crate::limits;

/// The members that a descriptor is read by.
const MEMBERS: &[&str] = &["mediaType", "digest", "size", "artifactType", "annotations", "platform", "data", "urls"];

/// What is said of some content: what it is, which digest and how many bytes it has.
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
    pub(crate) fn read(what: &'static str, value: &RawValue) -> Result<Descriptor, ManifestError> {
        Descriptor::read_with_platform(what, value).map(|(descriptor, _)| descriptor)
    }

    /// Reads the descriptor that `value` is, and what its content runs on.
    pub(super) fn read_with_platform(
        what: &'static str,
        value: &RawValue,
    ) -> Result<(Descriptor, Option<Platform>), ManifestError> {
        let fields = Fields::inside(what, value, MEMBERS)?;
        let descriptor = Descriptor {
            media_type: fields.required_text("mediaType").and_then(short)?,
            digest: digest(&fields.required_text("digest")?)?,
            size: fields.required_size("size")?,
            artifact_type: fields.text("artifactType")?.map(short).transpose()?,
            annotations: fields.annotations()?,
        };
        fields.texts("urls")?;
        if let Some(data) = fields.text("data")?
            && BASE64_STANDARD.decode(&data).is_err()
        {
            return Err(ManifestError(format!("data of {what} is not base64")));
        }
        Ok((descriptor, Platform::read(&fields)?))
    }

    /// The names of the members that a descriptor is read by.
    pub(crate) fn members() -> &'static [&'static str] {
        MEMBERS
    }
}

/// Refuses what is too long to be a media type, so that a list of many holds little.
fn short(media_type: String) -> Result<String, ManifestError> {
    match media_type.len() {
        0..=limits::MEDIA_TYPE_BYTES => Ok(media_type),
        length => Err(ManifestError(format!("a media type of {length} bytes is longer than one may be"))),
    }
}
