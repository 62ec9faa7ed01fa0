//! Ctrl-C, SIGTERM and SIGHUP: a run is told to stop, and ends within two seconds.
//!
//! They are heeded from the first moment of the program. A command that has something to finish (a report, a plugin that
//! must be told) says so by [`listen`] or [`stop_on_signal`], and ends by itself; one that does not, or that takes too long,
//! is ended, and so is every command at a second signal that is not the first once more. However it ends, nothing temporary
//! is left behind. A hang-up that the program was started to ignore (`nohup`) is ignored.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::console::Console;
use super::exit::Exit;
use crate::audit::Interrupt;
use crate::temporary;

/// How long a command may take to finish what it has begun.
const FINISH: Duration = Duration::from_millis(1900);

/// The same of one that waits for another process of this program, which may take [`FINISH`] itself.
const FINISH_BOTH: Duration = Duration::from_millis(3800);

/// How long is waited for a note to be read.
const NOTE: Duration = Duration::from_millis(200);

/// Signals that come so soon after the first are the same: `timeout` and terminals tell the whole group of processes, and
/// some of them pass it on.
const SAME: Duration = Duration::from_secs(1);

/// How many signals came.
static SIGNALS: OnceLock<watch::Sender<u32>> = OnceLock::new();
/// How many parts of the program end by themselves when a signal comes.
static FINISHING: AtomicUsize = AtomicUsize::new(0);
/// Whether another process of this program is waited for.
static OF_ANOTHER: AtomicBool = AtomicBool::new(false);
/// What is done when the first signal comes.
static STOPS: Mutex<Vec<Box<dyn Fn() + Send>>> = Mutex::new(Vec::new());
/// What is said if the program is ended.
static LAST_WORDS: Mutex<LastWords> = Mutex::new(LastWords::None);

enum LastWords {
    None,
    Ready(Words),
    Said,
}

/// What is said where nothing else can be.
pub(super) type Words = Box<dyn FnOnce() + Send>;

/// Heeds signals from now on, on a thread of its own. A command that `reports` ends by itself from the first moment, so that
/// there is a report that says that it was stopped; it must [`listen`], or do its work by [`stop_on_signal`].
pub(super) fn heed(reports: bool) {
    if reports {
        // Until the program ends.
        std::mem::forget(Finishing::new());
    }
    let (ready, is_ready) = std::sync::mpsc::channel();
    let watched = std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        // Without it signals end the program as they always do.
        let Ok(runtime) = runtime else { return };
        runtime.block_on(async {
            let Ok(mut signals) = Signals::new() else { return };
            let sender = SIGNALS.get_or_init(|| watch::Sender::new(0));
            let _ = ready.send(());
            signals.next().await;
            let first = Instant::now();
            {
                // On this thread, which waits for none of those that work.
                let stops = locked(&STOPS);
                sender.send_modify(|count| *count += 1);
                stops.iter().for_each(|stop| stop());
            }
            let finish = if OF_ANOTHER.load(Ordering::SeqCst) { FINISH_BOTH } else { FINISH };
            while FINISHING.load(Ordering::SeqCst) > 0
                && tokio::time::timeout_at(first + finish, signals.next()).await.is_ok()
                && first.elapsed() < SAME
            {}
            end(Exit::Interrupted.code());
        });
    });
    if watched.is_ok() {
        // An error says that the thread has ended: there are no signals to be heeded.
        let _ = is_ready.recv();
    }
}

/// Ends the program now, and leaves nothing temporary behind.
fn end(code: u8) {
    let words = std::mem::replace(&mut *locked(&LAST_WORDS), LastWords::Said);
    if let LastWords::Ready(words) = words {
        within(FINISH, words);
    }
    temporary::remove_all();
    std::process::exit(code.into());
}

/// Waits for `work`, which writes to what may take nothing, for this long at most.
fn within(time: Duration, work: impl FnOnce() + Send + 'static) {
    let (done, is_done) = std::sync::mpsc::channel();
    let begun = std::thread::Builder::new().name("last words".to_owned()).spawn(move || {
        work();
        let _ = done.send(());
    });
    if begun.is_ok() {
        let _ = is_done.recv_timeout(time);
    }
}

