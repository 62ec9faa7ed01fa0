//! The files of a folder, found once and within bounds, and read one by one.
//!
//! Regular files only: links are passed over, since what they lead to may change under a run, and opening anything else may
//! wait without end. Files whose names begin with a dot are passed over.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::limits;
use crate::regular_file;

/// A file: its path below the folder, parts divided by `/`, and its place.
pub(super) type Found = (String, PathBuf);

/// What was read, and what was not.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// In the order of their paths.
    pub(super) files: Vec<Found>,
    /// Files that were passed over, each with the reason: "PATH, which …".
    pub(super) passed_over: Vec<String>,
    bytes: u64,
}

/// Why a folder is not read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ScanError {
    /// The system refuses.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// More than is read.
    #[error("holds more than {files} files; leave only recorded answers there", files = limits::RECORDED_FILES)]
    Files,
    /// More than is read.
    #[error("holds more than {bytes} bytes; leave only recorded answers there", bytes = limits::RECORDED_BYTES)]
    Bytes,
}

impl Scan {
    /// Reads every file in `folder` that is no longer than a recorded answer may be.
    pub(super) fn read(folder: &Path) -> Result<Scan, ScanError> {
        let mut scan = Scan::default();
        let mut folders = vec![(folder.to_owned(), String::new(), 0)];
        let mut seen = 0;
        while let Some((folder, prefix, depth)) = folders.pop() {
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                seen += 1;
                if seen > limits::RECORDED_FILES {
                    return Err(ScanError::Files);
                }
                let name = entry.file_name();
                let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else { continue };
                let path = format!("{prefix}{name}");
                if !entry.file_type()?.is_dir() {
                    scan.file(entry.path(), path)?;
                } else if depth < limits::RECORDED_DEPTH {
                    folders.push((entry.path(), format!("{path}/"), depth + 1));
                } else {
                    scan.passed_over.push(format!("{path}, which is nested too deep"));
                }
            }
        }
        scan.files.sort();
        scan.passed_over.sort();
        Ok(scan)
    }

    fn file(&mut self, place: PathBuf, path: String) -> Result<(), ScanError> {
        match fs::symlink_metadata(&place) {
            Ok(metadata) if metadata.is_file() => {
                self.bytes += metadata.len().min(limits::CRL_CACHE_FILE_BYTES);
                if self.bytes > limits::RECORDED_BYTES {
                    return Err(ScanError::Bytes);
                }
                self.files.push((path, place));
            }
            Ok(_) => self.passed_over.push(format!("{path}, which is not a regular file")),
            Err(error) => self.passed_over.push(format!("{path}, which cannot be read: {error}")),
        }
        Ok(())
    }
}

/// Reads a file that was found, no longer than a recorded answer may be; otherwise why not: "which …".
pub(super) fn read(place: &Path) -> Result<Vec<u8>, String> {
    regular_file::read(place, limits::CRL_CACHE_FILE_BYTES).map_err(|problem| problem.to_string())
}
