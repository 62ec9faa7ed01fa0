//! Workflow commands of GitHub Actions: an annotation for each artifact or case that does not pass.
//!
//! Follows *Workflow commands for GitHub Actions*: `::error file=…,line=…,title=…::message`. Percent signs and line breaks
//! are written as `%25`, `%0D` and `%0A`, colons and commas of properties as `%3A` and `%2C`, so that no text from outside
//! ends a command or begins one. What passes or is skipped has no annotation; the last line counts everything.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::{End, Format};
use crate::report::v1::{Artifact, Header, Summary, Verdict};
use crate::report::{Case, CaseReporter, CaseResult, CaseSummary, Reporter, printable};

/// The row of the table.
pub(super) const FORMAT: Format = Format {
    name: "github",
    purpose: "annotations for GitHub Actions, on standard output",
    end: End::ForPrograms,
    artifacts: |_| Box::new(Github),
    cases: Some(|_| Box::new(Github)),
};

/// Writes workflow commands.
struct Github;

impl Reporter for Github {
    fn begin(&mut self, _out: &mut dyn Write, _header: &Header) -> io::Result<()> {
        Ok(())
    }

    fn artifact(&mut self, out: &mut dyn Write, artifact: &Artifact<'_>) -> io::Result<()> {
        let command = match artifact.result {
            Verdict::Fail | Verdict::Error => "error",
            Verdict::Warn => "warning",
            Verdict::Pass | Verdict::Skip => return Ok(()),
        };
        let name = artifact.artifact.as_deref().unwrap_or(&artifact.reference);
        let mut message = match name == artifact.reference {
            true => name.to_owned(),
            false => format!("{name} ({})", artifact.reference),
        };
        if let Some(reason) = &artifact.message {
            let _ = write!(message, ": {reason}");
        }
        annotate(out, command, &[("title", artifact.code.as_deref().unwrap_or("muster"))], &message)
    }

    fn end(&mut self, out: &mut dyn Write, summary: &Summary) -> io::Result<()> {
        let mut message = summary.to_string();
        if let Some(reason) = summary.partial_because() {
            let _ = write!(message, "; {reason}");
        }
        for remark in summary.remarks() {
            let _ = write!(message, "\n{remark}");
        }
        annotate(out, "notice", &[("title", "muster")], &message)
    }
}

impl CaseReporter for Github {
    fn case(&mut self, out: &mut dyn Write, case: &Case<'_>) -> io::Result<()> {
        match case.result {
            CaseResult::Pass | CaseResult::Skipped | CaseResult::Unfinished => Ok(()),
            CaseResult::Error => {
                let reason = case.reason.unwrap_or_default();
                annotate(out, "error", &[("file", &case.file), ("title", case.case)], reason)
            }
            CaseResult::Fail => case.differences.iter().try_for_each(|found| {
                let line = found.line.to_string();
                let properties = [("file", case.file.as_str()), ("line", line.as_str()), ("title", case.case)];
                let message =
                    format!("{} of {}: expected {}, found {}", found.what, found.artifact, found.expected, found.found);
                annotate(out, "error", &properties, &message)
            }),
        }
    }

    fn end(&mut self, out: &mut dyn Write, summary: &CaseSummary) -> io::Result<()> {
        annotate(out, "notice", &[("title", "muster test")], &summary.to_string())
    }
}

/// Writes one command.
fn annotate(out: &mut dyn Write, command: &str, properties: &[(&str, &str)], message: &str) -> io::Result<()> {
    write!(out, "::{command}")?;
    for (position, (name, value)) in properties.iter().enumerate() {
        let joint = if position == 0 { ' ' } else { ',' };
        write!(out, "{joint}{name}={}", data(value).replace(':', "%3A").replace(',', "%2C"))?;
    }
    writeln!(out, "::{}", data(message))
}

