//! The table for people: a line for each artifact, the reason below those that do not pass, and what to do at the end.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::v1::{Artifact, Header, RepositoryFrom, Summary, Verdict};
use super::{Reporter, printable};

/// Below a line, what belongs to it starts under the code.
const INDENT: &str = "       ";

/// Writes the table.
pub(super) struct Table {
    color: bool,
    /// Whether it was said that names inside layouts choose statements.
    names_told: bool,
}

impl Table {
    /// A table, coloured or plain.
    pub(super) fn new(color: bool) -> Table {
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
        if summary.partial {
            writeln!(out, "\nThis report is partial: the run ended before everything was judged")?;
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
    let Some((repository, digest)) = digested.split_once('@') else { return digested.to_owned() };
    match reference.strip_prefix(repository) {
        Some("") => digested.to_owned(),
        Some(rest) if rest.ends_with(digest) => reference.to_owned(),
        Some(rest) if rest.starts_with(':') => format!("{reference}@{digest}"),
        _ => format!("{digested} ({reference})"),
    }
}
