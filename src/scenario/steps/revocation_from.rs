//! `revocation` of a verification: where CRLs and OCSP answers come from.
//!
//! A folder holds answers that were recorded, as `--revocation-from` of an audit reads them. Nothing in it is believed: every
//! answer is verified like one from a server, and what is not there is not fetched.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::reader::Reader;
use crate::failure::quote;
use crate::fetch::Folder;
use crate::scenario::finding::Rule;
use crate::scenario::spanned::Spanned;

/// Where answers about revocation come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::scenario) enum RevocationFrom {
    /// The responders of the world, over HTTP.
    Network,
    /// Nowhere: there is no network.
    Offline,
    /// A folder of recorded answers; there is no network.
    Folder(PathBuf),
}

/// The same as it is written.
#[derive(Debug)]
pub(super) enum RawRevocation {
    Network,
    Offline,
    Folder(Spanned<String>),
}

/// Recorded answers.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawRecorded {
    /// The folder of the recorded CRLs and OCSP answers, from here: what `--revocation-to` of an audit writes. No network is
    /// asked.
    folder: Spanned<String>,
}

impl<'de> Deserialize<'de> for RawRevocation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<RawRevocation, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = RawRevocation;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("network, offline, or a folder of recorded answers")
            }

            fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<RawRevocation, E> {
                match word {
                    "network" => Ok(RawRevocation::Network),
                    "offline" => Ok(RawRevocation::Offline),
                    _ => Err(E::custom(format!(
                        "{} is nowhere that answers come from: expected network, offline or {{ folder: DIR }}",
                        quote(word)
                    ))),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawRevocation, A::Error> {
                let recorded = RawRecorded::deserialize(MapAccessDeserializer::new(map))?;
                Ok(RawRevocation::Folder(recorded.folder))
            }
        }

        deserializer.deserialize_any(Read)
    }
}

impl JsonSchema for RawRevocation {
    fn schema_name() -> Cow<'static, str> {
        "RevocationFrom".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Where answers about revocation come from: the responders of the world, nowhere, or a folder of recorded answers.",
            "oneOf": [{ "enum": ["network", "offline"] }, generator.subschema_for::<RawRecorded>()]
        })
    }
}

impl RawRevocation {
    /// The same, with the folder found; `None` where something is wrong, of which the findings tell.
    pub(super) fn check(&self, reader: &mut Reader<'_, '_, '_>) -> Option<RevocationFrom> {
        let written = match self {
            RawRevocation::Network => return Some(RevocationFrom::Network),
            RawRevocation::Offline => return Some(RevocationFrom::Offline),
            RawRevocation::Folder(folder) => folder,
        };
        let folder = match reader.project_files.find(&written.value) {
            Ok(folder) => folder,
            Err(message) => {
                let help = "name a folder of the project, from the folder of the scenario, without symbolic links";
                reader.findings.error(Rule::FilePath, &written.range, message, help);
                return None;
            }
        };
        // What cannot be read is passed over in an audit, with a warning: here it would be a test that shows nothing.
        let problem = match Folder::read(&folder) {
            Ok(recorded) => recorded.warnings().first().cloned(),
            Err(error) => Some(error.to_string()),
        };
        if let Some(message) = problem {
            let help = "name a folder that --revocation-to has written, and leave only recorded answers there";
            reader.findings.error(Rule::Recorded, &written.range, message, help);
            return None;
        }
        Some(RevocationFrom::Folder(folder))
    }
}
