//! All the reports of one run, written side by side.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::destination::Destination;
use super::tally::Tally;
use super::v1::{Artifact, Aside, Header, Summary};
use super::{Output, Reporter};

/// The reports of a run: every artifact goes to each of them.
///
/// A reader of standard output that goes away (`| head`) closes that report quietly; when no report is left, the next
/// call answers [`Problem::Closed`].
pub struct Outputs {
    open: Vec<(Output, Box<dyn Reporter>, Destination)>,
    tally: Tally,
    /// Whether a report has been closed by its reader.
    closed: bool,
}

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
    #[error("nobody reads the report any more")]
    Closed,
}

/// A place where reports go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place(Option<PathBuf>);

impl Outputs {
    /// Opens every output; the table is coloured if `color` says so and it goes to standard output.
    pub fn open(outputs: Vec<Output>, color: bool) -> Result<Outputs, Problem> {
        let mut open: Vec<(Output, Box<dyn Reporter>, Destination)> = Vec::with_capacity(outputs.len());
        for output in outputs {
            let place = Place(output.path.clone());
            if open.iter().any(|(other, ..)| other.path == output.path) {
                return Err(Problem::Twice(place));
            }
            let destination = match &output.path {
                None => Destination::stdout(),
                Some(path) => Destination::file(path).map_err(|error| Problem::Open(place, error))?,
            };
            let reporter = output.format.reporter(color && destination.is_stdout());
            open.push((output, reporter, destination));
        }
        Ok(Outputs { open, tally: Tally::default(), closed: false })
    }

    /// Whether something is written to standard output.
    pub fn use_stdout(&self) -> bool {
        self.open.iter().any(|(output, ..)| output.path.is_none())
    }

    /// Begins every report.
    pub fn begin(&mut self, header: &Header) -> Result<(), Problem> {
        self.each(|reporter, out| {
            reporter.begin(out, header)?;
            out.show()
        })
    }

    /// Adds an artifact to every report.
    pub fn artifact(&mut self, artifact: &Artifact<'_>) -> Result<(), Problem> {
        self.tally.add(artifact);
        self.each(|reporter, out| {
            reporter.artifact(out, artifact)?;
            out.show()
        })
    }

    /// Says what was not judged by itself.
    pub fn count_aside(&mut self, aside: Aside) {
        self.tally.aside = aside;
    }

    /// Ends every report: files get their names now. Says what was reported, also when nobody reads it any more.
    pub fn end(mut self, selected: u64, partial: bool) -> (Summary, Result<(), Problem>) {
        let summary = self.tally.summary(selected, partial);
        let mut result = Ok(());
        for (output, mut reporter, mut out) in std::mem::take(&mut self.open) {
            let written = reporter.end(&mut out, &summary).and_then(|()| out.finish());
            match written {
                Err(error) if output.path.is_none() && error.kind() == io::ErrorKind::BrokenPipe => self.closed = true,
                // Every other report is still finished.
                Err(error) => result = Err(Problem::Write(Place(output.path), error)),
                Ok(()) => {}
            }
        }
        (summary, result)
    }

    fn each(
        &mut self,
        mut write: impl FnMut(&mut dyn Reporter, &mut Destination) -> io::Result<()>,
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
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(path) => f.write_str(&crate::failure::quote(&path.display().to_string())),
            None => f.write_str("standard output"),
        }
    }
}
