//! ProcessHost that are run as soon as they are written.
//!
//! The system refuses to run a file that any process holds open for writing ("Text file busy"), and a process that another
//! thread is just starting holds all files of this one until it has become its own program. So this process never opens
//! such a file for writing: a process that does nothing else writes it.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

/// Writes a script of the shell to `path`, executable by all and changeable by its owner only, in place of any file there.
///
/// # Errors
///
/// If it cannot be written, or there is no shell.
#[cfg(unix)]
pub fn write_script(path: &Path, script: &str) -> io::Result<()> {
    const WRITE: &str = r#"umask 022 && cat > "$1.new" && chmod 755 "$1.new" && mv -f "$1.new" "$1""#;
    let mut child = Command::new("/bin/sh").args(["-c", WRITE, "sh"]).arg(path).stdin(Stdio::piped()).spawn()?;
    let written = child.stdin.take().map_or(Ok(()), |mut input| input.write_all(script.as_bytes()));
    let status = child.wait()?;
    written?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("a script could not be written: {status}"))) }
}

/// Copies a program to `path`, executable by all and changeable by its owner only, in place of any file there.
///
/// # Errors
///
/// If it cannot be copied.
#[cfg(unix)]
pub fn copy_program(program: &Path, path: &Path) -> io::Result<()> {
    const COPY: &str = r#"umask 022 && cp "$1" "$2.new" && chmod 755 "$2.new" && mv -f "$2.new" "$2""#;
    let status = Command::new("/bin/sh").args(["-c", COPY, "sh"]).arg(program).arg(path).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("a program could not be copied: {status}"))) }
}

/// There is no shell to run a script by.
///
/// # Errors
///
/// Always.
#[cfg(not(unix))]
pub fn write_script(_: &Path, _: &str) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "the plugin for tests is a script of a shell"))
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn what_was_written_runs_at_once_while_others_start_processes() {
        let folder = tempfile::tempdir().unwrap();
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    while !over.load(Ordering::Relaxed) {
                        Command::new("/bin/true").status().unwrap();
                    }
                });
            }
            for number in 0..60 {
                let path = folder.path().join(format!("it's {number}"));
                write_script(&path, "#!/bin/sh\nexit 7\n").unwrap();
                assert_eq!(Command::new(&path).status().unwrap().code(), Some(7));
                let copy = folder.path().join(format!("copy {number}"));
                copy_program(&path, &copy).unwrap();
                assert_eq!(Command::new(&copy).status().unwrap().code(), Some(7));
            }
            over.store(true, Ordering::Relaxed);
        });
        assert!(write_script(&folder.path().join("none/x"), "").is_err());
    }
}
