//! A layout as a directory.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::failure::quote;
use crate::trouble::{Trouble, TroubleKind};

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
            Ok(_) => Err(directory.trouble(TroubleKind::FileUnusable, "is not a directory")),
            Err(error) => Err(directory.failed("", &error)),
        }
    }

    pub(super) fn place(&self) -> &str {
        &self.place
    }

    fn regular(&self, name: &str) -> Result<Option<(PathBuf, Metadata)>, Trouble> {
        match self.walk(name)? {
            Some((_, metadata)) if !metadata.is_file() => {
                Err(self.trouble(TroubleKind::AnswerInvalid, &format!("{name} is not a regular file")))
            }
            found => Ok(found),
        }
    }

    /// Opens a regular file, whose name divides its parts by `/`; at most `limit` bytes of it are read, and one more.
    pub(super) fn open_file(&self, name: &str, limit: u64) -> Result<Option<io::Take<File>>, Trouble> {
        let Some((path, metadata)) = self.regular(name)? else { return Ok(None) };
        if metadata.len() > limit {
            return Err(self.too_long(name, limit));
        }
        let open = || -> io::Result<File> {
            let file = File::open(path)?;
            match file.metadata()?.is_file() {
                true => Ok(file),
                false => Err(io::Error::other("it was replaced while it was read")),
            }
        };
        let file = open().map_err(|error| self.failed(name, &error))?;
        Ok(Some(file.take(limit.saturating_add(1))))
    }

    /// Reads a regular file of at most `limit` bytes.
    pub(super) fn file(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, Trouble> {
        let Some(mut file) = self.open_file(name, limit)? else { return Ok(None) };
        let room = file.get_ref().metadata().map_or(0, |metadata| metadata.len().min(limit));
        let mut bytes = Vec::with_capacity(usize::try_from(room).unwrap_or(0).saturating_add(1));
        file.read_to_end(&mut bytes).map_err(|error| self.failed(name, &error))?;
        if bytes.len() as u64 > limit {
            return Err(self.too_long(name, limit));
        }
        Ok(Some(bytes))
    }

    fn too_long(&self, name: &str, limit: u64) -> Trouble {
        let message = format!("{name} has more than the {limit} bytes that are expected");
        self.trouble(TroubleKind::AnswerTooLarge, &message)
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
            _ => TroubleKind::FileUnusable,
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
