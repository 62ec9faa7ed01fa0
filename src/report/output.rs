//! What the user asks for with `--output FORMAT[=PATH]`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::Format;
use super::formats::End;
use crate::failure::quote;

/// A format and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The format.
    pub format: &'static Format,
    /// The file; `None` is standard output.
    pub path: Option<PathBuf>,
}

/// Why a text names no output.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutputError {
    /// A planned format that this version does not write.
    #[error("{0} is not built yet; there are {formats}", formats = all())]
    NotBuilt(&'static str),
    /// An unknown format.
    #[error("{} is not a format; {meant}there are {formats}", quote(.0), meant = meant(.0), formats = all())]
    Unknown(String),
    /// `json=`.
    #[error("a file name is missing after the =; leave the = out for standard output")]
    PathMissing,
    /// A format that has no form for cases of scenarios.
    #[error("{0} is not a format for scenarios; there are {formats}", formats = Format::names(for_cases(), ", "))]
    NotForCases(&'static str),
}

impl Output {
    /// The first format of the table, on standard output.
    pub fn usual() -> Output {
        Output { format: Format::usual(), path: None }
    }

    /// Whether people read it where the program runs, so that nothing of it need be said again.
    pub fn is_seen(&self) -> bool {
        self.path.is_none() && self.format.end == End::ForPeople
    }

    /// Whether it has a row for each artifact, of which some may be left out.
    pub fn has_rows(&self) -> bool {
        self.format.end == End::ForPeople
    }

    /// Whether its end says what was not judged by itself.
    pub fn has_summary(&self) -> bool {
        self.format.end != End::Open
    }

    /// Reads an output for cases of scenarios.
    pub fn parse_for_cases(text: &str) -> Result<Output, OutputError> {
        let output: Output = text.parse()?;
        match output.format.cases {
            Some(_) => Ok(output),
            None => Err(OutputError::NotForCases(output.format.name)),
        }
    }

    /// The help of `--output`, in one line.
    pub fn help() -> String {
        help(Format::all())
    }

    /// The help of `--output`, with what each format is for.
    pub fn long_help() -> String {
        long_help(Format::all())
    }

    /// The help of `--output` for cases of scenarios, in one line.
    pub fn help_for_cases() -> String {
        help(for_cases())
    }

    /// The help of `--output` for cases of scenarios, with what each format is for.
    pub fn long_help_for_cases() -> String {
        long_help(for_cases())
    }
}

fn for_cases() -> impl Iterator<Item = &'static Format> + Clone {
    Format::all().filter(|format| format.cases.is_some())
}

fn help(formats: impl Iterator<Item = &'static Format>) -> String {
    let names = Format::names(formats, " or ");
    format!("Write a report: {names}, to a file or standard output; may be given several times")
}

fn long_help(formats: impl Iterator<Item = &'static Format> + Clone) -> String {
    let width = formats.clone().map(|format| format.name.len()).max().unwrap_or(0) + 1;
    let mut text = help(formats.clone()) + "\n\nFormats:";
    for Format { name, purpose, .. } in formats {
        text += &format!("\n- {:width$} {purpose}", format!("{name}:"));
    }
    text
}

fn all() -> String {
    Format::names(Format::all(), ", ")
}

fn meant(name: &str) -> String {
    Format::nearest(name).map(|format| format!("did you mean {}? ", format.name)).unwrap_or_default()
}

impl FromStr for Output {
    type Err = OutputError;

    fn from_str(text: &str) -> Result<Output, OutputError> {
        let (word, path) = match text.split_once('=') {
            Some((word, path)) => (word, Some(path)),
            None => (text, None),
        };
        let Some(format) = Format::named(word) else {
            let unknown = || OutputError::Unknown(word.to_owned());
            return Err(Format::planned(word).map_or_else(unknown, OutputError::NotBuilt));
        };
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
            Some(path) => write!(f, "{}={}", self.format.name, path.display()),
            None => f.write_str(self.format.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_formats_with_and_without_a_file() {
        let output = |name: &str, path: Option<&str>| {
            Ok(Output { format: Format::named(name).unwrap(), path: path.map(PathBuf::from) })
        };
        for (text, expected) in [
            ("table", output("table", None)),
            ("json=-", output("json", None)),
            ("ndjson=out/a=b.ndjson", output("ndjson", Some("out/a=b.ndjson"))),
            ("junit=r.xml", output("junit", Some("r.xml"))),
            ("json=", Err(OutputError::PathMissing)),
            ("sarif=r.sarif", Err(OutputError::NotBuilt("sarif"))),
            ("html", Err(OutputError::NotBuilt("html"))),
            ("JSON", Err(OutputError::Unknown("JSON".to_owned()))),
            ("", Err(OutputError::Unknown(String::new()))),
        ] {
            assert_eq!(text.parse::<Output>(), expected, "{text}");
        }
    }

    #[test]
    fn the_nearest_name_is_offered() {
        for (text, expected) in [("JSON", Some("json")), ("jnuit", Some("junit")), ("tabel", Some("table"))] {
            assert_eq!(Format::nearest(text).map(|format| format.name), expected, "{text}");
            let message = text.parse::<Output>().unwrap_err().to_string();
            assert!(message.contains(&format!("did you mean {}? there are ", expected.unwrap())), "{message}");
        }
        for text in ["", "yaml", "pdf", "x"] {
            assert_eq!(Format::nearest(text), None, "{text}");
        }
    }

    #[test]
    fn every_row_has_a_name_of_its_own_and_is_in_the_help() {
        for (position, format) in Format::all().enumerate() {
            assert!(Format::all().take(position).all(|other| other.name != format.name), "{format:?}");
            assert!(format.name.bytes().all(|byte| byte.is_ascii_lowercase()), "{format:?}");
            assert!(Output::long_help().contains(&format!("- {}:", format.name)), "{format:?}");
            assert_eq!(format.name.parse::<Output>().unwrap().to_string(), format.name);
        }
    }
}
