//! Values that are carried but that no rule reads, checked as strictly as those that one does.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{JsonError, Text, check_depth, fold, refuse_repetition};
use crate::limits;

/// Checks one value of JSON: at every depth no repeated or case-variant member, no lone surrogate, no number out of range;
/// and no more members and elements than [`limits::JSON_ITEMS`]. Holds no more of it than the names of one object at each
/// depth.
pub fn check(text: &str) -> Result<(), JsonError> {
    check_depth(text.as_bytes())?;
    let mut walk = Walk { items: 0, error: None };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    // Recursion is bounded: the depth has been looked at.
    let read = Value(&mut walk).deserialize(&mut deserializer).and_then(|()| deserializer.end());
    read.map_err(|syntax| walk.error.unwrap_or_else(|| JsonError::Syntax(syntax.to_string())))
}

/// What is counted over the whole value, and what was found that is no fault of syntax.
struct Walk {
    items: usize,
    error: Option<JsonError>,
}

impl Walk {
    fn fail<E: Error>(&mut self, error: JsonError) -> E {
        let message = error.to_string();
        self.error = Some(error);
        E::custom(message)
    }

    fn count<E: Error>(&mut self) -> Result<(), E> {
        self.items += 1;
        if self.items > limits::JSON_ITEMS { Err(self.fail(JsonError::Items)) } else { Ok(()) }
    }
}

/// One value on the way, read to the bottom and forgotten.
struct Value<'w>(&'w mut Walk);

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut names: Vec<Cow<'de, str>> = Vec::new();
        while let Some(Text(name)) = map.next_key()? {
            self.0.count()?;
            names.push(name);
            map.next_value_seed(Value(&mut *self.0))?;
        }
        refuse_repetition(names.iter().map(AsRef::as_ref), fold).map_err(|error| self.0.fail(error))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(Value(&mut *self.0))?.is_some() {
            self.0.count()?;
        }
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}
