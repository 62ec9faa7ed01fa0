//! Scenarios in a process that may have few files open: what comes of that is told as trouble of this machine, and never as a
//! verdict.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "tests")]

use std::path::{Path, PathBuf};
use std::process::Command;

use muster::audit::Interrupt;
use muster::scenario::{self, CaseStatus, Options};

/// Says that this process is the one with few files.
const FEW: &str = "MUSTER_TEST_FEW_FILES";

/// It expects what nothing but trouble of this machine brings about.
const FALSE_HOPE: &str = "title: x\nsteps:\n  - push: { count: 40 }\n  - sign: {}\nverify:\n  - expect: { result: error, code: unreachable }\n";

/// Runs `test` again in a process that may have `files` open; `true` in that process.
fn with_few_files(test: &str, files: u32) -> bool {
    if std::env::var_os(FEW).is_some() {
        return true;
    }
    let mut again = Command::new("sh");
    let limited = format!("ulimit -n {files}; exec \"$@\"");
    again.args(["-c", &limited, "sh"]).arg(std::env::current_exe().unwrap());
    // Folders that cannot be removed meanwhile are removed with this one.
    let folder = tempfile::tempdir().unwrap();
    again.env("TMPDIR", folder.path());
    let output = again.args([test, "--exact", "--nocapture"]).env(FEW, "1").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    // A test that ran nothing shows nothing.
    let line = said.lines().find(|line| line.contains("with few files")).expect("the test ran again");
    println!("{line}");
    false
}

#[test]
fn too_few_open_files_are_no_verdict() {
    if !with_few_files("open_files::too_few_open_files_are_no_verdict", 130) {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let paths =
        ["expiry", "discovery", "revocation", "tampering", "many"].map(|name| PathBuf::from("scenarios").join(name));
    let mut cases = scenario::select(&scenario::load(&paths).unwrap(), None).unwrap();
    cases.retain(|case| !scenario::needs_softhsm(std::slice::from_ref(case), &Options::default()));
    let hope = scenario::parse(FALSE_HOPE.as_bytes(), Path::new("scenarios/false/hope.yaml")).unwrap();
    cases.extend(scenario::select(&[hope], None).unwrap());
    let options = Options { jobs: 24, program: Some(env!("CARGO_BIN_EXE_muster").into()), ..Options::default() };
    let (mut wrong, mut told) = (Vec::new(), 0);
    let tally = runtime.block_on(scenario::run(cases, options, &Interrupt::default(), |result| match result.status {
        // It fails where nothing was short for once.
        CaseStatus::Fail(_) if result.id.contains("hope") => {}
        CaseStatus::Fail(differences) => wrong.push(format!("{} failed: {differences:?}", result.id)),
        CaseStatus::Pass if result.id.contains("hope") => wrong.push(format!("{} passed", result.id)),
        CaseStatus::Error(reason) if reason.contains("ulimit -n") => told += 1,
        CaseStatus::Error(reason) => wrong.push(format!("{}: {reason}", result.id)),
        _ => {}
    }));
    println!("with few files: {} passed, {told} were told why not", tally.pass);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(told > 0, "nothing was short: {tally:?}");
}
