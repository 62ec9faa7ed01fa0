//! The formats of reports: one file each, and one table that options, help texts and errors are made of.
//!
//! A new format is a file here and a row in `Format::TABLE`, with the `mod` line beside it.

mod case_table;
mod github;
mod json;
mod junit;
mod ndjson;
mod repository_table;
mod row_groups;
mod table;

use std::fmt;

use super::{CaseReporter, Only, Reporter};

pub use case_table::summarize_cases;

/// A format of report.
pub struct Format {
    /// The word on the command line.
    pub name: &'static str,
    /// What the format is for, as `--help` says it.
    pub purpose: &'static str,
    /// How a report in this format ends.
    pub(super) end: End,
    /// Writes artifacts.
    pub(super) artifacts: fn(Look) -> Box<dyn Reporter>,
    /// Writes cases of scenarios; `None` where the format has no form for them.
    pub(super) cases: Option<fn(Look) -> Box<dyn CaseReporter>>,
}

/// How a report ends: what is left to be said beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// With a summary that people read: nothing.
    ForPeople,
    /// With a summary that programs read.
    ForPrograms,
    /// With no summary.
    Open,
}

/// How a report that people read looks.
#[derive(Debug, Clone, Default)]
pub struct Look {
    /// Whether the report is coloured.
    pub color: bool,
    /// Whether cases that pass are left out.
    pub brief: bool,
    /// How many characters a line of the terminal has, where it goes to one.
    pub width: Option<usize>,
    /// Which rows of artifacts are shown; all, where nothing is said.
    pub only: Vec<Only>,
    /// Whether the report is read by itself, in a file, and has to say what it is about.
    pub alone: bool,
}

impl Format {
    /// Every format, in the order of help texts. The first is the default.
    const TABLE: &'static [Format] = &[table::FORMAT, json::FORMAT, ndjson::FORMAT, junit::FORMAT, github::FORMAT];

    /// Planned formats, which are refused by name until they are in the table.
    const PLANNED: [&'static str; 3] = ["sarif", "html", "csv"];

    /// Every format, in the order of help texts. The first is the default.
    pub fn all() -> impl Iterator<Item = &'static Format> + Clone {
        Format::TABLE.iter()
    }

    /// The format that is written where none is asked for.
    pub fn usual() -> &'static Format {
        &Format::TABLE[0]
    }

    /// The format called `name`.
    pub fn named(name: &str) -> Option<&'static Format> {
        Format::all().find(|format| format.name == name)
    }

    /// The planned format called `name`.
    pub(super) fn planned(name: &str) -> Option<&'static str> {
        Format::PLANNED.into_iter().find(|planned| *planned == name)
    }

    /// The format whose name is nearest to `name`, if one is near enough to be what was meant.
    pub(super) fn nearest(name: &str) -> Option<&'static Format> {
        const NEAR: f64 = 0.8;
        let alike = |format: &&'static Format| strsim::jaro_winkler(format.name, &name.to_lowercase());
        let near = Format::all().filter(|format| alike(format) >= NEAR);
        near.max_by(|one, other| alike(one).total_cmp(&alike(other)))
    }

    /// The names of `formats`: `a, b or c`.
    pub(super) fn names(formats: impl Iterator<Item = &'static Format>, last: &str) -> String {
        let mut names: Vec<_> = formats.map(|format| format.name).collect();
        match names.pop() {
            Some(end) if !names.is_empty() => format!("{}{last}{end}", names.join(", ")),
            end => end.unwrap_or_default().to_owned(),
        }
    }
}

impl PartialEq for Format {
    fn eq(&self, other: &Format) -> bool {
        self.name == other.name
    }
}

impl Eq for Format {}

impl fmt::Debug for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
