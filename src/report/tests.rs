//! One run, written in every format.

mod junit_rules;
mod summary;

use std::io::Write;
use std::path::Path;

use jsonschema::Validator;
use quick_xml::events::Event;
use serde_json::Value;

use super::tally::Tally;
use super::v1::{Artifact, Header, Input, Report, Subject, Summary, Tool};
use super::*;
use crate::digest::Digest;
use crate::failure::{Code, Failure};
use crate::policy::{Action, Validation};
use crate::verify::{Check, CheckResult, Outcome, Pending, SignatureOutcome, Verdict};

const NASTY: &str = "<b>&\"'\u{1b}[31m\u{0}\u{202e}\u{fffe}]]>\nfail forged";

/// A tag, and what became of the artifact it names.
type Row = (&'static str, Outcome);

fn header() -> Header {
    Header {
        version: "1",
        tool: Tool { name: "muster", version: "0.1.0" },
        at: "2026-11-20T00:00:00Z".to_owned(),
        started: "2026-11-21T10:00:00Z".to_owned(),
        policy: Input { path: "trustpolicy.json".to_owned(), digest: Digest::sha256(b"policy").to_string() },
        trust_store: Input { path: "truststore".to_owned(), digest: Digest::sha256(b"stores").to_string() },
        targets: vec!["registry.io".to_owned()],
        layout_names: true,
    }
}

fn check(validation: Validation, action: Action, result: CheckResult) -> Check {
    Check { validation, action, result, plugin: None }
}

fn signature(verdict: Verdict, authenticity: CheckResult, rest: CheckResult) -> SignatureOutcome {
    let checks = [Validation::Expiry, Validation::AuthenticTimestamp, Validation::Revocation];
    let mut checks: Vec<_> = checks.map(|which| check(which, Action::Enforce, rest.clone())).into();
    checks.insert(0, check(Validation::Integrity, Action::Enforce, CheckResult::Pass));
    checks.insert(1, check(Validation::Authenticity, Action::Enforce, authenticity));
    SignatureOutcome {
        manifest: Digest::sha256(b"signature"),
        media_type: Some("application/cose".to_owned()),
        scheme: Some("notary.x509"),
        subject: Some("CN=\"Jürgen\"".to_owned()),
        signed_at: Some(time::macros::datetime!(2026-11-19 12:00 +02:00)),
        expires: Some(time::macros::datetime!(2026-12-19 10:00 UTC)),
        certificates: std::sync::Arc::default(),
        verdict,
        failure: None,
        checks,
        revocation: Vec::new(),
        timestamp: None,
    }
}

fn outcome(verdict: Verdict, failure: Option<Failure>, signatures: Vec<SignatureOutcome>) -> Outcome {
    Outcome {
        statement: Some("wabbit".to_owned()),
        level: Some("strict"),
        verdict,
        failure,
        signatures,
        pending: Pending::default(),
    }
}

fn outcomes() -> Vec<Row> {
    let mismatch = Failure::new(Code::IdentityMismatch, "the signer is not a trusted identity");
    let refused = |failure: Failure| signature(Verdict::Fail, CheckResult::Fail(failure), CheckResult::NotReached);
    let nasty = Failure::new(Code::SignatureExpired, NASTY);
    let unreachable = Failure::new(Code::Unreachable, "no connection to registry.io: connection refused");
    let plugin = Failure::new(Code::PluginUnsuitable, "the signature asks for the verification plugin \"x\"");
    let wants_plugin = SignatureOutcome {
        failure: Some(plugin.clone()),
        ..signature(Verdict::Error, CheckResult::Pass, CheckResult::Pass)
    };
    vec![
        ("v1", outcome(Verdict::Pass, None, vec![signature(Verdict::Pass, CheckResult::Pass, CheckResult::Skip)])),
        ("v2", outcome(Verdict::Fail, Some(mismatch.clone()), vec![refused(mismatch.clone()), refused(nasty.clone())])),
        ("v3", outcome(Verdict::Warn, Some(nasty), vec![])),
        ("v4", outcome(Verdict::Skip, None, vec![])),
        ("v6", outcome(Verdict::Error, Some(plugin.clone()), vec![wants_plugin])),
        ("v5", outcome(Verdict::Error, Some(unreachable), vec![])),
    ]
}

fn artifacts(outcomes: &[Row]) -> Vec<Artifact<'_>> {
    let digested = format!("registry.io/net-monitor@{}", Digest::sha256(b"artifact"));
    let subject = |tag: &str| Subject {
        artifact: (tag != "v5").then(|| digested.clone().into()),
        media_type: (tag != "v5").then(|| "application/vnd.oci.image.manifest.v1+json".into()),
        platform: (tag == "v4").then(|| "linux/arm64".into()),
        part_of: (tag == "v4").then(|| digested.clone().into()),
        repository_from: (tag == "v1").then_some(v1::RepositoryFrom::Layout),
        lists: (tag == "v1").then_some(3),
        ..Subject::called(format!("registry.io/net-monitor:{tag}"))
    };
    outcomes.iter().map(|(tag, outcome)| Artifact::new(subject(tag), outcome)).collect()
}

