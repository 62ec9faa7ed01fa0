//! The rules by which Jenkins' xUnit plugin checks a JUnit report, in our own words, and reports that keep them.

use std::collections::BTreeMap;
use std::time::Duration;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::*;

/// An element: its name, the attributes it must and may have, the elements that may stand in it, whether text may.
type Rule = (&'static str, &'static [&'static str], &'static [&'static str], &'static [&'static str], bool);

const RULES: &[Rule] = &[
    ("testsuites", &[], &["name", "time", "tests", "failures", "errors"], &["testsuite"], false),
    (
        "testsuite",
        &["name", "tests", "failures", "errors"],
        &["group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"],
        &["testsuite", "properties", "testcase", "system-out", "system-err"],
        false,
    ),
    ("properties", &[], &[], &["property"], false),
    ("property", &["name", "value"], &[], &[], false),
    (
        "testcase",
        &["name"],
        &["time", "classname", "group"],
        &["skipped", "error", "failure", "system-out", "system-err"],
        false,
    ),
    ("failure", &[], &["type", "message"], &[], true),
    ("error", &[], &["type", "message"], &[], true),
    ("skipped", &[], &["type", "message"], &[], true),
    ("system-out", &[], &[], &[], true),
    ("system-err", &[], &[], &[], true),
];

fn rule(name: &str) -> &'static Rule {
    RULES.iter().find(|rule| rule.0 == name).unwrap_or_else(|| panic!("there is no element {name}"))
}

fn attributes(element: &BytesStart<'_>) -> BTreeMap<String, String> {
    let read = |attribute: Result<quick_xml::events::attributes::Attribute<'_>, _>| {
        let attribute = attribute.unwrap();
        let value = attribute.value.as_ref().to_owned();
        (attribute.key.as_ref().to_owned(), value)
    };
    element.attributes().map(read).collect()
}

/// What is counted of a suite: tests, failures, errors, skipped.
type Counted = [u64; 4];

/// Checks a document by the rules, and that its counts are true. Answers with the names of its suites.
#[track_caller]
fn keeps_the_rules(document: &str) -> Vec<String> {
    let mut reader = Reader::from_str(document);
    let mut inside: Vec<String> = Vec::new();
    let mut suites: Vec<(String, Counted, Counted)> = Vec::new();
    let mut totals: Counted = [0; 4];
    let mut begin = |element: &BytesStart<'_>, inside: &[String]| {
        let name = element.name().as_ref().to_owned();
        let (_, must, may, ..) = rule(&name);
        match inside.last() {
            None => assert_eq!(name, "testsuites"),
            Some(outer) => assert!(rule(outer).3.contains(&name.as_str()), "{name} stands in {outer}"),
        }
        let attributes = attributes(element);
        must.iter().for_each(|must| assert!(attributes.contains_key(*must), "{name} has no {must}"));
        for attribute in attributes.keys() {
            let known = must.contains(&attribute.as_str()) || may.contains(&attribute.as_str());
            assert!(known, "{name} has an attribute {attribute}");
        }
        let number = |attribute: &str| attributes.get(attribute).map_or(0, |value| value.parse().unwrap());
        let counts = || ["tests", "failures", "errors", "skipped"].map(number);
        if let Some(time) = attributes.get("time") {
            let (whole, rest) = time.split_once('.').unwrap();
            assert!(whole.bytes().chain(rest.bytes()).all(|byte| byte.is_ascii_digit()), "{time}");
        }
        if let Some(timestamp) = attributes.get("timestamp") {
            assert_eq!((timestamp.len(), timestamp.contains(['Z', '+'])), (19, false), "{timestamp}");
        }
        match name.as_str() {
            "testsuites" => totals = counts(),
            "testsuite" => suites.push((attributes["name"].clone(), counts(), [0; 4])),
            "testcase" => suites.last_mut().unwrap().2[0] += 1,
            "failure" => suites.last_mut().unwrap().2[1] += 1,
            "error" => suites.last_mut().unwrap().2[2] += 1,
            "skipped" => suites.last_mut().unwrap().2[3] += 1,
            _ => {}
        }
        name
    };
    loop {
        match reader.read_event().unwrap() {
            Event::Start(element) => {
                let name = begin(&element, &inside);
                inside.push(name);
            }
            Event::Empty(element) => drop(begin(&element, &inside)),
            Event::End(_) => drop(inside.pop()),
            Event::Text(found) => {
                let text: &str = &found;
                let free = inside.last().is_some_and(|outer| rule(outer).4);
                assert!(free || text.trim().is_empty(), "text stands in {inside:?}: {text}");
            }
            Event::Eof => break,
            _ => {}
        }
    }
    assert!(inside.is_empty());
    suites.iter().for_each(|(name, said, found)| assert_eq!(said, found, "the counts of {name}"));
    let sum = |place: usize| suites.iter().map(|(_, said, _)| said[place]).sum::<u64>();
    assert_eq!(totals[..3], [sum(0), sum(1), sum(2)]);
    suites.into_iter().map(|(name, ..)| name).collect()
}

#[test]
fn a_report_on_artifacts_keeps_the_rules() {
    let text = written("junit", false, &outcomes());
    assert_eq!(keeps_the_rules(&text), ["muster", "registry.io/net-monitor"]);
    assert_eq!(keeps_the_rules(&written("junit", false, &[])), ["muster"]);
    // A reason stands there once.
    assert_eq!(text.matches("no connection to registry.io: connection refused").count(), 1, "{text}");
    assert_eq!(text.matches("the signer is not a trusted identity").count(), 1, "{text}");
}

#[test]
fn each_repository_is_a_suite_though_they_come_mixed() {
    let outcome = outcome(Verdict::Pass, None, Vec::new());
    let mut report = reporter("junit", false);
    let mut out = Vec::new();
    report.begin(&mut out, &header()).unwrap();
    let names = ["a.io/one:v1", "a.io/two:v1", "a.io/one:v2", "a.io/two:v2", "a.io/three:v1"];
    for name in names {
        report.artifact(&mut out, &Artifact::new(Subject::called(name), &outcome)).unwrap();
    }
    report.end(&mut out, &Summary::default()).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(keeps_the_rules(&text), ["muster", "a.io/one", "a.io/two", "a.io/three"]);
    let place = |name: &str| text.find(&format!("name=\"{name}\"")).unwrap();
    let order = ["a.io/one:v1", "a.io/one:v2", "a.io/two:v1", "a.io/two:v2", "a.io/three:v1"];
    assert!(order.windows(2).all(|pair| place(pair[0]) < place(pair[1])), "{text}");
}

#[test]
fn a_report_on_cases_keeps_the_rules() {
    let found = CaseDifference { artifact: NASTY, what: "result", expected: "pass", found: "fail", line: 7 };
    let case = |name: &'static str, result, reason, differences| Case {
        case: name,
        title: "a title",
        file: "scenarios/a.yaml".to_owned(),
        result,
        reason,
        differences,
        build_time: Duration::from_millis(1250),
        sign_time: Duration::ZERO,
        act_time: Duration::ZERO,
        verify_time: Duration::from_millis(3),
    };
    let mut report = (Format::named("junit").unwrap().cases.unwrap())(Look::default());
    let mut out = Vec::new();
    for case in [
        case("expiry/before", CaseResult::Pass, None, vec![]),
        case("story/one", CaseResult::Fail, None, vec![found]),
        case("expiry/after", CaseResult::Skipped, Some("no SoftHSM"), vec![]),
        case("alone", CaseResult::Error, Some("no port"), vec![]),
    ] {
        report.case(&mut out, &case).unwrap();
    }
    report.end(&mut out, &CaseSummary::default()).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(keeps_the_rules(&text), ["expiry", "story", "scenarios"]);
    assert!(text.contains("time=\"1.253\"") && text.contains("build 1.250 s"), "{text}");
}

#[test]
#[should_panic(expected = "testsuites has an attribute skipped")]
fn the_rules_refuse_what_jenkins_refuses() {
    keeps_the_rules("<testsuites skipped=\"1\"/>");
}
