//! Image indexes (OCI image specification, *Image Index*): several manifests under one digest, and lists of referrers.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::value::RawValue;

use super::fields::Fields;
use super::{Descriptor, ManifestError, check_kind};

/// An image index or a Docker manifest list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageIndex {
    /// The manifests, in order.
    pub manifests: Vec<IndexEntry>,
    /// The manifest that the index refers to.
    pub subject: Option<Descriptor>,
    /// What kind of artifact it is.
    pub artifact_type: Option<String>,
    /// Annotations; empty where there are none.
    pub annotations: BTreeMap<String, String>,
}

/// A manifest in an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexEntry {
    /// Which manifest.
    pub descriptor: Descriptor,
    /// What it runs on, where the index says so.
    pub platform: Option<Platform>,
}

/// What an image runs on. `Display` writes `linux/arm64/v8`, not escaped.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Platform {
    /// The operating system, in Go's words: `linux`.
    pub os: String,
    /// The processor, in Go's words: `arm64`.
    pub architecture: String,
    /// The variant of the processor: `v8`.
    pub variant: Option<String>,
}

impl ImageIndex {
    /// Whether the index lists referrers, as one under a tag of the referrers tag schema does: each entry says of which
    /// type it is, and none on what it runs.
    pub fn lists_referrers(&self) -> bool {
        let refers = |entry: &IndexEntry| entry.platform.is_none() && entry.descriptor.artifact_type.is_some();
        self.subject.is_none() && self.manifests.iter().all(refers)
    }
}

impl Platform {
    /// Reads the platform of a descriptor, unless its required members are empty, as tools write it for what runs nowhere.
    pub(super) fn read(descriptor: &Fields<'_>) -> Result<Option<Platform>, ManifestError> {
        const MEMBERS: &[&str] = &["os", "architecture", "variant", "os.version", "os.features"];
        let Some(fields) = descriptor.object("platform", MEMBERS)? else { return Ok(None) };
        let (os, architecture, variant) = (fields.text("os")?, fields.text("architecture")?, fields.text("variant")?);
        fields.text("os.version")?;
        fields.texts("os.features")?;
        let (Some(os), Some(architecture)) = (os, architecture) else { return Ok(None) };
        Ok(Some(Platform { os, architecture, variant }))
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        match &self.variant {
            Some(variant) => write!(f, "/{variant}"),
            None => Ok(()),
        }
    }
}

pub(super) fn read(text: &str, media_type: &str) -> Result<ImageIndex, ManifestError> {
    const MEMBERS: &[&str] = &[
        "schemaVersion",
        "mediaType",
        "artifactType",
        "manifests",
        "subject",
        "annotations",
        "config",
        "layers",
        "blobs",
    ];
    let fields = Fields::read("the image index", text, MEMBERS)?;
    check_kind(&fields, media_type, &["config", "layers", "blobs"])?;
    Ok(ImageIndex {
        manifests: fields.list("manifests")?.into_iter().map(entry).collect::<Result<_, _>>()?,
        subject: fields.descriptor("subject")?,
        artifact_type: fields.text("artifactType")?,
        annotations: fields.annotations()?,
    })
}

fn entry(value: &RawValue) -> Result<IndexEntry, ManifestError> {
    let (descriptor, platform) = Descriptor::read_with_platform("an entry of the index", value)?;
    Ok(IndexEntry { descriptor, platform })
}
