//! Reports: what was judged, by what, with what result, for people and for programs.
//!
//! The model that programs read ([`v1`]) is public, versioned and separate from the types inside; its schema is
//! `schemas/report.v1.schema.json`. Every format, a row of one table ([`Format`]), is written as the artifacts come and keeps nothing
//! of them, so that a report on a million artifacts needs the memory of one; what was interrupted is still a whole
//! document, and says that it is partial.
//!
//! Refused here: printing what a stranger wrote in any way that a terminal or an XML reader could act on.

mod case_outputs;
mod cases;
mod destination;
mod digest_count;
mod formats;
mod only;
mod open_reports;
mod output;
mod outputs;
mod printable;
mod tally;
pub mod v1;

use std::io::{self, Write};

pub use case_outputs::CaseOutputs;
pub use cases::{Case, CaseDifference, CaseReporter, CaseResult, CaseSummary};
pub use formats::{Format, Look, summarize_cases};
pub use only::Only;
pub use open_reports::{Place, Problem};
pub use output::{Output, OutputError};
pub use outputs::Outputs;
pub use printable::printable;

/// One format of report. Writes what it is told to `out`, which is the same for all calls.
pub trait Reporter {
    /// Before the first artifact.
    fn begin(&mut self, out: &mut dyn Write, header: &v1::Header) -> io::Result<()>;

    /// One artifact, once it has been judged.
    fn artifact(&mut self, out: &mut dyn Write, artifact: &v1::Artifact<'_>) -> io::Result<()>;

    /// After the last artifact.
    fn end(&mut self, out: &mut dyn Write, summary: &v1::Summary) -> io::Result<()>;
}

#[cfg(test)]
mod tests;
