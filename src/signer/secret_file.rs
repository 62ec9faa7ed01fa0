//! A file that holds a secret: read once, wiped from memory after use, and looked at for who else may read it.

use std::fs;
use std::path::Path;

use zeroize::Zeroizing;

use crate::regular_file::{self, FileProblem};

/// What a file holds, and whether others than its owner may read it.
pub(super) struct SecretFile {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    pub(super) open_to_others: bool,
}

/// Reads the regular file of at most `limit` bytes that `path` leads to. Links are followed, since the secrets that
/// container platforms mount are links; nothing but a regular file may be at their end.
pub(super) fn read(path: &Path, limit: u64) -> Result<SecretFile, FileProblem> {
    let path = fs::canonicalize(path)?;
    let bytes = Zeroizing::new(regular_file::read(&path, limit)?);
    Ok(SecretFile { bytes, open_to_others: open_to_others(&fs::metadata(&path)?) })
}

#[cfg(unix)]
fn open_to_others(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o044 != 0
}

/// Elsewhere nothing simple tells.
#[cfg(not(unix))]
fn open_to_others(_: &fs::Metadata) -> bool {
    false
}
