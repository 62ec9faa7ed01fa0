//! What an attachment or a file holds: written in the scenario as text or as JSON, or in a file of the project.
//!
//! In what is attached, the artifact that it is attached to can be named before it is there: `{digest}` and its like are filled
//! in. What has other braces stays as it is, and so does every file of the project.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value as Json;

use super::reader::Reader;
use crate::forge::Blob;
use crate::limits;
use crate::manifest::Descriptor;
use crate::regular_file;
use crate::scenario::finding::Rule;
use crate::scenario::spanned::Spanned;

/// Content that stands in a scenario: text, or JSON, of which the text is kept.
#[derive(Debug, Clone)]
pub(in crate::scenario) struct RawContent(String);

/// A layer of what is attached.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawLayer {
    /// Its media type; the artifact type if left out.
    media_type: Option<Spanned<String>>,
    /// What it holds, as that of an attachment.
    content: Option<Spanned<RawContent>>,
    /// In its place: a file of the project that holds it, by its path from here.
    from: Option<Spanned<String>>,
}

/// What something holds.
#[derive(Debug)]
pub(super) enum Content {
    Text(String),
    /// What this file holds, which was of this length, in bytes.
    File(PathBuf, u64),
}

/// A layer with its content.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) media_type: String,
    pub(super) content: Content,
}

impl RawContent {
    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

impl Content {
    /// Content that is written in the scenario, or in a file of the project; `place` is where findings point if it is in none.
    pub(super) fn check(
        content: Option<&Spanned<RawContent>>,
        from: Option<&Spanned<String>>,
        place: &Range<usize>,
        reader: &mut Reader<'_, '_, '_>,
    ) -> Option<Content> {
        match (content, from) {
            (Some(content), None) => Some(Content::Text(content.value.text().to_owned())),
            (None, Some(from)) => {
                let (path, length) = reader.policies.project_file(from, reader.findings)?;
                Some(Content::File(path, length))
            }
            (Some(_), Some(from)) => {
                let message = "the content is given twice".to_owned();
                reader.findings.error(Rule::Contradiction, &from.range, message, "remove content or from");
                None
            }
            (None, None) => {
                let message = "there is no content".to_owned();
                let help = "add content, or from with a file of the project";
                reader.findings.error(Rule::KeyMissing, place, message, help);
                None
            }
        }
    }

    /// How long it is, before anything is filled in.
    pub(super) fn length(&self) -> u64 {
        match self {
            Content::Text(text) => text.len() as u64,
            Content::File(_, length) => *length,
        }
    }

    /// The content, in which nothing is filled in.
    pub(super) fn bytes(&self) -> Result<Vec<u8>, String> {
        match self {
            Content::Text(text) => Ok(text.clone().into_bytes()),
            Content::File(path, _) => regular_file::read(path, limits::SCENARIO_CONTENT_BYTES)
                .map_err(|problem| format!("{} {problem}", path.display())),
        }
    }
}

impl Layer {
    pub(super) fn check(
        raw: &Spanned<RawLayer>,
        artifact_type: &str,
        reader: &mut Reader<'_, '_, '_>,
    ) -> Option<Layer> {
        let RawLayer { media_type, content, from } = &raw.value;
        let content = Content::check(content.as_ref(), from.as_ref(), &raw.range, reader)?;
        Some(Layer { media_type: checked_media_type(media_type.as_ref(), artifact_type, reader)?, content })
    }

    /// How long it is, before anything is filled in.
    pub(super) fn length(&self) -> u64 {
        self.content.length()
    }

