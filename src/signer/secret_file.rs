//! A file that may hold a secret: read once, wiped from memory after use, and looked at for who else may read it.

use std::path::Path;

use crate::failure::quote;
use crate::named_file::{self, NamedFile};
use crate::regular_file::FileProblem;

/// The path that stands for standard input.
pub(crate) const STANDARD_INPUT: &str = "-";

/// Reads the file of at most `limit` bytes that `path` leads to. Links are followed, since the secrets that container
/// platforms mount are links, and pipes are read.
pub(super) fn read(path: &Path, limit: u64) -> Result<NamedFile, FileProblem> {
    named_file::read(path, limit)
}

/// The same, and of standard input if the path is `-`.
pub(super) fn read_or_standard_input(path: &Path, limit: u64) -> Result<NamedFile, FileProblem> {
    if is_standard_input(path) { named_file::read_standard_input(limit) } else { named_file::read(path, limit) }
}

/// Whether both name the same pipe: the second that reads it would find nothing, or wait for another writer.
pub(super) fn is_one_pipe(one: &Path, other: &Path) -> bool {
    let place = |path| if is_standard_input(path) { Path::new("/dev/stdin") } else { path };
    named_file::is_one_pipe(place(one), place(other))
}

/// A name without what may be a PIN: that of a key may be a PKCS #11 URI, or have been meant as one.
pub(crate) fn without_pin(name: &str) -> &str {
    let name = if super::is_token(name) { name.split('?').next().unwrap_or_default() } else { name };
    let end = name.to_ascii_lowercase().find("pin-value").unwrap_or(name.len());
    // Only ASCII letters have changed, so that it ends where a character does.
    name.get(..end).unwrap_or_default()
}

/// What a file that holds a secret is called in messages. Where there is none, and nothing near it, what was given may be the secret
/// itself, in the place of the file that holds it.
pub(crate) fn name_of_secret(path: &Path) -> String {
    let near = || path.parent().is_some_and(|folder| !folder.as_os_str().is_empty() && folder.is_dir());
    if path.symlink_metadata().is_ok() || near() {
        quote(&path.display().to_string())
    } else {
        "(its name is not shown, since it may be the secret itself)".to_owned()
    }
}

/// What the owner of a file with a secret should know where others may read it: one sentence. `what` names the file as it is called, and
/// quoted.
pub(crate) fn open_to_others(what: &str) -> String {
    format!("the {what} can be read by other users: take that right from them (chmod 600)")
}

/// Whether the secret can be shown in a header: it is not empty, and has no blank, no line break and no letter beyond ASCII.
pub(crate) fn fits_header(secret: &str) -> bool {
    !secret.is_empty() && secret.bytes().all(|byte| byte.is_ascii_graphic())
}

/// What a file is called in messages, behind "the key file" or "the certificate chain".
pub(super) fn name(path: &Path) -> String {
    if is_standard_input(path) {
        "on standard input".to_owned()
    } else {
        quote(without_pin(&path.display().to_string()))
    }
}

pub(super) fn is_standard_input(path: &Path) -> bool {
    path.as_os_str() == STANDARD_INPUT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_the_secret_itself_is_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let absent = folder.path().join("absent");
        assert_eq!(name_of_secret(&absent), quote(&absent.display().to_string()));
        assert_eq!(name_of_secret(folder.path()), quote(&folder.path().display().to_string()));
        for secret in ["eyJhbGciOiJSUzI1NiJ9", "s3cret/with+slashes==", "1234", &"x".repeat(10_000)] {
            assert!(!name_of_secret(Path::new(secret)).contains(secret), "{secret}");
        }
    }
}
