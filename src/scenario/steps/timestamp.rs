//! The time stamp of a signature in a step: by which authority, at what time, and how it departs from the rules.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use time::Duration;

use super::reader::Reader;
use crate::forge::TimestampDefect;
use crate::forge::words::words;
use crate::scenario::names::unknown;
use crate::scenario::scalar::Span;
use crate::scenario::spanned::Spanned;

words! {
    /// What stands in the place of a time stamp.
    pub(super) StampedInstead {
        /// Nothing that can be read.
        Nonsense "nonsense"
        /// More than is read of a token.
        Oversize "oversize"
        /// The time stamp of the payload.
        StampOfPayload "stamp-of-payload"
        /// The answer of the authority, with the token inside.
        WholeAnswer "whole-answer"
    }
}

/// A time stamp for a signature, of an authority; or no more than the authority's name.
#[derive(Debug)]
pub(in crate::scenario) enum RawTimestamp {
    By(String),
    Told(RawStamping),
}

/// A time stamp, at length.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawStamping {
    /// The time stamping authority.
    by: Spanned<String>,
    /// The time that it states, from the time of the step.
    at: Option<Span>,
    /// How it departs from the rules.
    #[serde(default)]
    defects: Vec<TimestampDefect>,
    /// What stands in its place.
    instead: Option<StampedInstead>,
}

/// The time stamp of a signature.
#[derive(Debug, Clone)]
pub(super) struct Stamping {
    pub(super) by: usize,
    pub(super) at: Duration,
    pub(super) defects: Vec<TimestampDefect>,
    pub(super) instead: Option<StampedInstead>,
}

impl Stamping {
    pub(super) fn check(raw: &Spanned<RawTimestamp>, reader: &mut Reader<'_, '_, '_>) -> Option<Stamping> {
        let (name, range) = match &raw.value {
            RawTimestamp::By(name) => (name, &raw.range),
            RawTimestamp::Told(told) => (&told.by.value, &told.by.range),
        };
        let Some(by) = reader.things.timestamp_authority(name) else {
            let known = reader.things.timestamp_authorities.iter().map(|authority| authority.name.as_str());
            unknown("time stamping authority", name, range, known, reader.findings);
            return None;
        };
        Some(match &raw.value {
            RawTimestamp::By(_) => Stamping { by, at: Duration::ZERO, defects: Vec::new(), instead: None },
            RawTimestamp::Told(told) => {
                let at = told.at.map_or(Duration::ZERO, |span| span.0);
                Stamping { by, at, defects: told.defects.clone(), instead: told.instead }
            }
        })
    }
}

impl<'de> Deserialize<'de> for RawTimestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<RawTimestamp, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = RawTimestamp;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time stamping authority, or a mapping")
            }

            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<RawTimestamp, E> {
                Ok(RawTimestamp::By(name.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawTimestamp, A::Error> {
                RawStamping::deserialize(MapAccessDeserializer::new(map)).map(RawTimestamp::Told)
            }
        }

        deserializer.deserialize_any(Read)
    }
}

impl JsonSchema for RawTimestamp {
    fn schema_name() -> Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let told = generator.subschema_for::<RawStamping>();
        json_schema!({ "oneOf": [{ "type": "string" }, told] })
    }
}
