//! For people: a line a case, what differs below it, and at the end what was skipped and why.

use std::collections::BTreeMap;
use std::time::Duration;

use anstyle::{AnsiColor, Style};

use crate::report::printable;
use crate::scenario::run::{CaseResult, Ending, Tally};

/// What became of a case: a line, and below it what differs. Coloured if `color` says so.
pub fn case(result: &CaseResult, color: bool) -> String {
    let (word, hue, note) = match &result.ending {
        Ending::Pass => ("pass ", AnsiColor::Green, time(result.times.total())),
        Ending::Fail(_) => ("FAIL ", AnsiColor::Red, time(result.times.total())),
        Ending::Skipped(reason) => ("skip ", AnsiColor::Yellow, reason.clone()),
        Ending::Error(_) => ("ERROR", AnsiColor::Red, time(result.times.total())),
    };
    let style = if color { hue.on_default().bold() } else { Style::new() };
    let mut text = format!("{style}{word}{style:#}  {}  ({})\n", printable(&result.id), printable(&note));
    match &result.ending {
        Ending::Pass | Ending::Skipped(_) => {}
        Ending::Error(reason) => {
            text += &format!("       {}: {}\n", printable(&result.file.display().to_string()), printable(reason));
        }
        Ending::Fail(differences) => {
            text += &format!("       {}\n", printable(&result.title));
            for difference in differences {
                let place = format!("{}:{}", result.file.display(), difference.line);
                text += &format!(
                    "       {}: {} of {}\n",
                    printable(&place),
                    difference.what,
                    printable(&difference.artifact)
                );
                text += &format!("         expected  {}\n", printable(&difference.expected));
                text += &format!("         found     {}\n", printable(&difference.found));
            }
        }
    }
    text
}

/// The counts, and on the last lines what was skipped and why.
pub fn summary(results: &[CaseResult], tally: &Tally) -> String {
    let total: Duration = results.iter().map(|result| result.times.total()).sum();
    let partial = if tally.partial { ", and the rest was not run" } else { "" };
    let mut text = format!(
        "{} cases: {} passed, {} failed, {} skipped, {} could not be run{partial} ({} of work)\n",
        tally.total(),
        tally.pass,
        tally.fail,
        tally.skipped,
        tally.error,
        time(total)
    );
    let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
    for result in results {
        if let Ending::Skipped(reason) = &result.ending {
            *reasons.entry(reason).or_default() += 1;
        }
    }
    for (reason, count) in reasons {
        text += &format!("skipped {count}: {}\n", printable(reason));
    }
    text
}

fn time(time: Duration) -> String {
    match time.as_millis() {
        millis @ 0..1000 => format!("{millis} ms"),
        millis => format!("{}.{} s", millis / 1000, millis % 1000 / 100),
    }
}
