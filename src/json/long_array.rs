//! One long array inside an object, read from a file element by element, so that it is never in memory as a whole.
//!
//! As strict as [`members`](super::members): no member twice, none in another case, nothing nested too deep, nothing behind
//! the object.

use std::borrow::Cow;
use std::fmt;
use std::io::Read;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{JsonError, Members, check_depth, fold, refuse_repetition};
use crate::limits;

/// The members of the object beside the array.
#[derive(Debug)]
pub struct Beside {
    members: Vec<(String, Box<RawValue>)>,
}

impl Beside {
    /// The members; the array is among them, empty, if it was there.
    pub fn members(&self) -> Members<'_> {
        Members { members: self.members.iter().map(|(name, value)| (Cow::Borrowed(name.as_str()), &**value)).collect() }
    }
}

/// Reads one object from `reader`, and hands the elements of its array `name` to `each`, which may end it. In place of an
/// element that is too long, or nests too deep, it is given that fault: the others can be read all the same.
///
/// # Errors
/// What `each` returns, and what is wrong with the text.
pub fn each_element<E: From<JsonError>>(
    reader: impl Read,
    name: &str,
    mut each: impl FnMut(Result<&RawValue, JsonError>) -> Result<(), E>,
) -> Result<Beside, E> {
    let mut stopped: Option<E> = None;
    let mut element = |value: &RawValue| {
        let sound = is_short(value).and_then(|()| check_depth(value.get().as_bytes()));
        each(sound.map(|()| value)).map_err(|error| stopped = Some(error))
    };
    let mut deserializer = serde_json::Deserializer::from_reader(reader);
    let read = deserializer.deserialize_map(Object { name, element: &mut element });
    let read = read.and_then(|members| deserializer.end().map(|()| members));
    if let Some(error) = stopped {
        return Err(error);
    }
    let members = read.map_err(|error| JsonError::Syntax(error.to_string()))?;
    refuse_repetition(members.iter().map(|(name, _)| name.as_str()), fold)?;
    for (_, value) in &members {
        check_depth(value.get().as_bytes())?;
    }
    Ok(Beside { members })
}

fn is_short(value: &RawValue) -> Result<(), JsonError> {
    match value.get().len() {
        0..=limits::JSON_ELEMENT_BYTES => Ok(()),
        _ => Err(JsonError::LongElement),
    }
}

struct Object<'a> {
    name: &'a str,
    element: &'a mut dyn FnMut(&RawValue) -> Result<(), ()>,
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = Vec<(String, Box<RawValue>)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut members, mut bytes) = (Vec::new(), 0);
        while let Some(name) = map.next_key::<String>()? {
            let value = if name == self.name {
                map.next_value_seed(Elements { element: &mut *self.element })?
            } else {
                map.next_value::<Box<RawValue>>()?
            };
            bytes += name.len() + value.get().len() + size_of::<(String, Box<RawValue>)>();
            if bytes > limits::JSON_ELEMENT_BYTES {
                return Err(A::Error::custom("its members beside the array are too long"));
            }
            members.push((name, value));
        }
        Ok(members)
    }
}

struct Elements<'a> {
    element: &'a mut dyn FnMut(&RawValue) -> Result<(), ()>,
}

impl<'de> DeserializeSeed<'de> for Elements<'_> {
    type Value = Box<RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// What stands for the array once its elements were handed out.
fn stand_in<E: Error>(text: &str) -> Result<Box<RawValue>, E> {
    RawValue::from_string(text.to_owned()).map_err(E::custom)
}

