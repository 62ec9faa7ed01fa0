//! What is kept of requests: as long as something may be signed by them, and no longer.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};

use muster::forge::gateway::{Gateway, GatewayCall, GatewayFault, GatewaySetup};
use muster::forge::{Key, KeyKind, pem};
use muster::tsb::RequestStatus;
use rustix::process::Signal;

use super::bench::Bench;
use super::hostile::broker;
use super::restarts::{bench, run, said, signal, start, until};
use crate::gateway::bench::person;

fn kept(bench: &Bench) -> Vec<PathBuf> {
    let files = fs::read_dir(bench.path("state/requests")).into_iter().flatten().flatten().map(|file| file.path());
    files.filter(|path| path.extension().is_some_and(|end| end == "json")).collect()
}

#[test]
fn killed_while_it_asks_it_does_not_ask_a_second_time() {
    let bench = bench();
    bench.gateway.misbehave_at(GatewayCall::Sign, GatewayFault::Hang, None);
    let mut killed = start(&bench, &[]);
    until(|| !kept(&bench).is_empty());
    killed.kill().unwrap();
    killed.wait().unwrap();
    bench.gateway.behave();
    let (code, text) = run(&bench, &[]);
    assert_eq!(code, Some(3), "{text}");
    let file = kept(&bench).remove(0);
    assert!(text.contains("what came of that is not known") && text.contains(&file.display().to_string()), "{text}");
    assert!(bench.gateway.requests().is_empty());
    // What it says is to be done helps.
    fs::remove_file(file).unwrap();
    assert_eq!(run(&bench, &["--no-wait"]).0, Some(3));
    assert_eq!(bench.gateway.requests().len(), 1);
}

