//! Cases of scenarios as JUnit XML: a suite for each topic, with the times that cases took.

use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::BytesText;

use super::suites::{Document, Ending, Suites, seconds};
use super::{lines, text};
use crate::report::{Case, CaseReporter, CaseResult, CaseSummary};

/// Writes JUnit XML on cases of scenarios.
pub(super) struct CaseJunit {
    suites: Suites,
}

impl CaseJunit {
    pub(super) fn new() -> CaseJunit {
        CaseJunit { suites: Suites::new() }
    }
}

impl CaseReporter for CaseJunit {
    fn case(&mut self, _out: &mut dyn Write, case: &Case<'_>) -> io::Result<()> {
        let topic = case.case.split_once('/').map_or("scenarios", |(topic, _)| topic);
        let ending = match case.result {
            CaseResult::Pass => Ending::Pass,
            CaseResult::Fail => Ending::Failure,
            CaseResult::Skipped | CaseResult::Unfinished => Ending::Skipped,
            CaseResult::Error => Ending::Error,
        };
        self.suites.case(topic, ending, Some(case.total()), |xml| {
            let element = xml.create_element("testcase").with_attributes([
                ("classname", text(topic).as_str()),
                ("name", text(case.case).as_str()),
                ("time", seconds(case.total()).as_str()),
            ]);
            element.write_inner_content(|xml| {
                write_ending(case, xml)?;
                let phases = case.phases().map(|(phase, time)| format!("{phase} {} s", seconds(time)));
                let told = format!("{}\n{}", text(&case.file), phases.join(", "));
                xml.create_element("system-out").write_text_content(BytesText::new(&told)).map(|_| ())
            })?;
            Ok(())
        })
    }

    fn end(&mut self, out: &mut dyn Write, summary: &CaseSummary) -> io::Result<()> {
        let properties = match summary.partial {
            true => vec![("partial", "true".to_owned()), ("partial-because", summary.to_string())],
            false => Vec::new(),
        };
        self.suites.write(&Document { name: "muster test", started: None, properties: &properties }, out)
    }
}

/// Why a case did not pass.
fn write_ending<W: Write>(case: &Case<'_>, xml: &mut Writer<W>) -> io::Result<()> {
    let file = &case.file;
    let reason = case.reason.unwrap_or_default();
    let (element, message, body) = match case.result {
        CaseResult::Pass => return Ok(()),
        CaseResult::Skipped | CaseResult::Unfinished => ("skipped", reason.to_owned(), String::new()),
        CaseResult::Error => ("error", reason.to_owned(), file.clone()),
        CaseResult::Fail => {
            let found = case.differences.iter().map(|found| {
                format!(
                    "{file}:{}: {} of {}: expected {}, found {}",
                    found.line, found.what, found.artifact, found.expected, found.found
                )
            });
            let body = found.collect::<Vec<_>>().join("\n");
            ("failure", format!("{} expectations are not met: {}", case.differences.len(), case.title), body)
        }
    };
    let body = lines(&body);
    let why = xml.create_element(element).with_attribute(("message", text(&message).as_str()));
    match body.is_empty() {
        true => why.write_empty()?,
        false => why.write_text_content(BytesText::new(&body))?,
    };
    Ok(())
}
