//! What a signature says, before it is put into an envelope (*signature-specification*, Payload and Signed Attributes).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::EncodeError;
use crate::envelope::SigningScheme;
use crate::manifest::Descriptor;

/// The media type of the payload.
pub const PAYLOAD_TYPE: &str = "application/vnd.cncf.notary.payload.v1+json";

/// The word of a signing scheme in the envelope. It is written here again and not asked of
/// [`SigningScheme::as_str`], by which envelopes are read: a mistake in one of the two shows.
pub(super) fn word(scheme: SigningScheme) -> &'static str {
    match scheme {
        SigningScheme::X509 => "notary.x509",
        SigningScheme::SigningAuthority => "notary.x509.signingAuthority",
    }
}

/// A signed attribute that the specification does not name. Its value is text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
    /// Whether it is listed as critical.
    pub critical: bool,
}

/// Everything that a signature says.
#[derive(Debug, Clone)]
pub struct Statement {
    /// The artifact. Its annotations are the user metadata.
    pub target: Descriptor,
    /// The scheme.
    pub scheme: SigningScheme,
    /// When it was signed: `signingTime`, or `authenticSigningTime` under the signing authority's scheme.
    pub signing_time: OffsetDateTime,
    /// When it expires.
    pub expiry: Option<OffsetDateTime>,
    /// Further signed attributes.
    pub attributes: Vec<Attribute>,
    /// Which program signed; not signed itself.
    pub signing_agent: Option<String>,
}

impl Statement {
    /// The payload: `{"targetArtifact":{…}}`.
    pub fn payload(&self) -> Vec<u8> {
        json!({ "targetArtifact": descriptor(&self.target) }).to_string().into_bytes()
    }
}

/// A descriptor as manifests and payloads write it.
pub(crate) fn descriptor(descriptor: &Descriptor) -> Value {
    let mut members = Map::new();
    members.insert("mediaType".to_owned(), json!(descriptor.media_type));
    members.insert("digest".to_owned(), json!(descriptor.digest));
    members.insert("size".to_owned(), json!(descriptor.size));
    if let Some(artifact_type) = &descriptor.artifact_type {
        members.insert("artifactType".to_owned(), json!(artifact_type));
    }
    if !descriptor.annotations.is_empty() {
        members.insert("annotations".to_owned(), annotations(&descriptor.annotations));
    }
    Value::Object(members)
}

pub(super) fn annotations(annotations: &BTreeMap<String, String>) -> Value {
    Value::Object(annotations.iter().map(|(name, value)| (name.clone(), json!(value))).collect())
}

/// A time as RFC 3339 in whole seconds.
pub(super) fn rfc3339(time: OffsetDateTime) -> Result<String, EncodeError> {
    let whole = time.replace_nanosecond(0).map_err(|_| EncodeError::Time)?;
    whole.to_offset(time::UtcOffset::UTC).format(&Rfc3339).map_err(|_| EncodeError::Time)
}
