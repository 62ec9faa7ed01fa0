//! A run that is told to stop: by whichever signal and whenever, it ends with 130 and leaves nothing behind but its report.
#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use muster::forge::Artifact;
use muster::forge::registry::{Effect, Fault};
use rustix::process::{Pid, Signal, kill_process};

use crate::inputs::{AT, JWS, World, tags};
use crate::skip;

const SIGNALS: [Signal; 3] = [Signal::INT, Signal::TERM, Signal::HUP];

fn start(folder: &Path, arguments: &[&str]) -> Child {
    fs::create_dir_all(folder.join("tmp")).unwrap();
    Command::new(env!("CARGO_BIN_EXE_muster"))
        .args(arguments)
        .current_dir(folder)
        .env("TMPDIR", folder.join("tmp"))
        .env("DOCKER_CONFIG", folder)
        .env("NOTATION_CACHE", folder.join("cache"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn tell(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// Whether the program has begun to heed signals: on Linux its account says so.
fn wait_until_heeded(child: &Child) {
    let status = format!("/proc/{}/status", child.id());
    for _ in 0..1000 {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let caught = text.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let mask = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
        // A hang-up that is ignored around the tests is ignored by the program, too.
        let heeded: &[u32] = if is_hang_up_ignored() { &[2, 15] } else { &[1, 2, 15] };
        if heeded.iter().all(|signal| mask >> (signal - 1) & 1 == 1) || text.is_empty() {
            return;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    panic!("signals are not heeded");
}

/// Whether the tests run where a hang-up is ignored, as below `nohup`.
fn is_hang_up_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

/// The signals that end a program here.
fn signals() -> Vec<Signal> {
    SIGNALS.into_iter().filter(|signal| *signal != Signal::HUP || !is_hang_up_ignored()).collect()
}

/// What is in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn an_audit_ends_with_a_whole_report_that_says_it_is_partial() {
    let mut world = World::new();
    let image = Artifact::image("net-monitor");
    world.put(&image, &tags(2));
    let envelope = world.sound(&image);
    world.sign(&image, JWS, &envelope);
    world.registry.fail(Fault {
        route: None,
        every: 1,
        times: usize::MAX,
        effect: Effect::Delay(Duration::from_secs(60)),
    });
    for signal in signals() {
        for wait in [Duration::ZERO, Duration::from_millis(400)] {
            let arguments = ["audit", "--config", "config", "--at", AT, "-o", "json=report.json", &world.repository()];
            let child = start(world.folder(), &arguments);
            wait_until_heeded(&child);
            std::thread::sleep(wait);
            tell(&child, signal);
            let ended = child.wait_with_output().unwrap();
            assert_eq!(ended.status.code(), Some(130), "{signal:?} {wait:?}: {ended:?}");
            let left = names(world.folder());
            let partial = left.iter().find(|name| name.contains(".partial"));
            assert_eq!(partial, None, "{signal:?} {wait:?}");
            let report = fs::read(world.folder().join("report.json")).unwrap();
            let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
            assert_eq!(report["summary"]["partial"], true, "{report}");
            fs::remove_file(world.folder().join("report.json")).unwrap();
            assert_eq!(names(&world.folder().join("tmp")), [""; 0]);
        }
    }
}

#[test]
fn a_blob_that_is_hashed_holds_nothing_up() {
    let world = World::new();
    // A pipe would be refused; a file with a hole is long and takes no room.
    let long = fs::File::create(world.folder().join("long")).unwrap();
    long.set_len(1 << 40).unwrap();
    let image = Artifact::image("net-monitor");
    fs::write(world.folder().join("long.jws.sig"), world.sound(&image)).unwrap();
    let policy = r#"{"version":"1.0","trustPolicies":[{"name":"all","globalPolicy":true,
        "signatureVerification":{"level":"strict"},"trustStores":["ca:wabbit"],"trustedIdentities":["*"]}]}"#;
    fs::write(world.folder().join("config/trustpolicy.blob.json"), policy).unwrap();
    for signal in signals() {
        let arguments = ["blob", "verify", "--config", "config", "--at", AT, "--signature", "long.jws.sig", "long"];
        let child = start(world.folder(), &[&arguments[..], &["-o", "json=report.json"]].concat());
        wait_until_heeded(&child);
        // Whenever it comes: at once, or while it hashes.
        std::thread::sleep(if signal == Signal::INT { Duration::ZERO } else { Duration::from_millis(500) });
        tell(&child, signal);
        let ended = child.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(130), "{signal:?}: {ended:?}");
        let report = fs::read(world.folder().join("report.json")).unwrap();
        let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
        assert_eq!(report["summary"]["partial"], true, "{report}");
        fs::remove_file(world.folder().join("report.json")).unwrap();
    }
}

#[test]
fn commands_without_a_report_end_too() {
    let mut world = World::new();
    let image = Artifact::image("net-monitor");
    world.put(&image, &tags(1));
    world.registry.fail(Fault {
        route: None,
        every: 1,
        times: usize::MAX,
        effect: Effect::Delay(Duration::from_secs(60)),
    });
    let reference = format!("{}:v0", world.repository());
    let host = "registry.wabbit-networks.io/many:v1";
    let scenario = format!(
        "title: Many artifacts\nsteps:\n  - push: {{ to: \"{host}\", count: 20000 }}\n  - sign: {{ artifact: \"{host}\" }}\n\
         verify:\n  - artifact: \"{host}\"\n    expect: {{ result: pass }}\n"
    );
    fs::write(world.folder().join("many.yaml"), scenario).unwrap();
    for arguments in [
        vec!["list", &reference],
        vec!["inspect", &reference],
        vec!["test", "many.yaml"],
        vec!["policy", "check", "/dev/stdin"],
    ] {
        for signal in signals() {
            let child = start(world.folder(), &arguments);
            wait_until_heeded(&child);
            std::thread::sleep(Duration::from_millis(100));
            tell(&child, signal);
            let ended = child.wait_with_output().unwrap();
            let code = ended.status.code();
            // `policy` may have been done before.
            assert!(
                code == Some(130) || arguments[0] == "policy" && code.is_some(),
                "{arguments:?} {signal:?}: {ended:?}"
            );
            assert_eq!(names(&world.folder().join("tmp")), [""; 0], "{arguments:?}");
        }
    }
}

#[test]
fn a_hang_up_that_is_ignored_stays_so() {
    if !cfg!(target_os = "linux") {
        return skip::skip("a_hang_up_that_is_ignored_stays_so", "only Linux tells which signals are ignored");
    }
    let mut world = World::new();
    let image = Artifact::image("net-monitor");
    world.put(&image, &tags(1));
    let envelope = world.sound(&image);
    world.sign(&image, JWS, &envelope);
    world.registry.fail(Fault { route: None, every: 1, times: 1, effect: Effect::Delay(Duration::from_secs(1)) });
    let script = format!(
        "trap '' HUP; exec {} audit --config config --at {AT} {}",
        env!("CARGO_BIN_EXE_muster"),
        world.repository()
    );
    let child =
        Command::new("sh").args(["-c", &script]).current_dir(world.folder()).stdout(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(500));
    tell(&child, Signal::HUP);
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
}
