//! NDJSON: one artifact a line, as JSON, and nothing else.

use std::io::{self, Write};

use super::Reporter;
use super::v1::{Artifact, Header, Summary};
use crate::json;

/// Writes NDJSON.
pub(super) struct Ndjson;

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
