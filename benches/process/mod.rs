//! Runs `muster audit` as a process of its own, and watches its time and its peak memory.
#![allow(clippy::unwrap_used, reason = "benches")]

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Audits `target` by the `policy.json` and the trust stores in `rules`, into the file `report`: how long it takes, and its
/// peak resident memory in KiB.
pub(crate) fn audit(target: &str, rules: &Path, report: &Path) -> (Duration, u64) {
    let started = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_muster"))
        .args(["audit", target, "-o", "ndjson", "--at", "2026-11-23T12:00:00Z", "--quiet", "--policy"])
        .arg(rules.join("policy.json"))
        .arg("--trust-store")
        .arg(rules)
        // No CRL of an earlier run is at hand.
        .env("NOTATION_CACHE", rules.join("cache"))
        .stdout(File::create(report).unwrap())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let mut peak = 0;
    let status = loop {
        // The kernel keeps the peak, so the last look before the end misses little.
        peak = peak_of(child.id()).unwrap_or(peak);
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    let time = started.elapsed();
    // Something may be undecided: the report says what.
    assert!(matches!(status.code(), Some(0 | 3)), "{status}");
    (time, peak)
}

fn peak_of(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