    /// The layer of what is attached to `subject`, which is called `name`.
    pub(super) fn blob(&self, subject: &Descriptor, name: &str) -> Result<Blob, String> {
        let bytes = match &self.content {
            Content::Text(text) => filled_in(text, subject, name).into_bytes(),
            file => file.bytes()?,
        };
        Ok(Blob::new(&self.media_type, bytes))
    }
}

/// The media type that is given, which must be one; the `usual` one where none is.
pub(super) fn checked_media_type(
    given: Option<&Spanned<String>>,
    usual: &str,
    reader: &mut Reader<'_, '_, '_>,
) -> Option<String> {
    let Some(given) = given else { return Some(usual.to_owned()) };
    if given.value.trim().is_empty() {
        let message = "the media type is empty".to_owned();
        reader.findings.error(Rule::Value, &given.range, message, "write application/vnd.in-toto+json");
        return None;
    }
    Some(given.value.clone())
}

/// The text with the artifact filled in. What is filled in is not looked at again.
fn filled_in(text: &str, subject: &Descriptor, name: &str) -> String {
    let value = |word: &str| match word {
        "digest" => Some(subject.digest.to_string()),
        "sha256" => Some(subject.digest.hex()),
        "size" => Some(subject.size.to_string()),
        "mediaType" => Some(subject.media_type.clone()),
        "artifact" => Some(name.to_owned()),
        _ => None,
    };
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        filled.push_str(&rest[..start]);
        rest = &rest[start..];
        let found = rest.find('}').and_then(|end| Some((end, value(&rest[1..end])?)));
        match found {
            Some((end, value)) => {
                filled.push_str(&value);
                rest = &rest[end + 1..];
            }
            None => {
                filled.push('{');
                rest = &rest[1..];
            }
        }
    }
    filled.push_str(rest);
    filled
}

impl<'de> Deserialize<'de> for RawContent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<RawContent, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = RawContent;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text, or a mapping or a list, which is written as JSON")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<RawContent, E> {
                Ok(RawContent(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawContent, A::Error> {
                Json::deserialize(MapAccessDeserializer::new(map)).map(|json| RawContent(json.to_string()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<RawContent, A::Error> {
                Json::deserialize(SeqAccessDeserializer::new(list)).map(|json| RawContent(json.to_string()))
            }
        }

        deserializer.deserialize_any(Read)
    }
}

impl JsonSchema for RawContent {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Content".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "object", "array"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::syntax;

    #[test]
    fn mappings_and_lists_are_written_as_json() {
        let read = |text: &str| {
            let content = serde_saphyr::from_str_with_options::<RawContent>(text, syntax::options());
            content.map(|content| content.text().to_owned())
        };
        for (text, expected) in [
            ("plain text", "plain text"),
            ("'{\"a\": 1}'", r#"{"a": 1}"#),
            ("{ b: 1, a: [yes, true, null, 1.5, \"{sha256}\"] }", r#"{"a":["yes",true,null,1.5,"{sha256}"],"b":1}"#),
            ("- a: { b: c }\n- 2026-01-01\n", r#"[{"a":{"b":"c"}},"2026-01-01"]"#),
        ] {
            assert_eq!(read(text).unwrap(), expected, "{text}");
        }
        assert!(read("3").is_err() && read("true").is_err());
    }

    #[test]
    fn the_artifact_is_filled_in_and_nothing_else() {
        let subject = Blob::new("application/vnd.oci.image.manifest.v1+json", *b"{}").descriptor;
        let hex = subject.digest.hex();
        for (text, expected) in [
            ("", String::new()),
            ("{digest}", format!("sha256:{hex}")),
            (r#"{"sha256":"{sha256}","size":{size}}"#, format!(r#"{{"sha256":"{hex}","size":2}}"#)),
            ("{artifact} {mediaType}", format!("a.io/b:{{digest}} {}", subject.media_type)),
            ("{{digest}} {Digest} { digest } {digest", format!("{{sha256:{hex}}} {{Digest}} {{ digest }} {{digest")),
            ("ä{}ö{{{", "ä{}ö{{{".to_owned()),
        ] {
            assert_eq!(filled_in(text, &subject, "a.io/b:{digest}"), expected, "{text}");
        }
    }
}
