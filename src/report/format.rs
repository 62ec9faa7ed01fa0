//! What the user asks for with `--output FORMAT[=PATH]`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::Reporter;
use super::json::Json;
use super::junit::Junit;
use super::ndjson::Ndjson;
use super::table::Table;
use crate::failure::quote;

/// A format of report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Table,
    /// One document.
    Json,
    /// One artifact a line.
    Ndjson,
    /// JUnit XML.
    Junit,
}

/// A format and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The format.
    pub format: Format,
    /// The file; `None` is standard output.
    pub path: Option<PathBuf>,
}

/// Why a text names no output.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutputError {
    /// A format of the plan that this version does not write.
    #[error("{0} is not built yet; there are {formats}", formats = Format::names())]
    NotBuilt(&'static str),
    /// No format at all.
    #[error("{} is not a format; there are {formats}", quote(.0), formats = Format::names())]
    Unknown(String),
    /// `json=`.
    #[error("a file name is missing after the =; leave the = out for standard output")]
    PathMissing,
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 4] = [Format::Table, Format::Json, Format::Ndjson, Format::Junit];

    /// What is planned and refused by name.
    const NOT_BUILT: [&str; 3] = ["sarif", "html", "csv"];

    /// The word on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Table => "table",
            Format::Json => "json",
            Format::Ndjson => "ndjson",
            Format::Junit => "junit",
        }
    }

    fn names() -> String {
        Format::ALL.map(Format::as_str).join(", ")
    }

    /// What writes this format; `color` matters to the table only.
    pub(super) fn reporter(self, color: bool) -> Box<dyn Reporter> {
        match self {
            Format::Table => Box::new(Table::new(color)),
            Format::Json => Box::new(Json::default()),
            Format::Ndjson => Box::new(Ndjson),
            Format::Junit => Box::new(Junit::new()),
        }
    }
}

impl FromStr for Output {
    type Err = OutputError;

    fn from_str(text: &str) -> Result<Output, OutputError> {
        let (word, path) = match text.split_once('=') {
            Some((word, path)) => (word, Some(path)),
            None => (text, None),
        };
        if let Some(word) = Format::NOT_BUILT.into_iter().find(|planned| *planned == word) {
            return Err(OutputError::NotBuilt(word));
        }
        let format = Format::ALL.into_iter().find(|format| format.as_str() == word);
        let format = format.ok_or_else(|| OutputError::Unknown(word.to_owned()))?;
        match path {
            Some("") => Err(OutputError::PathMissing),
            None | Some("-") => Ok(Output { format, path: None }),
            Some(path) => Ok(Output { format, path: Some(path.into()) }),
        }
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => write!(f, "{}={}", self.format.as_str(), path.display()),
            None => f.write_str(self.format.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_formats_with_and_without_a_file() {
        let output = |format, path: Option<&str>| Ok(Output { format, path: path.map(PathBuf::from) });
        for (text, expected) in [
            ("table", output(Format::Table, None)),
            ("json=-", output(Format::Json, None)),
            ("ndjson=out/a=b.ndjson", output(Format::Ndjson, Some("out/a=b.ndjson"))),
            ("junit=r.xml", output(Format::Junit, Some("r.xml"))),
            ("json=", Err(OutputError::PathMissing)),
            ("sarif=r.sarif", Err(OutputError::NotBuilt("sarif"))),
            ("html", Err(OutputError::NotBuilt("html"))),
            ("JSON", Err(OutputError::Unknown("JSON".to_owned()))),
            ("", Err(OutputError::Unknown(String::new()))),
        ] {
            assert_eq!(text.parse::<Output>(), expected, "{text}");
        }
    }
}
