//! A layout as a tar archive.
//!
//! The archive is gone through once. Of a plain one, the places of its files are noted; of a compressed one, what may be a
//! manifest or an envelope by size and first byte is kept in a temporary file without a name, and if a signature names an
//! envelope that looks like none, the archive is gone through once more for it. Nothing is extracted under a name from the archive: names are
//! looked up, exactly, so that one that leads elsewhere is simply never asked for.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::rc::Rc;
use std::sync::{Mutex, PoisonError};

use flate2::read::MultiGzDecoder;
use tar::{Entries, Entry};

use super::files::{INDEX, LAYOUT, blob_name};
use crate::digest::Digest;
use crate::failure::quote;
use crate::limits;
use crate::regular_file::{self, FileProblem};
use crate::trouble::{Trouble, TroubleKind};

/// The first bytes of gzip.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// How many bytes of a file are looked at to see whether it may be a manifest or an envelope.
const BEGINNING: u64 = 512;
/// How long a file may be that is kept whatever it looks like, in bytes.
const SHORT: u64 = 1 << 10;

/// The archive of a layout.
#[derive(Debug)]
pub(super) struct Archive {
    /// The path for messages, quoted.
    place: String,
    /// The archive, or what was kept of it.
    file: Mutex<File>,
    /// The archive, where it is compressed.
    compressed: Option<File>,
    bounds: Bounds,
    files: HashMap<Name, Member>,
}

/// The name of a file that a layout has. `Display` writes it as it is in the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Name {
    Layout,
    Index,
    Blob(Digest),
}

/// A file in the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Member {
    /// So many bytes from there on.
    At { offset: u64, size: u64 },
    /// Not kept: as long as a layer, or unlike a manifest and an envelope.
    PassedOver { is_short: bool },
    /// No regular file, but a link, a device or the like.
    Odd,
    /// There are several of this name.
    Repeated,
}

/// A file in the archive, as it is read.
pub(super) struct Part<'a> {
    file: &'a Mutex<File>,
    offset: u64,
    left: u64,
}

impl Read for Part<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.offset))?;
        let count = Read::by_ref(&mut *file).take(self.left).read(buffer)?;
        self.offset += count as u64;
        self.left -= count as u64;
        Ok(count)
    }
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
            // What is not a regular file is not opened: a pipe would wait for its writer.
            let mut file = regular_file::open_linked(path)?;
            let mut magic = Vec::new();
            Read::by_ref(&mut file).take(2).read_to_end(&mut magic)?;
            file.rewind()?;
            Ok((file, magic == GZIP))
        })();
        let (file, compressed) = opened.map_err(|problem: FileProblem| {
            let kind = match problem {
                FileProblem::Missing => TroubleKind::NotFound,
                _ => TroubleKind::FileUnusable,
            };
            trouble(kind, problem.to_string())
        })?;
        let meter = Rc::new(Meter::default());
        let indexed = if compressed {
            // Without a name, so that nothing is left of it however the program ends.
            tempfile::tempfile().and_then(|mut kept| {
                let files = keep(file.try_clone()?, &mut kept, bounds, &meter, looks_read)?;
                Ok((kept, Some(file), files))
            })
        } else {
            note(&file, bounds, &meter).map(|files| (file, None, files))
        };
        match indexed {
            Ok((file, compressed, files)) => Ok(Archive { file: Mutex::new(file), compressed, bounds, files, place }),
            Err(error) => Err(unread(&place, &error, &meter)),
        }
    }

    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// Reads a file of at most `limit` bytes.
    pub(super) fn file(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, Trouble> {
        let Some(mut part) = self.open_file(name, limit)? else { return Ok(None) };
        let size = part.left;
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        match part.read_to_end(&mut bytes) {
            Ok(_) if bytes.len() as u64 == size => Ok(Some(bytes)),
            Ok(_) => Err(self.trouble(TroubleKind::AnswerInvalid, format!("{name} is cut off"))),
            Err(error) => Err(self.trouble(TroubleKind::FileUnusable, format!("{name} cannot be read: {error}"))),
        }
    }

    /// A file of at most `limit` bytes, to be read.
    pub(super) fn open_file(&self, name: &str, limit: u64) -> Result<Option<Part<'_>>, Trouble> {
        match self.member(name)? {
            Some((_, size)) if size > limit => {
                let message = format!("{name} has more than the {limit} bytes that are expected");
                Err(self.trouble(TroubleKind::AnswerTooLarge, message))
            }
            found => Ok(found.map(|(offset, left)| Part { file: &self.file, offset, left })),
        }
    }

    /// Where a file is, and how long.
    fn member(&self, name: &str) -> Result<Option<(u64, u64)>, Trouble> {
        let Some(name) = Name::read(name) else { return Ok(None) };
        let (kind, what) = match self.files.get(&name) {
            None => return Ok(None),
            Some(Member::At { offset, size }) => return Ok(Some((*offset, *size))),
            Some(Member::PassedOver { .. }) => (
                TroubleKind::AnswerTooLarge,
                "is neither a manifest nor an envelope by its size or its first byte, and is not kept of a compressed archive",
            ),
            Some(Member::Odd) => (TroubleKind::AnswerInvalid, "is not a regular file"),
            Some(Member::Repeated) => (TroubleKind::AnswerInvalid, "is in the archive more than once"),
        };
        Err(self.trouble(kind, format!("{name} {what}")))
    }

    fn trouble(&self, kind: TroubleKind, what: String) -> Trouble {
        Trouble::new(kind, format!("{}: {what}", self.place))
    }

    /// Goes through a compressed archive once more, if it holds blobs that are needed and were not kept, since they are
    /// short enough but look like nothing that is read.
    pub(super) fn need(&mut self, blobs: &[Digest]) -> Result<(), Trouble> {
        let unlike = |name: &Name| matches!(self.files.get(name), Some(Member::PassedOver { is_short: true }));
        let wanted: HashSet<Name> = blobs.iter().map(|digest| Name::Blob(*digest)).filter(unlike).collect();
        let Some(compressed) = self.compressed.as_ref().filter(|_| !wanted.is_empty()) else { return Ok(()) };
        let meter = Rc::new(Meter::default());
        let opened = compressed.try_clone().and_then(|mut file| file.rewind().map(|()| file));
        let kept = self.file.get_mut().unwrap_or_else(PoisonError::into_inner);
        let found = opened.and_then(|file| keep(file, kept, self.bounds, &meter, |name, _, _| wanted.contains(name)));
        match found {
            Ok(found) => {
                let more = found
                    .into_iter()
                    .filter(|(name, member)| wanted.contains(name) && matches!(member, Member::At { .. }));
                self.files.extend(more);
                Ok(())
            }
            Err(error) => Err(unread(&self.place, &error, &meter)),
        }
    }
}

