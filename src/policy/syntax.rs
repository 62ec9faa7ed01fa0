//! From the bytes of a trust policy document to a tree in which every value has its place.
//!
//! Follows RFC 8259 to the letter. Refused are: anything but UTF-8, a byte order mark, comments, trailing commas,
//! anything after the document, nesting without end. Two parsers look at it in turn: `serde_json`, which is strict and
//! well known, then `jsonc-parser` with every leniency off, which keeps the places.

use std::ops::Range;

use jsonc_parser::ast::Value;
use jsonc_parser::{CollectOptions, ParseOptions};

use super::finding::Rule;
use crate::diagnostic::{Diagnostic, SourceText};
use crate::limits;

const STRICT: ParseOptions = ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// The text of a document.
pub(super) fn text<'a>(bytes: &'a [u8], file: &str) -> Result<&'a str, Box<Diagnostic>> {
    let refuse = |message: &str| {
        let refusal = Diagnostic::error(Rule::Encoding.code(), file, message);
        Err(Box::new(refusal.with_help("save the file as UTF-8 without a byte order mark")))
    };
    match bytes {
        [0xef, 0xbb, 0xbf, ..] => return refuse("the file starts with a byte order mark"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, _, ..] | [_, 0, ..] => {
            return refuse("the file is UTF-16 or UTF-32 text, or no text at all");
        }
        _ => {}
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let readable = String::from_utf8_lossy(bytes);
        let place = error.valid_up_to()..error.valid_up_to() + 1;
        let refusal = SourceText::new(file, &readable).error(Rule::Encoding.code(), place, "this is not UTF-8");
        Box::new(refusal.with_help("save the file as UTF-8"))
    })
}

/// The tree of a document.
pub(super) fn tree<'a>(source: &SourceText<'a>) -> Result<Value<'a>, Box<Diagnostic>> {
    let text = source.text();
    let refusal = |rule: Rule, range: Range<usize>, message: String, help: &str| {
        Box::new(source.error(rule.code(), range, message).with_help(help))
    };
    if text.trim_ascii().is_empty() {
        let help = "a trust policy is a JSON object with the members \"version\" and \"trustPolicies\"";
        return Err(refusal(Rule::Syntax, 0..0, "the file is empty".to_owned(), help));
    }
    if let Some(offset) = too_deep(text) {
        let message = format!("JSON nests deeper than {} levels here", limits::JSON_DEPTH);
        return Err(refusal(Rule::Nesting, offset..offset + 1, message, "a trust policy needs five levels"));
    }
    serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(|error| Box::new(not_json(source, &error)))?;
    let parsed = jsonc_parser::parse_to_ast(text, &CollectOptions::default(), &STRICT).map_err(|error| {
        let range = error.range();
        let message = format!("this is not JSON: {}", first_lower(&error.kind().to_string()));
        refusal(Rule::Syntax, range.start..range.end, message, "see RFC 8259 for what JSON is")
    })?;
    parsed.value.ok_or_else(|| refusal(Rule::Syntax, 0..0, "the file holds no JSON value".to_owned(), "write one"))
}

fn not_json(source: &SourceText<'_>, error: &serde_json::Error) -> Diagnostic {
    let offset = source.offset(error.line(), error.column().max(1));
    let rest = &source.text()[offset..];
    let before = source.text()[..offset].trim_ascii_end();
    let described = error.to_string();
    let reason = described.split(" at line ").next().unwrap_or_default();
    let (message, help) = if rest.starts_with("//") || rest.starts_with("/*") || rest.starts_with('#') {
        ("comments are not allowed in JSON".to_owned(), "remove the comment")
    } else if reason.contains("trailing comma") || (before.ends_with(',') && rest.starts_with(['}', ']'])) {
        ("a comma before a closing bracket is not allowed in JSON".to_owned(), "remove the comma")
    } else if reason.contains("trailing characters") {
        ("there is more after the end of the document".to_owned(), "remove it: a file holds one JSON object")
    } else if error.is_eof() {
        (format!("the document ends too early: {}", first_lower(reason)), "close what is open")
    } else {
        (format!("this is not JSON: {reason}"), "see RFC 8259 for what JSON is")
    };
    source.error(Rule::Syntax.code(), offset..offset + 1, message).with_help(help)
}

