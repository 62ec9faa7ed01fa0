//! JSON: one [`Report`](super::v1::Report), each artifact on a line of its own.

use std::io::{self, Write};

use super::Reporter;
use super::v1::{Artifact, Header, Summary};
use crate::json;

/// Writes JSON.
#[derive(Default)]
pub(super) struct Json {
    /// Whether an artifact has been written, and the next needs a comma before it.
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
