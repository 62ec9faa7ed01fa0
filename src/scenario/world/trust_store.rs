//! `trustStores`: trust stores on disk, laid out as notation keeps them (`x509/TYPE/NAME/*.crt`).
//!
//! What they hold may change later, by the step `trust`: a verification sees them as they are at its own time.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};

use super::holders::{Holder, Holders};
use super::timestamp_authority::own_root;
use super::{Member, Reading, SetupError, Site, Thing, Things};
use crate::failure::quote;
use crate::scenario::finding::Rule;
use crate::scenario::names::AUTHORITY;
use crate::scenario::spanned::{OrderedMap, Spanned};
use crate::temporary::Folder;
use crate::trust_store::{StoreName, StoreType};

/// The store that is there unless a scenario says otherwise; it holds the authority that is.
const STORE: &str = "wabbit-networks";

/// Trust stores by type and name.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawStores {
    #[serde(default)]
    ca: OrderedMap<Spanned<RawStore>>,
    #[serde(default)]
    signing_authority: OrderedMap<Spanned<RawStore>>,
    #[serde(default)]
    tsa: OrderedMap<Spanned<RawStore>>,
}

/// A trust store: the authorities, keys and time stamping authorities whose certificates it holds, or `missing`, or `broken`.
#[derive(Debug)]
pub(in crate::scenario) enum RawStore {
    Holds(Vec<Spanned<String>>),
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

/// A trust store with every name resolved.
#[derive(Debug)]
pub(in crate::scenario) struct StorePlan {
    pub(in crate::scenario) name: StoreName,
    content: StoreContent,
}

/// What a trust store holds.
#[derive(Debug)]
enum StoreContent {
    Certificates(Vec<Holder>),
    Missing,
    Broken,
}

impl Member for RawStores {
    type Thing = StorePlan;

    fn check(&self, reading: &mut Reading<'_, '_, '_>) {
        reading.add_usual_stores(self);
        let typed = [
            (StoreType::Ca, &self.ca),
            (StoreType::SigningAuthority, &self.signing_authority),
            (StoreType::Tsa, &self.tsa),
        ];
        for (kind, entries) in typed {
            for (name, store) in &entries.0 {
                match StoreName::new(kind, &name.value) {
                    Ok(name) => {
                        let content = reading.store_content(&store.value);
                        reading.things.trust_stores.push(StorePlan { name, content });
                    }
                    Err(error) => {
                        let help = "use letters, digits, _ . and -";
                        reading.findings.error(Rule::Store, &name.range, error.to_string(), help);
                    }
                }
            }
        }
    }
}

impl Reading<'_, '_, '_> {
    /// Adds the stores that are there unless the scenario says otherwise: of the usual authority, and of each time
    /// stamping authority that states no issuer.
    fn add_usual_stores(&mut self, stores: &RawStores) {
        let things = &mut self.things;
        if let (false, Some(wabbit)) = (stores.ca.has(STORE), things.authority(AUTHORITY)) {
            things.add_usual_store(StoreType::Ca, STORE, wabbit);
        }
        for (name, authority) in &self.scenario.timestamp_authorities.0 {
            // One whose issuer is stated is trusted where that is.
            let root = things.authority(&own_root(&name.value));
            if let (None, false, Some(root)) = (&authority.issuer, stores.tsa.has(&name.value), root) {
                things.add_usual_store(StoreType::Tsa, &name.value, things.root(root));
            }
        }
    }

    fn store_content(&mut self, raw: &RawStore) -> StoreContent {
        let names = match raw {
            RawStore::Missing => return StoreContent::Missing,
            RawStore::Broken => return StoreContent::Broken,
            RawStore::Holds(names) => names,
        };
        let mut seen = HashSet::new();
        let mut holders = Vec::new();
        for name in names {
            holders.extend(self.things.holder(name, self.findings));
            if !seen.insert(&name.value) {
                let message = format!("the store holds {} twice", quote(&name.value));
                self.findings.error(Rule::Store, &name.range, message, "once is enough");
            }
        }
        StoreContent::Certificates(holders)
    }
}

impl Things {
    /// Adds a store that holds one authority. A name that no store can have is told of where it is given.
    fn add_usual_store(&mut self, kind: StoreType, name: &str, authority: usize) {
        if let Ok(name) = StoreName::new(kind, name) {
            let content = StoreContent::Certificates(vec![Holder::Authority(authority)]);
            self.trust_stores.push(StorePlan { name, content });
        }
    }
}

impl StorePlan {
    /// Whose certificates it holds at the beginning.
    pub(in crate::scenario) fn holders(&self) -> &[Holder] {
        match &self.content {
            StoreContent::Certificates(holders) => holders,
            StoreContent::Missing | StoreContent::Broken => &[],
        }
    }
}

/// Writes a store that holds the certificates of `whose`, and nothing else, whatever it held before.
pub(in crate::scenario) fn write_store(
    stores: &Folder,
    name: &StoreName,
    whose: &[Holder],
    holders: &Holders,
) -> std::io::Result<()> {
    let directory = stores.make(&below(name))?;
    for entry in std::fs::read_dir(&directory)? {
        std::fs::remove_file(entry?.path())?;
    }
    whose.iter().enumerate().try_for_each(|(number, holder)| {
        std::fs::write(directory.join(format!("{number}.crt")), holders.certificate(*holder))
    })
}

/// Where the store lies in the folder of stores.
fn below(name: &StoreName) -> PathBuf {
    Path::new("x509").join(name.kind().as_str()).join(name.name())
}

impl Thing for StorePlan {
    /// Writes it.
    fn make(&self, site: &mut Site<'_>) -> Result<(), SetupError> {
        let write = || match &self.content {
            StoreContent::Missing => Ok(()),
            StoreContent::Broken => {
                let directory = site.stores.make(&below(&self.name))?;
                std::fs::write(directory.join("broken.crt"), "this is no certificate\n")
            }
            StoreContent::Certificates(whose) => write_store(&site.stores, &self.name, whose, &site.holders),
        };
        write().map_err(|error: std::io::Error| SetupError::Failed(format!("the trust stores: {error}")))
    }
}
