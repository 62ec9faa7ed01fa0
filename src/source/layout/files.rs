//! The files of a layout, wherever they are: read by name, within a limit, and checked against their digest.

use std::fmt;
use std::io::Read;

use bytes::Bytes;

use super::archive::Archive;
use super::directory::Directory;
use crate::digest::Digest;
use crate::limits;
use crate::manifest::Descriptor;
use crate::trouble::{Trouble, TroubleKind};

/// The file that says that this is a layout.
pub(super) const LAYOUT: &str = "oci-layout";
/// The file that lists the manifests.
pub(super) const INDEX: &str = "index.json";

/// The files of a layout. `Display` names the place, quoted.
#[derive(Debug)]
pub(super) enum Files {
    Directory(Directory),
    Archive(Archive),
}

impl Files {
    /// The file of this name, of at most `limit` bytes. `None`: there is none.
    pub(super) fn file(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, Trouble> {
        match self {
            Files::Directory(directory) => directory.file(name, limit),
            Files::Archive(archive) => archive.file(name, limit),
        }
    }

    /// The file of this name, of at most `limit` bytes, to be read. `None`: there is none.
    pub(super) fn open(&self, name: &str, limit: u64) -> Result<Option<Box<dyn Read + '_>>, Trouble> {
        Ok(match self {
            Files::Directory(directory) => {
                directory.open_file(name, limit)?.map(|file| Box::new(file) as Box<dyn Read>)
            }
            Files::Archive(archive) => archive.open_file(name, limit)?.map(|part| Box::new(part) as Box<dyn Read>),
        })
    }

    /// Sees to it that these blobs can be read, which turned out to be needed.
    pub(super) fn need(&mut self, blobs: &[Digest]) -> Result<(), Trouble> {
        match self {
            Files::Directory(_) => Ok(()),
            Files::Archive(archive) => archive.need(blobs),
        }
    }

    /// The blob that `descriptor` describes, of at most `limit` bytes. `None`: there is none.
    pub(super) fn blob(&self, descriptor: &Descriptor, limit: u64) -> Result<Option<Bytes>, Trouble> {
        let Descriptor { digest, size, .. } = descriptor;
        if *size > limit {
            return Err(self.trouble(
                TroubleKind::AnswerTooLarge,
                &format!("{digest} is said to have {size} bytes, more than the {limit} that are read"),
            ));
        }
        let Some(bytes) = self.file(&blob_name(digest), limit)? else { return Ok(None) };
        if !digest.matches(&bytes) {
            let message = format!("the content of {digest} has another digest");
            return Err(self.trouble(TroubleKind::AnswerInvalid, &message));
        }
        if bytes.len() as u64 != *size {
            let message = format!("{digest} is said to have {size} bytes, but has {}", bytes.len());
            return Err(self.trouble(TroubleKind::SizeMisstated, &message));
        }
        Ok(Some(bytes.into()))
    }

    /// The first bytes of a blob. `None`: there is none.
    pub(super) fn beginning(&self, digest: &Digest) -> Result<Option<Bytes>, Trouble> {
        let name = blob_name(digest);
        let Some(blob) = self.open(&name, u64::MAX)? else { return Ok(None) };
        let mut bytes = Vec::new();
        match blob.take(limits::ERROR_BYTES).read_to_end(&mut bytes) {
            Ok(_) => Ok(Some(bytes.into())),
            Err(error) => Err(self.trouble(TroubleKind::FileUnusable, &format!("{name} cannot be read: {error}"))),
        }
    }

    /// Trouble with this layout.
    pub(super) fn trouble(&self, kind: TroubleKind, what: &str) -> Trouble {
        Trouble::new(kind, format!("{self}: {what}"))
    }
}

impl fmt::Display for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Files::Directory(directory) => f.write_str(directory.place()),
            Files::Archive(archive) => f.write_str(archive.place()),
        }
    }
}

/// Where a layout keeps a blob. A digest's grammar leaves no room for a path that leads elsewhere.
pub(super) fn blob_name(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm().name(), digest.hex())
}
