//! Progress of a run, on standard error if that is a terminal.
//!
//! The line is drawn a few times a second from the run's own counters; judging an artifact costs it nothing.

use std::fmt::Write as _;
use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::audit::Progress;

const TICK: Duration = Duration::from_millis(125);

/// The line; `None` inside where standard error is not a terminal.
pub(super) struct ProgressLine {
    bar: Option<ProgressBar>,
    /// Whether standard output is on a terminal too, surely the same.
    shares: bool,
}

impl ProgressLine {
    /// Shows `progress` unless `quiet`, or standard error is not a terminal.
    pub(super) fn show(progress: &Arc<Progress>, quiet: bool) -> ProgressLine {
        let none = ProgressLine { bar: None, shares: false };
        if quiet || !io::stderr().is_terminal() {
            return none;
        }
        let Ok(style) = ProgressStyle::with_template("{spinner} {run}") else { return none };
        let progress = Arc::clone(progress);
        let style = style.with_key("run", move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
            let _ = out.write_str(&describe(&progress, state.elapsed()));
        });
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style);
        bar.enable_steady_tick(TICK);
        ProgressLine { bar: Some(bar), shares: io::stdout().is_terminal() }
    }

    /// Does `write`, which is to standard output, with the line out of the way where both share a terminal.
    pub(super) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) if self.shares => bar.suspend(write),
            _ => write(),
        }
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// `1204 of 5000 judged · 310/s · 3 not passed · 12s left`.
fn describe(progress: &Progress, elapsed: Duration) -> String {
    let (judged, selected) = (progress.judged(), progress.selected());
    let mut line = match progress.selected_all() {
        true => format!("{judged} of {selected} judged"),
        false => format!("{judged} judged, {selected} selected so far"),
    };
    let rate = judged as f64 / elapsed.as_secs_f64().max(0.001);
    if judged > 0 {
        let _ = write!(line, " · {}/s", if rate < 10.0 { format!("{rate:.1}") } else { format!("{rate:.0}") });
    }
    if progress.not_passed() > 0 {
        let _ = write!(line, " · {} not passed", progress.not_passed());
    }
    if progress.selected_all() && judged > 0 && judged < selected {
        let left = Duration::from_secs_f64(((selected - judged) as f64 / rate).ceil());
        let _ = write!(line, " · {} left", indicatif::HumanDuration(left));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_judged_yet_has_no_rate() {
        assert_eq!(describe(&Progress::default(), Duration::from_secs(1)), "0 judged, 0 selected so far");
    }
}
