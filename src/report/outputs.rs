//! All the reports on the artifacts of one run, written side by side.

use std::path::PathBuf;

use super::open_reports::OpenReports;
use super::tally::Tally;
use super::v1::{Artifact, Aside, Effort, Exempted, Header, Summary};
use super::{Look, Output, Problem, Reporter};

/// The reports of a run: every artifact goes to each of them.
///
/// A reader of standard output that goes away (`| head`) closes that report quietly; when no report is left, the next
/// call answers [`Problem::Closed`].
pub struct Outputs {
    open: OpenReports<dyn Reporter>,
    tally: Tally,
}

impl Outputs {
    /// Opens every output; what goes to standard output has this `look`, and tables in files have its rows.
    pub fn open(outputs: Vec<Output>, look: Look) -> Result<Outputs, Problem> {
        let open = OpenReports::open(outputs, look, |format, look| Some((format.artifacts)(look)))?;
        Ok(Outputs { open, tally: Tally::default() })
    }

    /// Whether something is written to standard output.
    pub fn use_stdout(&self) -> bool {
        self.open.use_stdout()
    }

    /// Begins every report.
    pub fn begin(&mut self, header: &Header) -> Result<(), Problem> {
        self.open.each(|reporter, out| {
            reporter.begin(out, header)?;
            out.show()
        })
    }

    /// Adds an artifact to every report.
    pub fn artifact(&mut self, artifact: &Artifact<'_>) -> Result<(), Problem> {
        self.tally.add(artifact);
        self.open.each(|reporter, out| {
            reporter.artifact(out, artifact)?;
            out.show()
        })
    }

    /// Says what was not judged by itself.
    pub fn count_aside(&mut self, aside: Aside) {
        self.tally.aside = aside;
    }

    /// Says how long the run took, and what it asked of registries.
    pub fn measure(&mut self, effort: Effort) {
        self.tally.effort = Some(effort);
    }

    /// Says what the exit code leaves out, and what it adds.
    pub fn exempt(&mut self, allowed: Vec<Exempted>, denied: Vec<Exempted>) {
        (self.tally.allowed, self.tally.denied) = (allowed, denied);
    }

    /// The files, in formats that cannot say that they are partial, of a run that was interrupted: they get these names.
    pub fn partial_places(&self) -> Vec<PathBuf> {
        self.open.partial_places()
    }

    /// Ends every report: files get their names now. `interrupted`: the run ended before everything was judged. Answers with the
    /// summary, also when every reader has gone away.
    pub fn end(mut self, selected: u64, interrupted: bool) -> (Summary, Result<(), Problem>) {
        let summary = self.tally.summary(selected, interrupted);
        let ended = self.open.end(interrupted, |reporter, out| reporter.end(out, &summary));
        (summary, ended)
    }
}
