//! A file that a user names by itself, with a key or certificates: links are followed, and pipes are read.
//!
//! Container platforms mount secrets as links, and shells hand out what a program writes as a pipe (`<(…)`). The reference
//! implementation reads both. What is found by looking through a folder is never read here: see [`crate::regular_file`].
//! Devices, folders and sockets are refused. A pipe is read on a thread of its own and within bounds: one that no program
//! writes to would be waited for without end. What was read is wiped from memory when it is dropped, since it may be a key.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::failure::quote;
use crate::limits;
use crate::regular_file::{FileProblem, open_linked};

/// What a file holds, and whether others than its owner may read it.
#[derive(Debug)]
pub struct NamedFile {
    /// The content.
    pub bytes: Zeroizing<Vec<u8>>,
    /// Whether group or world may read it; never of a pipe, whose content is gone.
    pub open_to_others: bool,
}

/// How long a pipe is waited for.
#[derive(Debug, Clone, Copy)]
struct Patience {
    /// Until a program has opened a named pipe for writing.
    writer: Duration,
    /// Until the writer is done.
    content: Duration,
}

const PATIENCE: Patience = Patience { writer: limits::PIPE_WRITER_TIMEOUT, content: limits::PIPE_TIMEOUT };

/// Reads the regular file or the pipe that `path` leads to, of at most `limit` bytes.
///
/// # Errors
/// Why it is not read.
pub fn read(path: &Path, limit: u64) -> Result<NamedFile, FileProblem> {
    read_within(path, limit, PATIENCE)
}

/// Reads standard input to its end, of at most `limit` bytes, whatever it is.
///
/// # Errors
/// Why it is not read.
pub fn read_standard_input(limit: u64) -> Result<NamedFile, FileProblem> {
    let bytes = piped(standard_input, limit, PATIENCE)?;
    Ok(NamedFile { bytes, open_to_others: false })
}

/// Whether both lead to the same pipe, which can be read once. Standard input is named by `/dev/stdin`.
#[cfg(unix)]
pub fn is_one_pipe(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let pipe = |path: &Path| fs::metadata(path).ok().filter(is_pipe).map(|pipe| (pipe.dev(), pipe.ino()));
    pipe(one).is_some_and(|one| pipe(other) == Some(one))
}

/// Elsewhere nothing simple tells.
#[cfg(not(unix))]
pub fn is_one_pipe(_: &Path, _: &Path) -> bool {
    false
}

fn read_within(path: &Path, limit: u64, patience: Patience) -> Result<NamedFile, FileProblem> {
    let looked_at = fs::metadata(path).map_err(|error| missing(path, error))?;
    if is_pipe(&looked_at) {
        let path = path.to_owned();
        let bytes = piped(move || File::open(path), limit, patience)?;
        return Ok(NamedFile { bytes, open_to_others: false });
    }
    let file = open_linked(path)?;
    let opened = file.metadata()?;
    if opened.len() > limit {
        return Err(FileProblem::TooLong(limit));
    }
    let room = usize::try_from(opened.len()).unwrap_or(0);
    Ok(NamedFile { bytes: whole(file, limit, room)?, open_to_others: open_to_others(&opened) })
}

/// Why there is nothing at `path`: a link whose target is gone is told from a name that is misspelt.
fn missing(path: &Path, error: io::Error) -> FileProblem {
    match fs::read_link(path) {
        Ok(target) if error.kind() == io::ErrorKind::NotFound => {
            FileProblem::Dangling(quote(&target.display().to_string()))
        }
        _ => error.into(),
    }
}

/// Reads what `open` opens, within bounds. A thread that still waits then is left behind, until the program ends.
fn piped<R: Read>(
    open: impl FnOnce() -> io::Result<R> + Send + 'static,
    limit: u64,
    patience: Patience,
) -> Result<Zeroizing<Vec<u8>>, FileProblem> {
    let (opened, is_opened): (Sender<io::Result<()>>, Receiver<io::Result<()>>) = mpsc::channel();
    let (done, is_done) = mpsc::channel();
    let read = move || {
        let source = match open() {
            Ok(source) => source,
            Err(error) => return drop(opened.send(Err(error))),
        };
        let _ = opened.send(Ok(()));
        let _ = done.send(whole(source, limit, usize::try_from(limit).unwrap_or(0)));
    };
    thread::Builder::new().name("pipe".to_owned()).spawn(read)?;
    match is_opened.recv_timeout(patience.writer) {
        Ok(outcome) => outcome?,
        Err(_) => return Err(FileProblem::NoWriter(patience.writer)),
    }
    match is_done.recv_timeout(patience.content) {
        Ok(outcome) => outcome,
        Err(RecvTimeoutError::Timeout) => Err(FileProblem::Unfinished(patience.content)),
        Err(RecvTimeoutError::Disconnected) => Err(FileProblem::Unreadable(io::ErrorKind::BrokenPipe.into())),
    }
}

