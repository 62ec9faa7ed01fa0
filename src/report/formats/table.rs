//! The table for people: a line for each artifact or case, the reason below those that do not pass, and at the end what to
//! do, or which cases were skipped and why.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use anstyle::{AnsiColor, Style};

use super::{End, Format, Look};
use crate::report::v1::{Artifact, Header, RepositoryFrom, Summary, Verdict};
use crate::report::{Case, CaseReporter, CaseResult, CaseSummary, Reporter, printable};

/// The row of the table of formats.
pub(super) const FORMAT: Format = Format {
    name: "table",
    purpose: "for people",
    end: End::ForPeople,
    artifacts: |look| Box::new(Table::new(look.color)),
    cases: Some(|look| Box::new(CaseTable { look, ..CaseTable::default() })),
};

/// Below a line, what belongs to it starts under the code.
const INDENT: &str = "       ";

/// Writes the table of artifacts.
struct Table {
    color: bool,
    /// Whether it was said that names inside layouts choose statements.
    names_told: bool,
}

impl Table {
    /// A table, coloured or plain.
    fn new(color: bool) -> Table {
        Table { color, names_told: false }
    }

    fn style(&self, verdict: Verdict) -> Style {
        let color = match verdict {
            _ if !self.color => return Style::new(),
            Verdict::Pass => AnsiColor::Green,
            Verdict::Warn => AnsiColor::Yellow,
            Verdict::Fail => AnsiColor::Red,
            Verdict::Skip => AnsiColor::Cyan,
            Verdict::Error => AnsiColor::Magenta,
        };
        color.on_default().bold()
    }

    fn word(&self, out: &mut dyn Write, verdict: Verdict) -> io::Result<()> {
        let style = self.style(verdict);
        write!(out, "{style}{:<5}{style:#}", verdict.as_str())
    }
}

impl Reporter for Table {
    fn begin(&mut self, _out: &mut dyn Write, _header: &Header) -> io::Result<()> {
        Ok(())
    }

    fn artifact(&mut self, out: &mut dyn Write, artifact: &Artifact<'_>) -> io::Result<()> {
        if artifact.repository_from == Some(RepositoryFrom::Layout) && !self.names_told {
            self.names_told = true;
            writeln!(
                out,
                "Names inside a layout choose the statements of the policy where it says (named by the layout)\n"
            )?;
        }
        self.word(out, artifact.result)?;
        let code = artifact.code.as_deref().unwrap_or("-");
        writeln!(out, "  {:<26}  {}", printable(code), printable(&(name(artifact) + &remark(artifact))))?;
        if let Some(message) = &artifact.message {
            writeln!(out, "{INDENT}{}", printable(message))?;
        }
        // One signature's reason is the artifact's own; of several, each has its own. The last decided: what comes
        // before it was only logged.
        if artifact.signatures.len() > 1 && !matches!(artifact.result, Verdict::Pass | Verdict::Skip) {
            for signature in &artifact.signatures {
                write!(out, "{INDENT}{}  ", printable(&signature.digest))?;
                match signature.reasons().last() {
                    Some((code, message)) => writeln!(out, "{}: {}", printable(code), printable(message))?,
                    None => writeln!(out, "{}", signature.result.as_str())?,
                }
            }
        }
        Ok(())
    }

    fn end(&mut self, out: &mut dyn Write, summary: &Summary) -> io::Result<()> {
        if summary.results.sum() > 0 {
            writeln!(out)?;
        }
        writeln!(out, "{summary}")?;
        for remark in summary.remarks() {
            writeln!(out, "{}", printable(&remark))?;
        }
        for reason in &summary.codes {
            writeln!(out, "\n{:>6}  {}: {}", reason.artifacts, reason.code, reason.remedy)?;
            writeln!(out, "        by {}", reason.section)?;
        }
        if let Some(reason) = summary.partial_because() {
            writeln!(out, "\nThis report is partial: {reason}")?;
        }
        Ok(())
    }
}

/// What the table says behind the name.
fn remark(artifact: &Artifact<'_>) -> String {
    let mut remark = match artifact.covers {
        Some(1) => " (covers 1 manifest)".to_owned(),
        Some(covers) => format!(" (covers {covers} manifests)"),
        None => String::new(),
    };
    if artifact.repository_from == Some(RepositoryFrom::Layout) {
        remark.push_str(" (named by the layout)");
    }
    remark
}

/// How the table calls an artifact: by the reference with its digest, where both say the same repository.
fn name(artifact: &Artifact<'_>) -> String {
    let reference = artifact.reference.as_ref();
    let Some(digested) = artifact.artifact.as_deref() else { return reference.to_owned() };
    if artifact.part_of.is_some() {
        return match &artifact.platform {
            Some(platform) => format!("{digested} ({platform} of {reference})"),
            None => format!("{digested} (part of {reference})"),
        };
    }
    if artifact.attached_to.is_some() {
        let artifact_type = artifact.artifact_type.as_deref().map(|name| format!("{name} ")).unwrap_or_default();
        return format!("{digested} ({artifact_type}attached below {reference})");
    }
    let Some((repository, digest)) = digested.split_once('@') else { return digested.to_owned() };
    match reference.strip_prefix(repository) {
        Some("") => digested.to_owned(),
        Some(rest) if rest.ends_with(digest) => reference.to_owned(),
        Some(rest) if rest.starts_with(':') => format!("{reference}@{digest}"),
        _ => format!("{digested} ({reference})"),
    }
}

/// Cases that take longer say where the time went.
const LONG: Duration = Duration::from_secs(1);

/// Writes the table of cases.
#[derive(Default)]
struct CaseTable {
    look: Look,
    total: Duration,
    /// Why cases were skipped, with how many.
    skipped: BTreeMap<String, u64>,
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
        };
        let style = if self.look.color { hue.on_default().bold() } else { Style::new() };
        writeln!(out, "{style}{word}{style:#}  {}  ({})", printable(case.case), printable(&note))?;
        match case.result {
            CaseResult::Pass => {}
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
