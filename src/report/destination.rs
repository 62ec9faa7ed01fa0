//! Where a report goes: standard output, or a file that appears only once it is whole.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::temporary::{self, Noted};

/// How much is held back before it is written, in bytes.
const BUFFER: usize = 64 << 10;

/// How many links in a row may lead nowhere yet.
const LINKS: usize = 16;

/// What stands behind the name of a report that is not whole and cannot say so itself.
const PARTIAL: &str = ".partial";

/// Where a report that was to be at `path` is, if its run was interrupted and it cannot say so itself.
fn partial_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(PARTIAL);
    name.into()
}

/// Where `path` leads, through links and through spellings of its folder.
fn followed(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        match path.canonicalize() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            found => return found,
        }
        let folder = folder(&path);
        match path.read_link() {
            // What leads nowhere yet.
            Ok(target) => path = folder.join(target),
            Err(_) => {
                let real = folder.canonicalize()?;
                return Ok(path.file_name().map_or(path.clone(), |name| real.join(name)));
            }
        }
    }
    Err(io::Error::other("too many links"))
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// An open destination. What is dropped before [`Destination::finish`] leaves no file behind.
pub(crate) enum Destination {
    /// Standard output; line by line on a terminal.
    Stdout(BufWriter<Stdout>, /* terminal */ bool),
    /// A temporary file beside the file it becomes.
    File(BufWriter<NamedTempFile>, PathBuf, Noted),
    /// A pipe or device, which has to be written as it is.
    Special(BufWriter<File>),
}

impl Destination {
    /// Standard output.
    pub(crate) fn stdout() -> Destination {
        let stdout = io::stdout();
        let terminal = stdout.is_terminal();
        Destination::Stdout(BufWriter::with_capacity(BUFFER, stdout), terminal)
    }

    /// The file at `path`. Fails when nothing could be written there, before anything has been judged.
    pub(crate) fn file(path: &Path) -> io::Result<Destination> {
        match path.metadata() {
            Ok(found) if found.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            // What leads to an open pipe (`/dev/stderr`, `>(…)` of a shell) can be opened, but has no name to be followed to.
            Ok(found) if !found.is_file() => {
                let file = File::options().write(true).open(path)?;
                return Ok(Destination::Special(BufWriter::with_capacity(BUFFER, file)));
            }
            _ => {}
        }
        // A link stays, and the file it leads to is written, be it there or not.
        let path = followed(path)?;
        let (file, noted) = temporary::unfinished_in(folder(&path))?;
        temporary::sweep(&file);
        Ok(Destination::File(BufWriter::with_capacity(BUFFER, file), path, noted))
    }

    /// Whether this is standard output.
    pub(crate) fn is_stdout(&self) -> bool {
        matches!(self, Destination::Stdout(..))
    }

    /// The file that it becomes.
    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Destination::File(_, path, _) => Some(path),
            Destination::Stdout(..) | Destination::Special(_) => None,
        }
    }

    /// Where the file will be if its run is interrupted and it cannot say so itself.
    pub(super) fn partial_path(&self) -> Option<PathBuf> {
        match self {
            Destination::File(_, path, _) => Some(partial_path(path)),
            Destination::Stdout(..) | Destination::Special(_) => None,
        }
    }

    /// Writes out what is held back, on a terminal.
    pub(crate) fn show(&mut self) -> io::Result<()> {
        match self {
            Destination::Stdout(out, true) => out.flush(),
            _ => Ok(()),
        }
    }

    /// Writes out the rest of a report that does not say itself whether it is whole; a file gets its name now, with
    /// [`PARTIAL`] behind it if the run was interrupted, and what an interrupted run left there goes when it was not.
    pub(crate) fn finish_open(self, partial: bool) -> io::Result<()> {
        match self {
            Destination::File(out, path, noted) if partial => {
                Destination::File(out, partial_path(&path), noted).finish()
            }
            Destination::File(out, path, noted) => {
                let before = partial_path(&path);
                Destination::File(out, path, noted).finish()?;
                match std::fs::remove_file(before) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                    _ => Ok(()),
                }
            }
            other => other.finish(),
        }
    }

    /// Writes out the rest; a file gets its name now.
    pub(crate) fn finish(self) -> io::Result<()> {
        match self {
            Destination::Stdout(mut out, _) => out.flush(),
            Destination::Special(mut out) => out.flush(),
            Destination::File(out, path, noted) => {
                let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
                file.persist(path).map_err(|error| error.error)?;
                drop(noted);
                Ok(())
            }
        }
    }
}

impl Write for Destination {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Destination::Stdout(out, _) => out.write(bytes),
            Destination::File(out, ..) => out.write(bytes),
            Destination::Special(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Destination::Stdout(out, _) => out.flush(),
            Destination::File(out, ..) => out.flush(),
            Destination::Special(out) => out.flush(),
        }
    }
}
