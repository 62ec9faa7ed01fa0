//! Ctrl-C (and SIGTERM): the first ends the run with a whole, partial report; the second ends the program at once, and
//! may leave a file called `.muster-….partial` beside a report that was being written.

use std::io;
use std::sync::Arc;

use super::console::Console;
use super::exit::Exit;
use crate::audit::Interrupt;

/// Listens for signals from now on, on the runtime it is called on.
pub(super) fn listen(interrupt: &Arc<Interrupt>, console: Console) -> io::Result<()> {
    let mut signals = Signals::new()?;
    let interrupt = Arc::clone(interrupt);
    tokio::spawn(async move {
        signals.next().await;
        interrupt.raise();
        console.note("interrupted: the report is being finished; once more ends at once");
        signals.next().await;
        std::process::exit(Exit::Interrupted.code().into());
    });
    Ok(())
}

/// Does `work`, unless a signal comes before it is done: `None`. Then `stop` is awaited while the work goes on, so that what
/// it waits for can end, and what is left of it is dropped. Without signals only the work is done.
pub(super) async fn stop_on_signal<T>(work: impl Future<Output = T>, stop: impl Future<Output = ()>) -> Option<T> {
    let Ok(mut signals) = Signals::new() else { return Some(work.await) };
    let mut work = std::pin::pin!(work);
    tokio::select! {
        done = &mut work => return Some(done),
        () = signals.next() => {}
    }
    tokio::select! {
        _ = &mut work => {}
        () = stop => {}
    }
    None
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Signals> {
        Ok(Signals)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            // Without signals there is nothing to wait for.
            std::future::pending::<()>().await;
        }
    }
}
