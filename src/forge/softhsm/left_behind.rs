//! Folders of tokens that killed programs left behind.
//!
//! In each folder lies a file that every program which uses the folder holds locked: the one that made it, and the one that was
//! started with it. However they end, the system lets go of it, and the next program of the same user that makes a folder
//! removes those that no program holds. Where files cannot be locked there is no such file, and nothing is removed.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use crate::limits;
use crate::temporary::is_of_same_user;

/// What the names of folders begin with.
pub(super) const PREFIX: &str = "muster-softhsm-";
/// The file that is held.
const IN_USE: &str = "in-use";

/// That a program uses a folder, until it is dropped.
#[derive(Debug)]
pub(super) struct InUse {
    _file: File,
}

impl InUse {
    /// Holds a new folder; `None` where files cannot be locked.
    pub(super) fn of_new(folder: &Path) -> io::Result<Option<InUse>> {
        let unnamed = folder.join("in-use.new");
        let file = File::create(&unnamed)?;
        if file.try_lock_shared().is_err() {
            return Ok(None);
        }
        // It gets its name when it is held, so that no other program finds it free before.
        fs::rename(unnamed, folder.join(IN_USE))?;
        Ok(Some(InUse { _file: file }))
    }

    /// Holds a folder that another program has made; `None` where it cannot be held.
    pub(super) fn of(folder: &Path) -> Option<InUse> {
        let file = File::open(folder.join(IN_USE)).ok()?;
        file.try_lock_shared().is_ok().then_some(InUse { _file: file })
    }
}

/// Removes the folders beside `own` that no living program holds. What cannot be removed is left: it is in no one's way.
pub(super) fn sweep(own: &Path) {
    let (Some(beside), Ok(mine)) = (own.parent(), fs::symlink_metadata(own)) else { return };
    let Ok(entries) = fs::read_dir(beside) else { return };
    for entry in entries.take(limits::FOLDER_ENTRIES_SWEPT).flatten() {
        let folder = entry.path();
        let Ok(metadata) = fs::symlink_metadata(&folder) else { continue };
        let is_ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX))
            && metadata.is_dir()
            && is_of_same_user(&metadata, &mine);
        // The lock is held until the folder is gone.
        if is_ours
            && folder != own
            && let Ok(file) = File::open(folder.join(IN_USE))
            && file.try_lock().is_ok()
        {
            let _ = fs::remove_dir_all(&folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_living_program_holds_is_swept_and_nothing_else() {
        let beside = tempfile::tempdir().unwrap();
        let folder = |name: &str| {
            let folder = beside.path().join(name);
            fs::create_dir(&folder).unwrap();
            folder
        };
        let [own, prepared, started, killed] =
            ["own", "prepared", "started", "killed"].map(|name| folder(&format!("{PREFIX}{name}")));
        let (other, unmarked) = (folder("other"), folder(&format!("{PREFIX}unmarked")));
        let _own = InUse::of_new(&own).unwrap().unwrap();
        let _prepared = InUse::of_new(&prepared).unwrap().unwrap();
        let first = InUse::of_new(&started).unwrap();
        let second = InUse::of(&started).unwrap();
        drop(first);
        for folder in [&killed, &other] {
            drop(InUse::of_new(folder).unwrap());
            fs::write(folder.join("token"), "a key").unwrap();
        }
        sweep(&own);
        assert!(!killed.exists(), "no program holds it");
        for (folder, why) in [
            (&own, "its own"),
            (&prepared, "the first program lives"),
            (&started, "the second program lives"),
            (&other, "of another name"),
            (&unmarked, "nothing says who uses it"),
        ] {
            assert!(folder.exists(), "{why}");
        }
        drop(second);
        sweep(&own);
        assert!(!started.exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_folder_is_left_alone() {
        let (beside, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        drop(InUse::of_new(elsewhere.path()).unwrap());
        let (own, link) = (beside.path().join("own"), beside.path().join(format!("{PREFIX}link")));
        fs::create_dir(&own).unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), &link).unwrap();
        sweep(&own);
        assert!(elsewhere.path().join(IN_USE).exists() && link.symlink_metadata().is_ok());
    }
}
