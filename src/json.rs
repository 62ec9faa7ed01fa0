//! Strict JSON: what RFC 8259 leaves open is refused, because two readers who resolve it differently read two documents.
//!
//! [`members`] reads one object and hands out its members as slices of the text, so that an envelope is read without a
//! tree. It refuses a second member of the same name, and also one that differs only in case: the reference
//! implementation's parser takes `PAYLOAD` for `payload`, and the last of them wins. It does not look inside the values;
//! [`members`] again, or [`check()`] for a value that is not interpreted here, does. [`known_members`] reads of an object
//! that is not signed only what is asked for, and holds nothing of the rest; [`each_inner`] hands out long arrays as they come.

mod check;
mod inner;
mod known;

pub use check::check;
pub use inner::{Inner, Kind, each_inner, kind_of};
pub use known::known_members;

mod write;

mod long_array;

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::failure::quote;
use crate::limits;

pub use long_array::{Beside, each_element};
pub use write::{to_writer, to_writer_pretty};

/// Why a text is not the JSON that was expected. Reads as one sentence without a full stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// The bytes are not UTF-8.
    #[error("the text is not UTF-8 (byte {0})")]
    Utf8(usize),
    /// The text starts with a byte order mark.
    #[error("the text starts with a byte order mark")]
    ByteOrderMark,
    /// Deeper than is read there.
    #[error("the JSON nests deeper than {0} levels")]
    Depth(usize),
    /// Not JSON, or something behind it.
    #[error("not valid JSON: {0}")]
    Syntax(String),
    /// JSON, but of another type.
    #[error("expected {expected}, found {found}")]
    Type {
        /// What was expected, with its article.
        expected: &'static str,
        /// What is there, with its article.
        found: &'static str,
    },
    /// An object with more than [`limits::JSON_MEMBERS`] members.
    #[error("the object has more than {members} members", members = limits::JSON_MEMBERS)]
    Members,
    /// An array with more elements than are read there.
    #[error("the array has more than {0} elements")]
    Elements(usize),
    /// More than [`limits::JSON_ITEMS`] members and elements at all depths together.
    #[error("the JSON has more than {items} members and elements", items = limits::JSON_ITEMS)]
    Items,
    /// An element of a long array that is longer than one is.
    #[error("an element of the array has more than {bytes} bytes", bytes = limits::JSON_ELEMENT_BYTES)]
    LongElement,
    /// Two members of one object have the same name.
    #[error("the member {} is there twice", quote(.0))]
    Duplicate(String),
    /// Two members of one object have names that differ only in case.
    #[error("the members {} and {} differ only in case", quote(.0), quote(.1))]
    CaseVariants(String, String),
    /// A number that is no integer from 0 to 2^64 - 1, or is not written as one.
    #[error("expected an integer that is not negative, written without fraction or exponent")]
    Unsigned,
}

/// The members of one JSON object, in the order of the text. No two names are equal, and those that [`members`] or
/// [`object`] read are not equal ignoring case either.
#[derive(Debug, Clone)]
pub struct Members<'a> {
    members: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'a> Members<'a> {
    /// The value of the member with exactly this name.
    pub fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.members.iter().find(|(known, _)| known == name).map(|&(_, value)| value)
    }

    /// All members, in the order of the text.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.members.iter().map(|(name, value)| (name.as_ref(), *value))
    }

    /// The first member whose name equals one of `known` only when case is ignored.
    pub fn case_variant_of(&self, known: &[&str]) -> Option<&str> {
        let variant =
            |name: &&str| known.iter().all(|k| k != name) && known.iter().any(|k| equal_ignoring_case(k, name));
        self.members.iter().map(|(name, _)| name.as_ref()).find(variant)
    }
}

/// The bytes as text: UTF-8 without a byte order mark.
pub fn text(bytes: &[u8]) -> Result<&str, JsonError> {
    let text = std::str::from_utf8(bytes).map_err(|e| JsonError::Utf8(e.valid_up_to()))?;
    if text.starts_with('\u{feff}') { Err(JsonError::ByteOrderMark) } else { Ok(text) }
}

/// Reads `text` as one JSON object with nothing but white space around it.
pub fn members(text: &str) -> Result<Members<'_>, JsonError> {
    check_depth(text.as_bytes())?;
    read_object(text, fold)
}

/// Reads a value as an object. Its depth was checked with that of the text it is part of.
pub fn object(value: &RawValue) -> Result<Members<'_>, JsonError> {
    read_object(value.get(), fold)
}

/// Reads a value as an object whose names are data (annotations), so that names which differ in case are two names.
pub fn entries(value: &RawValue) -> Result<Members<'_>, JsonError> {
    read_object(value.get(), |name| Cow::Borrowed(name))
}

/// Reads an object in which no two names are `same`, once made comparable.
fn read_object(text: &str, same: impl Fn(&str) -> Cow<'_, str>) -> Result<Members<'_>, JsonError> {
    expect("an object", text)?;
    let Object(members) = parse(text)?;
    if members.len() > limits::JSON_MEMBERS {
        return Err(JsonError::Members);
    }
    refuse_repetition(members.iter().map(|(name, _)| name.as_ref()), same)?;
    Ok(Members { members })
}

fn refuse_repetition<'a>(
    names: impl Iterator<Item = &'a str>,
    same: impl Fn(&str) -> Cow<'_, str>,
) -> Result<(), JsonError> {
    let mut names: Vec<(Cow<'a, str>, &'a str)> = names.map(|name| (same(name), name)).collect();
    names.sort_unstable();
    match names.array_windows().find(|[(name, _), (next, _)]| name == next) {
        Some([(_, first), (_, second)]) if first == second => Err(JsonError::Duplicate((*first).to_owned())),
        Some([(_, first), (_, second)]) => Err(JsonError::CaseVariants((*first).to_owned(), (*second).to_owned())),
        None => Ok(()),
    }
}

