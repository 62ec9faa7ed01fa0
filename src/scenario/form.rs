//! Forms in which a value may be written short or at length.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::finding::{Findings, Rule};
use super::spanned::Spanned;
use crate::failure::quote;
use crate::forge::Word;
use crate::forge::responder::Fault;
use crate::policy::did_you_mean;

/// The word for what does not fail.
const SOUND: &str = "sound";

/// `true` for what is usual, `false` for nothing, or how it departs from what is usual.
#[derive(Debug, Clone)]
pub(super) struct Detail<T>(pub(super) Option<T>);

/// `sound`, or how something fails, by a word of the forge; read where it is known who fails.
#[derive(Debug, Clone)]
pub(super) struct Fails<D>(pub(super) String, PhantomData<D>);

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Detail<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Detail<T>, D::Error> {
        struct Read<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de> + Default> Visitor<'de> for Read<T> {
            type Value = Detail<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, false or a mapping")
            }

            fn visit_bool<E: serde::de::Error>(self, there: bool) -> Result<Detail<T>, E> {
                Ok(Detail(there.then(T::default)))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Detail<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(|detail| Detail(Some(detail)))
            }
        }

        deserializer.deserialize_any(Read(PhantomData))
    }
}

impl<'de, D> Deserialize<'de> for Fails<D> {
    fn deserialize<R: Deserializer<'de>>(deserializer: R) -> Result<Fails<D>, R::Error> {
        String::deserialize(deserializer).map(|word| Fails(word, PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for Detail<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("Detail_of_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "oneOf": [{ "type": "boolean" }, generator.subschema_for::<T>()] })
    }
}

impl<D: Word> JsonSchema for Fails<D> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        D::NAME.into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": Fails::<D>::words() })
    }
}

impl<D: Word> Fails<D> {
    /// Every word that may stand here.
    fn words() -> Vec<&'static str> {
        [SOUND].into_iter().chain(Fault::<D>::all().map(Fault::as_str)).collect()
    }

    /// What it says: `Some(None)` where nothing fails; `None` for an unknown word, of which `findings` is told.
    pub(super) fn read_spanned(word: &Spanned<Fails<D>>, findings: &mut Findings<'_, '_>) -> Option<Option<Fault<D>>> {
        let read = word.value.read();
        if read.is_none() {
            let message = format!("{} is not a word that may stand here", quote(&word.value.0));
            let help = did_you_mean(&word.value.0, &Fails::<D>::words());
            findings.error(Rule::WordUnknown, &word.range, message, help);
        }
        read
    }

    fn read(&self) -> Option<Option<Fault<D>>> {
        if self.0 == SOUND { Some(None) } else { self.0.parse().ok().map(Some) }
    }
}