fn summary(artifacts: &[Artifact<'_>]) -> Summary {
    let mut tally = Tally::default();
    artifacts.iter().for_each(|artifact| tally.add(artifact));
    tally.summary(9, true)
}

fn reporter(format: &str, color: bool) -> Box<dyn Reporter> {
    (Format::named(format).unwrap().artifacts)(Look { color, ..Look::default() })
}

/// The report called `format`.
fn written(format: &str, color: bool, outcomes: &[Row]) -> String {
    let artifacts = artifacts(outcomes);
    let mut reporter = reporter(format, color);
    let mut out = Vec::new();
    reporter.begin(&mut out, &header()).unwrap();
    for artifact in &artifacts {
        reporter.artifact(&mut out, artifact).unwrap();
    }
    reporter.end(&mut out, &summary(&artifacts)).unwrap();
    String::from_utf8(out).unwrap()
}

fn validator(definition: Option<&str>) -> Validator {
    let mut schema: Value = serde_json::from_str(v1::SCHEMA).unwrap();
    if let Some(definition) = definition {
        for member in ["properties", "required", "type"] {
            schema.as_object_mut().unwrap().remove(member);
        }
        schema["$ref"] = format!("#/$defs/{definition}").into();
    }
    jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
}

#[test]
fn the_schema_is_the_models() {
    let generator = schemars::generate::SchemaSettings::draft2020_12().for_serialize().into_generator();
    let generated = generator.into_root_schema_for::<Report<'static>>();
    let mut generated = serde_json::to_value(generated).unwrap();
    generated["$id"] = "report.v1.schema.json".into();
    generated["title"] = "Muster report, version 1".into();
    let generated = serde_json::to_string_pretty(&generated).unwrap() + "\n";
    if std::env::var_os("MUSTER_UPDATE").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/report.v1.schema.json");
        std::fs::write(path, generated).unwrap();
    } else {
        assert_eq!(generated, v1::SCHEMA, "the model has changed: run the tests with MUSTER_UPDATE=1, read the change");
    }
}