fn first_lower(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_lowercase().collect::<String>());
    first.unwrap_or_default() + characters.as_str()
}

/// Where the bracket stands that opens a level too many, found without recursion.
fn too_deep(text: &str) -> Option<usize> {
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for (offset, byte) in text.bytes().enumerate() {
        match (in_string, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_string = !in_string,
            (false, b'[' | b'{') => {
                depth += 1;
                if depth > limits::JSON_DEPTH {
                    return Some(offset);
                }
            }
            (false, b']' | b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(bytes: &[u8]) -> Diagnostic {
        match text(bytes, "policy.json") {
            Err(diagnostic) => *diagnostic,
            Ok(text) => *tree(&SourceText::new("policy.json", text)).expect_err("this was taken for a document"),
        }
    }

    #[test]
    fn refusals_name_their_place() {
        for (text, line, column, words) in [
            ("", 1, 1, "empty"),
            (" \n ", 1, 1, "empty"),
            ("{\"a\": 1\n", 2, 1, "too early"),
            ("{} {}", 1, 4, "more after"),
            ("{\n  // x\n}", 2, 3, "comments"),
            ("{\n  /* x */\n}", 2, 3, "comments"),
            ("[1] # x", 1, 5, "comments"),
            ("{\"a\": 1,\n}", 2, 1, "comma"),
            ("[1,]", 1, 4, "comma"),
            ("{a: 1}", 1, 2, "not JSON"),
            ("{'a': 1}", 1, 2, "not JSON"),
            ("{\"a\": NaN}", 1, 7, "not JSON"),
            ("{\"a\": 01}", 1, 8, "not JSON"),
            ("{\"a\": .5}", 1, 7, "not JSON"),
            ("{\"a\": 0x1}", 1, 8, "not JSON"),
            ("{\"a\": \"\\ud800\"}", 1, 8, "not JSON"),
            ("{\"a\": \"\\q\"}", 1, 9, "not JSON"),
            ("{\"a\": \"\u{1}\"}", 1, 7, "not JSON"),
            ("\u{a0}{}", 1, 1, "not JSON"),
        ] {
            let refusal = refusal(text.as_bytes());
            let span = refusal.span.unwrap();
            assert!(refusal.message.contains(words), "{text:?}: {refusal}");
            assert_eq!((span.line, span.column), (line, column), "{text:?}: {refusal}");
        }
    }

    #[test]
    fn other_encodings_are_named() {
        assert!(refusal(b"\xef\xbb\xbf{}").message.contains("byte order mark"));
        assert!(refusal(b"\xff\xfe{\0}\0").message.contains("UTF-16"));
        assert!(refusal(b"\0{\0}").message.contains("UTF-16"));
        let inside = refusal(b"{\n \"a\": \"\xe4\"}").span.unwrap();
        assert_eq!((inside.line, inside.column), (2, 8));
    }

    #[test]
    fn depth_is_bounded_without_recursion() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let nested = |levels: usize| open.repeat(levels) + "0" + &close.repeat(levels);
            assert_eq!(refusal(nested(limits::JSON_DEPTH + 1).as_bytes()).code, "json-nesting");
            assert_eq!(refusal(nested(1_000_000).as_bytes()).code, "json-nesting");
            assert!(tree(&SourceText::new("p", &nested(limits::JSON_DEPTH))).is_ok());
        }
        let text = format!("[\"{}\\\"\"]", "[".repeat(1000));
        assert!(tree(&SourceText::new("p", &text)).is_ok());
    }
}
