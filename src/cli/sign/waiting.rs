//! Who has approved, who is missing and how long is left, on standard error: live on a terminal, else a line on each change.

use std::io::{self, IsTerminal as _};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::console::Console;
use crate::signer::tsb::RequestProgress;
use crate::tsb::RequestStatus;

const TICK: Duration = Duration::from_millis(125);

/// What people see while a request waits.
pub(super) struct WaitingLine {
    bar: Option<ProgressBar>,
    console: Console,
    last: Mutex<String>,
}

impl WaitingLine {
    pub(super) fn new(console: Console) -> WaitingLine {
        let style = ProgressStyle::with_template("{spinner} {msg}").ok().filter(|_| io::stderr().is_terminal());
        let bar = style.map(|style| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style);
            bar.set_message("asking the broker how far the request has come");
            bar.enable_steady_tick(TICK);
            bar
        });
        WaitingLine { bar, console, last: Mutex::default() }
    }

    /// Shows how far the request has come.
    pub(super) fn show(&self, progress: &RequestProgress) {
        let said = described(progress);
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{said} · {} left", HumanDuration(progress.left)));
            return;
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if *last != said {
            self.console.note(&said);
            *last = said;
        }
    }
}

impl Drop for WaitingLine {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// How far the request has come, without the time, which changes all the while.
fn described(progress: &RequestProgress) -> String {
    let mut text = format!("the request {} is {}: {}", progress.id, progress.status.as_str(), progress.people());
    if progress.status == RequestStatus::Approved {
        text.push_str(", and the key signs once its policy lets it");
    }
    if let Some(trouble) = &progress.trouble {
        text.push_str(&format!(" (the broker does not answer now: {trouble}; it is asked again)"));
    }
    text
}
