//! From the bytes of a scenario file to its members.
//!
//! YAML 1.2, of which JSON is a part. Refused are: anything but UTF-8, a byte order mark, more than one document, keys
//! given twice, merge keys, anchors and aliases (they can grow without end, and a matrix and defaults do what they are
//! used for), nesting without end. Nothing is interpolated and nothing included: `${HOME}` is seven characters.

use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::{DefaultMessageFormatter, Error, MergeKeyPolicy, MessageFormatter as _, Options};

use super::filled::Filled;
use super::finding::Rule;
use super::world::RawScenario;
use crate::diagnostic::{Diagnostic, SourceText};
use crate::failure::{is_unprintable, quote};
use crate::limits;
use crate::policy::did_you_mean;

/// How the parser calls `null`, and nothing behind a key.
const NOTHING: &str = "unit value";

/// The text of a file.
pub(super) fn text<'a>(bytes: &'a [u8], file: &str) -> Result<&'a str, Box<Diagnostic>> {
    if bytes.starts_with(&[0xef, 0xbb, 0xbf]) {
        let refusal =
            SourceText::new(file, "").error(Rule::Encoding.code(), 0..0, "the file starts with a byte order mark");
        return Err(Box::new(refusal.with_help("save the file as UTF-8 without a byte order mark")));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let readable = String::from_utf8_lossy(bytes);
        let place = error.valid_up_to()..error.valid_up_to() + 1;
        let refusal = SourceText::new(file, &readable).error(Rule::Encoding.code(), place, "this is not UTF-8");
        Box::new(refusal.with_help("save the file as UTF-8"))
    })
}

/// The members of a file.
pub(super) fn members(source: &SourceText<'_>) -> Result<RawScenario, Box<Diagnostic>> {
    if source.text().trim_ascii().is_empty() {
        let refusal = source.error(Rule::Syntax.code(), 0..0, "the file is empty");
        return Err(Box::new(refusal.with_help("a scenario has at least a title and something to verify")));
    }
    let refused = |error: Error| Box::new(refusal(source, &error));
    let raw = serde_saphyr::from_str_with_options(source.text(), options()).map_err(refused)?;
    let Filled = serde_saphyr::from_str_with_options(source.text(), options()).map_err(refused)?;
    Ok(raw)
}

/// What the parser takes.
pub(super) fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_aliases: 0,
            max_anchors: 0,
            max_depth: limits::SCENARIO_DEPTH,
            flow_nesting_limit: limits::SCENARIO_DEPTH,
            max_documents: 1,
            max_inclusion_depth: 0,
        },
        merge_keys: MergeKeyPolicy::Error,
        strict_booleans: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    }
}

