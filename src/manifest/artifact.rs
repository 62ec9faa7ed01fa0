//! OCI artifact manifests: in release candidates 1 and 2 of the OCI image specification 1.1, gone from the final text.
//!
//! The first release candidates of notation wrote signatures in this form, and they are still met in registries.

use std::collections::BTreeMap;

use super::fields::Fields;
use super::{Descriptor, ManifestError, check_media_type};

/// An artifact manifest: blobs and the manifest they refer to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactManifest {
    /// What kind of artifact it is.
    pub artifact_type: Option<String>,
    /// The blobs, in order.
    pub blobs: Vec<Descriptor>,
    /// The manifest that this one refers to.
    pub subject: Option<Descriptor>,
    /// Annotations; empty where there are none.
    pub annotations: BTreeMap<String, String>,
}

pub(super) fn read(text: &str, media_type: &str) -> Result<ArtifactManifest, ManifestError> {
    const MEMBERS: &[&str] =
        &["mediaType", "artifactType", "blobs", "subject", "annotations", "config", "layers", "manifests"];
    let fields = Fields::read("the artifact manifest", text, MEMBERS)?;
    check_media_type(&fields, media_type)?;
    if let Some(name) = ["config", "layers", "manifests"].iter().find(|name| fields.has(name)) {
        return Err(ManifestError(format!("an artifact manifest has no member {name:?}")));
    }
    Ok(ArtifactManifest {
        artifact_type: fields.text("artifactType")?,
        // The only list that the text made optional: an artifact may consist of annotations alone.
        blobs: if fields.has("blobs") { fields.descriptors("blobs")? } else { Vec::new() },
        subject: fields.descriptor("subject")?,
        annotations: fields.annotations()?,
    })
}
