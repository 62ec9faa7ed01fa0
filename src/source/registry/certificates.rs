//! The certificates of authorities that the user trusts for TLS besides the system's own.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use reqwest::Certificate;

use crate::failure::quote;
use crate::limits;
use crate::trouble::{Trouble, TroubleKind};

/// Reads PEM files. A file that cannot be read, or has no certificate in it, is trouble: without it the user would not
/// know why TLS fails.
pub(super) fn load(files: &[PathBuf]) -> Result<Vec<Certificate>, Trouble> {
    let mut certificates = Vec::new();
    for file in files {
        let trouble = |why: &str| {
            let message = format!("the certificates in {} cannot be used: {why}", quote(&file.to_string_lossy()));
            Trouble::new(TroubleKind::FileUnusable, message)
        };
        let pem = read(file).map_err(|error| trouble(&error.to_string()))?;
        let found = Certificate::from_pem_bundle(&pem).map_err(|_| trouble("it is not PEM"))?;
        if found.is_empty() {
            return Err(trouble("the file holds no certificate"));
        }
        certificates.extend(found);
    }
    Ok(certificates)
}

fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(file)?;
    if !file.metadata()?.is_file() {
        return Err(std::io::Error::other("it is not a regular file"));
    }
    file.take(limits::TRUST_STORE_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limits::TRUST_STORE_FILE_BYTES {
        return Err(std::io::Error::other("it is too large"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn says_which_file_cannot_be_used() {
        let mut empty = tempfile::NamedTempFile::new().unwrap();
        empty.write_all(b"nothing here\n").unwrap();
        let directory = tempfile::tempdir().unwrap();
        for file in [empty.path(), directory.path(), Path::new("absent.pem")] {
            let trouble = load(&[file.to_owned()]).unwrap_err();
            assert!(trouble.message.contains(&*file.to_string_lossy()), "{trouble}");
        }
        assert!(load(&[]).unwrap().is_empty());
    }
}
