//! `trustStores`: trust stores on disk, laid out as notation keeps them (`x509/TYPE/NAME/*.crt`).
//!
//! What they hold may change later, by the step `trust`: a verification sees them as they are at its own time.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::holders::{Holder, Holders};
use super::store_entry::{Held, RawStoreEntry, RawStoreFiles};
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

/// A trust store: the authorities, keys and time stamping authorities whose certificates it holds, and files with further
/// ones; or `missing`, or `broken`.
#[derive(Debug)]
pub(in crate::scenario) enum RawStore {
    Holds(Vec<Spanned<RawStoreEntry>>),
    Missing,
    Broken,
}

impl<'de> Deserialize<'de> for RawStore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<RawStore, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = RawStore;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of authorities and files, or missing, or broken")
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

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawStore, A::Error> {
                let files = RawStoreFiles::deserialize(MapAccessDeserializer::new(map))?;
                Ok(RawStore::Holds(vec![files.alone()]))
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

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let files = generator.subschema_for::<RawStoreFiles>();
        json_schema!({
            "description": "The authorities, keys and time stamping authorities whose certificates it holds, and files with further ones; or no directory at all, or one with a file that is no certificate.",
            "oneOf": [
                { "type": "array", "items": { "oneOf": [{ "type": "string" }, files] }, "minItems": 1 },
                files,
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
    Certificates(Vec<Held>),
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
                        let content = reading.store_content(&name, &store.value);
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

    fn store_content(&mut self, name: &StoreName, raw: &RawStore) -> StoreContent {
        let entries = match raw {
            RawStore::Missing => return StoreContent::Missing,
            RawStore::Broken => return StoreContent::Broken,
            RawStore::Holds(entries) => entries,
        };
        let mut seen = HashSet::new();
        let mut held = Vec::new();
        for entry in entries {
            held.extend(self.held(name, entry));
            let called = entry.value.name();
            if !seen.insert(called) {
                let message = format!("the store holds {} twice", quote(called));
                self.findings.error(Rule::Store, &entry.range, message, "once is enough");
            }
        }
        StoreContent::Certificates(held)
    }
}

impl Things {
    /// Adds a store that holds one authority. A name that no store can have is told of where it is given.
    fn add_usual_store(&mut self, kind: StoreType, name: &str, authority: usize) {
        if let Ok(name) = StoreName::new(kind, name) {
            let content = StoreContent::Certificates(vec![Held::By(Holder::Authority(authority))]);
            self.trust_stores.push(StorePlan { name, content });
        }
    }
}

impl StorePlan {
    /// What it holds at the beginning.
    pub(in crate::scenario) fn held(&self) -> &[Held] {
        match &self.content {
            StoreContent::Certificates(held) => held,
            StoreContent::Missing | StoreContent::Broken => &[],
        }
    }
}

/// Writes a store that holds the certificates of `held`, and nothing else, whatever it held before.
pub(in crate::scenario) fn write_store(
    stores: &Folder,
    name: &StoreName,
    held: &[Held],
    holders: &Holders,
) -> std::io::Result<()> {
    let directory = stores.make(&below(name))?;
    for entry in std::fs::read_dir(&directory)? {
        std::fs::remove_file(entry?.path())?;
    }
    let certificates = held.iter().flat_map(|held| held.certificates(holders));
    certificates
        .enumerate()
        .try_for_each(|(number, certificate)| std::fs::write(directory.join(format!("{number}.crt")), certificate))
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
            StoreContent::Certificates(held) => write_store(&site.stores, &self.name, held, &site.holders),
        };
        write().map_err(|error: std::io::Error| {
            crate::shortage::note(&error);
            SetupError::Failed(format!("the trust stores: {error}"))
        })
    }
}
