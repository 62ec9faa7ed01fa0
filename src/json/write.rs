//! JSON as it is written for people and for their programs.
//!
//! Follows RFC 8259, section 7: any character of a string may be written as an escape, so that what is read is the same.
//! Escaped is everything that commands a terminal, hides, or rearranges what a reader sees: control characters of ASCII
//! and of C1, bidirectional overrides, line and paragraph separators ([`is_unprintable`]).

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

use crate::failure::is_unprintable;

/// Writes `value` to `out` on one line.
///
/// # Errors
/// If `out` cannot be written to, or `value` cannot be said in JSON.
pub fn to_writer(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(out, Escaping(CompactFormatter));
    value.serialize(&mut serializer).map_err(io::Error::from)
}

/// Writes `value` to `out` on several lines, for reading.
///
/// # Errors
/// As for [`to_writer`].
pub fn to_writer_pretty(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(out, Escaping(PrettyFormatter::new()));
    value.serialize(&mut serializer).map_err(io::Error::from)
}

/// A layout of JSON in whose strings nothing unprintable stands as it is.
struct Escaping<F>(F);

/// The methods that decide on the layout, left to the layout.
macro_rules! laid_out {
    ($($method:ident($($argument:ident: $kind:ty),*))*) => {
        $(fn $method<W: ?Sized + Write>(&mut self, writer: &mut W $(, $argument: $kind)*) -> io::Result<()> {
            self.0.$method(writer $(, $argument)*)
        })*
    };
}

impl<F: Formatter> Formatter for Escaping<F> {
    // What the serializer escapes itself (quotation marks, backslashes, and what is below U+0020) does not come here.
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        escape(writer, fragment, is_unprintable)
    }

    // JSON that was written before: line ends and tabs stand between its strings and never in them.
    fn write_raw_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        escape(writer, fragment, |character| is_unprintable(character) && !matches!(character, '\n' | '\r' | '\t'))
    }

    laid_out! {
        begin_array()
        end_array()
        begin_array_value(first: bool)
        end_array_value()
        begin_object()
        end_object()
        begin_object_key(first: bool)
        end_object_key()
        begin_object_value()
        end_object_value()
    }
}

fn escape<W: ?Sized + Write>(writer: &mut W, fragment: &str, escaped: fn(char) -> bool) -> io::Result<()> {
    let mut written = 0;
    for (start, character) in fragment.char_indices().filter(|(_, character)| escaped(*character)) {
        writer.write_all(&fragment.as_bytes()[written..start])?;
        for unit in character.encode_utf16(&mut [0; 2]) {
            write!(writer, "\\u{unit:04x}")?;
        }
        written = start + character.len_utf8();
    }
    writer.write_all(&fragment.as_bytes()[written..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json, value::RawValue};

    type Writing = fn(&mut dyn Write, &Value) -> io::Result<()>;
    const WRITERS: [Writing; 2] = [|out, value| to_writer(out, value), |out, value| to_writer_pretty(out, value)];

    #[test]
    fn every_character_is_read_as_it_was_and_none_is_written_that_hides() {
        for character in ('\0'..=char::MAX).filter(|character| *character < '\u{3000}' || is_unprintable(*character)) {
            let text = format!("a{character}\u{fc}{character}");
            let value = json!({ &text: [text, { "x": 1 }] });
            for write in WRITERS {
                let mut out = Vec::new();
                write(&mut out, &value).unwrap();
                let written = String::from_utf8(out).unwrap();
                assert!(!written.chars().any(|found| found != '\n' && is_unprintable(found)), "{written}");
                assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), value, "{written}");
            }
        }
    }

    #[test]
    fn escapes_are_those_of_json() {
        let mut out = Vec::new();
        to_writer(&mut out, &"\u{1b}[2J\u{7f}\u{9b}\u{202e}\u{2028}\u{e0041}\"\\\n\u{fc}").unwrap();
        let expected = r#""\u001b[2J\u007f\u009b\u202e\u2028\udb40\udc41\"\\\n\u{fc}""#.replace("\\u{fc}", "\u{fc}");
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn json_that_was_written_before_is_escaped_too() {
        let raw = RawValue::from_string("{\r\n\t\"a\u{202e}\": \"\u{9b}\"}".to_owned()).unwrap();
        let mut out = Vec::new();
        to_writer(&mut out, &raw).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "{\r\n\t\"a\\u202e\": \"\\u009b\"}");
    }
}
