//! For people: a line a case, what differs below it, and at the end what was skipped and why.

use std::collections::BTreeMap;
use std::time::Duration;

use anstyle::{AnsiColor, Style};

use crate::report::printable;
use crate::scenario::run::{CaseResult, Ending, Tally, Times};

/// Cases that take longer say where the time went.
const LONG: Duration = Duration::from_secs(1);

/// What became of a case: a line, and below it what differs. Coloured if `color` says so.
pub fn case(result: &CaseResult, color: bool) -> String {
    let (word, hue, note) = match &result.ending {
        Ending::Pass => ("pass ", AnsiColor::Green, phases(&result.times)),
        Ending::Fail(_) => ("FAIL ", AnsiColor::Red, phases(&result.times)),
        Ending::Skipped(reason) => ("skip ", AnsiColor::Yellow, reason.clone()),
        Ending::Error(_) => ("ERROR", AnsiColor::Red, phases(&result.times)),
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

fn phases(times: &Times) -> String {
    let total = time(times.total());
    if times.total() < LONG {
        return total;
    }
    let (build, sign, act, verify) = (time(times.build), time(times.sign), time(times.act), time(times.verify));
    format!("{total}: build {build}, sign {sign}, act {act}, verify {verify}")
}

fn time(time: Duration) -> String {
    match time.as_millis() {
        millis @ 0..1000 => format!("{millis} ms"),
        millis => format!("{}.{} s", millis / 1000, millis % 1000 / 100),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_long_says_where_the_time_went() {
        let millis = Duration::from_millis;
        let short = Times { build: millis(1), sign: millis(2), act: millis(3), verify: millis(993) };
        assert_eq!(phases(&short), "999 ms");
        let long = Times { sign: millis(1250), ..short };
        assert_eq!(phases(&long), "2.2 s: build 1 ms, sign 1.2 s, act 3 ms, verify 993 ms");
    }
}
