//! What approvers are shown of what they are asked to have signed: which artifact, by which program, and when.
//!
//! The broker calls it `metaData` and passes it on as it is. It is the signer's word and no proof: the payload is. So where the
//! signer is a plugin, which is given bytes alone, it is read from those bytes, and what cannot be read is left out.

use ciborium::Value;
use serde::Serialize;
use serde_json::value::RawValue;
use time::OffsetDateTime;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::json;
use crate::manifest::Descriptor;
use crate::rfc3339::instant;

/// What approvers are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApprovalMetadata {
    /// The name of the artifact, if it is known.
    pub reference: Option<String>,
    /// Its digest.
    pub digest: Option<String>,
    /// Its media type.
    pub media_type: Option<String>,
    /// How long it is, in bytes.
    pub size: Option<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    time: String,
    app: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    media_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
}

impl ApprovalMetadata {
    /// That of the artifact `target`, whose name is `reference`.
    pub fn of(target: &Descriptor, reference: Option<&str>) -> ApprovalMetadata {
        ApprovalMetadata {
            reference: reference.map(str::to_owned),
            digest: Some(target.digest.to_string()),
            media_type: Some(target.media_type.clone()),
            size: Some(target.size),
        }
    }

    /// What the bytes that an envelope wants signed say of the artifact: the signing input of a JWS, or a `Sig_structure` of COSE.
    pub fn of_message(message: &[u8]) -> ApprovalMetadata {
        read(message).unwrap_or_default()
    }

    /// In JSON.
    pub(super) fn written(&self, now: OffsetDateTime) -> Vec<u8> {
        let written = Written {
            time: instant(now),
            app: concat!("muster ", env!("CARGO_PKG_VERSION")),
            kind: "Sign",
            reference: self.reference.as_deref(),
            digest: self.digest.as_deref(),
            media_type: self.media_type.as_deref(),
            size: self.size,
        };
        // Texts and a number: it cannot fail.
        serde_json::to_vec(&written).unwrap_or_default()
    }
}

fn read(message: &[u8]) -> Option<ApprovalMetadata> {
    let payload = jws_payload(message).or_else(|| cose_payload(message))?;
    let payload = json::text(&payload).and_then(json::members).ok()?;
    let target = json::object(payload.get("targetArtifact")?).ok()?;
    let text = |name: &str| {
        target.get(name).and_then(|value: &RawValue| json::string(value).ok()).map(|text| text.into_owned())
    };
    Some(ApprovalMetadata {
        reference: None,
        digest: text("digest"),
        media_type: text("mediaType"),
        size: target.get("size").and_then(|size| json::unsigned(size).ok()),
    })
}

fn jws_payload(message: &[u8]) -> Option<Vec<u8>> {
    let (_, payload) = std::str::from_utf8(message).ok()?.split_once('.')?;
    URL_SAFE_NO_PAD.decode(payload).ok()
}

fn cose_payload(message: &[u8]) -> Option<Vec<u8>> {
    // Four members, none deeper than a byte string.
    const DEPTH: usize = 4;
    let value: Value = ciborium::de::from_reader_with_recursion_limit(message, DEPTH).ok()?;
    match value.into_array().ok()?.pop()? {
        Value::Bytes(payload) => Some(payload),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::digest::Digest;
    use crate::encode::{Prepared, Statement};
    use crate::envelope::Format;
    use crate::pki::KeyKind;

    #[test]
    fn approvers_see_the_artifact_of_either_envelope() {
        let now = datetime!(2026-11-29 12:00 UTC);
        let target = Descriptor::new("application/vnd.oci.image.manifest.v1+json", Digest::sha256(b"x"), 7);
        for format in [Format::Jws, Format::Cose] {
            let prepared = Prepared::new(format, &Statement::new(target.clone(), now), KeyKind::P256).unwrap();
            let read = ApprovalMetadata::of_message(&prepared.to_be_signed());
            assert_eq!(read, ApprovalMetadata::of(&target, None), "{format:?}");
        }
        let written = ApprovalMetadata::of(&target, Some("r.example.com/app:v1")).written(now);
        let expected = format!(
            r#"{{"time":"2026-11-29T12:00:00Z","app":"muster {}","type":"Sign","reference":"r.example.com/app:v1","digest":"{}","mediaType":"{}","size":7}}"#,
            env!("CARGO_PKG_VERSION"),
            target.digest,
            target.media_type
        );
        assert_eq!(String::from_utf8(written).unwrap(), expected);
    }

    #[test]
    fn what_says_nothing_of_an_artifact_is_shown_without() {
        for message in [b"".as_slice(), b"a.b", b"a.e30", &[0x84], &[0x9f; 5000], b"\xff"] {
            assert_eq!(ApprovalMetadata::of_message(message), ApprovalMetadata::default(), "{message:?}");
        }
    }
}
