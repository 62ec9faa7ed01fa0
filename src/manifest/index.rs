//! Image indexes (OCI image specification, *Image Index*): several manifests under one digest, and lists of referrers.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;

use serde_json::value::RawValue;

use super::fields::Fields;
use super::{Descriptor, IMAGE_INDEX, ManifestError, check_kind};
use crate::json::{self, JsonError};
use crate::limits;

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

impl Platform {
    /// Reads the platform of a descriptor, unless its required members are empty, as tools write it for what runs nowhere.
    pub(super) fn read(descriptor: &Fields<'_>) -> Result<Option<Platform>, ManifestError> {
        const MEMBERS: &[&str] = &["os", "architecture", "variant", "os.version", "os.features"];
        let Some(fields) = descriptor.object("platform", MEMBERS)? else { return Ok(None) };
        let (os, architecture, variant) = (fields.text("os")?, fields.text("architecture")?, fields.text("variant")?);
        fields.text("os.version")?;
        fields.texts("os.features")?;
        let (Some(os), Some(architecture)) = (os, architecture) else { return Ok(None) };
        // Of a list of many, each is held.
        let word = |word: String| match word.len() {
            0..=limits::PLATFORM_WORD_BYTES => Ok(word),
            length => Err(ManifestError(format!("a word of a platform of {length} bytes is longer than one may be"))),
        };
        Ok(Some(Platform { os: word(os)?, architecture: word(architecture)?, variant: variant.map(word).transpose()? }))
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

/// An entry of an index that cannot be read by itself, with what can be read of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableEntry {
    /// The artifact type that it states.
    pub artifact_type: Option<String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// What is wrong with it.
    pub problem: ManifestError,
}

/// The members that an index is read by, and those by which it would be something else.
const MEMBERS: &[&str] =
    &["schemaVersion", "mediaType", "artifactType", "manifests", "subject", "annotations", "config", "layers", "blobs"];

pub(super) fn read(text: &str, media_type: &str) -> Result<ImageIndex, ManifestError> {
    of_fields(Fields::read("the image index", text, MEMBERS)?, media_type)
}

fn of_fields(fields: Fields<'_>, media_type: &str) -> Result<ImageIndex, ManifestError> {
    check_kind(&fields, media_type, &["config", "layers", "blobs"])?;
    Ok(ImageIndex {
        manifests: fields.list("manifests")?.into_iter().map(entry).collect::<Result<_, _>>()?,
        subject: fields.descriptor("subject")?,
        artifact_type: fields.text("artifactType")?,
        annotations: fields.annotations()?,
    })
}

/// Reads an image index as [`parse`](super::parse) does, but from a file and without ever holding all of it: its entries go
/// to `each`, one by one, which may end it.
///
/// # Errors
/// What `each` returns, and what is wrong with the index as a whole.
pub fn each_entry<E: From<ManifestError>>(
    reader: impl Read,
    mut each: impl FnMut(Result<IndexEntry, UnreadableEntry>) -> Result<(), E>,
) -> Result<(), E> {
    enum Ended<E> {
        Here(JsonError),
        There(E),
    }
    impl<E> From<JsonError> for Ended<E> {
        fn from(error: JsonError) -> Ended<E> {
            Ended::Here(error)
        }
    }
    let beside = json::each_element(reader, "manifests", |value| each(entry_by_itself(value)).map_err(Ended::There));
    let beside = match beside {
        Ok(beside) => beside,
        Err(Ended::Here(error)) => return Err(ManifestError::from(error).into()),
        Err(Ended::There(error)) => return Err(error),
    };
    // With an empty list in place of the entries.
    of_fields(Fields::known("the image index", Ok(beside.members()), MEMBERS)?, IMAGE_INDEX)?;
    Ok(())
}

fn entry_by_itself(value: Result<&RawValue, JsonError>) -> Result<IndexEntry, UnreadableEntry> {
    let value = value.map_err(|error| UnreadableEntry {
        artifact_type: None,
        annotations: BTreeMap::new(),
        problem: error.into(),
    })?;
    entry(value).map_err(|problem| {
        let fields = Fields::inside("an entry of the index", value, &[]).ok();
        let artifact_type = fields.as_ref().and_then(|fields| fields.text("artifactType").ok().flatten());
        let annotations = fields.and_then(|fields| fields.annotations().ok()).unwrap_or_default();
        UnreadableEntry { artifact_type, annotations, problem }
    })
}

fn entry(value: &RawValue) -> Result<IndexEntry, ManifestError> {
    let (descriptor, platform) = Descriptor::read_with_platform("an entry of the index", value)?;
    Ok(IndexEntry { descriptor, platform })
}