/// Removes what a run has left: what it was waiting for when it was told to stop may still hold something, and while no more files
/// could be opened no folder could be removed.
pub(super) fn tidy() {
    temporary::remove_all();
}

/// Whether a signal has come.
pub(super) fn has_come() -> bool {
    SIGNALS.get().is_some_and(|signals| *signals.borrow() > 0)
}

/// That a part of the program ends by itself when a signal comes.
struct Finishing;

impl Finishing {
    fn new() -> Finishing {
        FINISHING.fetch_add(1, Ordering::SeqCst);
        Finishing
    }
}

impl Drop for Finishing {
    fn drop(&mut self) {
        FINISHING.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Says that the command ends by itself when a signal comes.
pub(super) fn leave_to_the_command() {
    // Until the program ends.
    std::mem::forget(Finishing::new());
}

/// The same of one that waits for another process of this program, which ends by itself.
pub(super) fn leave_to_another_process() {
    OF_ANOTHER.store(true, Ordering::SeqCst);
    leave_to_the_command();
}

/// Has `words` said if a signal ends the program, until the command does that itself and takes them back ([`take_last_words`]).
pub(super) fn say_last(words: impl FnOnce() + Send + 'static) {
    *locked(&LAST_WORDS) = LastWords::Ready(Box::new(words));
}

/// Takes back what was to be said last, if anything was. Where it is being said, this does not return: the program is being
/// ended, and two reports would be one too many.
pub(super) fn take_last_words() -> Option<Words> {
    let mut words = locked(&LAST_WORDS);
    match std::mem::replace(&mut *words, LastWords::None) {
        LastWords::None => None,
        LastWords::Ready(ready) => Some(ready),
        LastWords::Said => {
            drop(words);
            loop {
                std::thread::park();
            }
        }
    }
}

/// What is locked is whole even if a thread died while it held the lock.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for a signal; never returns where no signal is handled.
pub(super) async fn signalled() {
    match SIGNALS.get() {
        Some(signals) => {
            let _ = signals.subscribe().wait_for(|count| *count > 0).await;
        }
        None => std::future::pending().await,
    }
}

/// Raises `interrupt` when a signal comes. From now on the command ends by itself.
pub(super) fn listen(interrupt: &Arc<Interrupt>, console: Console) {
    let interrupt = Arc::clone(interrupt);
    // Until the program ends.
    std::mem::forget(Finishing::new());
    let stop = move || {
        interrupt.raise();
        let note = move || console.note("interrupted: the report is being finished; once more ends at once");
        within(NOTE, note);
    };
    let mut stops = locked(&STOPS);
    // A command that has begun nothing yet is to begin nothing.
    match has_come() {
        true => stop(),
        false => stops.push(Box::new(stop)),
    }
}

/// Does `work`, unless a signal comes before it is done: `None`. Then `stop` is awaited while the work goes on, so that what
/// it waits for can end, and what is left of it is dropped. Without signals only the work is done.
pub(super) async fn stop_on_signal<T>(work: impl Future<Output = T>, stop: impl Future<Output = ()>) -> Option<T> {
    let _finishing = Finishing::new();
    let mut work = std::pin::pin!(work);
    tokio::select! {
        done = &mut work => return Some(done),
        () = signalled() => {}
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
    hang_up: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        let hang_up = SignalKind::hangup();
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: if is_ignored(hang_up.as_raw_value()) { None } else { Some(signal(hang_up)?) },
        })
    }

    async fn next(&mut self) {
        let hang_up = async {
            match &mut self.hang_up {
                Some(hang_up) => hang_up.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = hang_up => {}
        }
    }
}

/// Whether the program was started with a signal ignored. Only Linux tells without being asked in an unsafe way.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    u32::try_from(signal - 1).is_ok_and(|bit| mask.checked_shr(bit).is_some_and(|mask| mask & 1 == 1))
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
