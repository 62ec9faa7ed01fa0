//! Running scenarios: what differs is told with its place, reports are whole, expectations are accepted in place, and
//! the same case runs on other real parts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "tests")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use muster::audit::Interrupt;
use muster::forge::registry::EmbeddedRegistry;
use muster::scenario::{self, CaseResult, CaseStatus, Difference, Keystore, Options, RegistryKind, Tally};
use tempfile::TempDir;

const SOUND: &str = "title: sound\nsteps:\n  - push: {}\n  - sign: {}\nverify:\n  - expect: { result: pass }\n";

pub(crate) async fn play(text: &str, options: Options) -> (Vec<CaseResult>, Tally) {
    let scenario = scenario::parse(text.as_bytes(), Path::new("scenarios/topic/case.yaml")).unwrap();
    let cases = scenario::select(&[scenario], None).unwrap();
    let mut results = Vec::new();
    let tally = scenario::run(cases, options, &Interrupt::default(), |result| results.push(result)).await;
    (results, tally)
}

async fn differences(expect: &str) -> Vec<(String, String, String, usize)> {
    let text = SOUND.replace("{ result: pass }", expect);
    let (mut results, _) = play(&text, Options::default()).await;
    let differences = match results.remove(0).status {
        CaseStatus::Pass => return Vec::new(),
        CaseStatus::Fail(differences) => differences,
        status => panic!("the case was not judged: {status:?}"),
    };
    let told = |Difference { what, expected, found, line, .. }: Difference| (what, expected, found, line);
    differences.into_iter().map(told).collect()
}

fn project(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scenarios/topic/case.yaml");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, text).unwrap();
    (folder, file)
}

fn muster(arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
    command.args(arguments).current_dir(folder).env("HOME", "/nonexistent").output().unwrap()
}

