//! For programs: JSON, whole or a case a line.

use std::io::{self, Write};

use serde::Serialize;

use crate::json;
use crate::scenario::run::{CaseResult, Ending, Tally};

#[derive(Serialize)]
struct Document<'a> {
    version: &'static str,
    cases: Vec<Case<'a>>,
    summary: Summary,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Case<'a> {
    case: &'a str,
    title: &'a str,
    file: String,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    differences: Vec<Difference<'a>>,
    /// In milliseconds, as all times.
    build_time: u128,
    sign_time: u128,
    act_time: u128,
    verify_time: u128,
}

#[derive(Serialize)]
struct Difference<'a> {
    artifact: &'a str,
    what: &'a str,
    expected: &'a str,
    found: &'a str,
    line: usize,
}

#[derive(Serialize)]
struct Summary {
    pass: u64,
    fail: u64,
    skipped: u64,
    error: u64,
    partial: bool,
}

pub(super) fn document(results: &[CaseResult], tally: &Tally, out: &mut dyn Write) -> io::Result<()> {
    let Tally { pass, fail, skipped, error, partial } = *tally;
    let document = Document {
        version: "1",
        cases: results.iter().map(case).collect(),
        summary: Summary { pass, fail, skipped, error, partial },
    };
    json::to_writer_pretty(out, &document)?;
    out.write_all(b"\n")
}

pub(super) fn lines(results: &[CaseResult], out: &mut dyn Write) -> io::Result<()> {
    for result in results {
        json::to_writer(out, &case(result))?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

fn case(result: &CaseResult) -> Case<'_> {
    let (word, reason) = match &result.ending {
        Ending::Pass => ("pass", None),
        Ending::Fail(_) => ("fail", None),
        Ending::Skipped(reason) => ("skipped", Some(reason.as_str())),
        Ending::Error(reason) => ("error", Some(reason.as_str())),
    };
    let differences = match &result.ending {
        Ending::Fail(differences) => differences.as_slice(),
        _ => &[],
    };
    Case {
        case: &result.id,
        title: &result.title,
        file: result.file.display().to_string(),
        result: word,
        reason,
        differences: differences.iter().map(difference).collect(),
        build_time: result.times.build.as_millis(),
        sign_time: result.times.sign.as_millis(),
        act_time: result.times.act.as_millis(),
        verify_time: result.times.verify.as_millis(),
    }
}

fn difference(difference: &crate::scenario::Difference) -> Difference<'_> {
    Difference {
        artifact: &difference.artifact,
        what: &difference.what,
        expected: &difference.expected,
        found: &difference.found,
        line: difference.line,
    }
}
