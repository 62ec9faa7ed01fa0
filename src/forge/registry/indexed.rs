//! What the registry notes of a manifest for its referrers API.
//!
//! Read with a lenient parser, as registries do, and not with the one that verification uses: what is refused there must
//! still be servable here.

use serde_json::{Map, Value};

use crate::digest::Digest;

/// What is noted of a manifest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Indexed {
    pub(super) subject: Option<Digest>,
    pub(super) subject_media_type: Option<String>,
    /// The manifest's own artifact type.
    pub(super) artifact_type: Option<String>,
    pub(super) config_media_type: Option<String>,
    pub(super) media_type: Option<String>,
    pub(super) annotations: Map<String, Value>,
    /// Whether the manifest lists others.
    pub(super) is_index: bool,
}

impl Indexed {
    /// Reads a manifest. `None`: it is no JSON object.
    pub(super) fn read(bytes: &[u8]) -> Option<Indexed> {
        let Ok(Value::Object(mut manifest)) = serde_json::from_slice(bytes) else { return None };
        let subject = manifest.get("subject");
        Some(Indexed {
            subject: subject.and_then(|subject| text(subject, "digest")).and_then(|digest| digest.parse().ok()),
            subject_media_type: subject.and_then(|subject| text(subject, "mediaType")),
            artifact_type: manifest.get("artifactType").and_then(not_empty),
            config_media_type: manifest.get("config").and_then(|config| text(config, "mediaType")),
            media_type: manifest.get("mediaType").and_then(not_empty),
            is_index: manifest.contains_key("manifests"),
            annotations: match manifest.remove("annotations") {
                Some(Value::Object(annotations)) => annotations,
                _ => Map::new(),
            },
        })
    }
}

fn text(value: &Value, member: &str) -> Option<String> {
    value.get(member).and_then(not_empty)
}

fn not_empty(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}