#[test]
fn json_is_the_whole_report() {
    let outcomes = outcomes();
    let document: Value = serde_json::from_str(&written("json", false, &outcomes)).unwrap();
    assert_eq!(validator(None).iter_errors(&document).map(|e| e.to_string()).collect::<Vec<_>>(), [""; 0]);

    let artifacts = artifacts(&outcomes);
    let whole = Report { header: header(), summary: summary(&artifacts), artifacts };
    assert_eq!(document, serde_json::to_value(whole).unwrap());

    assert_eq!(document["summary"]["partial"], true);
    assert_eq!(document["summary"]["selected"], 9);
    assert_eq!(document["summary"]["results"]["warn"], 1);
    assert_eq!(document["summary"]["codes"][0]["code"], "identity-mismatch");
    assert_eq!(document["artifacts"][1]["code"], "identity-mismatch");
    assert_eq!(document["artifacts"][2]["message"], NASTY);
    assert_eq!(document["artifacts"][4]["signatures"][0]["code"], "plugin-unsuitable");
    assert_eq!(document["artifacts"][5]["artifact"], Value::Null);
    let types: Vec<_> = document["artifacts"][1]["signatures"][0]["checks"].as_array().unwrap().iter().collect();
    let types: Vec<_> = types.iter().map(|check| (check["type"].as_str().unwrap(), &check["result"])).collect();
    assert_eq!(
        types,
        [
            ("integrity", &"pass".into()),
            ("authenticity", &"fail".into()),
            ("expiry", &"not-reached".into()),
            ("authenticTimestamp", &"not-reached".into()),
            ("revocation", &"not-reached".into()),
        ]
    );
}

#[test]
fn no_format_lets_text_from_outside_command_a_terminal() {
    for format in Format::all().map(|format| format.name) {
        let text =
            "forged \u{1b}[2J\u{9b}2J\u{7f}\u{85}\u{202e}\u{2028}\u{2029}\u{2066}\u{feff}\nfail forged".to_owned();
        let nasty = Failure::new(Code::SignatureExpired, text);
        let text = written(format, false, &[("v1", outcome(Verdict::Fail, Some(nasty), vec![]))]);
        assert!(text.contains("forged"), "{format:?} leaves the text out");
        let commanding = text.chars().find(|found| *found != '\n' && crate::failure::is_unprintable(*found));
        assert_eq!(commanding, None, "{format:?}");
        assert!(!text.contains("\nfail forged"), "{format:?}: a line was forged");
    }
}

#[test]
fn json_without_artifacts_is_whole_too() {
    let document: Value = serde_json::from_str(&written("json", false, &[])).unwrap();
    assert!(validator(None).is_valid(&document));
    assert_eq!(document["artifacts"], Value::Array(Vec::new()));
}

#[test]
fn ndjson_is_an_artifact_a_line() {
    let outcomes = outcomes();
    let text = written("ndjson", false, &outcomes);
    let validator = validator(Some("Artifact"));
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), outcomes.len());
    for line in &lines {
        assert_eq!(validator.iter_errors(line).map(|e| e.to_string()).collect::<Vec<_>>(), [""; 0]);
    }
    assert_eq!(Value::from(lines), serde_json::to_value(artifacts(&outcomes)).unwrap());
}

#[test]
fn the_schema_refuses_other_words() {
    let outcomes = outcomes();
    let mut line = serde_json::to_value(&artifacts(&outcomes)[0]).unwrap();
    let validator = validator(Some("Artifact"));
    assert!(validator.is_valid(&line));
    line["result"] = "passed".into();
    assert!(!validator.is_valid(&line));
    line["result"] = "pass".into();
    line.as_object_mut().unwrap().remove("code");
    assert!(!validator.is_valid(&line), "null is said, not left out");
}

#[test]
fn the_table_reads_well() {
    insta::assert_snapshot!(written("table", false, &outcomes()));
}

#[test]
fn the_table_colours_only_when_told_and_never_prints_commands() {
    let (plain, colored) = (written("table", false, &outcomes()), written("table", true, &outcomes()));
    assert!(!plain.contains('\u{1b}'));
    assert!(colored.contains('\u{1b}'));
    assert_eq!(anstream::adapter::strip_str(&colored).to_string(), plain);
    assert!(!plain.lines().any(|line| line.starts_with("fail forged")));
}