#[test]
fn a_signal_while_it_asks_is_told_and_the_trace_is_kept() {
    let bench = bench();
    let (asked, is_asked) = mpsc::channel();
    let (end, is_ended) = mpsc::channel::<()>();
    let (asked, is_ended) = (Mutex::new(asked), Mutex::new(is_ended));
    let (url, _) = broker(move |_, _| {
        asked.lock().unwrap().send(()).unwrap();
        let _ = is_ended.lock().unwrap().recv();
        None
    });
    let uri = format!("tsb:release?url={url}&certificate-chain=release.crt");
    let mut command = bench.muster(&["sign", "--key", &uri, "oci:layout:app"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    is_asked.recv().unwrap();
    signal(&child, Signal::TERM);
    let (code, text) = said(child);
    drop(end);
    assert_eq!(code, Some(130), "{text}");
    assert!(text.contains("whether the broker") && text.contains("is not known"), "{text}");
    assert_eq!((kept(&bench).len(), bench.verdict()), (1, (0, false)));
}

#[test]
fn a_request_is_not_forgotten_because_another_broker_does_not_know_it() {
    let bench = bench();
    assert_eq!(run(&bench, &["--no-wait"]).0, Some(3));
    let id = bench.requested().id;
    let other = Gateway::start(GatewaySetup::default()).unwrap();
    let uri = format!("tsb:release?url={}", other.url());
    let output = bench.muster(&["sign", "--key", &uri, "--cancel", &id]).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("it was made at") && text.contains(bench.gateway.url()), "{text}");
    assert_eq!((kept(&bench).len(), bench.requested().status), (1, RequestStatus::Pending));
    // So it is not asked for twice, and can be had.
    assert!(run(&bench, &[]).1.contains(&format!("--request {id} continues it")));
    bench.approve(&person(1), &id).unwrap();
    bench.approve(&person(2), &id).unwrap();
    assert_eq!(run(&bench, &["--request", &id]).0, Some(0));
    assert_eq!((kept(&bench).len(), bench.verdict()), (0, (1, true)));
}

#[test]
fn a_signature_at_once_leaves_nothing_that_hinders_the_next() {
    let bench = Bench::new(&Key::pooled(KeyKind::P256, 0).unwrap(), None);
    fs::write(bench.path("root.crt"), pem("CERTIFICATE", crate::world::root().certificate())).unwrap();
    let stamped = ["--timestamp-url", "http://127.0.0.1:1", "--timestamp-root-cert", "root.crt"];
    let unstamped = bench.sign("&without-approvals=true", &stamped).output().unwrap();
    let text = String::from_utf8(unstamped.stderr).unwrap();
    assert_eq!(unstamped.status.code(), Some(3), "{text}");
    assert!(kept(&bench).is_empty());
    let signed = bench.sign("&without-approvals=true", &[]).output().unwrap();
    assert!(signed.status.success(), "{}", String::from_utf8_lossy(&signed.stderr));
    assert_eq!((kept(&bench).len(), bench.verdict()), (0, (1, true)));
}

#[test]
fn a_signature_that_is_not_the_keys_does_not_hinder_the_next() {
    for fault in [GatewayFault::AnotherKey, GatewayFault::EmptyResult] {
        let bench = bench();
        assert_eq!(run(&bench, &["--no-wait"]).0, Some(3));
        let id = bench.requested().id;
        bench.gateway.misbehave(fault, None);
        bench.approve(&person(1), &id).unwrap();
        bench.approve(&person(2), &id).unwrap();
        let (code, text) = run(&bench, &["--request", &id]);
        assert_eq!((code, bench.verdict()), (Some(3), (0, false)), "{text}");
        assert!(kept(&bench).is_empty(), "{fault:?}: {text}");
        bench.gateway.behave();
        assert_eq!(run(&bench, &["--no-wait"]).0, Some(3));
        assert_eq!(bench.gateway.requests().len(), 2, "{fault:?}");
    }
}

#[test]
fn a_file_that_is_signed_later_has_the_format_that_was_asked_for() {
    let bench = bench();
    fs::write(bench.path("file"), "content").unwrap();
    let uri = bench.uri("");
    let sign = |more: &[&str]| {
        let mut all = vec!["blob", "sign", "--key", &uri, "file"];
        all.extend(more);
        let output = bench.muster(&all).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, text) = sign(&["--signature-format", "cose", "--no-wait"]);
    assert_eq!(code, Some(3), "{text}");
    let request = bench.requested();
    assert!(String::from_utf8(request.metadata.unwrap()).unwrap().contains("\"reference\":\"file\""));
    bench.approve(&person(1), &request.id).unwrap();
    bench.approve(&person(2), &request.id).unwrap();
    let (code, text) = sign(&["--request", &request.id]);
    assert_eq!(code, Some(0), "{text}");
    assert!(!bench.path("file.jws.sig").exists());
    let envelope = fs::read(bench.path("file.cose.sig")).unwrap();
    assert_eq!(envelope.first(), Some(&0xd2), "it is COSE");
    assert!(kept(&bench).is_empty());
    // Another file is not signed by it, and a signature that is there is not overwritten.
    let (code, text) = sign(&["--signature-format", "cose"]);
    assert!(code == Some(2) && text.contains("--force"), "{text}");
}

/// Of several programs that start at once one asks, whichever it is.
#[test]
fn several_programs_at_once_make_one_request() {
    let bench = Arc::new(bench());
    let children: Vec<_> = (0..4).map(|_| start(&bench, &["--no-wait"])).collect();
    for child in children {
        assert_eq!(said(child).0, Some(3));
    }
    assert_eq!(bench.gateway.requests().len(), 1);
    assert_eq!(kept(&bench).len(), 1);
}

/// A file in the place of the folder is no other program that asks.
#[test]
fn a_folder_that_cannot_be_made_is_said_to_be_one() {
    let bench = bench();
    fs::create_dir(bench.path("state")).unwrap();
    fs::write(bench.path("state/requests"), "").unwrap();
    let (code, text) = run(&bench, &["--no-wait"]);
    assert_eq!(code, Some(3), "{text}");
    assert!(text.contains("cannot be written") && !text.contains("another program"), "{text}");
    assert!(bench.gateway.requests().is_empty());
}

/// What a broker tells nonsense of, and lets be taken back, has ended.
#[test]
fn a_request_that_was_taken_back_after_nonsense_is_forgotten() {
    let bench = bench();
    let (url, _) = broker(|line, number| match number {
        0 => super::hostile::submitted(),
        1 => super::hostile::answer(200, "<html>log in</html>"),
        _ if line.starts_with("DELETE") => super::hostile::answer(200, ""),
        _ => super::hostile::state("CANCELLED", None),
    });
    let uri = format!("tsb:release?url={url}&certificate-chain=release.crt");
    let output = bench.muster(&["sign", "--key", &uri, "oci:layout:app"]).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(3) && text.contains("it was cancelled"), "{text}");
    assert!(kept(&bench).is_empty(), "{text}");
    assert!(!text.contains("PENDING: approved by none"), "{text}");
}