/// What the parser says, in Muster's words where it is a slip that people make.
fn refusal(source: &SourceText<'_>, error: &Error) -> Diagnostic {
    let error = error.without_snippet();
    let range = error.location().map_or(0..0, |location| {
        let span = location.span();
        let bytes = |count: Option<u64>| count.and_then(|count| usize::try_from(count).ok());
        match (bytes(span.byte_offset()), bytes(span.byte_len())) {
            (Some(start), length) => start..start + length.unwrap_or(1),
            (None, _) => {
                let number = |number: u64| usize::try_from(number).unwrap_or(1);
                let start = source.offset(number(location.line()), number(location.column()));
                start..start + 1
            }
        }
    });
    let (rule, message, help) = match error {
        Error::SerdeUnknownField { field, expected, .. } => {
            (Rule::KeyUnknown, format!("there is no key {} here", quote(field)), did_you_mean(field, expected))
        }
        Error::SerdeUnknownVariant { variant, expected, .. } => (
            Rule::WordUnknown,
            format!("{} is not a word that may stand here", quote(variant)),
            did_you_mean(variant, expected),
        ),
        Error::SerdeMissingField { field, .. } => {
            (Rule::KeyMissing, format!("the key {field:?} is missing here"), format!("add {field:?}"))
        }
        Error::DuplicateMappingKey { key, .. } => {
            let key = key.as_deref().map_or("a key".to_owned(), |key| format!("the key {}", quote(key)));
            (Rule::KeyRepeated, format!("{key} is given twice"), "keep one of them".to_owned())
        }
        Error::MergeKeyNotAllowed { .. } => {
            (Rule::MergeKey, "merge keys are not allowed".to_owned(), "write the keys out".to_owned())
        }
        Error::MultipleDocuments { .. } | Error::Budget { breach: BudgetBreach::Documents { .. }, .. } => {
            (Rule::Syntax, "there is a second document".to_owned(), "one file holds one scenario".to_owned())
        }
        Error::Budget { breach: BudgetBreach::Anchors { .. } | BudgetBreach::Aliases { .. }, .. }
        | Error::UnknownAnchor { .. } => {
            (Rule::Limit, "anchors and aliases are not allowed".to_owned(), "write the values out".to_owned())
        }
        Error::Budget { .. } => (
            Rule::Limit,
            "this is more than a scenario may hold".to_owned(),
            format!("divide the scenario; nothing nests deeper than {} levels", limits::SCENARIO_DEPTH),
        ),
        Error::SerdeInvalidType { unexpected, expected, .. } if unexpected == NOTHING => {
            (Rule::Type, "nothing stands here".to_owned(), format!("write {}", printable(expected)))
        }
        Error::NullIntoString { .. } => {
            (Rule::Type, "nothing stands here".to_owned(), "write a value, or remove the key".to_owned())
        }
        Error::SerdeInvalidType { unexpected, expected, .. } => (
            Rule::Type,
            format!("this is {}, not {}", printable(unexpected), printable(expected)),
            format!("write {}", printable(expected)),
        ),
        Error::Unexpected { expected, .. } => {
            let (expected, help) = match *expected {
                "sequence start" => ("a list", "begin each entry with - on a line of its own, or write [a, b]"),
                "mapping start" => ("a mapping", "write key: value below it, or {} for nothing"),
                "string scalar" => ("text", "write one value, and no list or mapping"),
                other => (other, "correct the value"),
            };
            (Rule::Type, format!("this is not {expected}"), help.to_owned())
        }
        Error::Message { msg, .. } => (Rule::Value, printable(msg), "correct the value".to_owned()),
        Error::ExternallyTaggedEnumExpectedScalarOrMapping { .. }
        | Error::ExpectedStringKeyForExternallyTaggedEnum { .. } => {
            (Rule::Type, "this is not a word".to_owned(), "write one word, and no list or mapping".to_owned())
        }
        Error::InvalidBooleanStrict { .. } | Error::InvalidScalar { ty: "boolean", .. } => {
            (Rule::Type, "this is neither true nor false".to_owned(), "write true or false".to_owned())
        }
        Error::InvalidScalar { ty: "u16" | "u32" | "u64", .. } => (
            Rule::Type,
            "this is not a number that may stand here".to_owned(),
            "write a whole number from 0 on".to_owned(),
        ),
        Error::InvalidScalar { .. } | Error::SerdeInvalidValue { .. } => {
            (Rule::Type, plain(error), "correct the value".to_owned())
        }
        _ => (Rule::Syntax, plain(error), "see https://yaml.org for what YAML is; tabs cannot indent it".to_owned()),
    };
    source.error(rule.code(), range, message).with_help(help)
}

/// The parser's own words, as a sentence of ours.
fn plain(error: &Error) -> String {
    printable(DefaultMessageFormatter.format_message(error).trim_end_matches('.'))
}

/// One line, with nothing in it that a terminal would act on.
fn printable(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut printable = String::new();
    for character in line.chars().take(300) {
        if is_unprintable(character) {
            printable.extend(character.escape_unicode());
        } else {
            printable.push(character);
        }
    }
    printable
}
