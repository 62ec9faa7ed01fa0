//! Image manifests (OCI image specification, *Image Manifest*).

use std::collections::BTreeMap;

use super::fields::Fields;
use super::{Descriptor, ManifestError, check_kind};

/// An image manifest: a configuration, layers, and perhaps the manifest it refers to. Signatures have this form too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageManifest {
    /// What kind of artifact it is, where the manifest itself says so (OCI 1.1).
    pub artifact_type: Option<String>,
    /// The configuration; before OCI 1.1 its media type said what kind of artifact it is.
    pub config: Descriptor,
    /// The layers, in order.
    pub layers: Vec<Descriptor>,
    /// The manifest that this one refers to.
    pub subject: Option<Descriptor>,
    /// Annotations; empty where there are none.
    pub annotations: BTreeMap<String, String>,
}

pub(super) fn read(text: &str, media_type: &str) -> Result<ImageManifest, ManifestError> {
    const MEMBERS: &[&str] = &[
        "schemaVersion",
        "mediaType",
        "artifactType",
        "config",
        "layers",
        "subject",
        "annotations",
        "manifests",
        "blobs",
    ];
    let fields = Fields::read("the image manifest", text, MEMBERS)?;
    check_kind(&fields, media_type, &["manifests", "blobs"])?;
    Ok(ImageManifest {
        artifact_type: fields.text("artifactType")?,
        config: fields.required_descriptor("config")?,
        layers: fields.descriptors("layers")?,
        subject: fields.descriptor("subject")?,
        annotations: fields.annotations()?,
    })
}
