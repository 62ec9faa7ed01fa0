//! What this machine, or this process, has run out of: open files, memory, room on a disk, processes.
//!
//! That is no property of an artifact, a registry or a plugin. It is noted where it is met, since it may come out as many
//! things later: a connection that is not made, an answer that never comes, a store that cannot be read. Who judges by what
//! came out looks whether something was noted meanwhile. It is one count for the process, as the files that it has open are.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

/// Something that there is no more of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shortage {
    /// The process, or the system, has as many files and connections open as it may.
    OpenFiles,
    /// There is no memory left.
    Memory,
    /// There is no room on a disk.
    Disk,
    /// No process or thread can be started.
    Processes,
}

/// How often each was met.
static MET: [AtomicU64; 4] = [const { AtomicU64::new(0) }; 4];

/// How often each had been met at some moment.
#[derive(Debug, Clone, Copy)]
pub struct Before([u64; 4]);

impl Shortage {
    const ALL: [Shortage; 4] = [Shortage::OpenFiles, Shortage::Memory, Shortage::Disk, Shortage::Processes];

    /// What `error` says is short, if it says so.
    pub fn of(error: &io::Error) -> Option<Shortage> {
        match error.kind() {
            io::ErrorKind::OutOfMemory => Some(Shortage::Memory),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some(Shortage::Disk),
            // EMFILE and ENFILE have no name in the library; their numbers are the same on every Unix.
            _ => match error.raw_os_error() {
                Some(23 | 24) if cfg!(unix) => Some(Shortage::OpenFiles),
                Some(4 | 10024) if cfg!(windows) => Some(Shortage::OpenFiles),
                _ => None,
            },
        }
    }

    /// The same of an error, or of what has caused it.
    pub fn behind(error: &(dyn Error + 'static)) -> Option<Shortage> {
        let mut cause = Some(error);
        while let Some(current) = cause {
            if let Some(shortage) = current.downcast_ref::<io::Error>().and_then(Shortage::of) {
                return Some(shortage);
            }
            cause = current.source();
        }
        None
    }

    fn number(self) -> usize {
        match self {
            Shortage::OpenFiles => 0,
            Shortage::Memory => 1,
            Shortage::Disk => 2,
            Shortage::Processes => 3,
        }
    }
}

/// Says what is short, and what to do.
impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Shortage::OpenFiles => {
                "this machine allows no more open files: raise the limit (ulimit -n), or run less at a time (--jobs)"
            }
            Shortage::Memory => "this machine has no memory left: run less at a time (--jobs)",
            Shortage::Disk => "this machine has no room on a disk: make room, or name another folder by TMPDIR",
            Shortage::Processes => {
                "this machine starts no more processes: raise the limit (ulimit -u), or run less at a time (--jobs)"
            }
        })
    }
}

impl Before {
    /// As it is now.
    pub fn now() -> Before {
        Before(std::array::from_fn(|number| MET[number].load(Ordering::SeqCst)))
    }

    /// What was met since.
    pub fn met_since(&self) -> Option<Shortage> {
        let now = Before::now();
        Shortage::ALL.into_iter().find(|shortage| now.0[shortage.number()] > self.0[shortage.number()])
    }
}

/// Notes what `error` says is short, if anything.
pub fn note(error: &(dyn Error + 'static)) {
    if let Some(shortage) = Shortage::behind(error) {
        met(shortage);
    }
}

/// Notes what a process or a thread that could not be started says is short: here, trying again later is what helps.
pub fn note_of_start(error: &io::Error) {
    match error.kind() {
        io::ErrorKind::WouldBlock => met(Shortage::Processes),
        _ => note(error),
    }
}

fn met(shortage: Shortage) {
    MET[shortage.number()].fetch_add(1, Ordering::SeqCst);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the request failed")]
    struct Outer(#[source] io::Error);

    #[test]
    #[cfg(unix)]
    fn a_shortage_is_known_however_deep_it_lies() {
        for (number, shortage) in [(24, Some(Shortage::OpenFiles)), (23, Some(Shortage::OpenFiles)), (111, None)] {
            let error = || io::Error::from_raw_os_error(number);
            assert_eq!(Shortage::of(&error()), shortage, "{number}");
            assert_eq!(Shortage::behind(&Outer(error())), shortage, "{number}");
            // As tempfile and others wrap it, with the path.
            let wrapped = io::Error::new(error().kind(), Outer(error()));
            assert_eq!(Shortage::behind(&Outer(wrapped)), shortage, "{number}");
        }
        assert_eq!(Shortage::of(&io::ErrorKind::StorageFull.into()), Some(Shortage::Disk));
        assert_eq!(Shortage::of(&io::ErrorKind::WouldBlock.into()), None, "of a read it is nothing");
    }

    #[test]
    #[cfg(unix)]
    fn what_was_met_before_is_not_met_since() {
        note(&io::Error::from(io::ErrorKind::StorageFull));
        let before = Before::now();
        note(&Outer(io::Error::from_raw_os_error(23)));
        assert_eq!(before.met_since(), Some(Shortage::OpenFiles));
    }
}
