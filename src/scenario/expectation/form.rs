//! `expect`: what must come out of a verification, as it is written.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{Deserializer, SeqAccess, Visitor};

use crate::forge::words::words;
use crate::scenario::spanned::{OrderedMap, Spanned};
use crate::verify::Verdict;

words! {
    /// The result of an artifact or a signature.
    pub(super) ResultWord {
        /// It passes.
        Pass "pass"
        /// It passes, with failures logged.
        Warn "warn"
        /// It fails.
        Fail "fail"
        /// The policy says not to look.
        Skip "skip"
        /// It cannot be decided.
        Error "error"
    }
}

impl ResultWord {
    /// The result that it stands for.
    pub(super) fn verdict(self) -> Verdict {
        match self {
            ResultWord::Pass => Verdict::Pass,
            ResultWord::Warn => Verdict::Warn,
            ResultWord::Fail => Verdict::Fail,
            ResultWord::Skip => Verdict::Skip,
            ResultWord::Error => Verdict::Error,
        }
    }
}

/// What must come out.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawExpect {
    /// The result of the artifact.
    pub(super) result: Spanned<ResultWord>,
    /// The code of the reason, which everything but pass and skip has.
    pub(super) code: Option<Spanned<String>>,
    /// The name of the statement that applies.
    pub(super) statement: Option<Spanned<String>>,
    /// The validations of the signature that decides.
    #[serde(default)]
    pub(super) checks: RawChecks,
    /// What is known of certificates after asking, by the name of whose they are, or by their subject where they were brought
    /// in: `good`, `not-checkable`, `revoked`, `unknown` or `unavailable`, of the signature that decides.
    #[serde(default)]
    pub(super) revocation: OrderedMap<Spanned<String>>,
    /// The time stamping authority whose time stamp of the signature that decides was verified, by its name or the subject of
    /// its certificate; or none.
    pub(super) timestamp: Option<Spanned<String>>,
    /// How many requests responders see meanwhile, by authority.
    #[serde(default)]
    pub(super) requests: OrderedMap<RawRequests>,
    /// How many artifacts are judged, where all of a repository or a registry are.
    pub(in crate::scenario) artifacts: Option<Spanned<u64>>,
    /// How many signatures there are, or each of them in any order.
    pub(super) signatures: Option<Spanned<RawSignatures>>,
    /// Of an index, the manifests by platform. They are judged only if they are expected.
    #[serde(default)]
    pub(in crate::scenario) manifests: OrderedMap<Box<RawExpect>>,
}

/// Validations: each `pass`, `fail`, `skip`, `not-reached` or `error`, or the code with which it fails.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawChecks {
    pub(super) integrity: Option<Spanned<String>>,
    pub(super) authenticity: Option<Spanned<String>>,
    pub(super) expiry: Option<Spanned<String>>,
    pub(super) authentic_timestamp: Option<Spanned<String>>,
    pub(super) revocation: Option<Spanned<String>>,
}

/// What must come out for one signature.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawSignature {
    /// The result of the signature.
    pub(super) result: Spanned<ResultWord>,
    /// Its validations.
    #[serde(default)]
    pub(super) checks: RawChecks,
}

/// How many requests the responders of an authority are to see.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawRequests {
    /// For its CRL.
    pub(super) crl: Option<Spanned<u64>>,
    /// For its delta CRL.
    pub(super) delta: Option<Spanned<u64>>,
    /// For OCSP answers.
    pub(super) ocsp: Option<Spanned<u64>>,
}

/// How many signatures, or each of them.
#[derive(Debug, Clone)]
pub(super) enum RawSignatures {
    Count(u64),
    Each(Vec<RawSignature>),
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