/// The value as a string, escapes resolved.
pub fn string(value: &RawValue) -> Result<Cow<'_, str>, JsonError> {
    expect("a string", value.get())?;
    parse::<Text<'_>>(value.get()).map(|text| text.0)
}

/// The elements of an array.
pub fn array(value: &RawValue) -> Result<Vec<&RawValue>, JsonError> {
    array_of_at_most(usize::MAX, value)
}

/// The elements of an array that has no more than `most`; what is behind them is not even collected.
pub fn array_of_at_most(most: usize, value: &RawValue) -> Result<Vec<&RawValue>, JsonError> {
    expect("an array", value.get())?;
    let mut deserializer = serde_json::Deserializer::from_str(value.get());
    let elements = Elements { most }.deserialize(&mut deserializer).map_err(|e| JsonError::Syntax(e.to_string()))?;
    if elements.len() > most { Err(JsonError::Elements(most)) } else { Ok(elements) }
}

/// The value as an integer from 0 to 2^64 - 1; `1.0` and `1e3` are refused.
pub fn unsigned(value: &RawValue) -> Result<u64, JsonError> {
    expect("a number", value.get())?;
    let digits = value.get();
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(JsonError::Unsigned);
    }
    digits.parse().map_err(|_| JsonError::Unsigned)
}

/// Whether the value is `null`.
pub fn is_null(value: &RawValue) -> bool {
    value.get() == "null"
}

/// Refuses what nests deeper than [`limits::JSON_DEPTH`], in one pass and without recursion. Says nothing else about
/// the bytes.
pub fn check_depth(bytes: &[u8]) -> Result<(), JsonError> {
    depth_of_at_most(limits::JSON_DEPTH, bytes)
}

fn depth_of_at_most(most: usize, bytes: &[u8]) -> Result<(), JsonError> {
    let mut depth = 0usize;
    let mut rest = bytes.iter();
    while let Some(byte) = rest.next() {
        match byte {
            b'{' | b'[' => {
                depth += 1;
                if depth > most {
                    return Err(JsonError::Depth(most));
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                while let Some(byte) = rest.find(|byte| matches!(byte, b'"' | b'\\')) {
                    if *byte == b'"' {
                        break;
                    }
                    rest.next();
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Looks at the first character, so that an error names types and never repeats the text.
fn expect(expected: &'static str, text: &str) -> Result<(), JsonError> {
    let found = match text.trim_start_matches([' ', '\t', '\n', '\r']).chars().next() {
        Some('{') => "an object",
        Some('[') => "an array",
        Some('"') => "a string",
        Some('-' | '0'..='9') => "a number",
        Some('t' | 'f') => "a boolean",
        Some('n') => "null",
        Some('\u{feff}') => return Err(JsonError::ByteOrderMark),
        Some(_) => "something that is not JSON",
        None => "nothing",
    };
    if found == expected { Ok(()) } else { Err(JsonError::Type { expected, found }) }
}

/// Only called when the type is known to fit (see [`expect`]), so that what is left to go wrong is syntax.
fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, JsonError> {
    serde_json::from_str(text).map_err(|e| JsonError::Syntax(e.to_string()))
}

/// Names that the reference implementation's parser takes for the same become the same: ASCII case is ignored, and
/// so are the two characters outside ASCII (long s, the Kelvin sign) whose other case is an ASCII letter.
fn fold(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii()) {
        Cow::Owned(name.chars().map(fold_character).collect())
    } else {
        Cow::Borrowed(name)
    }
}

fn fold_character(character: char) -> char {
    match character {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        _ => character.to_ascii_lowercase(),
    }
}

/// Whether `name` is one of `known`, in whatever case.
pub fn is_one_of_ignoring_case(name: &str, known: &[&str]) -> bool {
    known.iter().any(|known| equal_ignoring_case(known, name))
}

fn equal_ignoring_case(a: &str, b: &str) -> bool {
    a.chars().map(fold_character).eq(b.chars().map(fold_character))
}

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The members of an object as they stand in the text, repeated ones too.
struct Object<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Object<'de>, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some((Text(name), value)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
                    // One above the limit is enough to see that there are too many.
                    if members.len() <= limits::JSON_MEMBERS {
                        members.push((name, value));
                    }
                }
                Ok(Object(members))
            }
        }
        deserializer.deserialize_map(Read)
    }
}

/// The elements of an array, and none after the first that is too many.
struct Elements {
    most: usize,
}

impl<'de> DeserializeSeed<'de> for Elements {
    type Value = Vec<&'de RawValue>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Elements {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = seq.next_element::<&'de RawValue>()? {
            if elements.len() <= self.most {
                elements.push(element);
            }
        }
        Ok(elements)
    }
}

#[cfg(test)]
mod tests;
