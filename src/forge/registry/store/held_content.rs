//! Content that an embedded registry holds: in memory, or, where there is much, in a file without a name.
//!
//! It outlives its place in a repository as long as it is held, and is never hashed again.

use std::borrow::Borrow;
use std::fs::File;
use std::hash::{Hash, Hasher};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use crate::digest::Digest;

/// Content up to this length is copied when it comes in: as it was received, it may hold a buffer of many times its length.
const COPIED: usize = 64 << 10;

/// Some content of a registry.
#[derive(Debug)]
pub struct HeldContent {
    digest: Digest,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Memory(Bytes),
    /// In the file, from this byte on, so long.
    File(Arc<Mutex<File>>, u64, usize),
    /// In the folder of the registry.
    Folder,
}

/// A file without a name: it is gone when it is closed, however that happens.
#[derive(Debug)]
pub(super) struct Overflow {
    file: Arc<Mutex<File>>,
    length: u64,
}

/// Content that is found by its digest.
#[derive(Debug, Clone)]
pub(super) struct ByDigest(pub(super) Arc<HeldContent>);

impl HeldContent {
    /// `bytes`, in memory.
    pub fn new(bytes: Bytes) -> HeldContent {
        HeldContent { digest: Digest::sha256(&bytes), place: Place::Memory(bytes) }
    }

    /// The digest.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The content.
    ///
    /// # Errors
    /// The file that it is in cannot be read.
    pub fn bytes(&self) -> io::Result<Bytes> {
        match &self.place {
            Place::Memory(bytes) => Ok(bytes.clone()),
            Place::File(file, start, length) => {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                let mut bytes = vec![0; *length];
                file.seek(SeekFrom::Start(*start))?;
                file.read_exact(&mut bytes)?;
                Ok(bytes.into())
            }
            Place::Folder => Err(io::ErrorKind::NotFound.into()),
        }
    }

    pub(super) fn is_in_folder(&self) -> bool {
        matches!(self.place, Place::Folder)
    }

    pub(super) fn in_memory(digest: Digest, bytes: Bytes) -> HeldContent {
        let bytes = if bytes.len() <= COPIED { Bytes::copy_from_slice(&bytes) } else { bytes };
        HeldContent { digest, place: Place::Memory(bytes) }
    }

    pub(super) fn in_folder(digest: Digest) -> HeldContent {
        HeldContent { digest, place: Place::Folder }
    }
}

impl Overflow {
    pub(super) fn new() -> io::Result<Overflow> {
        Ok(Overflow { file: Arc::new(Mutex::new(tempfile::tempfile()?)), length: 0 })
    }

    /// Content that has this digest, written behind what is there.
    pub(super) fn put(&mut self, digest: Digest, bytes: &[u8]) -> io::Result<HeldContent> {
        let start = self.length;
        {
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            file.seek(SeekFrom::Start(start))?;
            file.write_all(bytes)?;
        }
        self.length += bytes.len() as u64;
        Ok(HeldContent { digest, place: Place::File(Arc::clone(&self.file), start, bytes.len()) })
    }
}

impl PartialEq for ByDigest {
    fn eq(&self, other: &ByDigest) -> bool {
        self.0.digest == other.0.digest
    }
}

impl Eq for ByDigest {}

impl Hash for ByDigest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.digest.hash(state);
    }
}

impl Borrow<Digest> for ByDigest {
    fn borrow(&self) -> &Digest {
        &self.0.digest
    }
}
