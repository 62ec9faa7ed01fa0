//! Seeded mutations of real inputs through the parsers of strangers' bytes: none may panic, overflow the stack, take much
//! memory, or take long.
//!
//! Each parser runs in a process of its own. Input N of a seed is the same on every machine. `MUSTER_FUZZ_SECONDS` (for each
//! parser, 1 where it is not set) and `MUSTER_FUZZ_SEED` choose how many and which; `fuzz/README.md` says more.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod manifest;
mod mutation;
mod seeds;
mod self_test;

use std::fs;
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use muster::fuzzing::{TARGETS, Target};
use mutation::Numbers;

/// What a process may take in memory, in KiB.
const MEMORY: u64 = 1 << 20;
/// How much longer than it should a process may take before it is taken for hanging.
const PATIENCE: Duration = Duration::from_secs(60);

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().unwrap())
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The seeds of a parser; those that only test the runner need no files.
fn seeds_of(target: &Target) -> Vec<Vec<u8>> {
    let is_of_runner = self_test::PARSERS.iter().any(|parser| parser.name == target.name);
    if is_of_runner { vec![b"some bytes that are not empty".to_vec()] } else { seeds::of(target) }
}

/// The input of this number.
fn input(seeds: &[Vec<u8>], seed: u64, number: u64) -> Vec<u8> {
    let mut numbers = Numbers::new(seed, number);
    let mut bytes = seeds[numbers.below(seeds.len())].clone();
    let other = &seeds[numbers.below(seeds.len())];
    mutation::mutate(&mut bytes, other, &mut numbers);
    bytes
}

fn child(target: &Target, count: &Path) -> Child {
    let program = std::env::current_exe().unwrap();
    let mut command = if cfg!(unix) {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("ulimit -v {MEMORY}; exec \"$0\" \"$@\"")).arg(program);
        shell
    } else {
        Command::new(program)
    };
    command.args(["--exact", "one_parser", "--nocapture", "--test-threads=1"]);
    command.env("MUSTER_FUZZ_TARGET", target.name).env("MUSTER_FUZZ_COUNT", count).env("RUST_BACKTRACE", "0");
    // Its own summary is none of this one's tests.
    command.stdout(fs::File::create(count.with_extension("out")).unwrap());
    command.spawn().unwrap()
}

/// Whether the process ends well within `time`.
fn ends_well(child: &mut Child, time: Duration) -> Result<(), String> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return if status.success() { Ok(()) } else { Err(status.to_string()) };
        }
        if start.elapsed() > time {
            child.kill().unwrap();
            child.wait().unwrap();
            return Err("it hangs".to_owned());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Tries one parser, whose process may take `patience` longer than it should.
fn try_target(target: &Target, folder: &Path, patience: Duration) -> Result<(), String> {
    let (time, seed) = (Duration::from_secs(number("MUSTER_FUZZ_SECONDS", 1)), number("MUSTER_FUZZ_SEED", 1));
    let (name, count) = (target.name, folder.join(target.name));
    let outcome = ends_well(&mut child(target, &count), time + patience);
    let said = fs::read_to_string(count.with_extension("out")).unwrap();
    for line in said.lines().filter_map(|line| line.find("fuzz ").map(|at| &line[at..])) {
        println!("{line}");
    }
    let Err(why) = outcome else { return Ok(()) };
    let Ok(count) = fs::read(&count) else { return Err(format!("{name} does not start: {why}")) };
    let number = u64::from_le_bytes(count.try_into().unwrap());
    let path = std::env::temp_dir().join(format!("muster-fuzz-{name}-{seed}-{number}"));
    fs::write(&path, input(&seeds_of(target), seed, number)).unwrap();
    Err(format!(
        "{name}: {why} with input {number} of seed {seed}, which is in {}; again: MUSTER_FUZZ_TARGET={name} \
         MUSTER_FUZZ_INPUT={} cargo test --test fuzz one_parser -- --exact --nocapture",
        path.display(),
        path.display()
    ))
}

#[test]
fn no_mutated_input_breaks_a_parser() {
    let folder = tempfile::tempdir().unwrap();
    let at_a_time = std::thread::available_parallelism().map_or(1, usize::from);
    let mut broken = Vec::new();
    for targets in TARGETS.chunks(at_a_time) {
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            let tries: Vec<_> =
                targets.iter().map(|target| scope.spawn(|| try_target(target, folder.path(), PATIENCE))).collect();
            tries.into_iter().map(|running| running.join().unwrap()).collect()
        });
        broken.extend(outcomes.into_iter().filter_map(Result::err));
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// What runs in the process of a parser; by itself it does nothing.
#[test]
fn one_parser() {
    let Ok(name) = std::env::var("MUSTER_FUZZ_TARGET") else { return };
    let target = TARGETS.iter().chain(self_test::PARSERS).find(|target| target.name == name).unwrap();
    if let Some(path) = std::env::var_os("MUSTER_FUZZ_INPUT") {
        let accepted = (target.parse)(&fs::read(PathBuf::from(path)).unwrap());
        println!("fuzz {name}: accepted: {accepted}");
        return;
    }
    let (time, seed) = (Duration::from_secs(number("MUSTER_FUZZ_SECONDS", 1)), number("MUSTER_FUZZ_SEED", 1));
    let seeds = seeds_of(target);
    let mut count = fs::File::create(std::env::var_os("MUSTER_FUZZ_COUNT").unwrap()).unwrap();
    let (start, mut tried, mut accepted) = (Instant::now(), 0_u64, 0_u64);
    while start.elapsed() < time {
        // Written before it is tried: whatever happens, the input is known.
        count.rewind().unwrap();
        count.write_all(&tried.to_le_bytes()).unwrap();
        accepted += u64::from((target.parse)(&input(&seeds, seed, tried)));
        tried += 1;
    }
    println!("fuzz {name}: {tried} inputs, {accepted} accepted, from {} seeds", seeds.len());
}
