//! Artifacts that the real `notation` signed, judged as the reference implementation judges them: from the OCI layout and
//! over HTTP from the embedded registry.
//!
//! `tests/interop/verdicts.jsonl` holds what it decided.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "tests")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use muster::forge::registry::{EmbeddedRegistry, Options};
use serde_json::Value;

/// Within the day on which the verdicts were recorded: after the short-lived certificate and signatures expired.
const AT: &str = "2026-11-23T12:00:00Z";
/// The registry that the corpus was pushed to; its name stands in scopes and in the names of the layout.
const RECORDED_HOST: &str = "127.0.0.1:5601";

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop")
}

fn lines(file: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(corpus().join(file)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The artifacts of a report, by digest; none where no statement can do without a store that is missing.
fn audit(targets: &[&str], policy: &Path) -> Option<BTreeMap<String, Value>> {
    let output = Command::new(env!("CARGO_BIN_EXE_muster"))
        .arg("audit")
        .args(targets)
        .arg("--policy")
        .arg(policy)
        .arg("--trust-store")
        .arg(corpus().join("truststore"))
        .args(["--at", AT, "-o", "ndjson"])
        .output()
        .unwrap();
    let code = output.status.code();
    if name(policy) == "missing-store.json" {
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!((code, output.stdout.as_slice()), (Some(2), &b""[..]), "{told}");
        assert!(told.starts_with("error: there is no trust store ca:no-such-store"), "{told}");
        return None;
    }
    assert!(matches!(code, Some(0 | 1 | 3)), "{code:?}: {}", String::from_utf8_lossy(&output.stderr));
    let artifacts = String::from_utf8(output.stdout).unwrap();
    let parsed = artifacts.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    Some(parsed.map(|artifact| (digest_of(&artifact).to_owned(), artifact)).collect())
}

/// Where nothing is judged, the reference implementation let nothing pass, and for the same reason; how many artifacts.
fn compare_unjudged(policy: &str) -> usize {
    let expected: Vec<Value> = lines("verdicts.jsonl").into_iter().filter(|line| line["policy"] == *policy).collect();
    for line in &expected {
        let error = line["error"].as_str().unwrap();
        let signed = line["signatures"].as_array().is_some_and(|signatures| !signatures.is_empty());
        assert_eq!(line["verified"], false, "{line}");
        assert!(!signed || error.contains("does not exist"), "{line}");
    }
    expected.len()
}

fn digest_of(artifact: &Value) -> &str {
    artifact["artifact"].as_str().unwrap().split_once('@').unwrap().1
}

/// Compares a report with the recorded verdicts of `policy`; returns how many artifacts and checks agree.
fn compare(policy: &str, report: &BTreeMap<String, Value>) -> (usize, usize) {
    let cases: Value = serde_json::from_slice(&std::fs::read(corpus().join("cases.json")).unwrap()).unwrap();
    let digest = |case: &Value| {
        let found = cases.as_array().unwrap().iter().find(|known| known["case"] == *case);
        found.unwrap()["digest"].as_str().unwrap().to_owned()
    };
    let (mut artifacts, mut checks) = (0, 0);
    for expected in lines("verdicts.jsonl").into_iter().filter(|line| line["policy"] == *policy) {
        let name = format!("{policy}, {}", expected["case"]);
        let artifact = &report[&digest(&expected["case"])];
        let passes = matches!(artifact["result"].as_str().unwrap(), "pass" | "warn" | "skip");
        assert_eq!(expected["verified"], passes, "{name}: {artifact:#}");
        artifacts += 1;
        let signatures = artifact["signatures"].as_array().unwrap();
        let expected_signatures = expected["signatures"].as_array().unwrap();
        if artifact["code"] == "no-applicable-policy" {
            // The recording lists the signatures all the same, without a check; Muster does not ask for them.
            assert!(expected_signatures.iter().all(|signature| signature["checks"] == serde_json::json!([])), "{name}");
            continue;
        }
        assert_eq!(signatures.len(), expected_signatures.len(), "{name}: signatures");
        for expected in expected_signatures {
            let signature = signatures.iter().find(|found| found["digest"] == expected["digest"]).expect(&name);
            assert_eq!(signature["mediaType"], expected["mediaType"], "{name}");
            let passes = matches!(signature["result"].as_str().unwrap(), "pass" | "warn");
            assert_eq!(expected["verified"], passes, "{name}: {signature:#}");
            checks += compare_checks(&name, signature, expected);
        }
    }
    (artifacts, checks)
}

fn compare_checks(name: &str, signature: &Value, expected: &Value) -> usize {
    let listed: BTreeMap<&str, &Value> =
        expected["checks"].as_array().unwrap().iter().map(|check| (check["type"].as_str().unwrap(), check)).collect();
    let checks = signature["checks"].as_array().unwrap();
    assert_eq!(checks.len(), 5, "{name}: every validation is listed");
    for check in checks {
        match listed.get(check["type"].as_str().unwrap()) {
            Some(expected) => {
                assert_eq!(check["action"], expected["action"], "{name}: {check}");
                assert_eq!(check["result"], expected["result"], "{name}: {check}");
            }
            // The reference implementation does not list what it did not do.
            None => assert!(matches!(check["result"].as_str(), Some("not-reached" | "skip")), "{name}: {check}"),
        }
    }
    listed.len()
}

fn policies() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(corpus().join("policies")).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert_eq!(files.len(), 17);
    files
}

fn name(policy: &Path) -> &str {
    policy.file_name().unwrap().to_str().unwrap()
}

#[test]
fn judges_the_layout_as_the_reference_does() {
    let target = format!("oci:{}", corpus().join("layout").display());
    let (mut artifacts, mut checks) = (0, 0);
    for policy in policies() {
        let judged = audit(&[&target], &policy);
        let agreed = match judged {
            None => (compare_unjudged(name(&policy)), 0),
            Some(report) => {
                assert_eq!(report.len(), 29, "{}", name(&policy));
                compare(name(&policy), &report)
            }
        };
        artifacts += agreed.0;
        checks += agreed.1;
    }
    println!("layout: {artifacts} artifact results and {checks} checks agree with the reference implementation");
    assert_eq!((artifacts, checks), (493, 1761));
}

#[test]
fn judges_the_same_over_http() {
    let registry = EmbeddedRegistry::start(Options::default()).unwrap();
    registry.load_layout(&corpus().join("layout")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (mut artifacts, mut checks) = (0, 0);
    for policy in policies() {
        // The scopes name the registry of the recording; here it has another port.
        let text = std::fs::read_to_string(&policy).unwrap().replace(RECORDED_HOST, &registry.host());
        let moved = folder.path().join(name(&policy));
        std::fs::write(&moved, text).unwrap();
        let judged = audit(&[&registry.host()], &moved);
        let agreed = match judged {
            None => (compare_unjudged(name(&policy)), 0),
            Some(report) => {
                assert_eq!(report.len(), 29, "{}", name(&policy));
                compare(name(&policy), &report)
            }
        };
        artifacts += agreed.0;
        checks += agreed.1;
    }
    println!("HTTP: {artifacts} artifact results and {checks} checks agree with the reference implementation");
    assert_eq!((artifacts, checks), (493, 1761));
}