#[test]
fn junit_counts_and_escapes() {
    // How long it took differs from run to run.
    let text = regular_times(&written("junit", false, &outcomes()));
    insta::assert_snapshot!(text);
    assert!(!text.contains(['\u{0}', '\u{1b}', '\u{fffe}']));

    let mut reader = quick_xml::Reader::from_str(&text);
    let (mut cases, mut depth) = (0, 0_i32);
    loop {
        match reader.read_event().unwrap() {
            Event::Start(element) => {
                depth += 1;
                cases += i32::from(element.name().as_ref() == "testcase");
            }
            Event::Empty(element) => cases += i32::from(element.name().as_ref() == "testcase"),
            Event::End(_) => depth -= 1,
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!((cases, depth), (6, 0));
}

/// `text` with every time that begins as `0.` made the same.
fn regular_times(text: &str) -> String {
    let mut pieces = text.split("time=\"0.");
    let mut regular = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        regular.push_str("time=\"0.000");
        regular.push_str(piece.trim_start_matches(|character: char| character.is_ascii_digit()));
    }
    regular
}

fn output(text: &str) -> Output {
    text.parse().unwrap()
}

#[test]
fn a_file_appears_when_it_is_whole_and_keeps_the_old_one_until_then() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.json");
    std::fs::write(&path, "old").unwrap();
    let names = || std::fs::read_dir(folder.path()).unwrap().count();
    let outcomes = outcomes();
    let artifacts = artifacts(&outcomes);
    let open = || {
        let outputs = vec![output(&format!("json={}", path.display()))];
        let mut outputs = Outputs::open(outputs, Look::default()).unwrap();
        outputs.begin(&header()).unwrap();
        artifacts.iter().for_each(|artifact| outputs.artifact(artifact).unwrap());
        outputs
    };

    let outputs = open();
    assert_eq!((std::fs::read_to_string(&path).unwrap().as_str(), names()), ("old", 2));
    drop(outputs);
    assert_eq!((std::fs::read_to_string(&path).unwrap().as_str(), names()), ("old", 1));

    let (counted, result) = open().end(9, true);
    result.unwrap();
    assert_eq!(counted, summary(&artifacts));
    let document: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(document["summary"]["partial"], true);
    assert_eq!(names(), 1);
}

#[test]
fn outputs_that_cannot_be_are_refused_before_work_begins() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| output(&format!("json={}", folder.path().join(name).display()));
    assert!(matches!(Outputs::open(vec![output("json"), output("table")], Look::default()), Err(Problem::Twice(_))));
    assert!(matches!(Outputs::open(vec![place("a"), place("a")], Look::default()), Err(Problem::Twice(_))));
    assert!(matches!(Outputs::open(vec![place("")], Look::default()), Err(Problem::Open(..))));
    assert!(matches!(Outputs::open(vec![place("none/a")], Look::default()), Err(Problem::Open(..))));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link_and_a_device_a_device() {
    let folder = tempfile::tempdir().unwrap();
    let (file, link) = (folder.path().join("file"), folder.path().join("link"));
    std::fs::write(&file, "old").unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let outputs = vec![output(&format!("ndjson={}", link.display())), output("json=/dev/null")];
    let (_, result) = Outputs::open(outputs, Look::default()).unwrap().end(0, false);
    result.unwrap();
    assert!(link.symlink_metadata().unwrap().is_symlink());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "");
    assert!(!Path::new("/dev/null").metadata().unwrap().is_file());
}

#[test]
fn a_full_disk_is_told_from_a_reader_that_went_away() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let outcomes = outcomes();
    for format in ["table", "json", "ndjson"] {
        let error = reporter(format, false).artifact(&mut Full, &artifacts(&outcomes)[0]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull, "{format:?}");
    }
}

