//! A cached CRL as notation keeps it: one file an address, in it a JSON object with the base CRL and its delta.
//!
//! Follows the reference implementation, so that both use one cache. Nothing in such a file is believed: what is served
//! from it is verified like what a server says, and a file that is not exactly as expected is as good as none. It refuses
//! links, anything that is no regular file, and the files of another user.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use base64::write::EncoderWriter;
use bytes::Bytes;
use serde_json::value::RawValue;

use crate::json;
use crate::limits;
use crate::regular_file::{self, FileProblem};
use crate::temporary::Noted;

/// The member with the base CRL, and the one with its delta.
const BASE: &str = "baseCRL";
const DELTA: &str = "deltaCRL";
/// How often a file is opened that is replaced again and again.
const TRIES: usize = 16;

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CacheFile {
    /// The base CRL.
    pub(super) base: Bytes,
    /// The delta of the CRL, if it has one.
    pub(super) delta: Option<Bytes>,
}

/// Why a file is not read, as the end of a sentence: "it …".
#[derive(Debug, thiserror::Error)]
pub(super) enum CacheProblem {
    /// The file does not exist.
    #[error("does not exist")]
    Missing,
    /// The file cannot be read, or must not be.
    #[error("{0}")]
    File(FileProblem),
    /// Another user's.
    #[error("belongs to another user")]
    Foreign,
    /// The file is not what notation writes.
    #[error("is no cached CRL: {0}")]
    Malformed(String),
}

impl CacheFile {
    /// Reads the file at `path`.
    pub(super) fn read(path: &Path) -> Result<CacheFile, CacheProblem> {
        // Another run may put a new file there at any moment: then that is the one to read.
        let mut read = Err(FileProblem::Replaced);
        for _ in 0..TRIES {
            read = regular_file::read(path, limits::CRL_CACHE_FILE_BYTES);
            if !matches!(read, Err(FileProblem::Replaced)) {
                break;
            }
        }
        let bytes = read.map_err(|problem| match problem {
            FileProblem::Missing => CacheProblem::Missing,
            problem => CacheProblem::File(problem),
        })?;
        if !is_own(path) {
            return Err(CacheProblem::Foreign);
        }
        CacheFile::decode(&bytes).map_err(CacheProblem::Malformed)
    }

    /// Reads the contents of a file. Members that it does not know are passed over, as notation does.
    pub(super) fn decode(bytes: &[u8]) -> Result<CacheFile, String> {
        let text = json::text(bytes).map_err(|error| error.to_string())?;
        let members = json::members(text).map_err(|error| error.to_string())?;
        if let Some(name) = members.case_variant_of(&[BASE, DELTA]) {
            return Err(format!("expected {BASE} and {DELTA}, found {}", crate::failure::quote(name)));
        }
        let base = members.get(BASE).ok_or_else(|| format!("it has no {BASE}"))?;
        Ok(CacheFile { base: content(BASE, base)?, delta: members.get(DELTA).map(|v| content(DELTA, v)).transpose()? })
    }

    /// Writes the contents of a file, as notation does, without holding them in base64.
    pub(super) fn encode(&self, file: &mut impl Write) -> io::Result<()> {
        let members = [Some((BASE, &self.base)), self.delta.as_ref().map(|delta| (DELTA, delta))];
        for (position, (name, bytes)) in members.into_iter().flatten().enumerate() {
            write!(file, "{}\"{name}\":\"", if position == 0 { "{" } else { "," })?;
            let mut encoder = EncoderWriter::new(&mut *file, &STANDARD);
            encoder.write_all(bytes)?;
            encoder.finish()?;
            drop(encoder);
            file.write_all(b"\"")?;
        }
        file.write_all(b"}")
    }

    /// Makes this the file at `path`, in a folder that is made if need be, for this user alone. A reader meanwhile
    /// sees what was there or all of this.
    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut maker = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut maker, 0o700);
        maker.recursive(true).create(folder)?;
        let make = || tempfile::Builder::new().prefix("notation-").tempfile_in(folder);
        let (mut file, _noted) = Noted::made(make, tempfile::NamedTempFile::path)?;
        let mut buffered = BufWriter::new(file.as_file_mut());
        self.encode(&mut buffered)?;
        buffered.flush()?;
        drop(buffered);
        file.persist(path).map(|_| ()).map_err(|error| error.error)
    }
}

fn content(name: &str, value: &RawValue) -> Result<Bytes, String> {
    let text = json::string(value).map_err(|error| format!("{name}: {error}"))?;
    let bytes = STANDARD.decode(text.as_bytes()).map_err(|_| format!("{name} is not base64"))?;
    if bytes.is_empty() || bytes.len() as u64 > limits::CRL_BYTES {
        return Err(format!("{name} has {} bytes", bytes.len()));
    }
    Ok(bytes.into())
}

#[cfg(unix)]
fn is_own(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let own = rustix::process::geteuid().as_raw();
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.uid() == own)
}

#[cfg(not(unix))]
fn is_own(_: &Path) -> bool {
    true
}
