//! An object that is not signed: the members that a rule reads, and nothing of the others but their names in passing.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{JsonError, Members, Text, depth_of_at_most, expect, fold, refuse_repetition};
use crate::limits;

/// Reads `text` as one object and hands out the members whose names are `known`; every other name is told to `other`.
///
/// What is not known is skipped as it stands and may be anything that is JSON, repeated or not, nested as deep as
/// [`limits::JSON_SKIPPED_DEPTH`]. Of what is known no two names may be equal, in whatever case.
pub fn known_members<'a>(
    text: &'a str,
    known: impl Fn(&str) -> bool,
    other: impl FnMut(&str),
) -> Result<Members<'a>, JsonError> {
    depth_of_at_most(limits::JSON_SKIPPED_DEPTH, text.as_bytes())?;
    expect("an object", text)?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let members = Known { known, other }.deserialize(&mut deserializer);
    let members = members.and_then(|members| deserializer.end().map(|()| members));
    let members = members.map_err(|error| JsonError::Syntax(error.to_string()))?;
    if members.len() > limits::JSON_MEMBERS {
        return Err(JsonError::Members);
    }
    refuse_repetition(members.iter().map(|(name, _)| name.as_ref()), fold)?;
    Ok(Members { members })
}

struct Known<K, O> {
    known: K,
    other: O,
}

type Read<'de> = Vec<(std::borrow::Cow<'de, str>, &'de RawValue)>;

impl<'de, K: Fn(&str) -> bool, O: FnMut(&str)> DeserializeSeed<'de> for Known<K, O> {
    type Value = Read<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Read<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, K: Fn(&str) -> bool, O: FnMut(&str)> Visitor<'de> for Known<K, O> {
    type Value = Read<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Read<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some(Text(name)) = map.next_key::<Text<'de>>()? {
            if !(self.known)(&name) {
                map.next_value::<IgnoredAny>()?;
                (self.other)(&name);
            } else if members.len() <= limits::JSON_MEMBERS {
                // One above the limit is enough to see that there are too many.
                members.push((name, map.next_value()?));
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(members)
    }
}
