//! JUnit XML, for the test pages of CI systems: a test case for each artifact or case of a scenario, in one suite.
//!
//! The counts stand before the cases in this format, so the cases wait in a temporary file (in memory while they are
//! few) until the end. Characters that XML 1.0 forbids are written as `\u{…}`.

use std::io::{self, Seek, Write};

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use tempfile::SpooledTempFile;

use super::{End, Format};
use crate::report::v1::{Artifact, Header, RepositoryFrom, Summary, Verdict};
use crate::report::{Case, CaseReporter, CaseResult, CaseSummary, Reporter, printable};

/// The row of the table.
pub(super) const FORMAT: Format = Format {
    name: "junit",
    purpose: "JUnit XML, for the test pages of CI systems",
    end: End::ForPrograms,
    artifacts: |_| Box::new(Junit::new()),
    cases: Some(|_| Box::new(CaseJunit::new())),
};

/// How many bytes of cases are held in memory before they move to a file.
const SPOOL: usize = 1 << 20;

/// Writes JUnit XML on artifacts.
struct Junit {
    cases: SpooledTempFile,
    properties: Vec<(&'static str, String)>,
    started: String,
}

impl Junit {
    fn new() -> Junit {
        Junit { cases: SpooledTempFile::new(SPOOL), properties: Vec::new(), started: String::new() }
    }
}

/// Writes JUnit XML on cases of scenarios.
struct CaseJunit {
    cases: SpooledTempFile,
    seconds: f64,
}

impl CaseJunit {
    fn new() -> CaseJunit {
        CaseJunit { cases: SpooledTempFile::new(SPOOL), seconds: 0.0 }
    }
}

impl Reporter for Junit {
    fn begin(&mut self, _out: &mut dyn Write, header: &Header) -> io::Result<()> {
        self.started = header.started.clone();
        self.properties = vec![
            ("tool", format!("{} {}", header.tool.name, header.tool.version)),
            ("at", header.at.clone()),
            ("policy", format!("{} {}", header.policy.path, header.policy.digest)),
            ("trustStore", format!("{} {}", header.trust_store.path, header.trust_store.digest)),
        ];
        if header.layout_names {
            self.properties.push(("layoutNames", "true".to_owned()));
        }
        Ok(())
    }

    fn artifact(&mut self, _out: &mut dyn Write, artifact: &Artifact<'_>) -> io::Result<()> {
        let mut xml = Writer::new(&mut self.cases);
        let mut name = text(&artifact.reference);
        if let (Some(_), Some((_, digest))) =
            (&artifact.part_of, artifact.artifact.as_deref().and_then(|name| name.split_once('@')))
        {
            name = format!("{name} {} {}", text(artifact.platform.as_deref().unwrap_or("part")), text(digest));
        }
        if let (Some(_), Some((_, digest))) =
            (&artifact.attached_to, artifact.artifact.as_deref().and_then(|name| name.split_once('@')))
        {
            name = format!("{name} {} {}", text(artifact.artifact_type.as_deref().unwrap_or("attached")), text(digest));
        }
        let case = xml
            .create_element("testcase")
            .with_attribute(("classname", repository(artifact).as_str()))
            .with_attribute(("name", name.as_str()));
        let named_inside = artifact.repository_from == Some(RepositoryFrom::Layout);
        let element = match artifact.result {
            Verdict::Pass if named_inside => return end_line(case.write_inner_content(tell_named_inside)),
            Verdict::Pass => return end_line(case.write_empty()),
            Verdict::Warn => "system-out",
            Verdict::Fail => "failure",
            Verdict::Skip => "skipped",
            Verdict::Error => "error",
        };
        let code = artifact.code.as_deref().unwrap_or_default();
        let message = text(artifact.message.as_deref().unwrap_or_default());
        end_line(case.write_inner_content(|xml| {
            let mut why = xml.create_element(element);
            if matches!(artifact.result, Verdict::Fail | Verdict::Error) {
                why = why.with_attribute(("type", text(code).as_str()));
            }
            if artifact.result != Verdict::Warn && !message.is_empty() {
                why = why.with_attribute(("message", message.as_str()));
            }
            match artifact.result {
                Verdict::Skip => why.write_empty()?,
                _ => why.write_text_content(BytesText::new(&body(artifact)))?,
            };
            if named_inside { tell_named_inside(xml) } else { Ok(()) }
        }))
    }

