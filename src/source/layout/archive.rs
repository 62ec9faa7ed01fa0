//! A layout as a tar archive.
//!
//! The archive is gone through once. Of a plain one, the places of its files are noted; of a compressed one, all files
//! but layers are kept in a temporary file without a name. Nothing is extracted under a name from the archive: names are
//! looked up, exactly, so that one that leads elsewhere is simply never asked for.

use std::cell::Cell;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::rc::Rc;
use std::sync::{Mutex, PoisonError};

use flate2::read::MultiGzDecoder;
use tar::{Entries, Entry};

use super::files::{INDEX, LAYOUT};
use crate::failure::quote;
use crate::limits;
use crate::source::{Trouble, TroubleKind};

/// The first bytes of gzip.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The archive of a layout.
#[derive(Debug)]
pub(super) struct Archive {
    /// The path for messages, quoted.
    place: String,
    /// The archive, or what was kept of it.
    file: Mutex<File>,
    files: HashMap<String, Member>,
}

/// A file in the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Member {
    /// So many bytes from there on.
    At { offset: u64, size: u64 },
    /// A layer, or as large as one: not kept.
    PassedOver,
    /// No regular file, but a link, a device or the like.
    Odd,
    /// There are several of this name.
    Repeated,
}

/// How much of an archive is read and kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) total: u64,
    pub(super) kept: u64,
    pub(super) headers: u64,
    pub(super) files: usize,
}

impl Archive {
    pub(super) fn open(path: &Path) -> Result<Archive, Trouble> {
        let bounds = Bounds {
            total: limits::ARCHIVE_BYTES,
            kept: limits::ARCHIVE_KEPT_BYTES,
            headers: limits::ARCHIVE_HEADER_BYTES,
            files: limits::ARCHIVE_FILES,
        };
        Archive::open_within(path, bounds)
    }

