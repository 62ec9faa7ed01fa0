//! Standard output and standard error, kept for the answer alone.
//!
//! The host reads both as JSON, and a module is a vendor's library that may write to them what it likes: licences, warnings,
//! traces. So both streams are redirected before any module is loaded.

use std::fs::File;
use std::io::{self, Write as _};

use serde::Serialize;

/// Where the answer goes, or the reason why there is none.
pub(super) struct Streams {
    output: File,
    errors: File,
}

#[cfg(unix)]
impl Streams {
    /// Keeps both streams; what others write to them from now on is lost.
    pub(super) fn keep() -> io::Result<Streams> {
        let kept = Streams {
            output: rustix::io::fcntl_dupfd_cloexec(io::stdout(), LOWEST)?.into(),
            errors: rustix::io::fcntl_dupfd_cloexec(io::stderr(), LOWEST)?.into(),
        };
        // Where there is no such file, there is nowhere else to lead them; most modules are quiet.
        if let Ok(nowhere) = File::options().write(true).open("/dev/null") {
            rustix::stdio::dup2_stdout(&nowhere)?;
            rustix::stdio::dup2_stderr(&nowhere)?;
        }
        Ok(kept)
    }
}

/// Above the three standard streams.
#[cfg(unix)]
const LOWEST: i32 = 3;

#[cfg(windows)]
impl Streams {
    /// Keeps both streams. What others write to them cannot be led elsewhere here.
    pub(super) fn keep() -> io::Result<Streams> {
        use std::os::windows::io::AsHandle as _;
        let file = |handle: std::os::windows::io::BorrowedHandle<'_>| handle.try_clone_to_owned().map(File::from);
        Ok(Streams { output: file(io::stdout().as_handle())?, errors: file(io::stderr().as_handle())? })
    }
}

impl Streams {
    /// Writes the answer.
    pub(super) fn answer(&mut self, answer: &[u8]) -> io::Result<()> {
        self.output.write_all(answer)?;
        self.output.flush()
    }

    /// Writes the reason why there is no answer.
    pub(super) fn refuse(&mut self, response: &impl Serialize) -> io::Result<()> {
        self.errors.write_all(&serde_json::to_vec(response)?)?;
        self.errors.flush()
    }
}
