//! The table of cases for people: a line for each, what differs below those that do not pass, and at the end which were
//! skipped and why.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use anstyle::{AnsiColor, Style};

use super::Look;
use crate::report::{Case, CaseReporter, CaseResult, CaseSummary, printable};

/// Below a line, what belongs to it starts under the code.
const INDENT: &str = "       ";

/// Cases that take longer say where the time went.
const LONG: Duration = Duration::from_secs(1);

/// Writes the table of cases.
#[derive(Default)]
pub(super) struct CaseTable {
    look: Look,
    total: Duration,
    /// Why cases were skipped, with how many.
    skipped: BTreeMap<String, u64>,
}

impl CaseTable {
    /// A table that looks like this.
    pub(super) fn new(look: Look) -> CaseTable {
        CaseTable { look, ..CaseTable::default() }
    }
}

impl CaseReporter for CaseTable {
    fn case(&mut self, out: &mut dyn Write, case: &Case<'_>) -> io::Result<()> {
        self.total += case.total();
        let reason = case.reason.unwrap_or_default();
        let (word, hue, note) = match case.result {
            CaseResult::Pass if self.look.brief => return Ok(()),
            CaseResult::Pass => ("pass ", AnsiColor::Green, phases(case)),
            CaseResult::Fail => ("FAIL ", AnsiColor::Red, phases(case)),
            CaseResult::Skipped => ("skip ", AnsiColor::Yellow, reason.to_owned()),
            CaseResult::Error => ("ERROR", AnsiColor::Red, phases(case)),
            CaseResult::Unfinished => ("stop ", AnsiColor::Yellow, reason.to_owned()),
        };
        let style = if self.look.color { hue.on_default().bold() } else { Style::new() };
        writeln!(out, "{style}{word}{style:#}  {}  ({})", printable(case.case), printable(&note))?;
        match case.result {
            CaseResult::Pass | CaseResult::Unfinished => {}
            CaseResult::Skipped => *self.skipped.entry(reason.to_owned()).or_default() += 1,
            CaseResult::Error => writeln!(out, "{INDENT}{}: {}", printable(&case.file), printable(reason))?,
            CaseResult::Fail => {
                writeln!(out, "{INDENT}{}", printable(case.title))?;
                for found in &case.differences {
                    let place = format!("{}:{}", case.file, found.line);
                    writeln!(out, "{INDENT}{}: {} of {}", printable(&place), found.what, printable(found.artifact))?;
                    writeln!(out, "{INDENT}  expected  {}", printable(found.expected))?;
                    writeln!(out, "{INDENT}  found     {}", printable(found.found))?;
                }
            }
        }
        Ok(())
    }

    fn end(&mut self, out: &mut dyn Write, summary: &CaseSummary) -> io::Result<()> {
        writeln!(out, "{summary} ({} of work)", time(self.total))?;
        for (reason, count) in &self.skipped {
            writeln!(out, "skipped {count}: {}", printable(reason))?;
        }
        Ok(())
    }
}

/// What the table says at its end, for those who do not see it.
pub fn summarize_cases<'a>(cases: impl Iterator<Item = Case<'a>>, summary: &CaseSummary) -> io::Result<String> {
    let (mut table, mut text) = (CaseTable::default(), Vec::new());
    for case in cases {
        table.case(&mut io::sink(), &case)?;
    }
    table.end(&mut text, summary)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// How long a case took, and where the time went if it was long.
fn phases(case: &Case<'_>) -> String {
    let total = time(case.total());
    if case.total() < LONG {
        return total;
    }
    let phases = case.phases().map(|(phase, spent)| format!("{phase} {}", time(spent)));
    format!("{total}: {}", phases.join(", "))
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
        let short = Case {
            case: "topic/case",
            title: "",
            file: String::new(),
            result: CaseResult::Pass,
            reason: None,
            differences: Vec::new(),
            build_time: millis(1),
            sign_time: millis(2),
            act_time: millis(3),
            verify_time: millis(993),
        };
        assert_eq!(phases(&short), "999 ms");
        let long = Case { sign_time: millis(1250), ..short };
        assert_eq!(phases(&long), "2.2 s: build 1 ms, sign 1.2 s, act 3 ms, verify 993 ms");
    }
}