/// Why an archive could not be gone through.
fn unread(place: &str, error: &io::Error, meter: &Meter) -> Trouble {
    if meter.exceeded.get() {
        return Trouble::new(
            TroubleKind::AnswerTooLarge,
            format!("{place}: the archive grows over what is read of one"),
        );
    }
    let message = format!("{place}: the archive cannot be read: {}", quote(&error.to_string()));
    Trouble::new(TroubleKind::AnswerInvalid, message)
}

/// Notes where the files of a plain archive are.
fn note(file: &File, bounds: Bounds, meter: &Rc<Meter>) -> io::Result<HashMap<Name, Member>> {
    let end = file.metadata()?.len();
    let archive = tar::Archive::new(Metered { inner: file, meter: Rc::clone(meter) });
    // What is between headers is jumped over, so that only headers are read.
    meter.total.set(u64::MAX);
    let between = |_: u64| bounds.headers;
    let mut archive = archive;
    members(archive.entries_with_seek()?, meter, bounds.files, between, |_, entry| {
        let (offset, size) = (entry.raw_file_position(), entry.size());
        match offset.checked_add(size) {
            Some(last) if last <= end => Ok(Member::At { offset, size }),
            _ => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the last file is cut off")),
        }
    })
}

/// Keeps those files of a compressed archive behind what is `kept` that are no longer than what is read of a layout and are
/// `wanted`, by their name and their first bytes.
fn keep(
    file: File,
    kept: &mut File,
    bounds: Bounds,
    meter: &Rc<Meter>,
    wanted: impl Fn(&Name, u64, &[u8]) -> bool,
) -> io::Result<HashMap<Name, Member>> {
    let mut offset = kept.seek(SeekFrom::End(0))?;
    let decoder = MultiGzDecoder::new(BufReader::new(file));
    let mut archive = tar::Archive::new(Metered { inner: decoder, meter: Rc::clone(meter) });
    meter.total.set(bounds.total);
    let between = |size: u64| bounds.headers.saturating_add(size);
    let mut beginning = Vec::with_capacity(BEGINNING as usize);
    let files = members(archive.entries()?, meter, bounds.files, between, |name, entry| {
        let size = entry.size();
        let most = match name {
            Name::Index => limits::LAYOUT_INDEX_BYTES,
            _ => limits::MANIFEST_BYTES.max(limits::ENVELOPE_BYTES),
        };
        if size > most {
            return Ok(Member::PassedOver { is_short: false });
        }
        beginning.clear();
        entry.take(BEGINNING).read_to_end(&mut beginning)?;
        if !wanted(name, size, &beginning) {
            return Ok(Member::PassedOver { is_short: true });
        }
        if offset + size > bounds.kept {
            meter.exceeded.set(true);
            return Err(io::Error::other("too much to keep"));
        }
        kept.write_all(&beginning)?;
        if beginning.len() as u64 + io::copy(entry, kept)? != size {
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
    Ok(files)
}

/// Whether a file may be a manifest or an envelope: all of them are JSON but for COSE's, which begin with their tag, 18.
fn looks_read(name: &Name, size: u64, beginning: &[u8]) -> bool {
    let is_blob = matches!(name, Name::Blob(_));
    !is_blob || size <= SHORT || matches!(beginning.trim_ascii_start().first(), Some(b'{' | 0xd2))
}

/// Goes through an archive once and says of each of at most `most` files that a layout has what `member` says of it. From
/// one entry to the next, as much may be read as `between` says for the size of the first.
fn members<'a, R: Read>(
    entries: Entries<'a, R>,
    meter: &Meter,
    most: usize,
    between: impl Fn(u64) -> u64,
    mut member: impl FnMut(&Name, &mut Entry<'a, R>) -> io::Result<Member>,
) -> io::Result<HashMap<Name, Member>> {
    let mut files = HashMap::new();
    meter.allow(between(0));
    for entry in entries {
        let mut entry = entry?;
        let name = std::str::from_utf8(&entry.path_bytes()).ok().and_then(Name::read);
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

impl Name {
    /// The name of a layout's file, without `./` before it. `None` for every other name.
    fn read(path: &str) -> Option<Name> {
        let mut name = path;
        while let Some(rest) = name.strip_prefix("./") {
            name = rest;
        }
        match name {
            LAYOUT => Some(Name::Layout),
            INDEX => Some(Name::Index),
            _ => {
                let (algorithm, hash) = name.strip_prefix("blobs/")?.split_once('/')?;
                format!("{algorithm}:{hash}").parse().ok().map(Name::Blob)
            }
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Name::Layout => f.write_str(LAYOUT),
            Name::Index => f.write_str(INDEX),
            Name::Blob(digest) => f.write_str(&blob_name(digest)),
        }
    }
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
