//! Expectations: what must come out of a verification, and the policies that may stand in the file.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::responder::RawRequests;
use crate::scenario::placed::{Entries, Placed};
use crate::scenario::words::ResultWord;

/// What must come out.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawExpect {
    /// The result of the artifact.
    pub(in crate::scenario) result: Placed<ResultWord>,
    /// The code of the reason, which everything but pass and skip has.
    #[serde(default)]
    pub(in crate::scenario) code: Option<Placed<String>>,
    /// The name of the statement that applies.
    #[serde(default)]
    pub(in crate::scenario) statement: Option<Placed<String>>,
    /// The validations of the signature that decides.
    #[serde(default)]
    pub(in crate::scenario) checks: RawChecks,
    /// What is known of certificates after asking, by the name of whose they are: `good`, `not-checkable`, `revoked`,
    /// `unknown` or `unavailable`, of the signature that decides.
    #[serde(default)]
    pub(in crate::scenario) revocation: Entries<Placed<String>>,
    /// The time stamping authority whose time stamp of the signature that decides was verified; or none.
    #[serde(default)]
    pub(in crate::scenario) timestamp: Option<Placed<String>>,
    /// How many requests responders see meanwhile, by authority.
    #[serde(default)]
    pub(in crate::scenario) requests: Entries<RawRequests>,
    /// How many signatures there are, or each of them in any order.
    #[serde(default)]
    pub(in crate::scenario) signatures: Option<Placed<RawSignatures>>,
    /// Of an index, the manifests by platform. They are judged only if they are expected.
    #[serde(default)]
    pub(in crate::scenario) manifests: Entries<Box<RawExpect>>,
}

/// Validations: each `pass`, `fail`, `skip`, `not-reached` or `error`, or the code with which it fails.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawChecks {
    #[serde(default)]
    pub(in crate::scenario) integrity: Option<Placed<String>>,
    #[serde(default)]
    pub(in crate::scenario) authenticity: Option<Placed<String>>,
    #[serde(default)]
    pub(in crate::scenario) expiry: Option<Placed<String>>,
    #[serde(default)]
    pub(in crate::scenario) authentic_timestamp: Option<Placed<String>>,
    #[serde(default)]
    pub(in crate::scenario) revocation: Option<Placed<String>>,
}

/// What must come out for one signature.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawSignature {
    /// The result of the signature.
    pub(in crate::scenario) result: Placed<ResultWord>,
    /// Its validations.
    #[serde(default)]
    pub(in crate::scenario) checks: RawChecks,
}

/// How many signatures, or each of them.
#[derive(Debug, Clone)]
pub(in crate::scenario) enum RawSignatures {
    Count(u64),
    Each(Vec<RawSignature>),
}

/// A policy by its file, or by what its statements say.
#[derive(Debug, Clone)]
pub(in crate::scenario) enum RawPolicy {
    File(String),
    Statements(Vec<RawStatement>),
}

/// A statement of a trust policy. What is left out is sound: for every repository, at level strict, all stores of the
/// scenario but those for time stamps, any identity.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawStatement {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::scenario) name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::scenario) registry_scopes: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::scenario) signature_verification: Option<RawVerification>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::scenario) trust_stores: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::scenario) trusted_identities: Option<Vec<String>>,
}

/// How much of it is enforced.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawVerification {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::scenario) level: Option<String>,
    #[serde(default, rename = "override", skip_serializing_if = "Option::is_none")]
    pub(in crate::scenario) overrides: Option<std::collections::BTreeMap<String, String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::scenario) verify_timestamp: Option<String>,
}

impl<'de> Deserialize<'de> for RawSignatures {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<RawSignatures, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = RawSignatures;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or a list of results")
            }

            fn visit_u64<E: serde::de::Error>(self, count: u64) -> Result<RawSignatures, E> {
                Ok(RawSignatures::Count(count))
            }

            fn visit_i64<E: serde::de::Error>(self, count: i64) -> Result<RawSignatures, E> {
                u64::try_from(count)
                    .map(RawSignatures::Count)
                    .map_err(|_| E::custom("a number cannot be negative here"))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<RawSignatures, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(RawSignatures::Each)
            }
        }

        deserializer.deserialize_any(Read)
    }
}

impl<'de> Deserialize<'de> for RawPolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<RawPolicy, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = RawPolicy;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the path of a trust policy, a statement, or a list of statements")
            }

            fn visit_str<E: serde::de::Error>(self, path: &str) -> Result<RawPolicy, E> {
                Ok(RawPolicy::File(path.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawPolicy, A::Error> {
                let statement = RawStatement::deserialize(MapAccessDeserializer::new(map))?;
                Ok(RawPolicy::Statements(vec![statement]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<RawPolicy, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(RawPolicy::Statements)
            }
        }

        deserializer.deserialize_any(Read)
    }
}

impl JsonSchema for RawSignatures {
    fn schema_name() -> Cow<'static, str> {
        "Signatures".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "oneOf": [
                { "type": "integer", "minimum": 0 },
                { "type": "array", "items": generator.subschema_for::<RawSignature>() }
            ]
        })
    }
}

impl JsonSchema for RawPolicy {
    fn schema_name() -> Cow<'static, str> {
        "Policy".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let statement = generator.subschema_for::<RawStatement>();
        json_schema!({
            "oneOf": [
                { "type": "string" },
                statement,
                { "type": "array", "items": statement, "minItems": 1 }
            ]
        })
    }
}
