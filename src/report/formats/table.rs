//! The table for people: a line for each artifact, the reason below those that do not pass, and at the end what to do.
//!
//! On a terminal lines are made to fit: digests are cut and sentences wrapped. Of many rows of one repository with the same
//! code the first are shown, and how many more there are; the formats for programs hold them all.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::case_table::CaseTable;
use super::row_groups::{LeftOut, RowGroups};
use super::{End, Format, Look, repository_table};
use crate::report::v1::{Artifact, Header, Reason, RepositoryFrom, Results, Summary, Verdict, grouped};
use crate::report::{Only, Reporter, printable};

/// The row of the table of formats.
pub(super) const FORMAT: Format = Format {
    name: "table",
    purpose: "for people",
    end: End::ForPeople,
    artifacts: |look| Box::new(Table::new(look)),
    cases: Some(|look| Box::new(CaseTable::new(look))),
};

/// Below a line, what belongs to it starts under the code.
const INDENT: &str = "       ";
/// How wide the column of codes is, and on a terminal that is narrower than [`NARROW`].
const CODES: (usize, usize) = (26, 20);
const NARROW: usize = 110;
/// How many digits of a digest are left where it is cut, and where that is still too long.
const DIGITS: [usize; 2] = [12, 7];
/// Sentences that only say their code once more.
const SAID_BY_CODE: [(&str, &str); 1] = [("unsigned", "the artifact has no signature")];

/// Writes the table of artifacts.
struct Table {
    look: Look,
    /// Whether it was said that names inside layouts choose statements.
    names_told: bool,
    groups: RowGroups,
    /// The code and the sentence of the row before, which need not be said again.
    told: Option<(String, String)>,
    /// Whether a row has been written.
    begun: bool,
}

impl Table {
    /// A table that looks like this.
    fn new(look: Look) -> Table {
        Table { look, names_told: false, groups: RowGroups::default(), told: None, begun: false }
    }

    fn style(&self, verdict: Verdict) -> Style {
        let color = match verdict {
            _ if !self.look.color => return Style::new(),
            Verdict::Pass => AnsiColor::Green,
            Verdict::Warn => AnsiColor::Yellow,
            Verdict::Fail => AnsiColor::Red,
            Verdict::Skip => AnsiColor::Cyan,
            Verdict::Error => AnsiColor::Magenta,
        };
        color.on_default().bold()
    }

    /// A row. `rest` is printable.
    fn row(&mut self, out: &mut dyn Write, verdict: Verdict, code: &str, rest: &str) -> io::Result<()> {
        self.begun = true;
        let style = self.style(verdict);
        write!(out, "{style}{:<5}{style:#}", verdict.as_str())?;
        let begun = format!("  {:<1$}  ", printable(code), self.code_column());
        self.wrapped(out, &begun, verdict.as_str().len().max(5), self.name_column(), rest)
    }

    fn code_column(&self) -> usize {
        if self.look.width.is_some_and(|width| width < NARROW) { CODES.1 } else { CODES.0 }
    }

    /// Where names begin.
    fn name_column(&self) -> usize {
        INDENT.len() + self.code_column() + 2
    }

    /// `name` with its digests cut as far as is needed for it, and if possible `remark` too, to fit into a line behind
    /// `before` characters.
    fn fitted(&self, name: &str, remark: &str, before: usize) -> String {
        let whole = |name: &str| format!("{name}{remark}");
        let Some(width) = self.look.width else { return whole(name) };
        let length = |text: &str| before + text.chars().count();
        let mut cuts = vec![name.to_owned()];
        cuts.extend(DIGITS.map(|digits| cut_digests(name, digits)));
        // Where there is a tag, it names the artifact too.
        let tag = |name: &str| name.rfind(':').is_some_and(|colon| name.rfind('/').is_some_and(|slash| slash < colon));
        cuts.extend(name.split_once('@').map(|(tagged, _)| tagged.to_owned()).filter(|tagged| tag(tagged)));
        let fits = cuts.iter().find(|name| length(&whole(name)) <= width);
        let fits = fits.or_else(|| cuts.iter().find(|name| length(name) <= width)).or(cuts.last());
        fits.map_or_else(|| whole(name), |name| whole(name))
    }