    fn end(&mut self, out: &mut dyn Write, summary: &Summary) -> io::Result<()> {
        let results = &summary.results;
        let counts = [
            ("tests", results.sum().to_string()),
            ("failures", results.fail.to_string()),
            ("errors", results.error.to_string()),
            ("skipped", results.skip.to_string()),
        ];
        self.properties.extend(summary.remarks().into_iter().map(|remark| ("aside", remark)));
        self.properties.push(("partial", summary.partial.to_string()));
        self.properties.extend(summary.partial_because().map(|reason| ("partial-because", reason)));
        let timestamp = text(&self.started);
        let suite =
            Suite { name: "muster", timestamp: Some(&timestamp), counts: &counts, properties: &self.properties };
        suite.write(&mut self.cases, out)
    }
}

impl CaseReporter for CaseJunit {
    fn case(&mut self, _out: &mut dyn Write, case: &Case<'_>) -> io::Result<()> {
        self.seconds += case.total().as_secs_f64();
        let topic = case.case.split_once('/').map_or("scenarios", |(topic, _)| topic);
        let time = format!("{:.3}", case.total().as_secs_f64());
        let mut xml = Writer::new(&mut self.cases);
        let element = xml.create_element("testcase").with_attributes([
            ("classname", text(topic).as_str()),
            ("name", text(case.case).as_str()),
            ("file", text(&case.file).as_str()),
            ("time", time.as_str()),
        ]);
        end_line(element.write_inner_content(|xml| {
            write_phases(case, xml)?;
            write_ending(case, xml)
        }))
    }

    fn end(&mut self, out: &mut dyn Write, summary: &CaseSummary) -> io::Result<()> {
        let counts = [
            ("tests", summary.total().to_string()),
            ("failures", summary.fail.to_string()),
            ("errors", summary.error.to_string()),
            ("skipped", summary.skipped.to_string()),
            ("time", format!("{:.3}", self.seconds)),
        ];
        let suite = Suite { name: "muster test", timestamp: None, counts: &counts, properties: &[] };
        suite.write(&mut self.cases, out)
    }
}

/// The one suite of a document, and what is said of it before its cases.
struct Suite<'a> {
    name: &'a str,
    timestamp: Option<&'a str>,
    counts: &'a [(&'static str, String)],
    properties: &'a [(&'static str, String)],
}

impl Suite<'_> {
    /// Writes the document with the `cases` that wait.
    fn write(&self, cases: &mut SpooledTempFile, out: &mut dyn Write) -> io::Result<()> {
        let counts = || self.counts.iter().map(|(name, count)| (*name, count.as_str()));
        let mut xml = Writer::new(out);
        xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        xml.get_mut().write_all(b"\n")?;
        xml.write_event(Event::Start(BytesStart::new("testsuites").with_attributes(counts())))?;
        let suite = BytesStart::new("testsuite").with_attributes([("name", self.name)]).with_attributes(counts());
        let suite = suite.with_attributes(self.timestamp.map(|timestamp| ("timestamp", timestamp)));
        xml.write_event(Event::Start(suite))?;
        if !self.properties.is_empty() {
            let properties = self.properties.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
            write_properties(properties, &mut xml)?;
        }
        xml.get_mut().write_all(b"\n")?;
        cases.rewind()?;
        io::copy(cases, xml.get_mut())?;
        xml.write_event(Event::End(BytesEnd::new("testsuite")))?;
        xml.write_event(Event::End(BytesEnd::new("testsuites")))?;
        xml.get_mut().write_all(b"\n")
    }
}

