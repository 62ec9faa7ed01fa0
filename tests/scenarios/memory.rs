//! What an artifact of a scenario costs in memory, signed, in a registry of this process, and judged: little more than its
//! content. Measured for whole processes, which do the same with few and with more.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test, in two processes that speak by output"
)]
#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::Command;

use muster::audit::Interrupt;
use muster::scenario::{self, CaseStatus, Options};

use super::skip;

/// Says how many artifacts the process that is started is to have.
const COUNT: &str = "MUSTER_TEST_ARTIFACTS";
/// How much memory each may take: about 3.6 KB are its content and that of its signature.
const BYTES: usize = 9_000;

/// The most memory that this process has needed, in bytes.
fn peak() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse::<usize>().ok().map(|kib| kib << 10)
}

fn of(count: usize) -> usize {
    let mut again = Command::new(std::env::current_exe().unwrap());
    let test = ["memory::an_artifact_takes_little_more_than_its_content", "--exact", "--nocapture"];
    let output = again.args(test).env(COUNT, count.to_string()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    let peak = said.lines().find_map(|line| line.strip_prefix("peak ")).expect("what it needed");
    peak.parse().unwrap()
}

fn measure(count: &str) {
    let text = format!(
        "title: many\nsteps:\n  - push: {{ count: {count} }}\n  - sign: {{}}\nverify:\n  - expect: {{ result: pass }}\n"
    );
    let scenario = scenario::parse(text.as_bytes(), Path::new("scenarios/topic/many.yaml")).unwrap();
    let cases = scenario::select(&[scenario], None).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(scenario::run(cases, Options::default(), &Interrupt::default(), |result| {
        assert_eq!(result.status, CaseStatus::Pass);
    }));
    println!("\npeak {}", peak().unwrap());
}

#[test]
fn an_artifact_takes_little_more_than_its_content() {
    if let Ok(count) = std::env::var(COUNT) {
        return measure(&count);
    }
    if peak().is_none() {
        return skip::skip("memory of scenarios", "this system does not say how much memory a process has needed");
    }
    let (few, more) = (500, 2500);
    let each = of(more).saturating_sub(of(few)) / (more - few);
    println!("each artifact takes {each} bytes");
    assert!(each < BYTES, "each artifact takes {each} bytes");
}
