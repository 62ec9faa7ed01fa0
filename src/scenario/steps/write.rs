//! `write`: writes a file of the scenario's own, which can be signed by itself; or writes it again, so that its signature is of
//! something else.
//!
//! Files lie in a folder of the case, and nowhere else: a name is no path.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::Deserialize;

use super::content::{Content, RawContent};
use super::reader::Reader;
use super::{Step, Written};
use crate::failure::quote;
use crate::limits;
use crate::scenario::finding::Rule;
use crate::scenario::spanned::Spanned;
use crate::scenario::world::World;

/// The longest name of a file, in bytes.
const NAME_BYTES: usize = 100;

/// `write`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawWrite {
    /// What it is called: a plain file name.
    file: Spanned<String>,
    /// What it holds: text, or a mapping or a list, which is written as JSON.
    content: Option<Spanned<RawContent>>,
    /// In its place: what it holds, in Base64.
    base64: Option<Spanned<String>>,
    /// In its place: a file of the project that holds it, by its path from here.
    from: Option<Spanned<String>>,
    /// In its place: its length in bytes, whatever they are.
    size: Option<Spanned<u64>>,
}

/// A file that is written.
#[derive(Debug)]
pub(in crate::scenario) struct Write {
    file: String,
    what: What,
}

/// What is written.
#[derive(Debug)]
enum What {
    Content(Content),
    Bytes(Vec<u8>),
    Length(usize),
}

impl Written for RawWrite {
    type Checked = Write;

    fn check(&self, reader: &mut Reader<'_, '_, '_>) -> Option<Write> {
        let RawWrite { file, content, base64, from, size } = self;
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
        let name = file.value.as_bytes();
        if name.is_empty() || name.len() > NAME_BYTES || name[0] == b'.' || !name.iter().all(|b| plain(*b)) {
            let message = format!("{} is no name for a file", quote(&file.value));
            let help = "use letters, digits, _ . and -, no . at the beginning; files have no folders here";
            reader.findings.error(Rule::Name, &file.range, message, help);
            return None;
        }
        // Known from here on, so that a slip in what it holds is told once.
        reader.files.entry(file.value.clone()).or_insert(0);
        let places = [
            content.as_ref().map(|given| &given.range),
            base64.as_ref().map(|given| &given.range),
            from.as_ref().map(|given| &given.range),
            size.as_ref().map(|given| &given.range),
        ];
        if let Some(second) = places.iter().flatten().nth(1) {
            let message = "the content is given twice".to_owned();
            let help = "keep one of content, base64, from and size";
            reader.findings.error(Rule::Contradiction, second, message, help);
            return None;
        }
        let what = match (base64, size) {
            (Some(text), _) => What::Bytes(decoded(text, reader)?),
            (None, Some(size)) => match usize::try_from(size.value) {
                Ok(length) if size.value <= limits::SCENARIO_CONTENT_BYTES => What::Length(length),
                _ => {
                    let message = format!("this is more than {} bytes", limits::SCENARIO_CONTENT_BYTES);
                    reader.findings.error(Rule::Count, &size.range, message, "write a smaller number");
                    return None;
                }
            },
            (None, None) => {
                let missing = places.iter().all(Option::is_none);
                if missing {
                    let message = format!("it is not said what {} holds", quote(&file.value));
                    let help = "add content, base64, from or size";
                    reader.findings.error(Rule::KeyMissing, &file.range, message, help);
                    return None;
                }
                What::Content(Content::check(content.as_ref(), from.as_ref(), &file.range, reader)?)
            }
        };
        Some(Write { file: file.value.clone(), what })
    }
}

fn decoded(text: &Spanned<String>, reader: &mut Reader<'_, '_, '_>) -> Option<Vec<u8>> {
    // Long content stands on several lines.
    let compact: String = text.value.split_ascii_whitespace().collect();
    match STANDARD.decode(compact) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            let message = format!("this is no Base64: {error}");
            reader.findings.error(Rule::Value, &text.range, message, "write it as base64 does: aGVsbG8=");
            None
        }
    }
}

impl Step for Write {
    async fn act(&self, world: &mut World) -> Result<(), String> {
        let bytes = match &self.what {
            What::Content(content) => content.bytes()?,
            What::Bytes(bytes) => bytes.clone(),
            What::Length(length) => (0..*length).map(|at| (at % 251) as u8).collect(),
        };
        world.files.write(&self.file, &bytes)
    }
}
