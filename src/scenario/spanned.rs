//! Values that know where in the file they stand.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

/// A value with its place in the text, in bytes.
#[derive(Debug, Clone)]
pub(super) struct Spanned<T> {
    pub(super) value: T,
    pub(super) range: Range<usize>,
    /// The line, from 1.
    pub(super) line: usize,
}

impl<T> Spanned<T> {
    /// Another value in the same place.
    pub(super) fn with<U>(&self, value: U) -> Spanned<U> {
        Spanned { value, range: self.range.clone(), line: self.line }
    }

    /// A value that stands nowhere.
    pub(super) fn nowhere(value: T) -> Spanned<T> {
        Spanned { value, range: 0..0, line: 0 }
    }
}

impl<T: Default> Default for Spanned<T> {
    /// What is usual, standing nowhere.
    fn default() -> Spanned<T> {
        Spanned::nowhere(T::default())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Spanned<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Spanned<T>, D::Error> {
        let spanned = serde_saphyr::Spanned::<T>::deserialize(deserializer)?;
        let span = spanned.referenced.span();
        let bytes = |count: Option<u64>| count.and_then(|count| usize::try_from(count).ok()).unwrap_or(0);
        let start = bytes(span.byte_offset());
        let line = usize::try_from(spanned.referenced.line()).unwrap_or(0);
        Ok(Spanned { value: spanned.value, range: start..start + bytes(span.byte_len()), line })
    }
}

impl<T: JsonSchema> JsonSchema for Spanned<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// A mapping from names that the author chooses, in the order of the file.
#[derive(Debug, Clone)]
pub(super) struct OrderedMap<T>(pub(super) Vec<(Spanned<String>, T)>);

impl<T> OrderedMap<T> {
    /// Whether there is an entry of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known.value == name)
    }
}

impl<T> Default for OrderedMap<T> {
    fn default() -> OrderedMap<T> {
        OrderedMap(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OrderedMap<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<OrderedMap<T>, D::Error> {
        struct Collect<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Collect<T> {
            type Value = OrderedMap<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<OrderedMap<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(OrderedMap(entries))
            }
        }

        deserializer.deserialize_map(Collect(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for OrderedMap<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Entries_of_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "additionalProperties": generator.subschema_for::<T>() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    struct Probe {
        entries: OrderedMap<Spanned<Inner>>,
        list: Vec<Spanned<Step>>,
    }

    #[derive(Debug, serde::Deserialize)]
    struct Inner {
        flag: Spanned<String>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Step {
        Push(Inner),
        Wait(Spanned<String>),
    }

    #[test]
    fn places_are_bytes_of_the_text() {
        let text = "entries:\n  # ä\n  one: { flag: \"ä\" }\nlist:\n  - push: { flag: x }\n  - wait: 40d # c\n  - push:\n      flag: y\n";
        let probe: Probe = serde_saphyr::from_str(text).unwrap();
        let at = |range: &Range<usize>| &text[range.clone()];
        let (name, inner) = &probe.entries.0[0];
        assert_eq!((at(&name.range), at(&inner.value.flag.range), name.line), ("one", "\"ä\"", 3));
        let scalars: Vec<(&str, usize)> = probe
            .list
            .iter()
            .map(|step| match &step.value {
                Step::Push(inner) => (at(&inner.flag.range), inner.flag.line),
                Step::Wait(text) => (at(&text.range), text.line),
            })
            .collect();
        assert_eq!(scalars, [("x", 5), ("40d", 6), ("y", 8)]);
        // Of a mapping, only the beginning is known.
        assert_eq!(probe.list.iter().map(|step| step.line).collect::<Vec<_>>(), [5, 6, 7]);
    }
}