    fn left_out(&mut self, out: &mut dyn Write, rows: Vec<LeftOut>) -> io::Result<()> {
        for LeftOut { result, code, rows, repository } in rows {
            let rest = format!("… {} more in {}", grouped(rows), printable(&repository));
            self.row(out, result, if code.is_empty() { "-" } else { &code }, &rest)?;
            self.told = None;
        }
        Ok(())
    }

    /// Writes a sentence below its row.
    fn sentence(&self, out: &mut dyn Write, text: &str) -> io::Result<()> {
        self.wrapped(out, INDENT, 0, INDENT.len(), &printable(text))
    }

    /// Writes `begun` and `text` behind `before` characters, and goes on at `indent` where the terminal ends. Words stay whole.
    fn wrapped(&self, out: &mut dyn Write, begun: &str, before: usize, indent: usize, text: &str) -> io::Result<()> {
        let Some(width) = self.look.width.filter(|width| *width > 2 * indent) else {
            return writeln!(out, "{begun}{text}");
        };
        write!(out, "{begun}")?;
        let mut column = before + begun.chars().count();
        for (position, word) in text.split(' ').enumerate() {
            let length = word.chars().count();
            if position > 0 && column + 1 + length > width {
                write!(out, "\n{:indent$}", "")?;
                column = indent;
            } else if position > 0 {
                write!(out, " ")?;
                column += 1;
            }
            write!(out, "{word}")?;
            column += length;
        }
        writeln!(out)
    }

    /// Writes why an artifact does not pass, if that is more than its code says, and not what the row before it says.
    fn reason(&mut self, out: &mut dyn Write, artifact: &Artifact<'_>) -> io::Result<()> {
        let told = artifact.code.as_deref().zip(artifact.message.as_deref());
        if let Some((code, message)) = told
            && !SAID_BY_CODE.contains(&(code, message))
            && self
                .told
                .as_ref()
                .is_none_or(|(before, sentence)| (before.as_str(), sentence.as_str()) != (code, message))
        {
            self.sentence(out, message)?;
        }
        self.told = told.map(|(code, message)| (code.to_owned(), message.to_owned()));
        Ok(())
    }
}

impl Reporter for Table {
    fn begin(&mut self, out: &mut dyn Write, header: &Header) -> io::Result<()> {
        if self.look.alone {
            let tool = &header.tool;
            writeln!(out, "{} {}, {}", tool.name, tool.version, header.started)?;
            writeln!(out, "targets       {}", printable(&header.targets.join(" ")))?;
            for (what, input) in [("trust policy ", &header.policy), ("trust stores ", &header.trust_store)] {
                writeln!(out, "{what} {} {}", printable(&input.path), printable(&input.digest))?;
            }
        }
        if header.at != header.started {
            writeln!(out, "judged as of {}", header.at)?;
        }
        if self.look.alone || header.at != header.started { writeln!(out) } else { Ok(()) }
    }