/// `text` as the message of a command. Line breaks stay; everything else that commands a terminal is escaped.
fn data(text: &str) -> String {
    let line = |line: &str| printable(line).replace('%', "%25");
    text.split('\n').map(line).collect::<Vec<_>>().join("%0A")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn written(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_from_outside_neither_ends_a_command_nor_begins_one() {
        let nasty = "x\n::stop-commands::x\r::error::y\u{1b}[2J 100% a:b,c";
        let text = written(|out| annotate(out, "error", &[("title", nasty)], nasty));
        assert_eq!(
            text,
            "::error title=x%0A%3A%3Astop-commands%3A%3Ax\\u{d}%3A%3Aerror%3A%3Ay\\u{1b}[2J 100%25 a%3Ab%2Cc\
             ::x%0A::stop-commands::x\\u{d}::error::y\\u{1b}[2J 100%25 a:b,c\n"
        );
        assert_eq!(text.lines().count(), 1);
    }

    #[test]
    fn what_is_not_met_is_annotated_at_its_line() {
        let time = Duration::ZERO;
        let found = crate::report::CaseDifference {
            artifact: "r.io/a:v1",
            what: "result",
            expected: "pass",
            found: "fail",
            line: 7,
        };
        let case = |result, reason, differences| Case {
            case: "expiry/before",
            title: "",
            file: "scenarios/a,b.yaml".to_owned(),
            result,
            reason,
            differences,
            build_time: time,
            sign_time: time,
            act_time: time,
            verify_time: time,
        };
        for (case, expected) in [
            (case(CaseResult::Pass, None, vec![]), ""),
            (case(CaseResult::Skipped, Some("no"), vec![]), ""),
            (
                case(CaseResult::Error, Some("no port"), vec![]),
                "::error file=scenarios/a%2Cb.yaml,title=expiry/before::no port\n",
            ),
            (
                case(CaseResult::Fail, None, vec![found]),
                "::error file=scenarios/a%2Cb.yaml,line=7,title=expiry/before\
                 ::result of r.io/a:v1: expected pass, found fail\n",
            ),
        ] {
            assert_eq!(written(|out| Github.case(out, &case)), expected);
        }
    }

    #[test]
    fn artifacts_that_do_not_pass_are_annotated() {
        let artifact = |result, code: Option<&'static str>, message: Option<&'static str>| Artifact {
            artifact: Some("r.io/a@sha256:00".into()),
            reference: "r.io/a:v1".into(),
            media_type: None,
            platform: None,
            part_of: None,
            attached_to: None,
            artifact_type: None,
            repository_from: None,
            place: false,
            covers: None,
            policy: None,
            level: None,
            result,
            code: code.map(Into::into),
            message: message.map(Into::into),
            signatures: Vec::new(),
        };
        for (artifact, expected) in [
            (artifact(Verdict::Pass, None, None), ""),
            (artifact(Verdict::Skip, None, None), ""),
            (
                artifact(Verdict::Fail, Some("unsigned"), Some("50% of it")),
                "::error title=unsigned::r.io/a@sha256:00 (r.io/a:v1): 50%25 of it\n",
            ),
            (
                artifact(Verdict::Error, Some("unreachable"), Some("no route")),
                "::error title=unreachable::r.io/a@sha256:00 (r.io/a:v1): no route\n",
            ),
            (artifact(Verdict::Warn, None, None), "::warning title=muster::r.io/a@sha256:00 (r.io/a:v1)\n"),
        ] {
            assert_eq!(written(|out| Github.artifact(out, &artifact)), expected);
        }
        let results = crate::report::v1::Results { pass: 2, fail: 1, ..Default::default() };
        let summary = Summary { selected: 3, results, partial: true, interrupted: true, ..Summary::default() };
        assert_eq!(
            written(|out| Reporter::end(&mut Github, out, &summary)),
            "::notice title=muster::3 artifacts judged: 2 pass, 1 fail; the run ended before everything was judged\n"
        );
    }
}
