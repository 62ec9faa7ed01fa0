//! Copying the trust stores that a policy names, and no others: the files of certificates as they are.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use crate::limits;
use crate::policy::TrustPolicy;
use crate::regular_file;
use crate::trust_store::{StoreName, StoreProblem, TrustStores};

/// What became of a store that the policy names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Copied {
    /// Its files lie in the folder of this name.
    Whole,
    /// There is no such store.
    Missing,
    /// It cannot be used.
    Broken,
}

/// Copies the stores that `policy` names from `root`, the folder that holds `x509/`, to `folder`. The error is one sentence.
pub(super) fn copy(policy: &TrustPolicy, root: &Path, folder: &Path) -> Result<BTreeMap<StoreName, Copied>, String> {
    let names = || policy.statements().iter().flat_map(|statement| &statement.trust_stores);
    let stores = TrustStores::load(root, names());
    let mut copied = BTreeMap::new();
    for name in names() {
        if copied.contains_key(name) {
            continue;
        }
        let became = match stores.get(name) {
            Ok(_) => {
                let below = Path::new("x509").join(name.kind().as_str()).join(name.name());
                copy_files(&root.join(&below), &folder.join(below))
                    .map_err(|error| format!("the trust store {name} cannot be copied: {error}"))?;
                Copied::Whole
            }
            Err(StoreProblem::Missing(_)) => Copied::Missing,
            Err(StoreProblem::Invalid(_)) => Copied::Broken,
            Err(problem @ StoreProblem::Unreadable(_)) => return Err(problem.to_string()),
        };
        copied.insert(name.clone(), became);
    }
    Ok(copied)
}

/// Copies the files of a store that can be used: there is nothing in it but certificates, and folders that are passed over.
fn copy_files(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for (number, entry) in fs::read_dir(from)?.enumerate() {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            continue;
        }
        let bytes = regular_file::read(&entry.path(), limits::TRUST_STORE_FILE_BYTES).map_err(io::Error::other)?;
        let plain = |name: &&str| {
            !name.starts_with('.') && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
        };
        let name = entry.file_name();
        let name = name.to_str().filter(plain).map_or_else(|| format!("{number}.crt"), str::to_owned);
        write_new(to, &name, &bytes)?;
    }
    Ok(())
}

/// Writes a file of this name; where there is one, of another: what needed a name of its own may have got that of the next.
fn write_new(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    for copy in 0usize.. {
        let name = if copy == 0 { name.to_owned() } else { format!("{copy}-{name}") };
        match fs::File::create_new(folder.join(name)) {
            Ok(mut file) => return file.write_all(bytes),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_certificate_takes_the_place_of_another() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir(&from).unwrap();
        let names = ["0.crt", "1.crt", "2.crt", "a b.crt", "c d.crt", "\u{e4}.crt"];
        names.iter().for_each(|name| fs::write(from.join(name), name).unwrap());
        copy_files(&from, &to).unwrap();
        let files = fs::read_dir(&to).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
        let mut files: Vec<String> = files.collect();
        files.sort();
        assert_eq!(files, names);
    }
}