fn write_properties<W: Write>(
    properties: impl Iterator<Item = (String, String)>,
    xml: &mut Writer<W>,
) -> io::Result<()> {
    xml.create_element("properties").write_inner_content(|xml| {
        for (name, value) in properties {
            let property = xml.create_element("property");
            property.with_attributes([("name", name.as_str()), ("value", text(&value).as_str())]).write_empty()?;
        }
        Ok(())
    })?;
    Ok(())
}

/// How long the phases of a case took, in seconds.
fn write_phases<W: Write>(case: &Case<'_>, xml: &mut Writer<W>) -> io::Result<()> {
    let seconds =
        |(phase, time): (&str, std::time::Duration)| (format!("time.{phase}"), format!("{:.3}", time.as_secs_f64()));
    write_properties(case.phases().into_iter().map(seconds), xml)
}

/// Why a case did not pass.
fn write_ending<W: Write>(case: &Case<'_>, xml: &mut Writer<W>) -> io::Result<()> {
    let file = &case.file;
    let reason = case.reason.unwrap_or_default();
    let (element, message, body) = match case.result {
        CaseResult::Pass => return Ok(()),
        CaseResult::Skipped => ("skipped", reason.to_owned(), String::new()),
        CaseResult::Error => ("error", reason.to_owned(), format!("{file}: {reason}")),
        CaseResult::Fail => {
            let lines = case.differences.iter().map(|found| {
                format!(
                    "{file}:{}: {} of {}: expected {}, found {}",
                    found.line, found.what, found.artifact, found.expected, found.found
                )
            });
            let body = lines.collect::<Vec<_>>().join("\n");
            ("failure", format!("{} expectations are not met: {}", case.differences.len(), case.title), body)
        }
    };
    let body: String = body.lines().map(text).collect::<Vec<_>>().join("\n");
    let why = xml.create_element(element).with_attribute(("message", text(&message).as_str()));
    match body.is_empty() {
        true => why.write_empty()?,
        false => why.write_text_content(BytesText::new(&body))?,
    };
    Ok(())
}

/// Says that a name inside the layout chose the statement by which the artifact is judged.
fn tell_named_inside<W: Write>(xml: &mut Writer<W>) -> io::Result<()> {
    let text = BytesText::new("the repository is named by the layout");
    xml.create_element("system-out").write_text_content(text).map(|_| ())
}

fn end_line(written: io::Result<&mut Writer<&mut SpooledTempFile>>) -> io::Result<()> {
    written?.get_mut().write_all(b"\n")
}

/// The reason of an artifact in full: its own, then each check of each signature that does not hold.
fn body(artifact: &Artifact<'_>) -> String {
    let (code, message) = (artifact.code.as_deref(), artifact.message.as_deref());
    let mut body = format!("{}: {}", text(code.unwrap_or_default()), text(message.unwrap_or_default()));
    for signature in &artifact.signatures {
        for (code, message) in signature.reasons() {
            body.push_str(&format!("\n{} {}: {}", text(&signature.digest), text(code), text(message)));
        }
    }
    body
}

/// The repository an artifact belongs to, as the name of its class.
fn repository(artifact: &Artifact<'_>) -> String {
    let name = artifact.artifact.as_deref().unwrap_or(&artifact.reference);
    let name = name.split_once('@').map_or(name, |(repository, _)| repository);
    // A colon before the first slash divides host and port.
    let tag = name.rfind(':').filter(|colon| name.find('/').is_some_and(|slash| slash < *colon));
    text(tag.map_or(name, |colon| &name[..colon]))
}

/// `untrusted` in characters that XML 1.0 allows and a reader sees.
fn text(untrusted: &str) -> String {
    let printable = printable(untrusted);
    if !printable.contains(['\u{fffe}', '\u{ffff}']) {
        return printable.into_owned();
    }
    printable.replace('\u{fffe}', "\\u{fffe}").replace('\u{ffff}', "\\u{ffff}")
}
