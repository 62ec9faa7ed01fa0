//! A layout as a directory.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::failure::quote;
use crate::source::{Trouble, TroubleKind};

/// The directory of a layout.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    /// The path for messages, quoted.
    place: String,
}

impl Directory {
    pub(super) fn open(path: &Path) -> Result<Directory, Trouble> {
        let directory = Directory { path: path.to_owned(), place: quote(&path.to_string_lossy()) };
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => Ok(directory),
            Ok(_) => Err(directory.trouble(TroubleKind::AnswerInvalid, "is not a directory")),
            Err(error) => Err(directory.failed("", &error)),
        }
    }

    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// Reads a regular file, whose name divides its parts by `/`, at most `limit` bytes of it.
    pub(super) fn file(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, Trouble> {
        let Some((path, metadata)) = self.walk(name)? else { return Ok(None) };
        if !metadata.is_file() {
            return Err(self.trouble(TroubleKind::AnswerInvalid, &format!("{name} is not a regular file")));
        }
        let read = || -> io::Result<Vec<u8>> {
            let file = File::open(path)?;
            if !file.metadata()?.is_file() {
                return Err(io::Error::other("it was replaced while it was read"));
            }
            let mut bytes = Vec::new();
            file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let bytes = read().map_err(|error| self.failed(name, &error))?;
        if bytes.len() as u64 > limit {
            let message = format!("{name} has more than the {limit} bytes that are expected");
            return Err(self.trouble(TroubleKind::AnswerTooLarge, &message));
        }
        Ok(Some(bytes))
    }

    /// Goes down to a file and looks at every step itself, not at what a link there points to.
    fn walk(&self, name: &str) -> Result<Option<(PathBuf, Metadata)>, Trouble> {
        let mut path = self.path.clone();
        let mut parts = name.split('/').peekable();
        while let Some(part) = parts.next() {
            path.push(part);
            let metadata = match fs::symlink_metadata(&path) {
                Ok(metadata) => metadata,
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(self.failed(name, &error)),
            };
            if parts.peek().is_none() {
                return Ok(Some((path, metadata)));
            }
            if !metadata.is_dir() {
                let message = format!("{part} on the way to {name} is not a directory");
                return Err(self.trouble(TroubleKind::AnswerInvalid, &message));
            }
        }
        Ok(None)
    }

    fn failed(&self, name: &str, error: &io::Error) -> Trouble {
        let kind = match error.kind() {
            ErrorKind::NotFound => TroubleKind::NotFound,
            ErrorKind::PermissionDenied => TroubleKind::AccessDenied,
            _ => TroubleKind::Unreachable,
        };
        let what = match name {
            "" => "the layout".to_owned(),
            name => name.to_owned(),
        };
        self.trouble(kind, &format!("{what} cannot be read: {error}"))
    }

    fn trouble(&self, kind: TroubleKind, what: &str) -> Trouble {
        Trouble::new(kind, format!("{}: {what}", self.place))
    }
}