    pub(super) fn open_within(path: &Path, bounds: Bounds) -> Result<Archive, Trouble> {
        let place = quote(&path.to_string_lossy());
        let trouble = |kind: TroubleKind, what: String| Trouble::new(kind, format!("{place}: {what}"));
        let opened = (|| {
            // Before it is opened: opening a pipe would wait for its writer.
            if !std::fs::metadata(path)?.is_file() {
                return Ok(None);
            }
            let mut file = File::open(path)?;
            let mut magic = Vec::new();
            file.by_ref().take(2).read_to_end(&mut magic)?;
            file.rewind()?;
            Ok(Some((file, magic == GZIP)))
        })();
        let (file, compressed) = match opened {
            Ok(Some(opened)) => opened,
            Ok(None) => return Err(trouble(TroubleKind::AnswerInvalid, "is not a regular file".to_owned())),
            Err(error) => {
                let error: io::Error = error;
                let kind = match error.kind() {
                    io::ErrorKind::NotFound => TroubleKind::NotFound,
                    io::ErrorKind::PermissionDenied => TroubleKind::AccessDenied,
                    _ => TroubleKind::Unreachable,
                };
                return Err(trouble(kind, format!("cannot be read: {error}")));
            }
        };
        let meter = Rc::new(Meter::default());
        let indexed = if compressed { keep(file, bounds, &meter) } else { note(file, bounds, &meter) };
        match indexed {
            Ok((file, files)) => Ok(Archive { file: Mutex::new(file), files, place }),
            Err(_) if meter.exceeded.get() => {
                Err(trouble(TroubleKind::AnswerTooLarge, "the archive grows over what is read of one".to_owned()))
            }
            Err(error) => Err(trouble(
                TroubleKind::AnswerInvalid,
                format!("the archive cannot be read: {}", quote(&error.to_string())),
            )),
        }
    }

    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// Reads a file of at most `limit` bytes.
    pub(super) fn file(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, Trouble> {
        let trouble = |kind, what: String| Err(Trouble::new(kind, format!("{}: {name} {what}", self.place)));
        let (offset, size) = match self.files.get(name) {
            None => return Ok(None),
            Some(Member::At { offset, size }) if *size <= limit => (*offset, *size),
            Some(Member::PassedOver) => {
                return trouble(
                    TroubleKind::AnswerTooLarge,
                    "has the size of a layer, and is not kept of a compressed archive".to_owned(),
                );
            }
            Some(Member::At { .. }) => {
                return trouble(
                    TroubleKind::AnswerTooLarge,
                    format!("has more than the {limit} bytes that are expected"),
                );
            }
            Some(Member::Odd) => return trouble(TroubleKind::AnswerInvalid, "is not a regular file".to_owned()),
            Some(Member::Repeated) => {
                return trouble(TroubleKind::AnswerInvalid, "is in the archive more than once".to_owned());
            }
        };
        let mut bytes = Vec::new();
        let read = {
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            file.seek(SeekFrom::Start(offset)).and_then(|_| file.by_ref().take(size).read_to_end(&mut bytes))
        };
        match read {
            Ok(_) if bytes.len() as u64 == size => Ok(Some(bytes)),
            Ok(_) => trouble(TroubleKind::AnswerInvalid, "is cut off".to_owned()),
            Err(error) => trouble(TroubleKind::Unreachable, format!("cannot be read: {error}")),
        }
    }
}

type Indexed = (File, HashMap<String, Member>);

/// Notes where the files of a plain archive are.
fn note(file: File, bounds: Bounds, meter: &Rc<Meter>) -> io::Result<Indexed> {
    let end = file.metadata()?.len();
    let mut archive = tar::Archive::new(Metered { inner: &file, meter: Rc::clone(meter) });
    meter.total.set(u64::MAX);
    // What is between headers is jumped over, so that only headers are read.
    let between = |_: u64| bounds.headers;
    let files = members(archive.entries_with_seek()?, meter, bounds.files, between, |_, entry| {
        let (offset, size) = (entry.raw_file_position(), entry.size());
        match offset.checked_add(size) {
            Some(last) if last <= end => Ok(Member::At { offset, size }),
            _ => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the last file is cut off")),
        }
    })?;
    drop(archive);
    Ok((file, files))
}

/// Keeps the files of a compressed archive that are small enough to be manifests or envelopes.
fn keep(file: File, bounds: Bounds, meter: &Rc<Meter>) -> io::Result<Indexed> {
    let mut kept = tempfile::tempfile()?;
    let mut offset = 0;
    let decoder = MultiGzDecoder::new(BufReader::new(file));
    let mut archive = tar::Archive::new(Metered { inner: decoder, meter: Rc::clone(meter) });
    meter.total.set(bounds.total);
    let between = |size: u64| bounds.headers.saturating_add(size);
    let files = members(archive.entries()?, meter, bounds.files, between, |name, entry| {
        let size = entry.size();
        let most = match name {
            INDEX => limits::LAYOUT_INDEX_BYTES,
            _ => limits::MANIFEST_BYTES.max(limits::ENVELOPE_BYTES),
        };
        if size > most {
            return Ok(Member::PassedOver);
        }
        if offset + size > bounds.kept {
            meter.exceeded.set(true);
            return Err(io::Error::other("too much to keep"));
        }
        if io::copy(entry, &mut kept)? != size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let member = Member::At { offset, size };
        offset += size;
        Ok(member)
    })?;
    // The check sum comes last.
    let mut rest = archive.into_inner();
    meter.allow(u64::MAX);
    io::copy(&mut rest, &mut io::sink())?;
    Ok((kept, files))
}

/// Goes through an archive once and says of each of at most `most` files that a layout has what `member` says of it. From one entry to the
/// next, as much may be read as `between` says for the size of the first.
fn members<'a, R: Read>(
    entries: Entries<'a, R>,
    meter: &Meter,
    most: usize,
    between: impl Fn(u64) -> u64,
    mut member: impl FnMut(&str, &mut Entry<'a, R>) -> io::Result<Member>,
) -> io::Result<HashMap<String, Member>> {
    let mut files = HashMap::new();
    meter.allow(between(0));
    for entry in entries {
        let mut entry = entry?;
        let name = layout_name(&entry.path_bytes());
        let kind = entry.header().entry_type();
        meter.allow(between(entry.size()));
        if let Some(name) = name.filter(|_| !kind.is_dir()) {
            if files.len() >= most {
                meter.exceeded.set(true);
                return Err(io::Error::other("too many files"));
            }
            let found = if kind.is_file() { member(&name, &mut entry)? } else { Member::Odd };
            files.entry(name).and_modify(|known| *known = Member::Repeated).or_insert(found);
        }
    }
    Ok(files)
}

/// The name under which a layout's file is looked up, without `./` before it. `None` for every other name.
fn layout_name(path: &[u8]) -> Option<String> {
    let mut name = std::str::from_utf8(path).ok()?;
    while let Some(rest) = name.strip_prefix("./") {
        name = rest;
    }
    let known = name == LAYOUT || name == INDEX || {
        let digest = name.strip_prefix("blobs/").map(|digest| digest.replacen('/', ":", 1));
        digest.is_some_and(|digest| digest.parse::<crate::digest::Digest>().is_ok())
    };
    known.then(|| name.to_owned())
}

/// Counts what is read, so that neither a header that never ends nor a bomb fills memory or disk.
#[derive(Debug, Default)]
struct Meter {
    /// How much may be read until the next allowance.
    allowance: Cell<u64>,
    /// How much may be read in all.
    total: Cell<u64>,
    exceeded: Cell<bool>,
}

impl Meter {
    fn allow(&self, bytes: u64) {
        self.allowance.set(bytes);
    }
}

struct Metered<R> {
    inner: R,
    meter: Rc<Meter>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let read = count as u64;
        let Meter { allowance, total, exceeded } = &*self.meter;
        match (allowance.get().checked_sub(read), total.get().checked_sub(read)) {
            (Some(allowed), Some(left)) => {
                allowance.set(allowed);
                total.set(left);
                Ok(count)
            }
            _ => {
                exceeded.set(true);
                Err(io::Error::other("more is read than allowed"))
            }
        }
    }
}

impl<R: Seek> Seek for Metered<R> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.inner.seek(position)
    }
}
