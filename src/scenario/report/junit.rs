//! JUnit XML: one test case a case, in one suite.

use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use crate::report::printable;
use crate::scenario::run::{CaseResult, Ending, Tally, Times};

pub(super) fn write(results: &[CaseResult], tally: &Tally, out: &mut dyn Write) -> io::Result<()> {
    let time: f64 = results.iter().map(|result| result.times.total().as_secs_f64()).sum();
    let counts = [
        ("tests", tally.total().to_string()),
        ("failures", tally.fail.to_string()),
        ("errors", tally.error.to_string()),
        ("skipped", tally.skipped.to_string()),
        ("time", format!("{time:.3}")),
    ];
    let counts = || counts.iter().map(|(name, count)| (*name, count.as_str()));
    let mut xml = Writer::new(out);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    xml.get_mut().write_all(b"\n")?;
    xml.write_event(Event::Start(BytesStart::new("testsuites").with_attributes(counts())))?;
    let suite = BytesStart::new("testsuite").with_attributes([("name", "muster test")]).with_attributes(counts());
    xml.write_event(Event::Start(suite))?;
    xml.get_mut().write_all(b"\n")?;
    for result in results {
        case(result, &mut xml)?;
        xml.get_mut().write_all(b"\n")?;
    }
    xml.write_event(Event::End(BytesEnd::new("testsuite")))?;
    xml.write_event(Event::End(BytesEnd::new("testsuites")))?;
    xml.get_mut().write_all(b"\n")
}

fn case(result: &CaseResult, xml: &mut Writer<&mut dyn Write>) -> io::Result<()> {
    let topic = result.id.split_once('/').map_or("scenarios", |(topic, _)| topic);
    let time = format!("{:.3}", result.times.total().as_secs_f64());
    let file = result.file.display().to_string();
    let case = xml.create_element("testcase").with_attributes([
        ("classname", text(topic).as_str()),
        ("name", text(&result.id).as_str()),
        ("file", text(&file).as_str()),
        ("time", time.as_str()),
    ]);
    let (element, message, body) = match &result.ending {
        Ending::Pass => {
            case.write_inner_content(|xml| phases(&result.times, xml))?;
            return Ok(());
        }
        Ending::Skipped(reason) => ("skipped", reason.clone(), String::new()),
        Ending::Error(reason) => ("error", reason.clone(), format!("{file}: {reason}")),
        Ending::Fail(differences) => {
            let lines = differences.iter().map(|difference| {
                format!(
                    "{file}:{}: {} of {}: expected {}, found {}",
                    difference.line, difference.what, difference.artifact, difference.expected, difference.found
                )
            });
            let body = lines.collect::<Vec<_>>().join("\n");
            ("failure", format!("{} expectations are not met: {}", differences.len(), result.title), body)
        }
    };
    let body: String = body.lines().map(text).collect::<Vec<_>>().join("\n");
    case.write_inner_content(|xml| {
        phases(&result.times, xml)?;
        let why = xml.create_element(element).with_attribute(("message", text(&message).as_str()));
        match body.is_empty() {
            true => why.write_empty()?,
            false => why.write_text_content(BytesText::new(&body))?,
        };
        Ok(())
    })?;
    Ok(())
}

/// How long the phases took, in seconds.
fn phases(times: &Times, xml: &mut Writer<&mut dyn Write>) -> io::Result<()> {
    let phases = [("build", times.build), ("sign", times.sign), ("act", times.act), ("verify", times.verify)];
    xml.create_element("properties").write_inner_content(|xml| {
        for (phase, time) in phases {
            let (name, value) = (format!("time.{phase}"), format!("{:.3}", time.as_secs_f64()));
            let property = xml.create_element("property");
            property.with_attributes([("name", name.as_str()), ("value", value.as_str())]).write_empty()?;
        }
        Ok(())
    })?;
    Ok(())
}

/// `untrusted` in characters that XML 1.0 allows and a reader sees.
fn text(untrusted: &str) -> String {
    printable(untrusted).replace('\u{fffe}', "\\u{fffe}").replace('\u{ffff}', "\\u{ffff}")
}
