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
    /// The signatures of each, in the order in which they were made.
    signatures: HashMap<String, Vec<Detached>>,
}

/// A detached signature.
#[derive(Debug)]
struct Detached {
    format: Format,
    /// Its envelope, as of an artifact, whose manifest is never looked at; `None` once it was deleted.
    made: Option<Artifact>,
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
        let format = made.map_or(Format::Jws, |signature| signature.format);
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
        let found = all.get(number);
        let found = found.ok_or_else(|| format!("{name} has {} signatures, and none is number {number}", all.len()))?;
        found.made.as_ref().ok_or_else(|| format!("the signature {number} of {name} was deleted"))
    }

    /// Notes and writes another signature.
    pub(super) fn add_signature(&mut self, name: &str, signature: Artifact) -> Result<(), String> {
        let format = match signature.blobs.last() {
            Some(envelope) if envelope.descriptor.media_type == Format::Cose.media_type() => Format::Cose,
            _ => Format::Jws,
        };
        let all = self.signatures.entry(name.to_owned()).or_default();
        all.push(Detached { format, made: Some(signature) });
        let number = all.len() - 1;
        self.write_signature(name, number)
    }

    /// Puts another signature in the place of one, where that lies: what it is called says what it is taken for.
    pub(super) fn replace_signature(&mut self, name: &str, number: usize, signature: Artifact) -> Result<(), String> {
        self.signature(name, number)?;
        if let Some(place) = self.signatures.get_mut(name).and_then(|all| all.get_mut(number)) {
            place.made = Some(signature);
        }
        self.write_signature(name, number)
    }

    /// Deletes the file, or one of its signatures from the disk; the others keep their numbers.
    pub(super) fn delete(&mut self, name: &str, signature: Option<usize>) -> Result<(), String> {
        let path = match signature {
            None => self.path(name),
            Some(number) => {
                self.signature(name, number)?;
                self.place_of_signature(name, number).0
            }
        };
        std::fs::remove_file(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => format!("{name} was deleted already"),
            _ => format!("{name} cannot be deleted: {error}"),
        })?;
        let deleted = signature.and_then(|number| self.signatures.get_mut(name)?.get_mut(number));
        if let Some(deleted) = deleted {
            deleted.made = None;
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forge::Blob;

    fn signature(format: Format, envelope: &str) -> Artifact {
        let manifest = Blob::new("application/vnd.oci.image.manifest.v1+json", *b"{}");
        Artifact { manifest, blobs: vec![Blob::new(format.media_type(), envelope)] }
    }

    #[test]
    fn signatures_keep_their_numbers_and_places() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = Files::below(folder.path());
        files.write("a.0", b"content").unwrap();
        for (name, format, envelope) in
            [("a.0", Format::Jws, "one"), ("a.0", Format::Cose, "two"), ("a", Format::Jws, "three")]
        {
            files.add_signature(name, signature(format, envelope)).unwrap();
        }
        // Replaced by one of another format, it lies where it lay.
        files.replace_signature("a.0", 1, signature(Format::Jws, "four")).unwrap();
        files.delete("a.0", Some(0)).unwrap();
        let (gone, _) = files.place_of_signature("a.0", 0);
        let (kept, format) = files.place_of_signature("a.0", 1);
        let (other, _) = files.place_of_signature("a", 0);
        assert!(!gone.exists() && files.path("a.0").exists());
        assert_eq!((std::fs::read(kept).unwrap(), format), (b"four".to_vec(), Format::Cose));
        assert_eq!(std::fs::read(other).unwrap(), b"three");
        assert!(files.signature("a.0", 1).is_ok());
        for error in [
            files.signature("a.0", 0).unwrap_err(),
            files.replace_signature("a.0", 0, signature(Format::Jws, "five")).unwrap_err(),
            files.delete("a.0", Some(0)).unwrap_err(),
        ] {
            assert_eq!(error, "the signature 0 of a.0 was deleted");
        }
        assert!(files.signature("a.0", 2).unwrap_err().contains("2 signatures"));
        files.delete("a.0", None).unwrap();
        assert_eq!(files.delete("a.0", None).unwrap_err(), "a.0 was deleted already");
    }
}
