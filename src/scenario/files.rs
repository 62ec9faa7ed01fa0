//! Files that a scenario has written, with their detached signatures, each of which lies in a file of its own.
//!
//! They lie on disk, so that they are measured and read as those of people are. Signatures are called `NAME.N.jws.sig` or
//! `NAME.N.cose.sig`, counted from 0, in a folder beside that of the files, where no file can have such a name.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::envelope::Format;
use crate::forge::Artifact;

/// Files by name.
#[derive(Debug)]
pub(super) struct Files {
    /// Holds `files/` and `signatures/`.
    folder: PathBuf,
    /// The signatures of each, in the order in which they were made. A detached signature has no manifest; that of the
    /// artifact is kept, and never looked at.
    signatures: HashMap<String, Vec<Artifact>>,
}

impl Files {
    /// Files below `folder`; there are none so far.
    pub(super) fn below(folder: &Path) -> Files {
        Files { folder: folder.to_owned(), signatures: HashMap::new() }
    }

    /// Where the file called `name` lies.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join("files").join(name)
    }

    /// Where a signature of the file lies, and its format: that in which it was made. Where there is none, where one would lie.
    pub(super) fn place_of_signature(&self, name: &str, number: usize) -> (PathBuf, Format) {
        let made = self.signatures.get(name).and_then(|all| all.get(number));
        let format = match made.and_then(|signature| signature.blobs.last()) {
            Some(envelope) if envelope.descriptor.media_type == Format::Cose.media_type() => Format::Cose,
            _ => Format::Jws,
        };
        let ending = match format {
            Format::Jws => "jws",
            Format::Cose => "cose",
        };
        (self.folder.join("signatures").join(format!("{name}.{number}.{ending}.sig")), format)
    }

    /// Writes a file; its signatures stay, whatever they are of.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), String> {
        write(&self.path(name), bytes).map_err(|error| format!("{name} cannot be written: {error}"))
    }

    /// A signature of the file.
    pub(super) fn signature(&self, name: &str, number: usize) -> Result<&Artifact, String> {
        let all = self.signatures.get(name).map(Vec::as_slice).unwrap_or_default();
        all.get(number).ok_or_else(|| format!("{name} has {} signatures, and none is number {number}", all.len()))
    }

    /// Notes and writes another signature.
    pub(super) fn add_signature(&mut self, name: &str, signature: Artifact) -> Result<(), String> {
        let all = self.signatures.entry(name.to_owned()).or_default();
        all.push(signature);
        let number = all.len() - 1;
        self.write_signature(name, number)
    }

    /// Puts another signature in the place of one.
    pub(super) fn replace_signature(&mut self, name: &str, number: usize, signature: Artifact) -> Result<(), String> {
        self.signature(name, number)?;
        if let Some(place) = self.signatures.get_mut(name).and_then(|all| all.get_mut(number)) {
            *place = signature;
        }
        self.write_signature(name, number)
    }

    /// Deletes the file, or one of its signatures from the disk; the others keep their numbers.
    pub(super) fn delete(&self, name: &str, signature: Option<usize>) -> Result<(), String> {
        let path = match signature {
            None => self.path(name),
            Some(number) => self.place_of_signature(name, number).0,
        };
        std::fs::remove_file(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => format!("{name} was deleted already"),
            _ => format!("{name} cannot be deleted: {error}"),
        })
    }

    fn write_signature(&self, name: &str, number: usize) -> Result<(), String> {
        let signature = self.signature(name, number)?;
        let envelope = signature.blobs.last().ok_or_else(|| format!("a signature of {name} has no envelope"))?;
        let (path, _) = self.place_of_signature(name, number);
        write(&path, &envelope.bytes).map_err(|error| format!("the signature of {name} cannot be written: {error}"))
    }
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, bytes)
}
