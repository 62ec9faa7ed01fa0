//! All the reports on the cases of one run of scenarios, written side by side.

use std::io::Write as _;

use super::open_reports::OpenReports;
use super::{Case, CaseReporter, CaseSummary, Look, Output, Problem};

/// The reports of a run of scenarios: every case goes to each of them.
pub struct CaseOutputs {
    open: OpenReports<dyn CaseReporter>,
    /// What went wrong first; the other reports went on.
    problem: Option<Problem>,
}

impl CaseOutputs {
    /// Opens every output; what goes to standard output has this `look`. A format that has no form for cases, which
    /// [`Output::parse_for_cases`] refuses, is left out.
    pub fn open(outputs: Vec<Output>, look: Look) -> Result<CaseOutputs, Problem> {
        let open = OpenReports::open(outputs, look, |format, look| format.cases.map(|reporter| reporter(look)))?;
        Ok(CaseOutputs { open, problem: None })
    }

    /// Adds a case to every report. What goes wrong is said at the end, since it stops no run.
    pub fn case(&mut self, case: &Case<'_>) {
        let written = self.open.each(|reporter, out| {
            reporter.case(out, case)?;
            // Cases may take long; files appear at the end in any case.
            if out.is_stdout() { out.flush() } else { Ok(()) }
        });
        match written {
            Ok(()) | Err(Problem::Closed) => {}
            Err(problem) => self.problem = self.problem.take().or(Some(problem)),
        }
    }

    /// Ends every report: files get their names now.
    pub fn end(self, summary: &CaseSummary) -> Result<(), Problem> {
        let ended = self.open.end(summary.partial, |reporter, out| reporter.end(out, summary));
        self.problem.map_or(ended, Err)
    }
}
