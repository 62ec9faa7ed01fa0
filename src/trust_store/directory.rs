//! Reading a named store from `x509/<type>/<name>/`.
//!
//! Follows *trust-store-trust-policy*, Trust Store. No symbolic link is followed from the store's directory on; nothing
//! that is not a regular file is opened; one file that is not as it should be makes the whole store wrong, since
//! what its author meant cannot be told. Sub-directories are not looked into, with a warning.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;

use super::certificate_file;
use super::name::{StoreName, StoreType};
use super::named_store::{NamedStore, misfit};
use super::problem::StoreProblem;
use crate::diagnostic::Diagnostic;
use crate::failure::quote;
use crate::{limits, regular_file, shortage};

/// The directory inside the trust store that holds the types.
const X509: &str = "x509";

/// Reads the store `name` under `root`, the directory that holds `x509/`.
pub(super) fn load(root: &Path, name: &StoreName, warnings: &mut Vec<Diagnostic>) -> Result<NamedStore, StoreProblem> {
    let kind_directory = root.join(X509).join(name.kind().as_str());
    let directory = kind_directory.join(name.name());
    let invalid =
        |what: &str| Err(StoreProblem::invalid(format!("the trust store {name}, {}, {what}", shown(&directory))));
    let metadata = match fs::symlink_metadata(&directory) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(missing(root, name, &directory)),
        Err(error) => return invalid(&unreadable(&error)),
    };
    if !metadata.is_dir() {
        return invalid(&format!("is {}, not a directory", regular_file::kind(&metadata)));
    }
    if !is_spelled_so(&kind_directory, name.name()) {
        return Err(missing(root, name, &directory));
    }
    read(&directory, name, warnings)
}

/// Reads the store `name` from `directory`, which is one.
pub(super) fn read(
    directory: &Path,
    name: &StoreName,
    warnings: &mut Vec<Diagnostic>,
) -> Result<NamedStore, StoreProblem> {
    let invalid =
        |what: &str| Err(StoreProblem::invalid(format!("the trust store {name}, {}, {what}", shown(directory))));
    let files = match list(directory) {
        Ok(files) if files.len() > limits::TRUST_STORE_FILES => {
            return invalid(&format!("has more than {} files", limits::TRUST_STORE_FILES));
        }
        Ok(files) => files,
        Err(error) => return invalid(&unreadable(&error)),
    };
    let mut certificates = Vec::new();
    let mut room = limits::TRUST_STORE_BYTES;
    for file in files {
        let path = directory.join(file);
        let wrong = |what: &str| {
            StoreProblem::invalid(format!("the trust store {name} is invalid: the file {} {what}", shown(&path)))
        };
        if fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_dir()) {
            let message = format!("the directory in the trust store {name} is not looked into");
            let warning = Diagnostic::warning("trust-store-subdirectory", &path.display().to_string(), message);
            warnings.push(warning.with_help("move the certificates up, or the directory away"));
            continue;
        }
        let bytes =
            regular_file::read(&path, limits::TRUST_STORE_FILE_BYTES).map_err(|problem| wrong(&problem.to_string()))?;
        room = room.checked_sub(bytes.len() as u64).ok_or_else(|| {
            wrong(&format!("is one too many: the store is longer than {} bytes", limits::TRUST_STORE_BYTES))
        })?;
        let read = certificate_file::certificates(&bytes).map_err(|reason| wrong(&reason))?;
        if let Some(reason) = read.iter().find_map(|certificate| misfit(name.kind(), certificate)) {
            return Err(wrong(&format!("does not belong there: {reason}")));
        }
        certificates.extend(read);
    }
    if certificates.is_empty() {
        return invalid("holds no certificate");
    }
    NamedStore::new(name.kind(), certificates)
}

fn unreadable(error: &io::Error) -> String {
    shortage::note(error);
    format!("cannot be read: {error}")
}

/// Whether `root` holds `x509/`.
pub(super) fn is_root(root: &Path) -> bool {
    root.join(X509).is_dir()
}

/// The names in a directory in their order, at most one more than a store may have.
fn list(directory: &Path) -> io::Result<Vec<OsString>> {
    let entries = fs::read_dir(directory)?.take(limits::TRUST_STORE_FILES + 1);
    let mut names = entries.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>()?;
    names.sort_unstable();
    Ok(names)
}

/// Whether `name` stands in the directory with exactly these letters: some file systems open `Wabbit` for `wabbit`.
fn is_spelled_so(directory: &Path, name: &str) -> bool {
    // A directory that may be passed through but not listed cannot answer.
    fs::read_dir(directory)
        .map_or(true, |mut names| names.any(|known| known.is_ok_and(|known| known.file_name() == name)))
}

/// Says that a store is not there, and what may be meant.
fn missing(root: &Path, name: &StoreName, directory: &Path) -> StoreProblem {
    let has = |path: &Path| StoreType::ALL.iter().any(|kind| path.join(kind.as_str()).is_dir());
    let neighbours = list(&root.join(X509).join(name.kind().as_str())).unwrap_or_default();
    let near = neighbours
        .iter()
        .filter_map(|neighbour| neighbour.to_str())
        .map(|neighbour| {
            (strsim::damerau_levenshtein(&neighbour.to_lowercase(), &name.name().to_lowercase()), neighbour)
        })
        .filter(|(distance, _)| *distance <= 2)
        .min();
    let hint = if root.join("truststore").join(X509).is_dir() {
        format!(": the trust store to name is {}", shown(&root.join("truststore")))
    } else if !root.join(X509).is_dir() && has(root) {
        format!(": the trust store to name is the directory that holds {X509}, not {X509} itself")
    } else if !root.join(X509).is_dir() {
        format!(": {} is not a trust store, since it holds no directory {X509}", shown(root))
    } else if let Some((_, neighbour)) = near {
        format!(": did you mean {}?", quote(&format!("{}:{neighbour}", name.kind())))
    } else {
        String::new()
    };
    StoreProblem::Missing(format!("there is no trust store {name}, no directory {}{hint}", shown(directory)).into())
}

fn shown(path: &Path) -> String {
    quote(&path.display().to_string())
}
