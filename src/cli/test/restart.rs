//! Starting the program once more, with throw-away tokens of SoftHSM or the container engine in its environment.
//!
//! SoftHSM looks into the environment when it is loaded, Testcontainers when it is first used, and a process cannot safely
//! change its own. For an engine, the second program takes the place of the first where the system has that, so that it ends
//! with whatever ends the process. For tokens, the second process does everything that was asked for and writes to the same
//! terminal; the first one waits, passes on its exit code, and removes the tokens.

use std::env;
use std::io;
use std::path::Path;
use std::process::{Command, ExitStatus};

use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::interrupt::{self, Words};
#[cfg(feature = "containers")]
use crate::forge::ContainerError;
use crate::forge::softhsm::SoftHsm;
#[cfg(target_os = "linux")]
use crate::temporary::Noted;

/// Runs the program again, with the same arguments, in a process that may use SoftHSM. `None` if this one is that process
/// already, or if there is no SoftHSM for another either: then each case says why.
pub(super) fn with_softhsm() -> Option<Result<Exit, CliError>> {
    match SoftHsm::of_process() {
        Ok(None) => {}
        Ok(Some(hsm)) => {
            end_with_the_first(hsm.folder());
            return None;
        }
        Err(_) => return None,
    }
    let hsm = SoftHsm::prepare().ok()?;
    let ended = again().map(|mut again| {
        again.envs(hsm.environment()).env(FIRST_PROCESS, std::process::id().to_string());
        again
    });
    // That process tells how far it came.
    interrupt::leave_to_the_command();
    let words = interrupt::take_last_words();
    let failed = |error| CliError::Undecided(format!("cannot start again for SoftHSM: {error}"));
    Some(ended.and_then(|again| run(again, words)).map_err(failed))
}

/// Says which process waits for this one.
const FIRST_PROCESS: &str = "MUSTER_FIRST_PROCESS";

/// Where the first process is killed, the second is told to stop: else it would go on, or keep its worlds up, without anyone
/// who could end it. It then removes the `tokens`, too.
#[cfg(target_os = "linux")]
fn end_with_the_first(tokens: &Path) {
    use rustix::process::{Signal, getpid, getppid, kill_process, set_parent_process_death_signal};

    let waits = || {
        let first: i32 = env::var(FIRST_PROCESS).ok()?.parse().ok()?;
        Some(getppid()?.as_raw_nonzero().get() == first)
    };
    if waits() == Some(true) {
        // Until the program ends. That both remove them when both are told to stop does no harm.
        std::mem::forget(Noted::made(|| Ok(tokens.to_owned()), std::path::PathBuf::as_path));
        let told = set_parent_process_death_signal(Some(Signal::TERM));
        // It may have been killed before.
        if told.is_ok() && waits() == Some(false) {
            let _ = kill_process(getpid(), Signal::TERM);
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn end_with_the_first(_: &Path) {}

/// Says that this process was started again for a container engine.
#[cfg(feature = "containers")]
const STARTED_FOR_ENGINE: &str = "MUSTER_STARTED_FOR_ENGINE";

/// Runs the program again, with the same arguments and with the container engine in its environment. `None` if it is there
/// already.
///
/// # Errors
/// There is no engine.
#[cfg(feature = "containers")]
pub(super) fn with_engine() -> Result<Option<Result<Exit, CliError>>, ContainerError> {
    if env::var_os(STARTED_FOR_ENGINE).is_some() {
        return Ok(None);
    }
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Ok(Some(Err(CliError::Start(error)))),
    };
    let Some(environment) = runtime.block_on(crate::forge::engine_environment())? else { return Ok(None) };
    let wanted: Vec<String> =
        environment.set.iter().map(|(name, value)| format!("{name}={}", value.to_string_lossy())).collect();
    let ended = again().map(|mut again| {
        again.env(STARTED_FOR_ENGINE, "1").envs(environment.set);
        for name in environment.removed {
            again.env_remove(name);
        }
        again
    });
    let failed = |error| {
        CliError::Undecided(format!(
            "cannot start again for the container engine: {error}; start it with {} in its environment",
            wanted.join(" ")
        ))
    };
    Ok(Some(ended.and_then(replace).map_err(failed)))
}

/// This program, with the same arguments.
fn again() -> io::Result<Command> {
    let mut again = Command::new(env::current_exe()?);
    again.args(env::args_os().skip(1));
    Ok(again)
}

/// Lets `again` take the place of this process. Nothing temporary has been made yet, and nothing was written.
#[cfg(all(feature = "containers", unix))]
fn replace(mut again: Command) -> io::Result<Exit> {
    Err(std::os::unix::process::CommandExt::exec(&mut again))
}

#[cfg(all(feature = "containers", not(unix)))]
fn replace(again: Command) -> io::Result<Exit> {
    run(again, None)
}

/// Runs `again` and waits for it. Where it was ended before it heeded signals, it has told nothing: then `words` do.
fn run(again: Command, words: Option<Words>) -> io::Result<Exit> {
    interrupt::leave_to_another_process();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let ended = match interrupt::has_come() {
        true => None,
        false => Some(runtime.block_on(wait(again.into()))?),
    };
    match ended {
        Some(status) if status.code().is_some() || !interrupt::has_come() => Ok(exit(status)),
        _ => {
            if let Some(words) = words {
                words();
            }
            Ok(Exit::Interrupted)
        }
    }
}

/// Waits for `again`, and passes a signal on: which of them reach both processes depends on who sends them. Those that come
/// twice count once.
async fn wait(mut again: tokio::process::Command) -> io::Result<ExitStatus> {
    let mut child = again.spawn()?;
    tokio::select! {
        status = child.wait() => return status,
        () = interrupt::signalled() => {}
    }
    stop(&child);
    child.wait().await
}

#[cfg(unix)]
fn stop(child: &tokio::process::Child) {
    let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
    if let Some(id) = id {
        // It may have ended.
        let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
    }
}

/// Ctrl-C reaches every process of a console.
#[cfg(not(unix))]
fn stop(_: &tokio::process::Child) {}

/// What the second process has said by its exit code. Whatever it says otherwise is no success.
fn exit(status: ExitStatus) -> Exit {
    let known = |exit: &Exit| status.code() == Some(i32::from(exit.code()));
    Exit::TABLE.iter().map(|(exit, _)| *exit).find(known).unwrap_or(Exit::Undecided)
}