/// Every part of an expectation is looked at: one that is wrong in this part alone is not met.
#[tokio::test(flavor = "multi_thread")]
async fn every_part_of_an_expectation_counts() {
    for (expect, what) in [
        ("{ result: fail, code: unsigned }", &["result", "code"][..]),
        ("{ result: warn, code: untrusted-chain }", &["result", "code"]),
        ("{ result: skip }", &["result"]),
        ("{ result: error, code: timed-out }", &["result", "code"]),
        ("{ result: pass, statement: another }", &["statement"]),
        ("{ result: pass, signatures: 2 }", &["signatures"]),
        ("{ result: pass, checks: { revocation: skip } }", &["checks.revocation"]),
        ("{ result: pass, signatures: [{ result: fail }] }", &["signatures"]),
        ("{ result: pass, signatures: [{ result: pass }, { result: pass }] }", &["signatures"]),
        ("{ result: pass, signatures: [{ result: pass, checks: { revocation: skip } }] }", &["signatures"]),
        ("{ result: pass, signatures: [] }", &["signatures"]),
        ("{ result: pass, manifests: { linux/amd64: { result: pass } } }", &["manifests.linux/amd64"]),
    ] {
        let found = differences(expect).await;
        let parts: Vec<&str> = found.iter().map(|(what, ..)| what.as_str()).collect();
        assert_eq!(parts, what, "{expect}: {found:?}");
        assert!(found.iter().all(|(_, _, _, line)| *line == 6), "{expect}: {found:?}");
    }
    for expect in [
        "{ result: pass, statement: scenario, signatures: 1, checks: { integrity: pass, revocation: pass } }",
        "{ result: pass, signatures: [{ result: pass, checks: { authenticity: pass } }] }",
    ] {
        assert_eq!(differences(expect).await, [], "{expect}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_each_must_come_out_so() {
    let text = "title: x\nsteps:\n  - push: { count: 7 }\n  - sign: {}\n  - push: { to: registry.wabbit-networks.io/net-monitor:bare, count: 3 }\nverify:\n  - expect: { result: pass }\n  - artifact: registry.wabbit-networks.io/net-monitor:bare\n    expect: { result: pass }\n";
    let (mut results, _) = play(text, Options::default()).await;
    let CaseStatus::Fail(differences) = results.remove(0).status else { panic!("passed") };
    let wrong: Vec<&str> = differences.iter().filter(|d| d.what == "result").map(|d| d.artifact.as_str()).collect();
    assert_eq!(wrong, [1, 2, 3].map(|number| format!("registry.wabbit-networks.io/net-monitor:bare-{number}")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_ends_the_run_if_that_is_wanted() {
    let text = SOUND.replace("result: pass", "result: skip") + "matrix: { format: [jws, cose] }\n";
    let (results, tally) = play(&text, Options { fail_fast: true, jobs: 1, ..Options::default() }).await;
    assert_eq!((results.len(), tally.fail, tally.partial), (1, 1, true));
    let (results, tally) = play(&text, Options::default()).await;
    assert_eq!((results.len(), tally.fail, tally.partial), (2, 2, false));
}

/// The same story, written over HTTP to a registry that is none of the scenario's own.
#[tokio::test(flavor = "multi_thread")]
async fn the_story_runs_on_a_registry_from_outside() {
    let scenario = scenario::read(Path::new("scenarios/story/net-monitor.yaml")).unwrap();
    let cases = scenario::select(&[scenario], Some("file")).unwrap();
    // Two formats, each on two registries of its own, and here on neither.
    assert_eq!(cases.len(), 4);
    let outside = EmbeddedRegistry::start(muster::forge::registry::Options::default()).unwrap();
    // Twice: what the first run has left does not disturb the second.
    for _ in 0..2 {
        let options = Options { registry: Some(RegistryKind::External(outside.host())), ..Options::default() };
        let (mut endings, cases) = (Vec::new(), cases.clone());
        let keep = |result: CaseResult| endings.push((result.id, result.status));
        let tally = scenario::run(cases, options, &Interrupt::default(), keep).await;
        assert_eq!(tally.pass, 4, "{endings:?}");
    }
    assert!(outside.requests() > 100, "{}", outside.requests());
}

/// All that is shipped runs elsewhere too, but for what only the embedded registry can do.
#[tokio::test(flavor = "multi_thread")]
async fn shipped_cases_run_on_a_registry_from_outside() {
    let scenarios = scenario::load(&["scenarios".into()]).unwrap();
    let cases: Vec<_> =
        scenario::select(&scenarios, None).unwrap().into_iter().filter(|c| !c.case.id.contains("rsa")).collect();
    let outside = EmbeddedRegistry::start(muster::forge::registry::Options::default()).unwrap();
    // This process is not started for SoftHSM.
    let options = Options {
        registry: Some(RegistryKind::External(outside.host())),
        keystore: Some(Keystore::File),
        program: Some(env!("CARGO_BIN_EXE_muster").into()),
        ..Options::default()
    };
    let (mut wrong, mut skipped) = (Vec::new(), std::collections::BTreeMap::<String, usize>::new());
    let tally = scenario::run(cases, options, &Interrupt::default(), |result| match result.status {
        CaseStatus::Pass => {}
        CaseStatus::Skipped(reason) => *skipped.entry(reason).or_default() += 1,
        status => wrong.push((result.id, status)),
    })
    .await;
    println!("{tally:?}\n{skipped:#?}");
    assert!(wrong.is_empty(), "{wrong:#?}");
    let expected = ["embedded", "slow", "a key in a token"];
    let is_expected = |reason: &String| expected.iter().any(|expected| reason.contains(expected));
    assert!(tally.pass > 100 && skipped.keys().all(is_expected));
}

/// However often time passes, it stays within what certificates can hold.
#[tokio::test(flavor = "multi_thread")]
async fn time_does_not_go_beyond_the_calendar() {
    let passes = |times: usize| {
        let steps = "  - advance: 36500d\n".repeat(times);
        format!(
            "title: x\nnow: 8900-06-01T00:00:00Z\nsteps:\n{steps}  - push: {{}}\nverify:\n  - expect: {{ result: fail, code: unsigned }}\n"
        )
    };
    let (results, _) = play(&passes(1), Options::default()).await;
    assert!(!matches!(results[0].status, CaseStatus::Error(_)), "{:?}", results[0].status);
    // Approvals that come late make it late as well.
    let approvals = |times: usize| {
        let policy = "{ quorum: 1, approvers: [a], timeout: 0s, block: { quorum: 1, approvers: [a], timeout: 0s } }";
        let step =
            "  - changeKey: { ask: block, approvals: [{ by: a, after: 36500d }], expect: { request: executed } }\n";
        let (head, steps) =
            passes(times).split_once("steps:\n").map(|(head, _)| (head.to_owned(), step.repeat(times))).unwrap();
        format!(
            "{head}approvers: {{ a: {{}} }}\nkeys: {{ builder: {{ policy: {policy} }} }}\nsteps:\n{steps}verify: [{{ expect: {{ result: error, code: not-found }} }}]\n"
        )
    };
    for text in [passes(2), passes(20), approvals(2), approvals(12)] {
        let (results, _) = play(&text, Options::default()).await;
        let CaseStatus::Error(reason) = &results[0].status else { panic!("{:?}", results[0].status) };
        assert!(reason.contains("time does not go beyond the year 9000"), "{reason}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn worlds_are_told_apart_and_stay_if_that_is_wanted() {
    let text = SOUND.to_owned() + "matrix: { format: [jws, cose] }\n";
    let (results, _) = play(&text, Options { keep: true, jobs: 2, ..Options::default() }).await;
    let addresses: Vec<String> = results
        .iter()
        .flat_map(|result| result.world.as_ref().unwrap().registries().map(|(_, address)| address.to_owned()))
        .collect();
    assert_eq!(addresses.len(), 2);
    assert_ne!(addresses[0], addresses[1]);
    for address in addresses {
        let client = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
        assert!(client.get(format!("http://{address}/v2/")).send().await.unwrap().status().is_success());
    }
    assert!(results[0].world.as_ref().unwrap().trust_store().join("x509/ca/wabbit-networks").is_dir());
    let (results, _) = play(SOUND, Options::default()).await;
    assert!(results[0].world.is_none());
}

/// What was found on the way counts, too, and so does what responders were asked.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_found_on_the_way_counts() {
    let world = "title: x\nauthorities: { wabbit: { crl: true, ocsp: true } }\ntimestampAuthorities: { time: {} }\nsteps:\n  - push: {}\n  - sign: { timestamp: time }\n";
    let verify =
        "verify:\n  - policy: { signatureVerification: { level: strict, verifyTimestamp: always } }\n    expect: ";
    for (expect, what) in [
        ("{ result: pass, timestamp: time, revocation: { builder: good, wabbit: not-checkable } }", None),
        ("{ result: pass, revocation: { time: not-checkable }, requests: { wabbit: { ocsp: 1, crl: 0 } } }", None),
        ("{ result: pass, revocation: { builder: not-checkable } }", Some("revocation.builder")),
        ("{ result: pass, revocation: { wabbit: good } }", Some("revocation.wabbit")),
        ("{ result: pass, timestamp: none }", Some("timestamp")),
        ("{ result: pass, requests: { wabbit: { ocsp: 2 } } }", Some("requests.wabbit.ocsp")),
        ("{ result: pass, requests: { wabbit: { crl: 1 } } }", Some("requests.wabbit.crl")),
    ] {
        let (results, _) = play(&format!("{world}{verify}{expect}\n"), Options::default()).await;
        let found: Vec<&str> = match &results[0].status {
            CaseStatus::Pass => Vec::new(),
            CaseStatus::Fail(differences) => differences.iter().map(|difference| difference.what.as_str()).collect(),
            status => panic!("{status:?}"),
        };
        assert_eq!(found, what.into_iter().collect::<Vec<_>>(), "{expect}");
    }
}

/// What is found and the validations are those of one signature: that one has these and another that is not enough.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_found_is_of_the_signature_with_the_validations() {
    let world = "title: x\nauthorities: { other: {} }\ntimestampAuthorities: { time: {} }\nkeys: { stranger: { issuer: other } }\n\
                 trustStores: { ca: { wabbit-networks: [wabbit] } }\nsteps:\n  - push: {}\n  - sign: { key: stranger, timestamp: time }\n  \
                 - sign: { expires: 10d }\n  - advance: 20d\nverify:\n  \
                 - policy: { signatureVerification: { level: audit, verifyTimestamp: always } }\n    expect: ";
    let expired = "{ result: warn, code: signature-expired, checks: { expiry: signature-expired }, timestamp: ";
    let stranger = "{ result: warn, code: signature-expired, checks: { authenticity: untrusted-chain }, timestamp: ";
    for (checks, stamp, holds) in
        [(expired, "none", true), (expired, "time", false), (stranger, "time", true), (stranger, "none", false)]
    {
        let (results, _) = play(&format!("{world}{checks}{stamp} }}\n"), Options::default()).await;
        match &results[0].status {
            CaseStatus::Pass => assert!(holds, "{checks}{stamp}"),
            CaseStatus::Fail(found) => assert!(!holds && found.len() == 1 && found[0].what == "timestamp", "{found:?}"),
            status => panic!("{status:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn plugins_are_skipped_where_there_is_no_program_to_make_them_of() {
    let text = SOUND.replace("sign: {}", "sign: { plugin: p }").replace("steps:", "plugins: { p: {} }\nsteps:");
    let (results, _) = play(&text, Options::default()).await;
    assert!(matches!(&results[0].status, CaseStatus::Skipped(reason) if reason.contains("plugins")), "{results:?}");
    let program = Some(env!("CARGO_BIN_EXE_muster").into());
    let (results, _) = play(&text, Options { program, ..Options::default() }).await;
    assert_eq!(results[0].status, CaseStatus::Pass);
}

#[test]
fn what_is_known_of_certificates_and_asked_of_responders_is_accepted() {
    let text = "title: x\nauthorities: { wabbit: { crl: true } }\nsteps:\n  - push: {}\n  - sign: {}\n  - revoke: { certificate: builder }\nverify:\n  - policy: { signatureVerification: { level: audit } }\n    expect: { result: warn, code: revoked, revocation: { builder: unknown }, requests: { wabbit: { crl: 7 } } }\n";
    let (folder, file) = project(text);
    let accepted = muster(&["test", "--accept"], folder.path());
    assert_eq!(accepted.status.code(), Some(0), "{}", String::from_utf8_lossy(&accepted.stderr));
    let expected = text.replace("builder: unknown", "builder: revoked").replace("crl: 7", "crl: 1");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), expected);
}

#[test]
fn accepting_writes_what_came_out_and_keeps_the_rest() {
    let text = "# The head.\ntitle: sound   # a comment\nsteps:\n  - push: {}\n  - sign: { expires: 1h }\n  - advance: 2h\nverify:\n  # Why it passes.\n  - expect: { result: pass, signatures: 2 } # because\n  - policy: { signatureVerification: { level: audit } }\n    expect:\n      result: fail      # for ever\n      code: unsigned\n      checks:\n        expiry: pass  # no\n";
    let (folder, file) = project(text);
    assert_eq!(muster(&["test"], folder.path()).status.code(), Some(1));
    let accepted = muster(&["test", "--accept"], folder.path());
    assert_eq!(accepted.status.code(), Some(0), "{}", String::from_utf8_lossy(&accepted.stderr));
    let expected = "# The head.\ntitle: sound   # a comment\nsteps:\n  - push: {}\n  - sign: { expires: 1h }\n  - advance: 2h\nverify:\n  # Why it passes.\n  - expect: { result: fail, code: signature-expired, signatures: 1 } # because\n  - policy: { signatureVerification: { level: audit } }\n    expect:\n      result: warn      # for ever\n      code: signature-expired\n      checks:\n        expiry: signature-expired  # no\n";
    assert_eq!(std::fs::read_to_string(&file).unwrap(), expected);
    assert_eq!(muster(&["test"], folder.path()).status.code(), Some(0));
}

/// What would hold in a case that could not be run is not known.
#[test]
fn a_file_of_which_a_case_could_not_be_run_stays_as_it_is() {
    // Only an RSA signature has a salt.
    let text = "title: x\nmatrix: { algorithm: [ec-p256, rsa-2048] }\napprovers: { a: {} }\n\
                keys: { builder: { policy: { quorum: 1, approvers: [a] } } }\nsteps:\n  - push: {}\n  - gateway: { answer: wrong-salt }\n  \
                - sign: { approvals: [{ by: a, after: 1m }] }\nverify:\n  - expect: { result: fail, code: revoked }\n";
    let (folder, file) = project(text);
    let refused = muster(&["test", "--accept"], folder.path());
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("the case \"topic/case[rsa-2048]\" did not run to its end"), "{said}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
}

#[test]
fn what_suits_one_case_only_is_not_accepted() {
    let text = "title: x\nmatrix: { flavour: [current, release-candidate] }\nsteps:\n  - push: {}\n  - sign: { manifest: artifact-type }\nverify:\n  - expect: { result: pass }\n";
    let (folder, file) = project(text);
    let refused = muster(&["test", "--accept"], folder.path());
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("line 7: this holds in some cases of the file and not in others"), "{said}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
}

#[test]
fn reports_are_whole_and_name_every_case() {
    let text = SOUND.to_owned() + "matrix: { format: [jws, cose] }\n";
    let (folder, file) = project(&text.replace("sound", "\"a <b> & \\u001b[31m\""));
    std::fs::write(file.with_file_name("bad.yaml"), SOUND.replace("result: pass", "result: skip")).unwrap();
    std::fs::write(file.with_file_name("odd.yaml"), SOUND.replace("sign: {}", "tamper: { do: truncate }")).unwrap();
    std::fs::write(file.with_file_name("slow.yaml"), text + "slow: true\n").unwrap();
    let outputs = ["test", "-o", "table", "-o", "junit=r.xml", "-o", "json=r.json", "-o", "ndjson=r.ndjson"];
    let output = muster(&outputs, folder.path());
    assert_eq!(output.status.code(), Some(1));
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("6 cases: 2 passed, 1 failed, 2 skipped, 1 could not be run"), "{table}");
    assert!(
        table.trim_end().ends_with("skipped 2: slow scenarios are run with --slow, or where --run selects them"),
        "{table}"
    );
    assert!(!table.contains('\u{1b}'));

    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let junit = read("r.xml");
    assert!(junit.contains(r#"<testsuites name="muster test" tests="6" failures="1" errors="1" time="#), "{junit}");
    assert_eq!(junit.matches("<testcase ").count(), 6);
    assert_eq!(junit.matches("<skipped ").count(), 2);
    for phase in ["build", "sign", "act", "verify"] {
        assert!(junit.matches(&format!("{phase} ")).count() >= 6, "{junit}");
    }
    assert!(junit.contains("scenarios/topic/bad.yaml:6: result of"), "{junit}");
    assert!(!junit.contains('\u{1b}'));
    let mut xml = quick_xml::Reader::from_str(&junit);
    loop {
        match xml.read_event().unwrap() {
            quick_xml::events::Event::Eof => break,
            _ => continue,
        }
    }
    let document: serde_json::Value = serde_json::from_str(&read("r.json")).unwrap();
    assert_eq!(document["cases"].as_array().unwrap().len(), 6);
    assert_eq!(document["summary"]["error"], 1);
    assert_eq!(document["cases"][0]["differences"][0]["what"], "result");
    let lines: Vec<serde_json::Value> =
        read("r.ndjson").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 6);
    assert_eq!((&lines[3]["result"], &lines[4]["result"]), (&"error".into(), &"skipped".into()));
    for phase in ["buildTime", "signTime", "actTime", "verifyTime"] {
        assert!(lines.iter().all(|line| line[phase].is_u64()), "{lines:?}");
    }
}

#[test]
fn listing_runs_nothing() {
    let (folder, _) = project(&(SOUND.to_owned() + "matrix: { format: [jws, cose] }\n"));
    let listed = muster(&["test", "--list"], folder.path());
    assert_eq!(listed.status.code(), Some(0));
    assert_eq!(String::from_utf8(listed.stdout).unwrap(), "topic/case[jws]   sound\ntopic/case[cose]  sound\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_of_the_readme_pass() {
    let readme = std::fs::read_to_string("scenarios/README.md").unwrap();
    let examples: Vec<&str> = readme.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(examples.len(), 5);
    for example in examples {
        let (results, _) = play(example, Options::default()).await;
        assert_eq!(results[0].status, CaseStatus::Pass, "{example}");
    }
}

#[test]
fn slow_scenarios_are_run_for_those_who_ask() {
    let (folder, _) = project(&format!("slow: true\n{SOUND}"));
    let skipped = muster(&["test"], folder.path());
    assert_eq!(skipped.status.code(), Some(4), "nothing was shown");
    let said = String::from_utf8(skipped.stdout).unwrap();
    assert!(said.ends_with("skipped 1: slow scenarios are run with --slow, or where --run selects them\n"), "{said}");
    for asked in [&["test", "--slow"][..], &["test", "--run", "case"]] {
        assert_eq!(muster(asked, folder.path()).status.code(), Some(0), "{asked:?}");
    }
}