/// Reads to the end. There is `room` from the start, so that a secret is not copied about while the buffer grows.
fn whole(source: impl Read, limit: u64, room: usize) -> Result<Zeroizing<Vec<u8>>, FileProblem> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(room.saturating_add(1)));
    source.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(FileProblem::TooLong(limit)) } else { Ok(bytes) }
}

/// Standard input without the buffer of the standard library, in which a key would be left.
#[cfg(unix)]
fn standard_input() -> io::Result<File> {
    use std::os::fd::AsFd as _;
    Ok(io::stdin().as_fd().try_clone_to_owned()?.into())
}

#[cfg(not(unix))]
fn standard_input() -> io::Result<io::Stdin> {
    Ok(io::stdin())
}

#[cfg(unix)]
fn is_pipe(metadata: &Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    metadata.file_type().is_fifo()
}

#[cfg(not(unix))]
fn is_pipe(_: &Metadata) -> bool {
    false
}

/// Whether group or world may read what is described.
#[cfg(unix)]
pub(crate) fn open_to_others(metadata: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o044 != 0
}

/// Elsewhere nothing simple tells.
#[cfg(not(unix))]
pub(crate) fn open_to_others(_: &Metadata) -> bool {
    false
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::process::Command;

    use super::*;

    #[test]
    fn s30_links_are_followed_to_their_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("..2026_11_29")).unwrap();
        fs::write(path("..2026_11_29/tls.key"), "secret").unwrap();
        symlink("..2026_11_29", path("..data")).unwrap();
        symlink("..data/tls.key", path("tls.key")).unwrap();
        assert_eq!(read(&path("tls.key"), 10).unwrap().bytes.as_slice(), b"secret");
        symlink("..data/gone", path("gone")).unwrap();
        let words = |name: &str| read(&path(name), 10).unwrap_err().to_string();
        assert_eq!(words("gone"), "is a symbolic link, and \"..data/gone\", where it leads, does not exist");
        assert_eq!(words("absent"), "does not exist");
        assert_eq!(words("..data"), "is a directory, not a regular file");
        symlink("/dev/zero", path("zero")).unwrap();
        assert_eq!(words("zero"), "is a device, not a regular file");
        assert!(matches!(read(&path("tls.key"), 5), Err(FileProblem::TooLong(5))));
    }

    fn named_pipe(folder: &tempfile::TempDir) -> std::path::PathBuf {
        let path = folder.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        path
    }

    #[test]
    fn s33_a_pipe_is_read_to_its_end_and_no_further_than_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = named_pipe(&folder);
        let write = |content: Vec<u8>| {
            let path = path.clone();
            // The reader may leave before everything is written.
            thread::spawn(move || drop(fs::write(path, content)))
        };
        let writer = write(b"secret".to_vec());
        assert_eq!(read(&path, 10).unwrap().bytes.as_slice(), b"secret");
        writer.join().unwrap();
        let writer = write(vec![0; 1 << 20]);
        assert!(matches!(read(&path, 5), Err(FileProblem::TooLong(5))));
        writer.join().unwrap();
    }

    #[test]
    fn s33_a_pipe_without_a_writer_is_not_waited_for_without_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = named_pipe(&folder);
        let patience = Patience { writer: Duration::from_millis(50), content: Duration::from_millis(50) };
        assert!(matches!(read_within(&path, 10, patience), Err(FileProblem::NoWriter(_))));
        // The writer opens it, and neither writes nor goes. The thread that was left behind reads as well.
        let writer = thread::spawn({
            let path = path.clone();
            move || File::options().write(true).open(path).unwrap()
        });
        let patience = Patience { writer: Duration::from_secs(30), ..patience };
        assert!(matches!(read_within(&path, 10, patience), Err(FileProblem::Unfinished(_))));
        drop(writer.join().unwrap());
    }
}
