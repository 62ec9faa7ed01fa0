//! A process that outlives a run which was killed, and removes the run's containers.
//!
//! The run starts it, and holds the one end of a pipe: however the run ends, the system closes that end. Where the run has
//! removed its containers by itself, it says so before, and the process ends without having done anything. It is in a
//! process group of its own, so that what is sent to the run's (Ctrl-C, `kill -9 -GROUP`) does not reach it; where even it is
//! killed, as all processes of a container are, the next run removes what is left.

use std::io::{self, Read, Write as _};
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::ContainerError;
use super::engine::remove_run;
use crate::limits;

/// The command of `muster` that is this process: hidden, since only runs start it.
const COMMAND: &str = "remove-containers";

/// How long to wait between two looks.
const PAUSE: Duration = Duration::from_millis(250);
/// What a run says that has nothing left.
const NOTHING_LEFT: u8 = b'.';

/// The run's end of the pipe.
#[derive(Debug)]
pub(super) struct Watcher {
    pipe: ChildStdin,
}

impl Watcher {
    /// Starts one for the run `run`; `program` is muster's own executable file. The environment, which names the engine, is
    /// this process's own.
    pub(super) fn start(program: &Path, run: &str) -> io::Result<Watcher> {
        let mut command = Command::new(program);
        command.args([COMMAND, run]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // No folder is held that others may want to remove.
        command.current_dir(if cfg!(unix) { Path::new("/") } else { Path::new(".") });
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn()?;
        let pipe = child.stdin.take().ok_or_else(|| io::Error::other("a process was started without its pipe"))?;
        // It is waited for, lest what has ended stays in the system's table; it ends after this process otherwise.
        std::thread::Builder::new().name("watcher".to_owned()).spawn(move || child.wait())?;
        Ok(Watcher { pipe })
    }

    /// Says that nothing is left to remove.
    pub(super) fn release(mut self) {
        // A watcher that is gone needs to know nothing.
        let _ = self.pipe.write_all(&[NOTHING_LEFT]);
    }
}

/// Waits for the end of the run, whose pipe is `pipe`, and removes its containers unless it has done so. Blocks.
///
/// # Errors
/// What is left, and why.
pub fn watch(run: &str, pipe: impl Read) -> Result<(), ContainerError> {
    if has_nothing_left(pipe) {
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| ContainerError::Remove(error.to_string()))?;
    runtime.block_on(removed(run))
}

/// Waits until the run says so, or ends without having said it.
fn has_nothing_left(mut pipe: impl Read) -> bool {
    let mut said = [0];
    // What interrupts the waiting is not the end of the run.
    pipe.read_exact(&mut said).is_ok() && said == [NOTHING_LEFT]
}

/// Removes them, and looks again for a while: the engine may still be making one that was asked for.
async fn removed(run: &str) -> Result<(), ContainerError> {
    let began = Instant::now();
    let mut last = Ok(());
    loop {
        last = match remove_run(run).await {
            Ok(0) if last.is_ok() && began.elapsed() > limits::CONTAINER_MADE_LATE => return Ok(()),
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        };
        if began.elapsed() > limits::CONTAINER_REMOVAL {
            return last;
        }
        sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pipe whose reading is interrupted before it says `said`.
    struct Interrupted<'a>(bool, &'a [u8]);

    impl Read for Interrupted<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match std::mem::replace(&mut self.0, true) {
                false => Err(io::ErrorKind::Interrupted.into()),
                true => self.1.read(buffer),
            }
        }
    }

    #[test]
    fn a_run_that_lives_on_is_waited_for() {
        assert!(has_nothing_left(Interrupted(false, b".")), "it has only been interrupted");
        assert!(!has_nothing_left(Interrupted(false, b"")), "it was killed");
        assert!(!has_nothing_left(&b"?"[..]));
    }
}
