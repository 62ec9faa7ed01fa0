//! A file that may hold a secret: read once, wiped from memory after use, and looked at for who else may read it.

use std::path::Path;

use crate::failure::quote;
use crate::named_file::{self, NamedFile};
use crate::regular_file::FileProblem;

/// The path that stands for standard input.
const STANDARD_INPUT: &str = "-";

/// Reads the file of at most `limit` bytes that `path` leads to. Links are followed, since the secrets that container
/// platforms mount are links, and pipes are read.
pub(super) fn read(path: &Path, limit: u64) -> Result<NamedFile, FileProblem> {
    named_file::read(path, limit)
}

/// The same, and of standard input if the path is `-`.
pub(super) fn read_or_standard_input(path: &Path, limit: u64) -> Result<NamedFile, FileProblem> {
    if is_standard_input(path) { named_file::read_standard_input(limit) } else { named_file::read(path, limit) }
}

/// What a file is called in messages, behind "the key file" or "the certificate chain".
pub(super) fn name(path: &Path) -> String {
    if is_standard_input(path) { "on standard input".to_owned() } else { quote(&path.display().to_string()) }
}

pub(super) fn is_standard_input(path: &Path) -> bool {
    path.as_os_str() == STANDARD_INPUT
}
