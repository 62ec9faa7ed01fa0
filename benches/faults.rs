//! The whole program over a whole registry that fails by chance: `muster audit` of an embedded registry on loopback, of whose
//! answers some in a hundred are "500", "503" or five seconds late.
//!
//! Run with `cargo bench --bench faults [-- 20000]`. It says how long each audit took and how many requests it made, beside one
//! without faults, the peak memory of the program, and how many artifacts had no verdict, or a wrong one. The registry runs in
//! this process and the program in its own.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "benches")]

mod process;
mod world;

use std::path::Path;
use std::time::Duration;

use muster::forge::KeyKind;
use muster::forge::registry::{Chance, Effect, EmbeddedRegistry, Options};

/// How many answers of a thousand are befallen.
const RATES: [u32; 3] = [10, 50, 200];
/// How late a late answer is.
const LATE: Duration = Duration::from_secs(5);

/// What came of one audit.
struct Measured {
    seconds: f64,
    requests: usize,
    peak: u64,
    passed: usize,
    undecided: usize,
}

fn main() {
    let number = std::env::args().skip(1).find_map(|argument| argument.parse().ok());
    let measuring = std::env::args().any(|argument| argument == "--bench");
    // As a test: does it work at all?
    let number: usize = number.unwrap_or(if measuring { 20_000 } else { 20 });
    let faults =
        [("500", Effect::Status(500, None)), ("503", Effect::Status(503, None)), ("late", Effect::Delay(LATE))];
    let faults = if measuring { &faults[..] } else { &faults[..2] };

    let signer = world::signer(KeyKind::P256);
    let registry = EmbeddedRegistry::start(Options::default()).unwrap();
    world::fill(&registry, &signer, number);
    let folder = tempfile::tempdir().unwrap();
    world::write_rules(folder.path(), signer.chain.last().unwrap());

    println!("{number} artifacts");
    println!(
        "{:>5} {:>9}  {:>8} {:>6}  {:>9} {:>6}  {:>8}  {:>9} {:>6}",
        "fault", "of 1000", "seconds", "times", "requests", "times", "peak MiB", "undecided", "wrong"
    );
    let calm = audit(&registry, folder.path());
    line("none", 0, number, &calm, &calm);
    for (name, effect) in faults {
        for per_mille in RATES {
            registry.recover();
            registry.fail_by_chance(Chance { route: None, per_mille, seed: 11, effect: effect.clone() });
            line(name, per_mille, number, &audit(&registry, folder.path()), &calm);
        }
    }
}

fn line(name: &str, per_mille: u32, number: usize, measured: &Measured, calm: &Measured) {
    let Measured { seconds, requests, peak, passed, undecided } = measured;
    let wrong = number - passed - undecided;
    let (time, asked) = (seconds / calm.seconds, *requests as f64 / calm.requests as f64);
    let peak = *peak as f64 / 1024.0;
    println!(
        "{name:>5} {per_mille:>9}  {seconds:>8.2} {time:>6.2}  {requests:>9} {asked:>6.3}  {peak:>8.1}  {undecided:>9} {wrong:>6}"
    );
    assert_eq!(wrong, 0);
}

fn audit(registry: &EmbeddedRegistry, folder: &Path) -> Measured {
    let report = folder.join("report.ndjson");
    let before = registry.requests();
    let (time, peak) = process::audit(&registry.host(), folder, &report);
    let report = std::fs::read_to_string(report).unwrap();
    let count = |what: &str| report.lines().filter(|line| line.contains(what)).count();
    Measured {
        seconds: time.as_secs_f64(),
        requests: registry.requests() - before,
        peak,
        passed: count(r#""result":"pass","code":null"#),
        undecided: count(r#""result":"error""#),
    }
}
