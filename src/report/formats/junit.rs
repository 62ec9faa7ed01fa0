//! JUnit XML, for the test pages of CI systems: a test case for each artifact or case of a scenario, a suite for each
//! repository or topic.
//!
//! Keeps to the schema that Jenkins checks reports by (`junit-10.xsd` of its xUnit plugin): nothing but the elements and the
//! attributes that it names. Characters that XML 1.0 forbids are written as `\u{…}`.

mod cases;
mod suites;

use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::BytesText;

use super::{End, Format};
use crate::report::v1::{Artifact, Header, RepositoryFrom, Summary, Verdict};
use crate::report::{Reporter, printable};
use cases::CaseJunit;
use suites::{Document, Ending, Suites};

/// The row of the table.
pub(super) const FORMAT: Format = Format {
    name: "junit",
    purpose: "JUnit XML, for the test pages of CI systems",
    end: End::ForPrograms,
    artifacts: |_| Box::new(Junit::new()),
    cases: Some(|_| Box::new(CaseJunit::new())),
};

/// Writes JUnit XML on artifacts.
struct Junit {
    suites: Suites,
    properties: Vec<(&'static str, String)>,
    started: String,
}

impl Junit {
    fn new() -> Junit {
        Junit { suites: Suites::new(), properties: Vec::new(), started: String::new() }
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
        let ending = match artifact.result {
            Verdict::Pass | Verdict::Warn => Ending::Pass,
            Verdict::Fail => Ending::Failure,
            Verdict::Skip => Ending::Skipped,
            Verdict::Error => Ending::Error,
        };
        self.suites.case(artifact.repository(), ending, None, |xml| write_case(artifact, xml))
    }

    fn end(&mut self, out: &mut dyn Write, summary: &Summary) -> io::Result<()> {
        self.properties.extend(summary.remarks().into_iter().map(|remark| ("aside", remark)));
        if let Some(effort) = &summary.effort {
            self.properties.push(("effort", effort.sentence(summary.judged())));
        }
        self.properties.push(("partial", summary.partial.to_string()));
        self.properties.extend(summary.partial_because().map(|reason| ("partial-because", reason)));
        let document = Document { name: "muster", started: Some(&self.started), properties: &self.properties };
        self.suites.write(&document, out)
    }
}

fn write_case<W: Write>(artifact: &Artifact<'_>, xml: &mut Writer<W>) -> io::Result<()> {
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
        .with_attribute(("classname", text(artifact.repository()).as_str()))
        .with_attribute(("name", name.as_str()));
    let named_inside = artifact.repository_from == Some(RepositoryFrom::Layout);
    let element = match artifact.result {
        Verdict::Pass if named_inside => return case.write_inner_content(tell_named_inside).map(|_| ()),
        Verdict::Pass => return case.write_empty().map(|_| ()),
        Verdict::Warn => "system-out",
        Verdict::Fail => "failure",
        Verdict::Skip => "skipped",
        Verdict::Error => "error",
    };
    let code = artifact.code.as_deref().unwrap_or_default();
    let message = text(artifact.message.as_deref().unwrap_or_default());
    let written = case.write_inner_content(|xml| {
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
    });
    written.map(|_| ())
}

/// Says that a name inside the layout chose the statement by which the artifact is judged.
fn tell_named_inside<W: Write>(xml: &mut Writer<W>) -> io::Result<()> {
    let text = BytesText::new("the repository is named by the layout");
    xml.create_element("system-out").write_text_content(text).map(|_| ())
}

/// What there is to say beside the reason, which is an attribute but for a warning: the artifact by its digest, and each
/// reason of each signature that is another one.
fn body(artifact: &Artifact<'_>) -> String {
    let own = artifact.code.as_deref().zip(artifact.message.as_deref());
    let warning = own.filter(|_| artifact.result == Verdict::Warn).map(|(code, message)| format!("{code}: {message}"));
    let of_signatures = artifact.signatures.iter().flat_map(|signature| {
        let others = signature.reasons().filter(move |reason| Some(*reason) != own);
        others.map(|(code, message)| format!("{} {code}: {message}", signature.digest))
    });
    let digested = artifact.artifact.as_deref().map(str::to_owned);
    let said: Vec<_> = warning.into_iter().chain(digested).chain(of_signatures).map(|line| text(&line)).collect();
    said.join("\n")
}

/// `untrusted`, which has several lines, in characters that XML 1.0 allows.
fn lines(untrusted: &str) -> String {
    untrusted.lines().map(text).collect::<Vec<_>>().join("\n")
}

/// `untrusted` in characters that XML 1.0 allows and a reader sees.
fn text(untrusted: &str) -> String {
    let printable = printable(untrusted);
    if !printable.contains(['\u{fffe}', '\u{ffff}']) {
        return printable.into_owned();
    }
    printable.replace('\u{fffe}', "\\u{fffe}").replace('\u{ffff}', "\\u{ffff}")
}