    fn artifact(&mut self, out: &mut dyn Write, artifact: &Artifact<'_>) -> io::Result<()> {
        let left_out = self.groups.turn_to(artifact);
        self.left_out(out, left_out)?;
        if !Only::shows(&self.look.only, artifact) || !self.groups.shows(artifact) {
            return Ok(());
        }
        if artifact.repository_from == Some(RepositoryFrom::Layout) && !self.names_told {
            self.names_told = true;
            let told = "Names inside a layout choose the statements of the policy where it says (named by the layout)";
            self.wrapped(out, "", 0, 0, told)?;
            writeln!(out)?;
        }
        let code = artifact.code.as_deref().unwrap_or("-");
        let name = self.fitted(&name(artifact), &remark(artifact), self.name_column());
        self.row(out, artifact.result, code, &printable(&name))?;
        self.reason(out, artifact)?;
        // One signature's reason is the artifact's own; of several, each has its own. The last decided: what comes
        // before it was only logged.
        if artifact.signatures.len() > 1 && !matches!(artifact.result, Verdict::Pass | Verdict::Skip) {
            for signature in &artifact.signatures {
                let said = match signature.reasons().last() {
                    Some((code, message)) => format!("{code}: {message}"),
                    None => signature.result.as_str().to_owned(),
                };
                let line = match self.look.width {
                    Some(_) => format!("{}  {said}", cut_digests(&signature.digest, DIGITS[0])),
                    None => format!("{}  {said}", signature.digest),
                };
                self.sentence(out, &line)?;
            }
        }
        Ok(())
    }

    fn end(&mut self, out: &mut dyn Write, summary: &Summary) -> io::Result<()> {
        let left_out = self.groups.close();
        self.left_out(out, left_out)?;
        if self.begun {
            writeln!(out)?;
        }
        self.wrapped(out, "", 0, 0, &summary.to_string())?;
        for remark in summary.remarks() {
            self.wrapped(out, "", 0, 0, &printable(&remark))?;
        }
        match self.groups.left_out() {
            0 => {}
            1 => writeln!(out, "left out here: 1 row; json and ndjson hold them all")?,
            rows => writeln!(out, "left out here: {} rows; json and ndjson hold them all", grouped(rows))?,
        }
        for reason in &summary.codes {
            let Reason { artifacts, code, remedy, section, .. } = reason;
            let remedy = format!("{code}{}: {remedy}", by_results(&reason.results));
            writeln!(out)?;
            self.wrapped(out, &format!("{artifacts:>6}  "), 0, 8, &remedy)?;
            self.wrapped(out, "        ", 0, 8, &format!("by {section}"))?;
        }
        repository_table::write(out, summary)?;
        if let Some(effort) = &summary.effort {
            writeln!(out, "\n{}", effort.sentence(summary.judged()))?;
        }
        if let Some(reason) = summary.partial_because() {
            writeln!(out, "\nThis report is partial: {reason}")?;
        }
        Ok(())
    }
}

/// How often a code that has several results has which, as a policy that logs makes it.
fn by_results(results: &Results) -> String {
    let each: Vec<_> = results.each().into_iter().filter(|(_, count)| *count > 0).collect();
    match each.as_slice() {
        [(Verdict::Fail | Verdict::Error, _)] | [] => String::new(),
        [(only, _)] => format!(" ({})", only.as_str()),
        several => {
            let counts: Vec<_> =
                several.iter().map(|(verdict, count)| format!("{count} {}", verdict.as_str())).collect();
            format!(" ({})", counts.join(", "))
        }
    }
}

/// `text` with every digest cut to its first `digits`.
fn cut_digests(text: &str, digits: usize) -> String {
    let mut cut = String::with_capacity(text.len());
    for (position, piece) in text.split(':').enumerate() {
        if position > 0 {
            cut.push(':');
        }
        let hex = piece.bytes().take_while(u8::is_ascii_hexdigit).count();
        // Between colons only a digest begins with so many digits.
        if position > 0 && hex >= 64 {
            cut.push_str(&piece[..digits]);
            cut.push('…');
            cut.push_str(&piece[hex..]);
        } else {
            cut.push_str(piece);
        }
    }
    cut
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_cut_and_nothing_else() {
        let (short, long) = ("ab".repeat(32), "cd".repeat(64));
        let text = format!("127.0.0.1:5000/a:v1@sha256:{short} (part of sha512:{long}) {short}");
        let cut = format!("127.0.0.1:5000/a:v1@sha256:abababababab… (part of sha512:cdcdcdcdcdcd…) {short}");
        assert_eq!(cut_digests(&text, 12), cut);
        assert_eq!(cut_digests("a.io/b:v1", 12), "a.io/b:v1");
    }
}
