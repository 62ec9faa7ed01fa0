//! The open reports of one run, of artifacts or of cases, each with its destination.
//!
//! A reader of standard output that goes away (`| head`) closes that report quietly; a report that cannot be written is
//! thrown away, and the others can still be ended.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::destination::Destination;
use super::{Format, Look, Output};

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// Two outputs for one place.
    #[error("two outputs go to {0}; give all but one a file: FORMAT=PATH")]
    Twice(Place),
    /// The file cannot be created.
    #[error("cannot write the report to {0}: {1}")]
    Open(Place, #[source] io::Error),
    /// Writing failed half-way.
    #[error("cannot go on with the report to {0}: {1}")]
    Write(Place, #[source] io::Error),
    /// Every report's reader has gone.
    #[error("every reader of the report has gone away")]
    Closed,
}

/// A place where reports go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place(Option<PathBuf>);

/// Reports that are being written, each by an `R`.
pub(super) struct OpenReports<R: ?Sized> {
    open: Vec<(Output, Box<R>, Destination)>,
    /// Whether a report has been closed by its reader.
    closed: bool,
}

impl<R: ?Sized> OpenReports<R> {
    /// Opens every output. Coloured, brief and made to fit is only what goes to standard output.
    pub(super) fn open(
        outputs: Vec<Output>,
        look: Look,
        reporter: impl Fn(&Format, Look) -> Option<Box<R>>,
    ) -> Result<OpenReports<R>, Problem> {
        let mut open: Vec<(Output, Box<R>, Destination)> = Vec::with_capacity(outputs.len());
        for output in outputs {
            let place = Place(output.path.clone());
            if open.iter().any(|(other, ..)| other.path == output.path) {
                return Err(Problem::Twice(place));
            }
            let destination = match &output.path {
                None => Destination::stdout(),
                Some(path) => Destination::file(path).map_err(|error| Problem::Open(place.clone(), error))?,
            };
            // One file has several names.
            if destination.path().is_some() && open.iter().any(|(.., other)| other.path() == destination.path()) {
                return Err(Problem::Twice(place));
            }
            let look = match destination.is_stdout() {
                true => look.clone(),
                false => Look { only: look.only.clone(), alone: true, ..Look::default() },
            };
            if let Some(reporter) = reporter(output.format, look) {
                open.push((output, reporter, destination));
            }
        }
        Ok(OpenReports { open, closed: false })
    }

    /// Whether something is written to standard output.
    pub(super) fn use_stdout(&self) -> bool {
        self.open.iter().any(|(output, ..)| output.path.is_none())
    }

    /// Where reports lie after an interrupted run that cannot say themselves that they are partial.
    pub(super) fn partial_places(&self) -> Vec<PathBuf> {
        let open = self.open.iter().filter(|(output, ..)| !output.has_summary());
        open.filter_map(|(_, _, out)| out.partial_path()).collect()
    }

    /// Writes something to every report.
    pub(super) fn each(
        &mut self,
        mut write: impl FnMut(&mut R, &mut Destination) -> io::Result<()>,
    ) -> Result<(), Problem> {
        let mut position = 0;
        while let Some((output, reporter, out)) = self.open.get_mut(position) {
            match write(reporter.as_mut(), out) {
                Ok(()) => position += 1,
                Err(error) if output.path.is_none() && error.kind() == io::ErrorKind::BrokenPipe => {
                    self.open.remove(position);
                    self.closed = true;
                }
                Err(error) => {
                    // What is half written is thrown away; the other reports can still be ended.
                    let place = Place(output.path.clone());
                    self.open.remove(position);
                    return Err(Problem::Write(place, error));
                }
            }
        }
        if self.closed && self.open.is_empty() { Err(Problem::Closed) } else { Ok(()) }
    }

    /// Ends every report: files get their names now. One that has no end of its own, and so cannot say that it is `partial`,
    /// gets another name then.
    pub(super) fn end(
        self,
        partial: bool,
        mut write: impl FnMut(&mut R, &mut Destination) -> io::Result<()>,
    ) -> Result<(), Problem> {
        let mut result = Ok(());
        for (output, mut reporter, mut out) in self.open {
            let finish = |out: Destination| match output.has_summary() {
                true => out.finish(),
                false => out.finish_open(partial),
            };
            match write(reporter.as_mut(), &mut out).and_then(|()| finish(out)) {
                Err(error) if output.path.is_none() && error.kind() == io::ErrorKind::BrokenPipe => {}
                // Every other report is still finished.
                Err(error) => result = Err(Problem::Write(Place(output.path), error)),
                Ok(()) => {}
            }
        }
        result
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(path) => f.write_str(&crate::failure::quote(&path.display().to_string())),
            None => f.write_str("standard output"),
        }
    }
}
