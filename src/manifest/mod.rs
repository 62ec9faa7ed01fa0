//! Manifests as registries serve them: image manifests, image indexes, and the oldest artifact manifests.
//!
//! Follows the OCI image specification 1.1 (*Image Manifest*, *Image Index*, *Descriptors*); Docker's schema 2 manifests
//! and manifest lists have the same shape and are read as the same types. What the Notary Project makes of them
//! (*signature-specification*, OCI Signatures) is in [`is_signature`] and [`signature_envelope`].
//!
//! Reading is strict: a member given twice or in another case, a digest that breaks the grammar, a size that is no
//! non-negative integer, and content of two kinds in one document are refused, since another reader might understand
//! them differently. Embedded `data` and foreign `urls` are never read: content is fetched by digest and hashed.

mod artifact;
mod content;
mod descriptor;
mod fields;
mod image;
mod index;
mod signature;

#[cfg(test)]
mod tests;

pub use artifact::ArtifactManifest;
pub use descriptor::Descriptor;
pub use image::ImageManifest;
pub use index::{ImageIndex, IndexEntry, Platform, UnreadableEntry, each_entry};
pub use signature::{SIGNATURE_ARTIFACT_TYPE, check_subject, foreign_signature, is_signature, signature_envelope};

use crate::digest::Digest;
use crate::failure::quote;
use crate::json::{self, JsonError};

use fields::Fields;

/// The media type of an OCI image manifest.
pub const IMAGE_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// The media type of an OCI image index.
pub const IMAGE_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// The media type of the OCI artifact manifest, which release candidates of OCI 1.1 had and the final text has not.
pub const ARTIFACT_MANIFEST: &str = "application/vnd.oci.artifact.manifest.v1+json";
/// The media type of Docker's image manifest, schema 2.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// The media type of Docker's manifest list.
pub const DOCKER_MANIFEST_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// The media type of OCI's empty configuration: the two bytes `{}`.
pub const EMPTY_CONFIG: &str = "application/vnd.oci.empty.v1+json";

/// Whether a media type is that of an index: several manifests under one digest.
pub fn is_index(media_type: &str) -> bool {
    matches!(media_type, IMAGE_INDEX | DOCKER_MANIFEST_LIST)
}

/// The media types asked for when a manifest is wanted, in order of preference.
pub const MANIFEST_MEDIA_TYPES: &[&str] =
    &[IMAGE_MANIFEST, IMAGE_INDEX, DOCKER_MANIFEST, DOCKER_MANIFEST_LIST, ARTIFACT_MANIFEST];

/// A manifest, by its media type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ManifestKind {
    /// An image manifest, OCI's or Docker's.
    Image(ImageManifest),
    /// An image index or a Docker manifest list.
    Index(ImageIndex),
    /// An OCI artifact manifest.
    Artifact(ArtifactManifest),
    /// A media type that is none of these; its content was not looked at.
    Other,
}

impl ManifestKind {
    /// The manifest that this one refers to: the signed one, where this is a signature.
    pub fn subject(&self) -> Option<&Descriptor> {
        match self {
            ManifestKind::Image(manifest) => manifest.subject.as_ref(),
            ManifestKind::Index(index) => index.subject.as_ref(),
            ManifestKind::Artifact(manifest) => manifest.subject.as_ref(),
            ManifestKind::Other => None,
        }
    }

    /// The artifact type as OCI 1.1 defines it: the manifest's own, or else the configuration's media type.
    pub fn artifact_type(&self) -> Option<&str> {
        match self {
            ManifestKind::Image(manifest) => {
                Some(manifest.artifact_type.as_deref().unwrap_or(&manifest.config.media_type))
            }
            ManifestKind::Index(index) => index.artifact_type.as_deref(),
            ManifestKind::Artifact(manifest) => manifest.artifact_type.as_deref(),
            ManifestKind::Other => None,
        }
    }

    /// The annotations of the manifest itself.
    pub fn annotations(&self) -> Option<&std::collections::BTreeMap<String, String>> {
        match self {
            ManifestKind::Image(manifest) => Some(&manifest.annotations),
            ManifestKind::Index(index) => Some(&index.annotations),
            ManifestKind::Artifact(manifest) => Some(&manifest.annotations),
            ManifestKind::Other => None,
        }
    }
}

/// Why bytes are not the manifest that their media type promises. One sentence without a full stop; text from the
/// manifest in it has been quoted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ManifestError(String);

impl From<JsonError> for ManifestError {
    fn from(error: JsonError) -> ManifestError {
        ManifestError(format!("the manifest is not strict JSON: {error}"))
    }
}

/// Reads a manifest that was served as `media_type` (without parameters).
///
/// The manifest's own `mediaType`, where it states one, must be the same. Bytes of any other media type are
/// [`ManifestKind::Other`] and are not read.
pub fn parse(bytes: &[u8], media_type: &str) -> Result<ManifestKind, ManifestError> {
    let kind = match media_type {
        IMAGE_MANIFEST | DOCKER_MANIFEST => ManifestKind::Image(image::read(text(bytes)?, media_type)?),
        IMAGE_INDEX | DOCKER_MANIFEST_LIST => ManifestKind::Index(index::read(text(bytes)?, media_type)?),
        ARTIFACT_MANIFEST => ManifestKind::Artifact(artifact::read(text(bytes)?, media_type)?),
        _ => ManifestKind::Other,
    };
    Ok(kind)
}

fn text(bytes: &[u8]) -> Result<&str, ManifestError> {
    Ok(json::text(bytes)?)
}

/// The rules that image manifests and indexes share: `schemaVersion` 2, the media type promised, and no member of the
/// other kind, by which a document could be taken for both.
fn check_kind(fields: &Fields<'_>, media_type: &str, foreign: &[&str]) -> Result<(), ManifestError> {
    if let Some(version) = fields.integer("schemaVersion")?.filter(|version| *version != 2) {
        return Err(ManifestError(format!("schemaVersion is {version}, not 2")));
    }
    check_media_type(fields, media_type)?;
    match foreign.iter().find(|name| fields.has(name)) {
        Some(name) => Err(ManifestError(format!("a manifest of type {media_type} has no member {name:?}"))),
        None => Ok(()),
    }
}

fn check_media_type(fields: &Fields<'_>, media_type: &str) -> Result<(), ManifestError> {
    match fields.text("mediaType")? {
        Some(stated) if stated != media_type => Err(ManifestError(format!(
            "the manifest states mediaType {}, but {} is expected",
            quote(&stated),
            quote(media_type)
        ))),
        _ => Ok(()),
    }
}

/// Reads a digest inside a manifest.
fn digest(text: &str) -> Result<Digest, ManifestError> {
    text.parse().map_err(|error| ManifestError(format!("{} is not a digest: {error}", quote(text))))
}
