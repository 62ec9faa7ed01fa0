//! What a trust store holds: certificates of the world by the names of their holders, and real ones from files and folders of
//! the project.
//!
//! Files are read by the parser of trust stores, so that what an audit refuses is refused here, with its place in the
//! scenario.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::Reading;
use super::holders::{Holder, Holders};
use crate::failure::quote;
use crate::scenario::finding::Rule;
use crate::scenario::spanned::Spanned;
use crate::trust_store::{NamedStore, StoreName};

/// An entry of a trust store.
#[derive(Debug, Clone)]
pub(super) enum RawStoreEntry {
    /// The certificate of an authority, a key or a time stamping authority.
    Name(String),
    Files(RawStoreFiles),
}

/// Certificates from files of the project: either member.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawStoreFiles {
    /// A file with certificates in PEM or DER, from here.
    file: Option<Spanned<String>>,
    /// A folder with such files, as a trust store of notation is one, from here.
    folder: Option<Spanned<String>>,
}

/// What a store holds, with every name resolved and every file read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::scenario) enum Held {
    /// The certificate of this holder.
    By(Holder),
    /// These certificates, in DER.
    FromFiles(Vec<Vec<u8>>),
}

impl<'de> Deserialize<'de> for RawStoreEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<RawStoreEntry, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = RawStoreEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of an authority, or a file or folder of certificates")
            }

            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<RawStoreEntry, E> {
                Ok(RawStoreEntry::Name(name.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawStoreEntry, A::Error> {
                RawStoreFiles::deserialize(MapAccessDeserializer::new(map)).map(RawStoreEntry::Files)
            }
        }

        deserializer.deserialize_any(Read)
    }
}

impl RawStoreEntry {
    /// What is written: a name, or a path.
    pub(super) fn name(&self) -> &str {
        match self {
            RawStoreEntry::Name(name) => name,
            RawStoreEntry::Files(files) => files.written().map_or("", |written| &written.value),
        }
    }
}

impl RawStoreFiles {
    fn written(&self) -> Option<&Spanned<String>> {
        self.file.as_ref().or(self.folder.as_ref())
    }

    /// All that a store holds.
    pub(super) fn alone(self) -> Spanned<RawStoreEntry> {
        match self.written().map(|written| written.with(())) {
            Some(place) => place.with(RawStoreEntry::Files(self)),
            None => Spanned::nowhere(RawStoreEntry::Files(self)),
        }
    }
}

impl Held {
    /// The certificates, in DER.
    pub(super) fn certificates<'h>(&'h self, holders: &'h Holders) -> Vec<&'h [u8]> {
        match self {
            Held::By(holder) => vec![holders.certificate(*holder)],
            Held::FromFiles(certificates) => certificates.iter().map(Vec::as_slice).collect(),
        }
    }
}

impl Reading<'_, '_, '_> {
    /// What an entry of the store `name` stands for; `None` where something is wrong, of which the findings tell.
    pub(super) fn held(&mut self, name: &StoreName, entry: &Spanned<RawStoreEntry>) -> Option<Held> {
        let files = match &entry.value {
            RawStoreEntry::Name(holder) => {
                return self.things.holder(&entry.with(holder.clone()), self.findings).map(Held::By);
            }
            RawStoreEntry::Files(files) => files,
        };
        let (written, is_folder) = match (&files.file, &files.folder) {
            (Some(file), None) => (file, false),
            (None, Some(folder)) => (folder, true),
            _ => {
                let message = "certificates come from a file or from a folder".to_owned();
                self.findings.error(Rule::Store, &entry.range, message, "write { file: PATH } or { folder: PATH }");
                return None;
            }
        };
        let path = match self.files.find(&written.value).and_then(|path| of_kind(path, is_folder)) {
            Ok(path) => path,
            Err(message) => {
                let help = "name certificates of the project, from the folder of the scenario, without symbolic links";
                self.findings.error(Rule::FilePath, &written.range, message, help);
                return None;
            }
        };
        match read(name, &path, is_folder) {
            Ok(certificates) => Some(Held::FromFiles(certificates)),
            Err(message) => {
                let help =
                    "put certificates there that a trust store may hold; for a store that cannot be used, write broken";
                self.findings.error(Rule::Store, &written.range, message, help);
                None
            }
        }
    }
}

/// The path, if it is that of a folder or of a regular file, as is wanted.
fn of_kind(path: PathBuf, is_folder: bool) -> Result<PathBuf, String> {
    let found = fs::symlink_metadata(&path).map_err(|error| error.to_string())?;
    match if is_folder { found.is_dir() } else { found.is_file() } {
        true => Ok(path),
        false => {
            let wanted = if is_folder { "a folder" } else { "a regular file" };
            Err(format!("{} is not {wanted}", quote(&path.display().to_string())))
        }
    }
}

/// The certificates in DER, by the rules for the store `name`.
fn read(name: &StoreName, path: &Path, is_folder: bool) -> Result<Vec<Vec<u8>>, String> {
    let mut passed_over = Vec::new();
    let store = match is_folder {
        true => NamedStore::from_folder(name, path, &mut passed_over),
        false => NamedStore::from_file(name.kind(), path),
    };
    let store = store.map_err(|problem| problem.to_string())?;
    if let Some(warning) = passed_over.first() {
        return Err(warning.message.clone());
    }
    Ok(store.certificates().iter().map(|certificate| certificate.der().to_vec()).collect())
}
