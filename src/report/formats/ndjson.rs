//! NDJSON: one artifact or case a line, as JSON, and nothing else.

use std::io::{self, Write};

use super::{End, Format};
use crate::json;
use crate::report::v1::{Artifact, Header, Summary};
use crate::report::{Case, CaseReporter, CaseSummary, Reporter};

/// The row of the table.
pub(super) const FORMAT: Format = Format {
    name: "ndjson",
    purpose: "for programs: one JSON object a line, and no summary",
    end: End::Open,
    artifacts: |_| Box::new(Ndjson),
    cases: Some(|_| Box::new(Ndjson)),
};

/// Writes NDJSON.
struct Ndjson;

impl Reporter for Ndjson {
    fn begin(&mut self, _out: &mut dyn Write, _header: &Header) -> io::Result<()> {
        Ok(())
    }

    fn artifact(&mut self, out: &mut dyn Write, artifact: &Artifact<'_>) -> io::Result<()> {
        json::to_writer(out, artifact)?;
        out.write_all(b"\n")
    }

    fn end(&mut self, _out: &mut dyn Write, _summary: &Summary) -> io::Result<()> {
        Ok(())
    }
}

impl CaseReporter for Ndjson {
    fn case(&mut self, out: &mut dyn Write, case: &Case<'_>) -> io::Result<()> {
        json::to_writer(out, case)?;
        out.write_all(b"\n")
    }

    fn end(&mut self, _out: &mut dyn Write, _summary: &CaseSummary) -> io::Result<()> {
        Ok(())
    }
}
