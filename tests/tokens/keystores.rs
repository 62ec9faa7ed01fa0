//! Keys of scenarios in SoftHSM, from the command line: the program starts again for it, leaves nothing behind, and says
//! which way it went.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::fs;
use std::path::Path;
use std::process::Command;

use muster::forge::softhsm::{SoftHsm, SoftHsmError};
use tempfile::TempDir;

const SOUND: &str = "title: sound\nsteps:\n  - push: {}\n  - sign: {}\nverify:\n  - expect: { result: pass }\n";

/// A folder with a scenario of this text and an empty folder for temporary files, and the program in it.
fn muster(text: &str, arguments: &[&str]) -> (TempDir, Command) {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("scenarios")).unwrap();
    fs::create_dir(folder.path().join("temporary")).unwrap();
    fs::write(folder.path().join("scenarios/case.yaml"), text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
    command.arg("test").args(arguments).current_dir(folder.path()).env("TMPDIR", folder.path().join("temporary"));
    (folder, command)
}

#[track_caller]
fn nothing_is_left(folder: &Path) {
    let left: Vec<_> = fs::read_dir(folder.join("temporary")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Whether SoftHSM is here; says so if not, and fails if that must not be.
#[track_caller]
fn is_installed(name: &str) -> bool {
    match SoftHsm::prepare() {
        Ok(_) => true,
        Err(error @ SoftHsmError::NotInstalled) => {
            crate::skip::skip(name, &error.to_string());
            false
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn the_exit_code_and_the_output_are_those_of_the_second_process() {
    if !is_installed("the_exit_code_and_the_output_are_those_of_the_second_process") {
        return;
    }
    for (text, code, says) in [
        (SOUND.to_owned(), 0, "1 passed"),
        (SOUND.replace("result: pass", "result: skip"), 1, "1 failed"),
        (SOUND.replace("sign: {}", "tamper: { do: truncate }"), 3, "1 could not be run"),
    ] {
        let (folder, mut command) = muster(&text, &["--keystore", "softhsm"]);
        let output = command.output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(code), "{printed}");
        assert_eq!(printed.matches(says).count(), 1, "{printed}");
        nothing_is_left(folder.path());
    }
}

#[test]
fn a_module_that_is_misnamed_is_no_reason_to_skip() {
    let (folder, mut command) = muster(SOUND, &["--keystore", "softhsm"]);
    let output = command.env(SoftHsm::MODULE, "/nowhere/libsofthsm2.so").output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(3), "{printed}");
    assert!(printed.contains("MUSTER_SOFTHSM_MODULE names \"/nowhere/libsofthsm2.so\""), "{printed}");
    nothing_is_left(folder.path());
}

/// Whoever says that the process was started for SoftHSM does not have tokens made elsewhere.
#[test]
fn another_configuration_is_not_touched() {
    let (folder, mut command) = muster(SOUND, &["--keystore", "softhsm"]);
    command.env(SoftHsm::FOLDER, folder.path()).env(SoftHsm::CONFIGURATION, folder.path().join("own.conf"));
    let output = command.output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(3), "{printed}");
    assert!(printed.contains("SOFTHSM2_CONF is not the configuration"), "{printed}");
}

/// SIGTERM reaches only the process that was started; the one that it waits for ends as if it had been told itself.
#[cfg(unix)]
#[test]
fn a_signal_is_passed_on_and_the_tokens_are_removed() {
    use std::io::{BufRead as _, BufReader};
    use std::process::Stdio;

    if !is_installed("a_signal_is_passed_on_and_the_tokens_are_removed") {
        return;
    }
    let (folder, mut command) = muster(SOUND, &["--keystore", "softhsm", "--keep"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains("the worlds stay up until Ctrl-C")));
    assert!(fs::read_dir(folder.path().join("temporary")).unwrap().count() >= 2, "tokens and trust stores");
    let id = rustix::process::Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    nothing_is_left(folder.path());
}
