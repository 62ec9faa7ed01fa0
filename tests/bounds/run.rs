//! The program as a process of its own, with the most memory that it ever held.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The most that an audit may hold, in KiB: all of the process.
const MOST: u64 = 256 << 10;
/// How often the account of the process is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// What a run left behind.
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    /// One object an artifact.
    pub(crate) results: Vec<serde_json::Value>,
    pub(crate) complaint: String,
    /// The most memory it held, in KiB.
    pub(crate) peak: u64,
    pub(crate) time: Duration,
}

/// Runs `muster audit` in `folder` with these arguments.
pub(crate) fn audit(folder: &Path, arguments: &[&str]) -> Finished {
    let audit = ["audit", "--config", "config", "--at", crate::inputs::AT, "-q", "-o", "ndjson"];
    let (finished, out) = muster(folder, &[&audit[..], arguments].concat());
    let results = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    Finished { results, ..finished }
}

/// Runs `muster` in `folder` with these arguments; with what it wrote to standard output.
pub(crate) fn muster(folder: &Path, arguments: &[&str]) -> (Finished, String) {
    let started = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_muster"))
        .args(arguments)
        .current_dir(folder)
        .env("NOTATION_CACHE", folder.join("cache"))
        .env("DOCKER_CONFIG", folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let out = std::thread::spawn(move || {
        let mut text = String::new();
        out.read_to_string(&mut text).unwrap();
        text
    });
    let err = std::thread::spawn(move || {
        let mut text = String::new();
        err.read_to_string(&mut text).unwrap();
        text
    });
    let mut peak = 0;
    let code = loop {
        // It only ever grows, and is gone with the process.
        peak = peak.max(high_water(&status).unwrap_or(0));
        match child.try_wait().unwrap() {
            Some(status) => break status.code(),
            None => std::thread::sleep(LOOK),
        }
    };
    let time = started.elapsed();
    let finished = Finished { code, results: Vec::new(), complaint: err.join().unwrap(), peak, time };
    (finished, out.join().unwrap())
}

fn high_water(status: &str) -> Option<u64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

/// Whether the system tells how much memory a process held.
pub(crate) fn is_told() -> bool {
    let told = high_water("/proc/self/status").is_some();
    if !told {
        crate::skip::skip("a bound of memory", "this system does not tell how much memory a process held");
    }
    told
}

impl Finished {
    /// Prints a row of the table, and sees to the bound.
    #[track_caller]
    pub(crate) fn row(&self, input: &str) {
        println!("| {input} | {:.0} MiB | {:.1} s |", self.peak as f64 / 1024.0, self.time.as_secs_f64());
        assert!(self.peak > 0, "{input}: nothing was measured: {}", self.complaint);
        assert!(self.peak <= MOST, "{input}: {} KiB, and no more than {MOST} may be held", self.peak);
    }

    /// The results with their codes, counted.
    pub(crate) fn tally(&self) -> std::collections::BTreeMap<String, usize> {
        let mut tally = std::collections::BTreeMap::new();
        for result in &self.results {
            let word = |name: &str| result[name].as_str().unwrap_or("-").to_owned();
            *tally.entry(format!("{} {}", word("result"), word("code"))).or_default() += 1;
        }
        tally
    }
}
