//! Starting the program once more, with throw-away tokens of SoftHSM in its environment.
//!
//! SoftHSM looks into the environment when it is loaded, and a process cannot safely change its own. The second process
//! does everything that was asked for and writes to the same terminal; the first one waits, passes on its exit code, and
//! removes the tokens.

use std::env;
use std::io;
use std::process::ExitStatus;

use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::interrupt;
use crate::forge::softhsm::SoftHsm;

/// Runs the program again, with the same arguments, in a process that may use SoftHSM. `None` if this one is that process
/// already, or if there is no SoftHSM for another either: then each case says why.
pub(super) fn with_softhsm() -> Option<Result<Exit, CliError>> {
    if !matches!(SoftHsm::of_process(), Ok(None)) {
        return None;
    }
    let hsm = SoftHsm::prepare().ok()?;
    interrupt::leave_to_the_command();
    let ended = tokio::runtime::Builder::new_current_thread().enable_all().build().and_then(|runtime| {
        let mut again = tokio::process::Command::new(env::current_exe()?);
        again.args(env::args_os().skip(1)).envs(hsm.environment());
        runtime.block_on(wait(again))
    });
    let failed = |error| CliError::Undecided(format!("cannot start again for SoftHSM: {error}"));
    Some(ended.map(exit).map_err(failed))
}

/// Waits for `again`. Ctrl-C reaches both processes, and it is the second that ends for it; SIGTERM reaches only this one,
/// and is passed on.
#[cfg(unix)]
async fn wait(mut again: tokio::process::Command) -> io::Result<ExitStatus> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut child = again.spawn()?;
    loop {
        tokio::select! {
            status = child.wait() => return status,
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {
                let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
                if let Some(id) = id {
                    rustix::process::kill_process(id, rustix::process::Signal::TERM)?;
                }
            }
        }
    }
}

#[cfg(not(unix))]
async fn wait(mut again: tokio::process::Command) -> io::Result<ExitStatus> {
    let mut child = again.spawn()?;
    loop {
        tokio::select! {
            status = child.wait() => return status,
            _ = tokio::signal::ctrl_c() => {}
        }
    }
}

/// What the second process has said by its exit code. Whatever it says otherwise is no success.
fn exit(status: ExitStatus) -> Exit {
    let known = |exit: &Exit| status.code() == Some(i32::from(exit.code()));
    Exit::TABLE.iter().map(|(exit, _)| *exit).find(known).unwrap_or(Exit::Undecided)
}
