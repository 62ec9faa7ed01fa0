//! Reading a file of the configuration: a regular file, no symbolic link, and not without end.
//!
//! Follows *trust-store-trust-policy*, Trust Store, where symbolic links are refused; only what is no configuration may
//! lie behind one. Nothing that is not a regular file is opened: opening a FIFO waits without end, and opening a device may
//! do anything.

use std::fs::{self, File, Metadata};
use std::io::{self, Read as _};
use std::path::Path;
use std::time::Duration;

use crate::shortage;

/// Why a file is not read. Each reads on after the file's name.
#[derive(Debug, thiserror::Error)]
pub enum FileProblem {
    /// There is nothing of this name.
    #[error("does not exist")]
    Missing,
    /// It is something else: what it is.
    #[error("is {0}, not a regular file")]
    NotRegular(&'static str),
    /// It is longer than the limit, in bytes.
    #[error("is longer than the {0} bytes that are read")]
    TooLong(u64),
    /// It is a symbolic link to something that is not there: the target, quoted.
    #[error("is a symbolic link, and {0}, where it leads, does not exist")]
    Dangling(String),
    /// It is a named pipe into which no program writes.
    #[error(
        "is a named pipe that no program has opened for writing within {0:?}: start the one that writes the content"
    )]
    NoWriter(Duration),
    /// It is a pipe whose writer does not end.
    #[error("is a pipe that its writer has not closed within {0:?}")]
    Unfinished(Duration),
    /// It was replaced by something else between looking and opening.
    #[error("was replaced while it was read")]
    Replaced,
    /// The system refuses.
    #[error("cannot be read: {0}")]
    Unreadable(#[source] io::Error),
}

impl From<io::Error> for FileProblem {
    fn from(error: io::Error) -> FileProblem {
        shortage::note(&error);
        match error.kind() {
            io::ErrorKind::NotFound => FileProblem::Missing,
            _ => FileProblem::Unreadable(error),
        }
    }
}

/// Whether there is a regular file at `path`, of at most `limit` bytes.
pub fn check(path: &Path, limit: u64) -> Result<Metadata, FileProblem> {
    let looked_at = fs::symlink_metadata(path)?;
    if !looked_at.is_file() {
        return Err(FileProblem::NotRegular(kind(&looked_at)));
    }
    if looked_at.len() > limit {
        return Err(FileProblem::TooLong(limit));
    }
    Ok(looked_at)
}

/// Reads the regular file at `path`, of at most `limit` bytes.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, FileProblem> {
    let looked_at = check(path, limit)?;
    let file = File::open(path)?;
    let opened = file.metadata()?;
    if !opened.is_file() || !same_file(&looked_at, &opened) {
        return Err(FileProblem::Replaced);
    }
    // Room for the whole, so that a secret is not copied about while the buffer grows.
    let mut bytes = Vec::with_capacity(usize::try_from(looked_at.len()).unwrap_or(0).saturating_add(1));
    // One byte more than the limit, for a file that grows while it is read.
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(FileProblem::TooLong(limit));
    }
    Ok(bytes)
}

/// Opens the regular file that `path` leads to, symbolic links followed: for content that is judged by what it is, and not
/// by where it lies.
pub fn open_linked(path: &Path) -> Result<File, FileProblem> {
    let looked_at = fs::metadata(path)?;
    if !looked_at.is_file() {
        return Err(FileProblem::NotRegular(kind(&looked_at)));
    }
    let file = File::open(path)?;
    let opened = file.metadata()?;
    if !opened.is_file() || !same_file(&looked_at, &opened) {
        return Err(FileProblem::Replaced);
    }
    Ok(file)
}

/// Reads the regular file that `path` leads to, symbolic links followed, of at most `limit` bytes.
pub fn read_linked(path: &Path, limit: u64) -> Result<Vec<u8>, FileProblem> {
    let file = open_linked(path)?;
    let length = file.metadata()?.len();
    if length > limit {
        return Err(FileProblem::TooLong(limit));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0).saturating_add(1));
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(FileProblem::TooLong(limit)) } else { Ok(bytes) }
}

/// What a file is, in words; `a regular file` for one that is.
pub fn kind(metadata: &Metadata) -> &'static str {
    let kind = metadata.file_type();
    if kind.is_symlink() {
        "a symbolic link"
    } else if kind.is_dir() {
        "a directory"
    } else if kind.is_file() {
        "a regular file"
    } else {
        special_kind(kind)
    }
}

#[cfg(unix)]
fn special_kind(kind: fs::FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    if kind.is_fifo() {
        "a named pipe"
    } else if kind.is_socket() {
        "a socket"
    } else if kind.is_block_device() || kind.is_char_device() {
        "a device"
    } else {
        "something else"
    }
}

#[cfg(not(unix))]
fn special_kind(_: fs::FileType) -> &'static str {
    "something else"
}

#[cfg(unix)]
fn same_file(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn same_file(_: &Metadata, _: &Metadata) -> bool {
    true
}
