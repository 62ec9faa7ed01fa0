//! JSON: one [`Report`](crate::report::v1::Report) with each artifact on a line of its own, or one document on cases.

use std::io::{self, Write};

use serde::Serialize;

use super::{End, Format};
use crate::json;
use crate::report::v1::{Artifact, Header, Summary};
use crate::report::{Case, CaseReporter, CaseSummary, Reporter};

/// The row of the table.
pub(super) const FORMAT: Format = Format {
    name: "json",
    purpose: "for programs: one JSON document",
    end: End::ForPrograms,
    artifacts: |_| Box::new(Json::default()),
    cases: Some(|_| Box::new(Json::default())),
};

/// Writes JSON.
#[derive(Default)]
struct Json {
    /// Whether an artifact or a case has been written, and the next needs a comma before it.
    begun: bool,
}

impl Reporter for Json {
    fn begin(&mut self, out: &mut dyn Write, header: &Header) -> io::Result<()> {
        out.write_all(b"{\"header\":")?;
        json::to_writer(out, header)?;
        out.write_all(b",\n\"artifacts\":[")
    }

    fn artifact(&mut self, out: &mut dyn Write, artifact: &Artifact<'_>) -> io::Result<()> {
        out.write_all(if self.begun { b",\n" } else { b"\n" })?;
        self.begun = true;
        json::to_writer(out, artifact)
    }

    fn end(&mut self, out: &mut dyn Write, summary: &Summary) -> io::Result<()> {
        out.write_all(b"\n],\n\"summary\":")?;
        json::to_writer(out, summary)?;
        out.write_all(b"}\n")
    }
}

/// Indented for people who look into it: cases are few.
impl CaseReporter for Json {
    fn case(&mut self, out: &mut dyn Write, case: &Case<'_>) -> io::Result<()> {
        out.write_all(if self.begun { b",\n" } else { CASES_BEGIN })?;
        self.begun = true;
        write_indented(out, case, 2)
    }

    fn end(&mut self, out: &mut dyn Write, summary: &CaseSummary) -> io::Result<()> {
        if self.begun {
            out.write_all(b"\n  ],\n")?;
        } else {
            out.write_all(CASES_BEGIN.trim_ascii_end())?;
            out.write_all(b"],\n")?;
        }
        out.write_all(b"  \"summary\": ")?;
        let mut text = Vec::new();
        write_indented(&mut text, summary, 1)?;
        out.write_all(text.trim_ascii_start())?;
        out.write_all(b"\n}\n")
    }
}

/// What stands before the first case.
const CASES_BEGIN: &[u8] = b"{\n  \"version\": \"1\",\n  \"cases\": [\n";

/// Writes `value` as it stands within `depth` others. JSON has no line breaks inside strings.
fn write_indented(out: &mut dyn Write, value: &impl Serialize, depth: usize) -> io::Result<()> {
    let mut text = Vec::new();
    json::to_writer_pretty(&mut text, value)?;
    for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
        if number > 0 {
            out.write_all(b"\n")?;
        }
        write!(out, "{:1$}", "", 2 * depth)?;
        out.write_all(line)?;
    }
    Ok(())
}
