//! Reading a named store from `x509/<type>/<name>/`.
//!
//! Follows *trust-store-trust-policy*, Trust Store. No symbolic link is followed from the store's directory on; nothing
//! that is not a regular file is opened; one file that is not as it should be makes the whole store wrong, since
//! what its author meant cannot be told. Sub-directories are not looked into, with a warning. What the machine could not read
//! (no more open files, a disk that fails, no permission) is no fault of the store: nothing is known of it.

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
use crate::limits;
use crate::regular_file::{self, FileProblem};

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
        Err(error) => return Err(unreadable(name, &directory, &error)),
    };
    if !metadata.is_dir() {
        return invalid(&format!("is {}, not a directory", regular_file::kind(&metadata)));
    }
    match is_spelled_so(&kind_directory, name.name()) {
        Ok(true) => read(&directory, name, warnings),
        Ok(false) => Err(missing(root, name, &directory)),
        Err(error) => Err(unreadable(name, &kind_directory, &error)),
    }
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
        Err(error) => return Err(unreadable(name, directory, &error)),
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
        let bytes = regular_file::read(&path, limits::TRUST_STORE_FILE_BYTES).map_err(|problem| match &problem {
            FileProblem::Unreadable(error) => unreadable(name, &path, error),
            _ => wrong(&problem.to_string()),
        })?;
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

/// Says that the store `name` could not be read, and at which `path`.
fn unreadable(name: &StoreName, path: &Path, error: &io::Error) -> StoreProblem {
    StoreProblem::unreadable(format!("the trust store {name} cannot be read: {}: {error}", shown(path)), error)
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
fn is_spelled_so(directory: &Path, name: &str) -> io::Result<bool> {
    let names = match fs::read_dir(directory) {
        // A directory that may be passed through but not listed cannot answer.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(true),
        names => names?,
    };
    is_among(names.map(|entry| Ok(entry?.file_name())), name)
}

/// Whether `name` is one of `names`. It is not known where they could not be read to their end.
fn is_among(names: impl Iterator<Item = io::Result<OsString>>, name: &str) -> io::Result<bool> {
    for known in names {
        if known? == name {
            return Ok(true);
        }
    }
    Ok(false)
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

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::failure::{Code, Failure};

    /// The error of this number.
    fn error(number: i32) -> io::Error {
        io::Error::from_raw_os_error(number)
    }

    #[test]
    fn h25_a_store_that_the_machine_cannot_read_is_not_called_wrong() {
        let name: StoreName = "ca:wabbit".parse().unwrap();
        let code = |number| Failure::from(&unreadable(&name, Path::new("x509/ca/wabbit"), &error(number))).code;
        // EIO, ENOMEM, EACCES, ENFILE, EMFILE
        for number in [5, 12, 13, 23, 24] {
            assert_eq!(code(number), Code::FileUnusable, "{number}");
        }
        // ENOTDIR: there is a file where a folder must be.
        assert_eq!(code(20), Code::TrustStoreInvalid);
        let message = unreadable(&name, Path::new("x509/ca/wabbit"), &error(24)).to_string();
        assert!(message.starts_with("the trust store ca:wabbit cannot be read: \"x509/ca/wabbit\": "), "{message}");
        assert!(!message.contains("invalid"), "{message}");
    }

    #[test]
    fn h25_a_name_that_could_not_be_looked_for_is_not_missing() {
        let names = |names: Vec<io::Result<&'static str>>| names.into_iter().map(|name| name.map(OsString::from));
        assert!(is_among(names(vec![Ok("wabbit"), Err(error(5))]), "wabbit").unwrap());
        assert!(!is_among(names(vec![Ok("Wabbit")]), "wabbit").unwrap());
        assert!(is_among(names(vec![Ok("Wabbit"), Err(error(5))]), "wabbit").is_err());
    }
}
