//! Who could have changed a file or a directory.
//!
//! A file is what its owner, and every user who may write to it or to a directory above it, has made of it. Where files
//! have no owners and no rights (not on Unix) nothing is found wrong.

use std::fs::Metadata;
use std::path::{Path, PathBuf};

use crate::trouble::Trouble;

/// What a file or directory is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// It leads to the plugins.
    Above,
    /// It holds plugins, or is one.
    OfPlugins,
}

const OPEN: &str = "can be changed by other users: take that right from them (chmod go-w)";

/// Why `found` may have been changed by another user, as the end of a sentence.
#[cfg(unix)]
pub(super) fn wrong(found: &Metadata, place: Place) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;
    const STICKY: u32 = 0o1000;
    const OTHERS_WRITE: u32 = 0o022;
    let owner = found.uid();
    if owner != 0 && owner != rustix::process::geteuid().as_raw() {
        return Some(format!("belongs to another user ({owner}): it has to be root's or yours (chown)"));
    }
    // The mode of a link means nothing: what counts is who may replace it.
    let open = !found.is_symlink() && found.mode() & OTHERS_WRITE != 0;
    // There every user may add files, and none may move or remove another's.
    let kept = place == Place::Above && found.is_dir() && found.mode() & STICKY != 0;
    (open && !kept).then(|| OPEN.to_owned())
}

#[cfg(not(unix))]
pub(super) fn wrong(_: &Metadata, _: Place) -> Option<String> {
    let _ = OPEN;
    None
}

/// The directory that `path` leads to, as a path without links, if no other user could have changed the way there.
///
/// `look` says what is at a path, `unsound` makes the refusal of one.
#[cfg(unix)]
pub(super) fn way(
    path: &Path,
    look: &impl Fn(&Path) -> Result<Metadata, Trouble>,
    unsound: &impl Fn(&Path, String) -> Trouble,
) -> Result<PathBuf, Trouble> {
    use std::collections::VecDeque;
    use std::ffi::OsString;

    /// As many as the system follows.
    const LINKS: usize = 40;
    let steps = |path: &Path| path.components().map(|step| step.as_os_str().to_owned()).collect::<VecDeque<OsString>>();
    let absolute = std::path::absolute(path).map_err(|error| unsound(path, format!("is no path: {error}")))?;
    let (mut left, mut reached, mut links) = (steps(&absolute), PathBuf::new(), 0);
    while let Some(step) = left.pop_front() {
        if step == "." {
            continue;
        }
        if step == ".." {
            reached.pop();
            continue;
        }
        // The root of the file system replaces what was reached.
        let next = reached.join(&step);
        let found = look(&next)?;
        if let Some(reason) = wrong(&found, Place::Above) {
            return Err(unsound(&next, reason));
        }
        if !found.is_symlink() {
            reached = next;
            continue;
        }
        links += 1;
        if links > LINKS {
            return Err(unsound(path, "leads through too many links".to_owned()));
        }
        let target = std::fs::read_link(&next).map_err(|error| unsound(&next, format!("cannot be read: {error}")))?;
        let mut further = steps(&target);
        further.append(&mut left);
        left = further;
    }
    Ok(reached)
}

#[cfg(not(unix))]
pub(super) fn way(
    path: &Path,
    _: &impl Fn(&Path) -> Result<Metadata, Trouble>,
    _: &impl Fn(&Path, String) -> Trouble,
) -> Result<PathBuf, Trouble> {
    Ok(path.to_owned())
}
