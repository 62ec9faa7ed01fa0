//! The suites of a JUnit document: counts stand before cases in this format, so the cases wait until the end.
//!
//! They wait in one temporary file, in memory while they are few; what is held of a suite is its counts, and where its cases
//! lie in that file.

use std::collections::HashMap;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::ops::Range;
use std::time::{Duration, Instant};

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, Event};
use tempfile::SpooledTempFile;

use super::text;
use crate::limits;

/// How many bytes of cases are held in memory before they move to a file.
const SPOOL: usize = 1 << 20;
/// The suite of what comes after so many suites that no more are begun.
const OTHERS: &str = "others";

/// What becomes of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Pass,
    Failure,
    Error,
    Skipped,
}

/// The suites so far.
pub(super) struct Suites {
    cases: SpooledTempFile,
    length: u64,
    suites: Vec<Suite>,
    places: HashMap<String, usize>,
    /// When the case before was told.
    before: Instant,
}

#[derive(Default)]
struct Suite {
    name: String,
    counts: Counts,
    /// Where its cases lie.
    pieces: Vec<Range<u64>>,
}

#[derive(Default, Clone)]
struct Counts {
    tests: u64,
    failures: u64,
    errors: u64,
    skipped: u64,
    time: Duration,
}

/// What is said of the whole document.
pub(super) struct Document<'a> {
    pub(super) name: &'a str,
    /// When the run began, in RFC 3339; the format wants no offset.
    pub(super) started: Option<&'a str>,
    pub(super) properties: &'a [(&'static str, String)],
}

impl Suites {
    /// None yet.
    pub(super) fn new() -> Suites {
        let cases = SpooledTempFile::new(SPOOL);
        Suites { cases, length: 0, suites: Vec::new(), places: HashMap::new(), before: Instant::now() }
    }

    /// Adds a case to the suite `name`. Where it is not known how long it took, that is the time since the case before.
    pub(super) fn case(
        &mut self,
        name: &str,
        ending: Ending,
        took: Option<Duration>,
        write: impl FnOnce(&mut Writer<&mut Vec<u8>>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut case = Vec::new();
        write(&mut Writer::new(&mut case))?;
        case.push(b'\n');
        self.cases.write_all(&case)?;
        let end = self.length + case.len() as u64;
        let now = Instant::now();
        let since = now.duration_since(std::mem::replace(&mut self.before, now));
        let piece = self.length..end;
        self.length = end;
        let suite = self.suite(name);
        suite.counts.add(ending, took.unwrap_or(since));
        match suite.pieces.last_mut() {
            Some(last) if last.end == piece.start => last.end = piece.end,
            _ => suite.pieces.push(piece),
        }
        Ok(())
    }

    fn suite(&mut self, name: &str) -> &mut Suite {
        let name = match self.places.get(name) {
            None if self.suites.len() >= limits::REPORT_REPOSITORIES => OTHERS,
            _ => name,
        };
        let next = self.suites.len();
        let place = *self.places.entry(name.to_owned()).or_insert(next);
        if place == next {
            self.suites.push(Suite { name: name.to_owned(), ..Suite::default() });
        }
        &mut self.suites[place]
    }

    /// Writes the document: first a suite without cases, which says what the run was, then each suite with its cases.
    pub(super) fn write(&mut self, document: &Document<'_>, out: &mut dyn Write) -> io::Result<()> {
        let mut all = Counts::default();
        self.suites.iter().for_each(|suite| all.join(&suite.counts));
        let mut xml = Writer::new(out);
        xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        xml.get_mut().write_all(b"\n")?;
        let totals = all.attributes().into_iter().filter(|(name, _)| *name != "skipped");
        let totals: Vec<_> = [("name", document.name.to_owned())].into_iter().chain(totals).collect();
        xml.write_event(Event::Start(BytesStart::new("testsuites").with_attributes(borrowed(&totals))))?;
        xml.get_mut().write_all(b"\n")?;
        let mut id = 0;
        if !document.properties.is_empty() {
            begin(&mut xml, document, document.name, id, &Counts::default())?;
            write_properties(document.properties, &mut xml)?;
            end(&mut xml)?;
            id += 1;
        }
        for suite in &self.suites {
            begin(&mut xml, document, &suite.name, id, &suite.counts)?;
            xml.get_mut().write_all(b"\n")?;
            for piece in &suite.pieces {
                self.cases.seek(SeekFrom::Start(piece.start))?;
                io::copy(&mut (&mut self.cases).take(piece.end - piece.start), xml.get_mut())?;
            }
            end(&mut xml)?;
            id += 1;
        }
        xml.write_event(Event::End(BytesEnd::new("testsuites")))?;
        xml.get_mut().write_all(b"\n")
    }
}

fn begin(
    xml: &mut Writer<&mut dyn Write>,
    document: &Document<'_>,
    name: &str,
    id: usize,
    counts: &Counts,
) -> io::Result<()> {
    let (name, id) = (text(name), id.to_string());
    let mut suite = BytesStart::new("testsuite").with_attributes([("name", name.as_str()), ("package", name.as_str())]);
    let counts = counts.attributes();
    suite.extend_attributes(borrowed(&counts));
    suite.extend_attributes([("id", id.as_str()), ("hostname", "localhost")]);
    if let Some(started) = document.started {
        suite.push_attribute(("timestamp", text(started.trim_end_matches('Z')).as_str()));
    }
    xml.write_event(Event::Start(suite))
}

fn end(xml: &mut Writer<&mut dyn Write>) -> io::Result<()> {
    xml.write_event(Event::End(BytesEnd::new("testsuite")))?;
    xml.get_mut().write_all(b"\n")
}

fn write_properties(properties: &[(&'static str, String)], xml: &mut Writer<&mut dyn Write>) -> io::Result<()> {
    xml.create_element("properties").write_inner_content(|xml| {
        for (name, value) in properties {
            let value = text(value);
            xml.create_element("property")
                .with_attributes([("name", *name), ("value", value.as_str())])
                .write_empty()?;
        }
        Ok(())
    })?;
    Ok(())
}

fn borrowed<'a>(attributes: &'a [(&'static str, String)]) -> impl Iterator<Item = (&'a str, &'a str)> {
    attributes.iter().map(|(name, value)| (*name, value.as_str()))
}

impl Counts {
    fn add(&mut self, ending: Ending, took: Duration) {
        self.tests += 1;
        self.time += took;
        match ending {
            Ending::Pass => {}
            Ending::Failure => self.failures += 1,
            Ending::Error => self.errors += 1,
            Ending::Skipped => self.skipped += 1,
        }
    }

    fn join(&mut self, other: &Counts) {
        self.tests += other.tests;
        self.failures += other.failures;
        self.errors += other.errors;
        self.skipped += other.skipped;
        self.time += other.time;
    }

    fn attributes(&self) -> Vec<(&'static str, String)> {
        vec![
            ("tests", self.tests.to_string()),
            ("failures", self.failures.to_string()),
            ("errors", self.errors.to_string()),
            ("skipped", self.skipped.to_string()),
            ("time", seconds(self.time)),
        ]
    }
}

/// Seconds as the format writes them.
pub(super) fn seconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64())
}
