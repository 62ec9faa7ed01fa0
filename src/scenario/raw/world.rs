//! The world: authorities, keys, registries, trust stores, and the matrix of its variants.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};

use super::form::Detail;
use super::responder::{RawCrl, RawOcsp};
use crate::failure::quote;
use crate::scenario::placed::{Entries, Placed};
use crate::scenario::scalar::Span;
use crate::scenario::words::{
    Algorithm, AuthorityDefect, CertificateDefect, FlavourWord, Format, Keystore, RegistryWord,
};

/// The variants of a scenario: each axis lists values, and every combination is a case.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawMatrix {
    /// Of signing keys that state no algorithm.
    #[serde(default)]
    pub(in crate::scenario) algorithm: Vec<Algorithm>,
    /// Of signatures that state no format.
    #[serde(default)]
    pub(in crate::scenario) format: Vec<Format>,
    /// Of embedded registries that state no flavour.
    #[serde(default)]
    pub(in crate::scenario) flavour: Vec<FlavourWord>,
    /// Of registries that state no kind: `embedded` or `oras`.
    #[serde(default)]
    pub(in crate::scenario) registry: Vec<RegistryWord>,
    /// Of signing keys that state no keystore.
    #[serde(default)]
    pub(in crate::scenario) keystore: Vec<Keystore>,
    /// Combinations that are left out: each excludes all that have its values.
    #[serde(default)]
    pub(in crate::scenario) exclude: Vec<Placed<RawVariant>>,
}

/// One value of some axes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawVariant {
    #[serde(default)]
    pub(in crate::scenario) algorithm: Option<Algorithm>,
    #[serde(default)]
    pub(in crate::scenario) format: Option<Format>,
    #[serde(default)]
    pub(in crate::scenario) flavour: Option<FlavourWord>,
    #[serde(default)]
    pub(in crate::scenario) registry: Option<RegistryWord>,
    #[serde(default)]
    pub(in crate::scenario) keystore: Option<Keystore>,
}

/// An authority; a root unless it has an issuer.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawAuthority {
    /// Its name, as `C=US, ST=WA, O=acme, CN=root`.
    #[serde(default)]
    pub(in crate::scenario) subject: Option<Placed<String>>,
    /// The authority whose name it bears without being it.
    #[serde(default)]
    pub(in crate::scenario) lookalike_of: Option<Placed<String>>,
    /// The authority whose name, key and algorithm it has, in a certificate of its own.
    #[serde(default)]
    pub(in crate::scenario) renewal_of: Option<Placed<String>>,
    /// The authority that certifies it, which stands before it.
    #[serde(default)]
    pub(in crate::scenario) issuer: Option<Placed<String>>,
    /// Its algorithm; ec-p256 if left out.
    #[serde(default)]
    pub(in crate::scenario) algorithm: Option<Algorithm>,
    /// When its certificate begins to be valid, from the beginning of the scenario; ten years before if left out.
    #[serde(default)]
    pub(in crate::scenario) valid_from: Option<Span>,
    /// When its certificate ends, from the beginning of the scenario; after ten years if left out.
    #[serde(default)]
    pub(in crate::scenario) valid_until: Option<Placed<Span>>,
    /// Publishes a CRL: what it issues names `http://crl.NAME.example/NAME.crl`.
    #[serde(default)]
    pub(in crate::scenario) crl: Option<Detail<RawCrl>>,
    /// Answers OCSP: what it issues names `http://ocsp.NAME.example/NAME`.
    #[serde(default)]
    pub(in crate::scenario) ocsp: Option<Detail<RawOcsp>>,
    /// How its certificate departs from the rules.
    #[serde(default)]
    pub(in crate::scenario) defects: Vec<AuthorityDefect>,
}

/// A signing key with its certificate.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawKey {
    /// The authority that certifies it; `wabbit` if left out, and `self` for the key itself.
    #[serde(default)]
    pub(in crate::scenario) issuer: Option<Placed<String>>,
    /// The name in its certificate.
    #[serde(default)]
    pub(in crate::scenario) subject: Option<Placed<String>>,
    /// Its algorithm; ec-p256 if left out.
    #[serde(default)]
    pub(in crate::scenario) algorithm: Option<Algorithm>,
    /// Where it lives; file if left out.
    #[serde(default)]
    pub(in crate::scenario) keystore: Option<Keystore>,
    /// When its certificate begins to be valid, from the beginning of the scenario; a year before if left out.
    #[serde(default)]
    pub(in crate::scenario) valid_from: Option<Span>,
    /// When its certificate ends, from the beginning of the scenario; after a year if left out.
    #[serde(default)]
    pub(in crate::scenario) valid_until: Option<Placed<Span>>,
    /// Where its certificate says that CRLs are published; where its issuer publishes them if left out.
    #[serde(default)]
    pub(in crate::scenario) crl: Option<Vec<String>>,
    /// Where its certificate says that OCSP responders answer; where its issuer's answers if left out.
    #[serde(default)]
    pub(in crate::scenario) ocsp: Option<Vec<String>>,
    /// How its certificate departs from the rules.
    #[serde(default)]
    pub(in crate::scenario) defects: Vec<CertificateDefect>,
}

/// A registry.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawRegistry {
    /// What answers; embedded if left out.
    #[serde(default)]
    pub(in crate::scenario) kind: Option<Placed<RegistryWord>>,
    /// How an embedded registry behaves; current if left out.
    #[serde(default)]
    pub(in crate::scenario) flavour: Option<Placed<FlavourWord>>,
    /// The image, for the kind container.
    #[serde(default)]
    pub(in crate::scenario) image: Option<Placed<String>>,
    /// The host with its port, for the kind external.
    #[serde(default)]
    pub(in crate::scenario) address: Option<Placed<String>>,
}

/// Trust stores by type and name.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawStores {
    #[serde(default)]
    pub(in crate::scenario) ca: Entries<Placed<RawStore>>,
    #[serde(default)]
    pub(in crate::scenario) signing_authority: Entries<Placed<RawStore>>,
    #[serde(default)]
    pub(in crate::scenario) tsa: Entries<Placed<RawStore>>,
}

/// A trust store: the authorities, keys and time stamping authorities whose certificates it holds, or `missing`, or `broken`.
#[derive(Debug)]
pub(in crate::scenario) enum RawStore {
    Holds(Vec<Placed<String>>),
    Missing,
    Broken,
}

impl<'de> Deserialize<'de> for RawStore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<RawStore, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = RawStore;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of authorities, or missing, or broken")
            }

            fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<RawStore, E> {
                match word {
                    "missing" => Ok(RawStore::Missing),
                    "broken" => Ok(RawStore::Broken),
                    _ => Err(E::custom(format!(
                        "{} is no trust store: expected a list of authorities, \"missing\" or \"broken\"",
                        quote(word)
                    ))),
                }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<RawStore, A::Error> {
                let mut names = Vec::new();
                while let Some(name) = list.next_element()? {
                    names.push(name);
                }
                if names.is_empty() {
                    return Err(A::Error::custom("a trust store that holds nothing is broken: write \"broken\""));
                }
                Ok(RawStore::Holds(names))
            }
        }

        deserializer.deserialize_any(Read)
    }
}

impl JsonSchema for RawStore {
    fn schema_name() -> Cow<'static, str> {
        "Store".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The authorities, keys and time stamping authorities whose certificates it holds; or no directory at all, or one with a file that is no certificate.",
            "oneOf": [
                { "type": "array", "items": { "type": "string" }, "minItems": 1 },
                { "enum": ["missing", "broken"] }
            ]
        })
    }
}
