//! Runs that end early: what has ended is told, what was running is told as not finished, and nothing is waited for.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
#[cfg(all(unix, feature = "containers"))]
use std::process::{Command, Stdio};

use muster::audit::Interrupt;
use muster::scenario::{self, CaseResult, CaseStatus, Options, Selected, Tally};

/// More than can be played while a test waits.
const LONG: &str =
    "steps:\n  - push: { count: 100000 }\n  - sign: { count: 100 }\nverify:\n  - expect: { result: pass }\n";
const SHORT: &str = "steps:\n  - push: {}\nverify:\n  - expect: { result: fail, code: unsigned }\n";

fn case(name: &str, rest: &str) -> Selected {
    let text = format!("title: {name}\n{rest}");
    let scenario = scenario::parse(text.as_bytes(), Path::new(&format!("scenarios/topic/{name}.yaml"))).unwrap();
    scenario::select(&[scenario], None).unwrap().remove(0)
}

/// Plays cases two at a time; `stop` says of each that was told whether the run is to stop.
async fn play(cases: Vec<Selected>, fail_fast: bool, stop: impl Fn(&CaseResult) -> bool) -> (Vec<CaseStatus>, Tally) {
    let interrupt = Interrupt::default();
    let mut endings = Vec::new();
    let options = Options { jobs: 2, fail_fast, ..Options::default() };
    let tally = scenario::run(cases, options, &interrupt, |result| {
        if stop(&result) {
            interrupt.raise();
        }
        endings.push(result.status);
    })
    .await;
    (endings, tally)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_told_to_stop_keeps_what_it_has() {
    let cases = vec![case("short", SHORT), case("long", LONG), case("later", LONG), case("never", SHORT)];
    let (endings, tally) = play(cases, false, |result| result.status == CaseStatus::Pass).await;
    let [CaseStatus::Pass, rest @ ..] = endings.as_slice() else { panic!("{endings:?}") };
    assert!(!rest.is_empty(), "{endings:?}");
    for status in rest {
        assert!(
            matches!(status, CaseStatus::Unfinished(why) if why.ends_with("the run was told to stop")),
            "{status:?}"
        );
    }
    let unfinished = rest.len() as u64;
    assert_eq!(tally, Tally { pass: 1, unfinished, partial: true, interrupted: true, ..Tally::default() });
}

#[tokio::test(flavor = "multi_thread")]
async fn failing_fast_waits_for_no_case_that_was_begun_before() {
    let failing = case("failing", &SHORT.replace("unsigned", "revoked"));
    let cases = vec![case("long", LONG), failing, case("never", SHORT)];
    let (endings, tally) = play(cases, true, |_| false).await;
    let [CaseStatus::Unfinished(why), CaseStatus::Fail(_)] = endings.as_slice() else { panic!("{endings:?}") };
    assert!(why.ends_with("another case did not pass"), "{why}");
    assert_eq!(tally, Tally { fail: 1, unfinished: 1, partial: true, ..Tally::default() });
}

/// It is told as what it is: nothing was run, and the rest was not.
#[cfg(all(unix, feature = "containers"))]
#[test]
fn a_signal_before_the_first_case_leaves_reports_that_say_so() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("short.yaml"), format!("title: short\n{SHORT}")).unwrap();
    // A container engine that takes connections and never answers.
    let engine = folder.path().join("engine.sock");
    let listener = std::os::unix::net::UnixListener::bind(&engine).unwrap();
    let mut run = Command::new(env!("CARGO_BIN_EXE_muster"));
    run.args(["test", "short.yaml", "--registry", "container=example.org/registry:1", "-o", "table"]);
    run.args(["-o", "json=r.json", "-o", "ndjson=r.ndjson", "-o", "junit=r.xml"]);
    run.current_dir(folder.path())
        .env("HOME", "/nonexistent")
        .env("DOCKER_HOST", format!("unix://{}", engine.display()));
    let child = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let connection = listener.accept().unwrap();
    let id = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
    let output = child.wait_with_output().unwrap();
    drop(connection);
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.starts_with("0 cases: ") && table.contains("the rest was not run"), "{table}");
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let report: serde_json::Value = serde_json::from_str(&read("r.json")).unwrap();
    assert_eq!(report["cases"], serde_json::json!([]));
    assert_eq!((&report["summary"]["partial"], &report["summary"]["interrupted"]), (&true.into(), &true.into()));
    assert!(read("r.xml").contains("<property name=\"partial\" value=\"true\"/>"), "{}", read("r.xml"));
    assert_eq!(read("r.ndjson.partial"), "");
    let left = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(left.filter(|name| name.to_string_lossy().starts_with(".muster-")).count(), 0);
}