#[test]
fn what_a_signature_says_of_times_is_told() {
    use time::macros::datetime;
    let root = crate::forge::Authority::root(
        "C=US, ST=WA, O=a, CN=root",
        crate::forge::Key::pooled(crate::forge::KeyKind::P256, 0).unwrap(),
    );
    let root = crate::pki::Certificate::parse(root.unwrap().certificate()).unwrap();
    let stamp = crate::verify::Countersignature {
        at: datetime!(2026-11-19 11:00 UTC),
        accuracy: time::Duration::ZERO,
        subject: "CN=stamper".to_owned(),
        certificates: crate::verify::CertificateFacts::of(std::slice::from_ref(&root)),
        revocation: Vec::new(),
    };
    let told = SignatureOutcome {
        certificates: crate::verify::CertificateFacts::of(std::slice::from_ref(&root)),
        timestamp: Some(stamp),
        ..signature(Verdict::Pass, CheckResult::Pass, CheckResult::Pass)
    };
    // What RFC 3339 cannot write is left out, so that every reader of dates can read the report.
    let beyond = SignatureOutcome {
        signed_at: Some(datetime!(-0044-03-15 12:00 UTC)),
        expires: Some(datetime!(9999-12-31 23:59:59 -01:00)),
        ..signature(Verdict::Pass, CheckResult::Pass, CheckResult::Pass)
    };
    let outcomes = vec![("v1", outcome(Verdict::Pass, None, vec![told, beyond]))];
    let document: Value = serde_json::from_str(&written("json", false, &outcomes)).unwrap();
    assert_eq!(validator(None).iter_errors(&document).map(|e| e.to_string()).collect::<Vec<_>>(), [""; 0]);
    let signatures = &document["artifacts"][0]["signatures"];
    assert_eq!(signatures[0]["signedAt"], "2026-11-19T10:00:00Z");
    assert_eq!(signatures[0]["expires"], "2026-12-19T10:00:00Z");
    let certificate = serde_json::json!({
        "subject": root.subject_text(),
        "notBefore": crate::rfc3339::instant(root.not_before()),
        "notAfter": crate::rfc3339::instant(root.not_after()),
        "fingerprint": root.fingerprint().to_string(),
    });
    assert_eq!(signatures[0]["certificates"], serde_json::json!([certificate]));
    assert_eq!(signatures[0]["timestamp"]["certificates"], serde_json::json!([certificate]));
    assert_eq!((&signatures[1]["signedAt"], &signatures[1]["expires"]), (&Value::Null, &Value::Null));
}

#[test]
fn revocation_is_told_by_certificate_and_server() {
    use crate::revocation::{CertificateStatus, Method, ServerStatus, Status};
    let unavailable = Failure::new(Code::RevocationUnavailable, "the CRL did not come");
    let server = |method, url: &str, status, message: &str| ServerStatus {
        method,
        url: url.to_owned(),
        status,
        message: message.to_owned(),
    };
    let certificate = |subject: &str, status, message: &str, servers| CertificateStatus {
        subject: subject.to_owned(),
        status,
        message: message.to_owned(),
        servers,
    };
    let asked = vec![
        server(Method::Ocsp, "http://ocsp.test/\u{1b}[2J", Status::Unknown, "it does not know it"),
        server(Method::Crl, "http://crl.test", Status::Revoked { since: time::OffsetDateTime::UNIX_EPOCH }, "revoked"),
    ];
    let judged = SignatureOutcome {
        revocation: vec![
            certificate("CN=leaf", Status::Unavailable, "revoked", asked),
            certificate("CN=root", Status::NotCheckable, "", Vec::new()),
        ],
        ..signature(Verdict::Error, CheckResult::Pass, CheckResult::Error(unavailable))
    };
    let outcomes = vec![("v1", outcome(Verdict::Error, None, vec![judged]))];
    let document: Value = serde_json::from_str(&written("json", false, &outcomes)).unwrap();
    assert_eq!(validator(None).iter_errors(&document).map(|e| e.to_string()).collect::<Vec<_>>(), [""; 0]);
    let expected = serde_json::json!([
        { "subject": "CN=leaf", "status": "unavailable", "message": "revoked", "servers": [
            { "method": "ocsp", "url": "http://ocsp.test/\\u{1b}[2J", "status": "unknown", "message": "it does not know it" },
            { "method": "crl", "url": "http://crl.test", "status": "revoked", "message": "revoked" },
        ] },
        { "subject": "CN=root", "status": "not-checkable", "servers": [] },
    ]);
    assert_eq!(document["artifacts"][0]["signatures"][0]["revocation"], expected);
}