impl<'de> Visitor<'de> for Elements<'_> {
    type Value = Box<RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while let Some(element) = seq.next_element::<Box<RawValue>>()? {
            (self.element)(&element).map_err(|()| A::Error::custom("reading was ended"))?;
        }
        stand_in("[]")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        stand_in("null")
    }

    // What is no array is reported as such where the members are read.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        stand_in("{}")
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Self::Value, E> {
        stand_in("\"\"")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
        stand_in("true")
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
        stand_in("0")
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
        stand_in("0")
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        stand_in("0")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(Vec<String>, Vec<String>), JsonError> {
        let mut elements = Vec::new();
        let beside = each_element(text.as_bytes(), "list", |element| {
            elements.push(element?.get().to_owned());
            Ok::<(), JsonError>(())
        })?;
        Ok((elements, beside.members().iter().map(|(name, value)| format!("{name}={}", value.get())).collect()))
    }

    #[test]
    fn elements_come_one_by_one_and_members_beside_them() {
        let (elements, beside) = read(r#" {"a":{"b":1},"list":[{"x":"\u0041"}, 2 ,"]"],"c":null} "#).unwrap();
        assert_eq!(elements, [r#"{"x":"\u0041"}"#, "2", "\"]\""]);
        assert_eq!(beside, ["a={\"b\":1}", "list=[]", "c=null"]);
        assert_eq!(read(r#"{"list":null}"#).unwrap().1, ["list=null"]);
        for text in ["{}", "true", "\"x\"", "1", "-1", "1.5"] {
            assert_ne!(read(&format!(r#"{{"list":{text}}}"#)).unwrap().1, ["list=[]"], "{text}");
        }
    }

    #[test]
    fn it_is_as_strict_as_the_rest() {
        let deep =
            format!(r#"{{"list":[{}{}]}}"#, "[".repeat(limits::JSON_DEPTH + 1), "]".repeat(limits::JSON_DEPTH + 1));
        assert_eq!(read(&deep).unwrap_err(), JsonError::Depth(limits::JSON_DEPTH));
        let beside = format!(r#"{{"a":{}{}}}"#, "[".repeat(limits::JSON_DEPTH + 1), "]".repeat(limits::JSON_DEPTH + 1));
        assert_eq!(read(&beside).unwrap_err(), JsonError::Depth(limits::JSON_DEPTH));
        assert_eq!(read(r#"{"list":[],"list":[]}"#).unwrap_err(), JsonError::Duplicate("list".to_owned()));
        assert!(matches!(read(r#"{"list":[],"List":[]}"#), Err(JsonError::CaseVariants(..))));
        let long = "x".repeat(limits::JSON_ELEMENT_BYTES);
        assert_eq!(read(&format!(r#"{{"list":["{long}"]}}"#)).unwrap_err(), JsonError::LongElement);
        for text in ["", "[]", "{", r#"{"list":[}"#, r#"{"list":[]} x"#, "\u{feff}{}", &format!(r#"{{"a":"{long}"}}"#)]
        {
            assert!(matches!(read(text), Err(JsonError::Syntax(_))), "{}", &text[..text.len().min(40)]);
        }
        let invalid = each_element(&b"{\"list\":[\"\xff\"]}"[..], "list", |_| Ok::<(), JsonError>(()));
        assert!(invalid.is_err());
    }

    #[test]
    fn an_element_that_cannot_be_read_leaves_the_others() {
        let deep = format!("{}{}", "[".repeat(limits::JSON_DEPTH + 1), "]".repeat(limits::JSON_DEPTH + 1));
        let long = format!("{:?}", "x".repeat(limits::JSON_ELEMENT_BYTES));
        let mut read = Vec::new();
        let text = format!(r#"{{"list":[1,{deep},2,{long},3]}}"#);
        each_element(text.as_bytes(), "list", |element| {
            read.push(element.map(|element| element.get().to_owned()));
            Ok::<(), JsonError>(())
        })
        .unwrap();
        let sound = |text: &str| Ok(text.to_owned());
        let faults = [Err(JsonError::Depth(limits::JSON_DEPTH)), Err(JsonError::LongElement)];
        let [deep, long] = faults;
        assert_eq!(read, [sound("1"), deep, sound("2"), long, sound("3")]);
    }

    #[test]
    fn whoever_has_enough_ends_it() {
        let mut count = 0;
        let ended = each_element(&b"{\"list\":[1,2,3"[..], "list", |_| {
            count += 1;
            if count == 2 { Err(JsonError::Elements(1)) } else { Ok(()) }
        });
        assert_eq!((ended.unwrap_err(), count), (JsonError::Elements(1), 2));
    }
}
