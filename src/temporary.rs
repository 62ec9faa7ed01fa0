//! Temporary files and folders with a name, which are removed however the program ends; and files that are written whole.
//!
//! Each removes itself when it is dropped. A program that is told to stop may end before that: so what exists is kept
//! account of, and [`remove_all`] removes it. (What can do without a name has none, and needs no removing.)

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tempfile::TempDir;

/// How often it is tried to remove something.
const TRIES: usize = 3;

/// What exists now.
static PLACES: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// A temporary folder.
#[derive(Debug)]
pub struct Folder {
    // Dropped in this order: first it is removed.
    folder: TempDir,
    _noted: Noted,
}

/// That a place is to be removed should the program end; until it is dropped.
#[derive(Debug)]
pub struct Noted(PathBuf);

impl Folder {
    /// A new folder whose name begins with `prefix`, in the system's place for such.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn new(prefix: &str) -> io::Result<Folder> {
        let folder = tempfile::Builder::new().prefix(prefix).tempdir()?;
        let noted = Noted::new(folder.path());
        Ok(Folder { folder, _noted: noted })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Noted {
    /// Notes the file or folder at `path`.
    pub fn new(path: &Path) -> Noted {
        PLACES.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned());
        Noted(path.to_owned())
    }
}

impl Drop for Noted {
    fn drop(&mut self) {
        PLACES.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.0);
    }
}

/// What [`write()`] does where there is something already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// Puts the file in its place; a link is replaced, not followed.
    Replace,
    /// Leaves it alone, and fails with [`io::ErrorKind::AlreadyExists`].
    Refuse,
}

/// Makes `bytes` the file at `path`. A reader meanwhile sees all of it or nothing.
pub fn write(path: &Path, bytes: &[u8], existing: Existing) -> io::Result<()> {
    let mut file = tempfile::Builder::new();
    file.prefix(".muster-").suffix(".partial");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // Signatures are no secret: the user's umask decides, as for any other file.
        file.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = file.tempfile_in(path.parent().unwrap_or_else(|| Path::new("")))?;
    let _noted = Noted::new(file.path());
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    let placed = match existing {
        Existing::Replace => file.persist(path),
        Existing::Refuse => file.persist_noclobber(path),
    };
    placed.map(|_| ()).map_err(|error| error.error)
}

/// Removes all that exists now. To be called last: later uses of these files find them gone.
pub fn remove_all() {
    let places = std::mem::take(&mut *PLACES.lock().unwrap_or_else(PoisonError::into_inner));
    for place in places {
        // What is still at work may put something in between. What cannot be removed is left: there is no way left to
        // report it.
        for _ in 0..TRIES {
            match fs::symlink_metadata(&place) {
                Ok(metadata) if metadata.is_dir() && fs::remove_dir_all(&place).is_err() => {}
                Ok(metadata) if !metadata.is_dir() && fs::remove_file(&place).is_err() => {}
                _ => break,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_files_are_known_as_long_as_they_exist() {
        let folder = Folder::new("muster-test-").unwrap();
        let path = folder.path().to_owned();
        let known = || PLACES.lock().unwrap().contains(&path);
        assert!(path.is_dir() && known());
        drop(folder);
        assert!(!path.exists() && !known());
    }
}
