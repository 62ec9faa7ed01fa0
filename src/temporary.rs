//! Temporary files and folders with a name, which are removed however the program ends; and files that are written whole.
//!
//! Each removes itself when it is dropped. A program that is told to stop may end before that: so what exists is kept
//! account of from the moment it is made, and [`remove_all`] removes it, and has nothing made any more: threads that still
//! work make nothing behind its back. (What can do without a name has none, and needs no removing.)
//!
//! A program that is killed removes nothing. So a file that is being written is locked for as long as its program lives, and
//! [`sweep`] removes those that no living program holds.

use std::collections::BTreeSet;
use std::fs::{self, File, Metadata, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tempfile::{NamedTempFile, TempDir};

use crate::{limits, shortage};

/// How often it is tried to remove something.
const TRIES: usize = 3;

/// How often it is tried to lock a file, and how long is waited in between.
const LOCK_TRIES: usize = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(2);

/// What exists now.
static PLACES: Mutex<Places> = Mutex::new(Places { exist: BTreeSet::new(), ended: false });

struct Places {
    exist: BTreeSet<PathBuf>,
    /// Whether the program is about to end.
    ended: bool,
}

fn places() -> MutexGuard<'static, Places> {
    // A set is whole even if a thread died while it held the lock.
    PLACES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A temporary folder.
#[derive(Debug)]
pub struct Folder {
    // Dropped in this order: it is let go, then removed.
    _lock: Option<File>,
    folder: TempDir,
    _noted: Noted,
}

/// That a place is to be removed when the program ends; until it is dropped, and nothing is there any more.
#[derive(Debug)]
pub struct Noted(PathBuf);

impl Folder {
    /// A new folder whose name begins with `prefix`, in the system's place for such.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn new(prefix: &str) -> io::Result<Folder> {
        Folder::made(|| tempfile::Builder::new().prefix(prefix).tempdir())
    }

    /// A new folder inside `folder`, for what is then moved to its place there. Its name is that of something unfinished, and
    /// a file in it is locked until it is dropped. Those of this user that were left by programs that were killed are removed.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn unfinished_in(folder: &Path) -> io::Result<Folder> {
        let named = || tempfile::Builder::new().prefix(UNFINISHED.0).suffix(UNFINISHED.1).tempdir_in(folder);
        let made = Folder::made(named)?;
        let file = File::create_new(made.path().join(LOCK))?;
        lock(&file);
        sweep_folders(&file, folder);
        Ok(Folder { _lock: Some(file), ..made })
    }

    fn made(make: impl FnOnce() -> io::Result<TempDir>) -> io::Result<Folder> {
        let make = || make().inspect_err(|error| shortage::note(error));
        let (folder, noted) = Noted::made(make, TempDir::path)?;
        Ok(Folder { _lock: None, folder, _noted: noted })
    }

    /// Makes the folders `below` it, those that are not there, and answers with the last of them. The folder itself is not made
    /// again once it was removed.
    ///
    /// # Errors
    /// One cannot be made.
    pub fn make(&self, below: &Path) -> io::Result<PathBuf> {
        let mut path = self.path().to_owned();
        for part in below {
            path.push(part);
            match fs::create_dir(&path) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        Ok(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Noted {
    /// Makes a file or folder, which then is at `path`, and notes it: as one, so that the program does not end in between.
    ///
    /// # Errors
    /// It cannot be made, or the program is about to end.
    pub fn made<T>(make: impl FnOnce() -> io::Result<T>, path: impl Fn(&T) -> &Path) -> io::Result<(T, Noted)> {
        let mut places = places();
        if places.ended {
            return Err(io::Error::new(io::ErrorKind::Interrupted, "the program was told to end"));
        }
        let made = make()?;
        let path = path(&made).to_owned();
        places.exist.insert(path.clone());
        Ok((made, Noted(path)))
    }
}

impl Drop for Noted {
    fn drop(&mut self) {
        // What could not be removed, as where no more files may be open, stays noted until the program ends.
        if fs::symlink_metadata(&self.0).is_err() {
            places().exist.remove(&self.0);
        }
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
    let (mut file, _noted) = unfinished_in(path.parent().unwrap_or_else(|| Path::new("")))?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    let placed = match existing {
        Existing::Replace => file.persist(path),
        Existing::Refuse => file.persist_noclobber(path),
    };
    placed.map(|_| ()).map_err(|error| error.error)
}

/// What the names of files begin and end with that are being written.
const UNFINISHED: (&str, &str) = (".muster-", ".partial");
/// How many characters stand in between.
const RANDOM: usize = 6;
/// The file in an unfinished folder that is locked.
const LOCK: &str = "lock";

/// A new file in `folder` that is to be written and then to get its name. It is locked until it is closed.
///
/// # Errors
/// It cannot be made.
pub fn unfinished_in(folder: &Path) -> io::Result<(NamedTempFile, Noted)> {
    let mut last = Err(io::ErrorKind::AlreadyExists.into());
    for _ in 0..TRIES {
        let mut file = tempfile::Builder::new();
        file.prefix(UNFINISHED.0).suffix(UNFINISHED.1).rand_bytes(RANDOM);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            // Reports and signatures are no secret: the user's umask decides, as for any other file.
            file.permissions(fs::Permissions::from_mode(0o666));
        }
        let (file, noted) = Noted::made(|| file.tempfile_in(folder), NamedTempFile::path)?;
        lock(file.as_file());
        if is_at(file.as_file(), file.path()) {
            return Ok((file, noted));
        }
        // Another program swept it before it was locked.
        last = Err(io::ErrorKind::NotFound.into());
    }
    last
}

/// Locks a file. One that sweeps holds it for a moment at most; where another holds it for longer, or files cannot be locked,
/// it stays unlocked, and cannot be swept for the same reason.
fn lock(file: &File) {
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            Ok(()) | Err(TryLockError::Error(_)) => return,
        }
    }
}

/// Removes the files in the folder of `own` that programs of this user began to write and were killed over. `own` is one
/// that is being written.
pub fn sweep(own: &NamedTempFile) {
    let Some(folder) = own.path().parent() else { return };
    for path in unfinished(own.as_file(), folder, Metadata::is_file) {
        // The lock is held until the file is gone, so that a program that has just made it sees that it is.
        if let Ok(file) = File::open(&path)
            && file.try_lock().is_ok()
            && is_at(&file, &path)
        {
            // What cannot be removed is left: it is in no one's way.
            let _ = fs::remove_file(&path);
        }
    }
}

/// Removes the unfinished folders in `folder` whose programs were killed. `own` is a file of this user that is locked.
fn sweep_folders(own: &File, folder: &Path) {
    for path in unfinished(own, folder, Metadata::is_dir) {
        let lock = path.join(LOCK);
        // One that was made just now may not have its file yet.
        if !fs::symlink_metadata(&lock).is_ok_and(|lock| lock.is_file()) {
            continue;
        }
        if File::open(lock).is_ok_and(|held| held.try_lock().is_ok()) {
            // What cannot be removed is left, as a file is.
            let _ = fs::remove_dir_all(&path);
        }
    }
}

/// What lies in `folder` under the name of something unfinished, belongs to the user of `own`, and is of a `kind`.
fn unfinished(own: &File, folder: &Path, kind: fn(&Metadata) -> bool) -> impl Iterator<Item = PathBuf> {
    let found = own.metadata().and_then(|mine| Ok((mine, fs::read_dir(folder)?))).ok();
    found.into_iter().flat_map(move |(mine, entries)| {
        entries.take(limits::FOLDER_ENTRIES_SWEPT).flatten().filter_map(move |entry| {
            let path = entry.path();
            let metadata = fs::symlink_metadata(&path).ok()?;
            let meant = is_unfinished(&entry.file_name()) && kind(&metadata) && is_of_same_user(&metadata, &mine);
            meant.then_some(path)
        })
    })
}

fn is_unfinished(name: &std::ffi::OsStr) -> bool {
    let random = name.to_str().and_then(|name| name.strip_prefix(UNFINISHED.0)?.strip_suffix(UNFINISHED.1));
    random.is_some_and(|random| random.len() == RANDOM && random.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// Whether `path` names this very file.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let both = file.metadata().and_then(|here| Ok((here, fs::symlink_metadata(path)?)));
    both.is_ok_and(|(here, there)| (here.dev(), here.ino()) == (there.dev(), there.ino()))
}

#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}

/// Whether two files are the same user's, as far as the system tells.
#[cfg(unix)]
pub fn is_of_same_user(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    one.uid() == other.uid()
}

/// Whether two files are the same user's, as far as the system tells.
#[cfg(not(unix))]
pub fn is_of_same_user(_: &Metadata, _: &Metadata) -> bool {
    true
}

/// Removes all that exists now. To be called last: later uses of these files find them gone. Who calls it meanwhile waits.
pub fn remove_all() {
    static REMOVING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = REMOVING.lock().unwrap_or_else(PoisonError::into_inner);
    let exist = {
        let mut places = places();
        places.ended = true;
        std::mem::take(&mut places.exist)
    };
    for place in exist {
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
        let known = || places().exist.contains(&path);
        assert!(path.is_dir() && known());
        drop(folder);
        assert!(!path.exists() && !known());
    }

    #[test]
    fn what_could_not_be_removed_stays_known() {
        let (folder, noted) = Noted::made(tempfile::tempdir, TempDir::path).unwrap();
        let path = folder.path().to_owned();
        drop(noted);
        assert!(places().exist.remove(&path));
    }

    #[test]
    fn a_folder_that_was_removed_does_not_come_back() {
        let folder = Folder::new("muster-test-").unwrap();
        for _ in 0..2 {
            assert_eq!(folder.make(Path::new("x509/ca")).unwrap(), folder.path().join("x509/ca"));
        }
        fs::remove_dir_all(folder.path()).unwrap();
        assert!(folder.make(Path::new("x509/ca")).is_err());
        assert!(!folder.path().exists());
    }

    #[test]
    fn folders_that_killed_programs_left_are_swept_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        let living = Folder::unfinished_in(folder.path()).unwrap();
        for (name, file) in
            [(".muster-Ab1xyZ.partial", LOCK), (".muster-Ab2xyZ.partial", "mine"), ("net-monitor", LOCK)]
        {
            fs::create_dir_all(place(name).join("half")).unwrap();
            fs::write(place(name).join(file), "").unwrap();
        }
        let own = Folder::unfinished_in(folder.path()).unwrap();
        assert!(!place(".muster-Ab1xyZ.partial").exists());
        assert!(place(".muster-Ab2xyZ.partial/half").exists() && place("net-monitor/half").exists());
        assert!(living.path().join(LOCK).exists() && own.path().join(LOCK).exists());
        drop(living);
        drop(own);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_no_living_program_writes_is_swept_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        // As a killed program leaves it: nothing locks it.
        fs::write(place(".muster-Ab1xyZ.partial"), "half").unwrap();
        let others = [
            ".muster-Ab1xyZ.partial.txt",
            ".muster-a.partial",
            "muster-Ab1xyZ.partial",
            ".muster-Ab-xyZ.partial",
            "report.json",
        ];
        others.iter().for_each(|name| fs::write(place(name), "other").unwrap());
        fs::create_dir(place(".muster-folder.partial")).unwrap();
        let (living, _living_noted) = unfinished_in(folder.path()).unwrap();
        let (own, _own_noted) = unfinished_in(folder.path()).unwrap();
        sweep(&own);
        assert!(!place(".muster-Ab1xyZ.partial").exists());
        assert!(others.iter().all(|name| place(name).exists()) && place(".muster-folder.partial").exists());
        assert!(living.path().exists() && own.path().exists());
        // It is no longer locked once its program has ended, however.
        let path = living.path().to_owned();
        let (file, kept) = living.keep().unwrap();
        drop(file);
        assert_eq!(path, kept);
        sweep(&own);
        assert!(!path.exists() && own.path().exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_is_named_so_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("precious"), folder.path().join(".muster-Ab1xyZ.partial"));
        fs::write(&target, "precious").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        sweep(&unfinished_in(folder.path()).unwrap().0);
        assert!(target.exists() && link.symlink_metadata().is_ok());
    }
}
