//! The progress of a run, and the request to end it: shared with the code that shows the progress and takes the signals.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::Notify;

/// Counters of a run; reading them costs nothing and never waits.
#[derive(Debug, Default)]
pub struct Progress {
    selected: AtomicU64,
    judged: AtomicU64,
    not_passed: AtomicU64,
    selected_all: AtomicBool,
}

impl Progress {
    /// Artifacts selected so far.
    pub fn selected(&self) -> u64 {
        self.selected.load(Ordering::Relaxed)
    }

    /// Selected artifacts that have been judged.
    pub fn judged(&self) -> u64 {
        self.judged.load(Ordering::Relaxed)
    }

    /// Judged artifacts that failed or could not be decided.
    pub fn not_passed(&self) -> u64 {
        self.not_passed.load(Ordering::Relaxed)
    }

    /// Whether [`Progress::selected`] is the final number.
    pub fn selected_all(&self) -> bool {
        self.selected_all.load(Ordering::Relaxed)
    }

    pub(super) fn count_selected(&self) {
        self.selected.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_judged(&self, not_passed: u64) {
        self.judged.fetch_add(1, Ordering::Relaxed);
        self.not_passed.fetch_add(not_passed, Ordering::Relaxed);
    }

    pub(super) fn finish_selection(&self) {
        self.selected_all.store(true, Ordering::Relaxed);
    }
}

/// A wish to end the run early.
#[derive(Debug, Default)]
pub struct Interrupt {
    wanted: AtomicBool,
    wake: Notify,
}

impl Interrupt {
    /// Ends the run: what has been judged stays, nothing more is begun.
    pub fn raise(&self) {
        self.wanted.store(true, Ordering::SeqCst);
        self.wake.notify_waiters();
    }

    /// Whether [`Interrupt::raise`] was called.
    pub fn is_raised(&self) -> bool {
        self.wanted.load(Ordering::SeqCst)
    }

    /// Waits until [`Interrupt::raise`] is called.
    pub async fn raised(&self) {
        let wake = self.wake.notified();
        if !self.is_raised() {
            wake.await;
        }
    }
}
