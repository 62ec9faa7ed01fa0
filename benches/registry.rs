//! The whole program over a whole registry: `muster audit` of an embedded registry on loopback, its throughput and its
//! peak memory at growing numbers of signed digests.
//!
//! Run with `cargo bench --bench registry [-- 1000 10000]`. The registry runs in this process and the program in its own,
//! so that the memory is the program's alone.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "benches")]

mod process;
mod world;

use std::time::Duration;

use muster::forge::KeyKind;
use muster::forge::registry::{EmbeddedRegistry, Options};

fn main() {
    let numbers = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect::<Vec<usize>>();
    let measuring = std::env::args().any(|argument| argument == "--bench");
    let numbers = match (numbers.is_empty(), measuring) {
        (false, _) => numbers,
        (true, true) => vec![1_000, 10_000],
        // As a test: does it work at all?
        (true, false) => vec![20],
    };
    println!("{:>8}  {:>10}  {:>12}  {:>10}", "digests", "seconds", "digests/s", "peak MiB");
    for number in numbers {
        let (time, peak) = audit(number);
        let seconds = time.as_secs_f64();
        println!("{number:>8}  {seconds:>10.2}  {:>12.0}  {:>10.1}", number as f64 / seconds, peak as f64 / 1024.0);
    }
}

/// How long an audit of `number` signed digests takes, and its peak resident memory in KiB.
fn audit(number: usize) -> (Duration, u64) {
    let signer = world::signer(KeyKind::P256);
    let registry = EmbeddedRegistry::start(Options::default()).unwrap();
    world::fill(&registry, &signer, number);

    let folder = tempfile::tempdir().unwrap();
    world::write_rules(folder.path(), signer.chain.last().unwrap());
    let report = folder.path().join("report.ndjson");
    let (time, peak) = process::audit(&registry.host(), folder.path(), &report);
    let report = std::fs::read_to_string(report).unwrap();
    assert_eq!(report.lines().filter(|line| line.contains(r#""result":"pass","code":null"#)).count(), number);
    (time, peak)
}
