//! JUnit XML, for the test pages of CI systems: a test case for each artifact.
//!
//! The counts stand before the cases in this format, so the cases wait in a temporary file (in memory while they are
//! few) until the end. Characters that XML 1.0 forbids are written as `\u{…}`.

use std::io::{self, Read, Seek, Write};

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use tempfile::SpooledTempFile;

use super::v1::{Artifact, Header, RepositoryFrom, Summary, Verdict};
use super::{Reporter, printable};

/// How many bytes of cases are held in memory before they move to a file.
const SPOOL: usize = 1 << 20;

/// Writes JUnit XML.
pub(super) struct Junit {
    cases: SpooledTempFile,
    properties: Vec<(&'static str, String)>,
    started: String,
}

impl Junit {
    /// An empty document.
    pub(super) fn new() -> Junit {
        Junit { cases: SpooledTempFile::new(SPOOL), properties: Vec::new(), started: String::new() }
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
        let counts = || counts.iter().map(|(name, count)| (*name, count.as_str()));

        let mut xml = Writer::new(out);
        xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        xml.get_mut().write_all(b"\n")?;
        xml.write_event(Event::Start(BytesStart::new("testsuites").with_attributes(counts())))?;
        let suite = BytesStart::new("testsuite").with_attributes([("name", "muster")]).with_attributes(counts());
        let suite = suite.with_attributes([("timestamp", text(&self.started).as_str())]);
        xml.write_event(Event::Start(suite))?;
        self.properties.extend(summary.remarks().into_iter().map(|remark| ("aside", remark)));
        self.properties.push(("partial", summary.partial.to_string()));
        xml.create_element("properties").write_inner_content(|xml| {
            for (name, value) in &self.properties {
                let property = xml.create_element("property");
                property
                    .with_attribute(("name", *name))
                    .with_attribute(("value", text(value).as_str()))
                    .write_empty()?;
            }
            Ok(())
        })?;
        xml.get_mut().write_all(b"\n")?;

        self.cases.rewind()?;
        let mut piece = [0; 16 << 10];
        loop {
            match self.cases.read(&mut piece)? {
                0 => break,
                length => xml.get_mut().write_all(&piece[..length])?,
            }
        }
        xml.write_event(Event::End(BytesEnd::new("testsuite")))?;
        xml.write_event(Event::End(BytesEnd::new("testsuites")))?;
        xml.get_mut().write_all(b"\n")
    }
}

/// Says that whoever made the layout chose the statement by which the artifact is judged.
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
