//! Reports on scenarios: for people, for programs, and for the test pages of CI systems.
//!
//! One file a format. All formats say of every case what became of it, why, and how long it took.

mod json;
mod junit;
mod text;

use std::io::{self, Write};

use super::run::{CaseResult, Tally};

pub use text::{case, summary};

/// A format of report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Table,
    /// One document.
    Json,
    /// One case a line.
    Ndjson,
    /// JUnit XML, one test case a case.
    Junit,
}

/// Writes a whole report.
pub fn write(format: Format, results: &[CaseResult], tally: &Tally, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Table => {
            results.iter().try_for_each(|result| out.write_all(case(result, false).as_bytes()))?;
            out.write_all(summary(results, tally).as_bytes())
        }
        Format::Json => json::document(results, tally, out),
        Format::Ndjson => json::lines(results, out),
        Format::Junit => junit::write(results, tally, out),
    }
}
