//! The program ends while a request waits: it is picked up or taken back, and nothing is signed unseen. And two that wait for one.

use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use muster::forge::{Key, KeyKind};
use muster::tsb::RequestStatus;

use super::bench::Bench;
use crate::gateway::bench::{person, two_of_three};

pub(super) fn bench() -> Bench {
    Bench::new(&Key::pooled(KeyKind::P256, 0).unwrap(), Some(two_of_three()))
}

pub(super) fn start(bench: &Bench, arguments: &[&str]) -> Child {
    bench.sign("&timeout=5m", arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

pub(super) fn said(child: Child) -> (Option<i32>, String) {
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code(), said)
}

pub(super) fn run(bench: &Bench, arguments: &[&str]) -> (Option<i32>, String) {
    said(start(bench, arguments))
}

fn cancel(bench: &Bench, id: &str) -> (Option<i32>, String) {
    let output = bench.muster(&["sign", "--key", &bench.uri(""), "--cancel", id]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code(), said)
}

pub(super) fn signal(child: &Child, signal: rustix::process::Signal) {
    let id = rustix::process::Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    rustix::process::kill_process(id, signal).unwrap();
}

/// Waits until `what` is so.
#[track_caller]
pub(super) fn until(what: impl Fn() -> bool) {
    for _ in 0..1200 {
        if what() {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("it never came to be");
}

/// Whether the id of the request is kept.
fn is_kept(bench: &Bench, id: &str) -> bool {
    let files = std::fs::read_dir(bench.path("state/requests")).into_iter().flatten().flatten();
    let mut files = files.filter(|file| file.path().extension().is_some_and(|end| end == "json"));
    files.any(|file| std::fs::read_to_string(file.path()).is_ok_and(|text| text.contains(id)))
}

#[test]
fn a_request_outlives_the_program_and_is_continued() {
    let bench = bench();
    let mut killed = start(&bench, &["--user-metadata", "build=7", "--expiry", "30d", "--signature-format", "cose"]);
    let id = bench.requested().id;
    until(|| is_kept(&bench, &id));
    killed.kill().unwrap();
    killed.wait().unwrap();
    bench.approve(&person(1), &id).unwrap();
    // Another signature of the same artifact is not asked for meanwhile.
    let (code, text) = run(&bench, &[]);
    assert_eq!(code, Some(3), "{text}");
    assert!(text.contains(&format!("--request {id} continues it, and --cancel {id} takes it back")), "{text}");
    assert_eq!(bench.gateway.requests().len(), 1);
    // What was asked for is not changed.
    let (code, text) = run(&bench, &["--request", &id, "--expiry", "1d"]);
    assert_eq!(code, Some(2), "{text}");
    let continued = start(&bench, &["--request", &id]);
    bench.approve(&person(2), &id).unwrap();
    let (code, text) = said(continued);
    assert_eq!(code, Some(0), "{text}");
    assert_eq!((bench.verdict(), bench.kept()), ((1, true), 0));
    let shown = bench.muster(&["inspect", "oci:layout:app"]).output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("build") && shown.contains("application/cose"), "{shown}");
}

#[test]
fn a_request_is_picked_up_after_it_was_executed_unseen() {
    let bench = bench();
    let (code, text) = run(&bench, &["--no-wait"]);
    let id = bench.requested().id;
    assert_eq!(code, Some(3), "{text}");
    assert!(text.contains(&format!("--request {id}")), "{text}");
    bench.approve(&person(1), &id).unwrap();
    bench.approve(&person(3), &id).unwrap();
    let (code, text) = run(&bench, &[]);
    assert_eq!(code, Some(3), "{text}");
    assert!(
        text.contains("has signed it already") && text.contains(&format!("--request {id} gets the signature")),
        "{text}"
    );
    let (code, text) = cancel(&bench, &id);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("could not be cancelled"), "{text}");
    assert_eq!(bench.kept(), 1, "it can still be had");
    assert_eq!(run(&bench, &["--request", &id]).0, Some(0));
    assert_eq!((bench.verdict(), bench.kept()), ((1, true), 0));
}

#[test]
fn a_request_is_taken_back_after_the_program_was_killed() {
    let bench = bench();
    let mut killed = start(&bench, &[]);
    let id = bench.requested().id;
    until(|| is_kept(&bench, &id));
    killed.kill().unwrap();
    killed.wait().unwrap();
    let (code, text) = cancel(&bench, &id);
    assert_eq!((code, text.trim()), (Some(0), format!("Cancelled the request {id}").as_str()));
    assert_eq!(bench.gateway.request(&id).unwrap().status, RequestStatus::Cancelled);
    assert!(bench.approve(&person(1), &id).is_err());
    assert_eq!((bench.verdict(), bench.kept()), ((0, false), 0));
    let (code, text) = run(&bench, &["--request", &id]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("no request"), "{text}");
}

#[test]
fn a_signal_takes_the_request_back_first() {
    for kind in [rustix::process::Signal::TERM, rustix::process::Signal::INT] {
        let bench = bench();
        let child = start(&bench, &[]);
        let id = bench.requested().id;
        until(|| is_kept(&bench, &id));
        signal(&child, kind);
        let (code, text) = said(child);
        assert_eq!(code, Some(130), "{text}");
        assert!(text.contains("it was cancelled, and approvals that come later sign nothing"), "{text}");
        assert_eq!(bench.gateway.request(&id).unwrap().status, RequestStatus::Cancelled);
        assert_eq!((bench.verdict(), bench.kept()), ((0, false), 0));
    }
}

#[test]
fn two_that_wait_for_one_request_hear_the_same() {
    let bench = bench();
    let first = start(&bench, &[]);
    let id = bench.requested().id;
    until(|| is_kept(&bench, &id));
    let second = start(&bench, &["--request", &id]);
    bench.approve(&person(1), &id).unwrap();
    bench.approve(&person(2), &id).unwrap();
    for child in [first, second] {
        let (code, text) = said(child);
        assert_eq!(code, Some(0), "{text}");
    }
    assert_eq!(bench.gateway.requests().len(), 1);
    assert!(bench.verdict().1);

    let bench = self::bench();
    let first = start(&bench, &[]);
    let id = bench.requested().id;
    until(|| is_kept(&bench, &id));
    assert_eq!(cancel(&bench, &id).0, Some(0));
    let (code, text) = said(first);
    assert_eq!(code, Some(3), "{text}");
    assert!(text.contains("was cancelled, and not from here"), "{text}");
    assert_eq!(bench.verdict(), (0, false));
}

/// The plugin by its own process, told to end while it waits.
#[test]
fn the_plugin_takes_its_request_back_when_it_is_told_to_end() {
    use std::io::Write as _;
    let bench = bench();
    let question = serde_json::json!({
        "contractVersion": "1.0", "keyId": "release", "keySpec": "EC-256", "hashAlgorithm": "SHA-256", "payload": "YQ==",
        "pluginConfig": { "url": bench.gateway.url() },
    });
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_notation-muster-tsb"));
    command.arg("generate-signature").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(question.to_string().as_bytes()).unwrap();
    let id = bench.requested().id;
    signal(&child, rustix::process::Signal::TERM);
    let (code, text) = said(child);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("\"errorCode\":\"ERROR\"") && text.contains(&id) && text.contains("CANCELLED"), "{text}");
    assert_eq!(bench.gateway.request(&id).unwrap().status, RequestStatus::Cancelled);
}
