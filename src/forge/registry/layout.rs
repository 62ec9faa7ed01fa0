//! Filling a registry from an OCI layout directory (OCI image specification, *Image Layout*).
//!
//! The layout is the forge's own: it is believed. What audits read layouts with is [`crate::source`].

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::EmbeddedRegistry;
use crate::digest::Digest;
use crate::failure::quote;
use crate::reference::Reference;

const REF_NAME: &str = "org.opencontainers.image.ref.name";

struct Layout<'a> {
    registry: &'a EmbeddedRegistry,
    directory: PathBuf,
    /// By manifest, the repositories that have it.
    placed: HashMap<Digest, HashSet<String>>,
}

pub(super) fn load(registry: &EmbeddedRegistry, directory: &Path) -> io::Result<usize> {
    let index: Value = serde_json::from_slice(&std::fs::read(directory.join("index.json"))?)?;
    let mut layout = Layout { registry, directory: directory.to_owned(), placed: HashMap::new() };
    let mut named = 0;
    let mut unnamed = Vec::new();
    for entry in elements(&index, "manifests") {
        match entry.pointer("/annotations").and_then(|annotations| annotations.get(REF_NAME)).and_then(Value::as_str) {
            Some(name) => {
                let reference: Reference =
                    name.parse().map_err(|error| invalid(format!("{}: {error}", quote(name))))?;
                layout.place(entry, reference.repository.path(), reference.tag.as_deref())?;
                named += 1;
            }
            None => unnamed.push(entry),
        }
    }
    // A referrer may refer to a referrer that comes behind it.
    while !unnamed.is_empty() {
        let before = unnamed.len();
        let mut left = Vec::new();
        for entry in unnamed {
            let manifest: Value = serde_json::from_slice(&layout.content(entry)?)?;
            let subject = manifest.get("subject").map(digest_of).transpose()?;
            let repositories = subject.and_then(|subject| layout.placed.get(&subject)).cloned();
            match repositories {
                Some(repositories) => {
                    repositories.iter().try_for_each(|repository| layout.place(entry, repository, None))?;
                }
                None => left.push(entry),
            }
        }
        if left.len() == before {
            break;
        }
        unnamed = left;
    }
    Ok(named)
}

impl Layout<'_> {
    /// Puts the manifest that `descriptor` describes into a repository, after everything it names.
    fn place(&mut self, descriptor: &Value, repository: &str, tag: Option<&str>) -> io::Result<()> {
        let bytes = self.content(descriptor)?;
        let media_type = descriptor.get("mediaType").and_then(Value::as_str).unwrap_or_default();
        if let Ok(manifest) = serde_json::from_slice::<Value>(&bytes) {
            for child in elements(&manifest, "manifests") {
                self.place(child, repository, None)?;
            }
            let blobs = elements(&manifest, "layers").chain(elements(&manifest, "blobs"));
            for blob in manifest.get("config").into_iter().chain(blobs) {
                self.registry.put_blob(repository, self.content(blob)?)?;
            }
        }
        let digest = self.registry.put_manifest(repository, tag, media_type, bytes)?;
        self.placed.entry(digest).or_default().insert(repository.to_owned());
        Ok(())
    }

    fn content(&self, descriptor: &Value) -> io::Result<Vec<u8>> {
        let digest = digest_of(descriptor)?;
        std::fs::read(self.directory.join("blobs").join(digest.algorithm().name()).join(digest.hex()))
    }
}

fn elements<'a>(object: &'a Value, member: &str) -> impl Iterator<Item = &'a Value> {
    object.get(member).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default().iter()
}

fn digest_of(descriptor: &Value) -> io::Result<Digest> {
    let text = descriptor.get("digest").and_then(Value::as_str).unwrap_or_default();
    text.parse().map_err(|error| invalid(format!("{}: {error}", quote(text))))
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}
