//! One object read in one pass, two levels deep: the elements of its arrays and the members of its objects are handed out
//! as they come, and none is held.
//!
//! As strict as [`members`](super::members) of the object itself: no member twice, none in another case, nothing nested too
//! deep, nothing behind it. Members of the objects inside are not compared with each other.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{JsonError, Text, check_depth, expect, fold, refuse_repetition};
use crate::limits;

/// What stands inside a member of the object.
#[derive(Debug, Clone)]
pub enum Inner<'a> {
    /// An element of the array that the member is.
    Element(&'a RawValue),
    /// A member of the object that the member is.
    Member(Cow<'a, str>, &'a RawValue),
}

/// What a member of the object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An array.
    Array,
    /// An object.
    Object,
    /// `null`.
    Null,
    /// A string, a number or a boolean.
    Plain,
}

/// Reads `text` as one object, and hands what stands inside its members to `each` with the name of the member. Answers with
/// the names and kinds of all members, in the order of the text.
///
/// # Errors
/// What is wrong with the text. What was handed out before is as it was read.
pub fn each_inner<'a>(
    text: &'a str,
    mut each: impl FnMut(&str, Inner<'a>),
) -> Result<Vec<(Cow<'a, str>, Kind)>, JsonError> {
    check_depth(text.as_bytes())?;
    expect("an object", text)?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = deserializer.deserialize_map(Outer { each: &mut each });
    let members = read
        .and_then(|members| deserializer.end().map(|()| members))
        .map_err(|error| JsonError::Syntax(error.to_string()))?;
    if members.len() > limits::JSON_MEMBERS {
        return Err(JsonError::Members);
    }
    refuse_repetition(members.iter().map(|(name, _)| name.as_ref()), fold)?;
    Ok(members)
}

struct Outer<'e, 'a> {
    each: &'e mut dyn FnMut(&str, Inner<'a>),
}

impl<'a> Visitor<'a> for Outer<'_, 'a> {
    type Value = Vec<(Cow<'a, str>, Kind)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(Text(name)) = map.next_key::<Text<'a>>()? {
            let kind = map.next_value_seed(Value { name: &name, each: &mut *self.each })?;
            // One above the limit is enough to see that there are too many.
            if members.len() <= limits::JSON_MEMBERS {
                members.push((name, kind));
            }
        }
        Ok(members)
    }
}

struct Value<'e, 'a> {
    name: &'e str,
    each: &'e mut dyn FnMut(&str, Inner<'a>),
}

impl<'a> DeserializeSeed<'a> for Value<'_, 'a> {
    type Value = Kind;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Kind, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Value<'_, 'a> {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<Kind, A::Error> {
        while let Some(element) = seq.next_element::<&'a RawValue>()? {
            (self.each)(self.name, Inner::Element(element));
        }
        Ok(Kind::Array)
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Kind, A::Error> {
        while let Some((Text(name), value)) = map.next_entry::<Text<'a>, &'a RawValue>()? {
            (self.each)(self.name, Inner::Member(name, value));
        }
        Ok(Kind::Object)
    }

    fn visit_unit<E: Error>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Kind, E> {
        Ok(Kind::Plain)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Kind, E> {
        Ok(Kind::Plain)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Kind, E> {
        Ok(Kind::Plain)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Kind, E> {
        Ok(Kind::Plain)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Kind, E> {
        Ok(Kind::Plain)
    }
}

/// What a value is called in messages, with its article.
pub fn kind_of(value: &RawValue) -> &'static str {
    match value.get().bytes().next() {
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands inside, and the members.
    type Read = (Vec<String>, Vec<(String, Kind)>);

    fn read(text: &str) -> Result<Read, JsonError> {
        let mut inner = Vec::new();
        let members = each_inner(text, |member, found| {
            inner.push(match found {
                Inner::Element(value) => format!("{member}: {}", value.get()),
                Inner::Member(name, value) => format!("{member}.{name}: {}", value.get()),
            });
        })?;
        Ok((inner, members.into_iter().map(|(name, kind)| (name.into_owned(), kind)).collect()))
    }

    #[test]
    fn what_stands_inside_comes_in_order() {
        let (inner, members) = read(
            r#" {"tags":["a\u0041",null,{"x":[1]}],"n":null,"m":{"d\"":{"tag":[]}},"s":"x","i":-1,"f":1.5,"b":true} "#,
        )
        .unwrap();
        assert_eq!(inner, [r#"tags: "a\u0041""#, "tags: null", r#"tags: {"x":[1]}"#, r#"m.d": {"tag":[]}"#]);
        let kinds: Vec<_> = members.iter().map(|(name, kind)| (name.as_str(), *kind)).collect();
        let plain = ["s", "i", "f", "b"].map(|name| (name, Kind::Plain));
        assert_eq!(kinds[..3], [("tags", Kind::Array), ("n", Kind::Null), ("m", Kind::Object)]);
        assert_eq!(kinds[3..], plain);
    }

    #[test]
    fn it_is_as_strict_as_the_rest() {
        let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(limits::JSON_DEPTH + 1), "]".repeat(limits::JSON_DEPTH + 1));
        assert_eq!(read(&deep).unwrap_err(), JsonError::Depth(limits::JSON_DEPTH));
        assert_eq!(read(r#"{"a":[],"a":[]}"#).unwrap_err(), JsonError::Duplicate("a".to_owned()));
        assert!(matches!(read(r#"{"a":[],"A":[]}"#), Err(JsonError::CaseVariants(..))));
        assert!(matches!(read("[]"), Err(JsonError::Type { .. })));
        for text in ["{", r#"{"a":[}"#, r#"{"a":[]} x"#, r#"{"a":[NaN]}"#, r#"{"a":1e400}"#] {
            assert!(matches!(read(text), Err(JsonError::Syntax(_))), "{text}");
        }
        let many: Vec<_> = (0..=limits::JSON_MEMBERS).map(|name| format!(r#""{name}":1"#)).collect();
        assert_eq!(read(&format!("{{{}}}", many.join(","))).unwrap_err(), JsonError::Members);
    }
}
