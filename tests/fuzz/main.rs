//! Seeded mutations of real inputs through the parsers of strangers' bytes: none may panic or take long.
//!
//! The same seed makes the same inputs. `MUSTER_FUZZ_SECONDS` (for each target, 1 where it is not set) and `MUSTER_FUZZ_SEED`
//! choose how long and which. An input that fails is written to the folder for temporary files, and its path is printed.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use muster::pki::{Certificate, ChainCache};
use muster::policy::{BlobTrustPolicy, TrustPolicy};
use muster::{envelope, manifest, scenario, timestamp};

/// A target: its name, the parser, and where its seeds are.
type Target = (&'static str, fn(&[u8]), &'static [&'static str]);

const LAYOUT: &str = "tests/interop/layout";
const TARGETS: &[Target] = &[
    ("jws", |bytes| drop(envelope::verify("application/jose+json", bytes, &ChainCache::new())), &[LAYOUT]),
    ("cose", |bytes| drop(envelope::verify("application/cose", bytes, &ChainCache::new())), &[LAYOUT]),
    ("certificate", |bytes| drop(Certificate::parse(bytes)), &["tests/data/revocation"]),
    ("time-stamp", |bytes| drop(timestamp::read_response(bytes)), &["tests/data/timestamp"]),
    ("policy", |bytes| drop(TrustPolicy::parse(bytes, "fuzz.json")), &["tests/interop/policies", "policies"]),
    ("blob-policy", |bytes| drop(BlobTrustPolicy::parse(bytes, "fuzz.json")), &["tests/interop/policies", "policies"]),
    ("scenario", |bytes| drop(scenario::parse(bytes, Path::new("scenarios/fuzz.yaml"))), &["scenarios/tampering"]),
    ("manifest", |bytes| drop(manifest::parse(bytes, "application/vnd.oci.image.manifest.v1+json")), &[LAYOUT]),
    ("index", |bytes| drop(manifest::parse(bytes, "application/vnd.oci.image.index.v1+json")), &[LAYOUT]),
];

/// The longest that one input may take.
const PATIENCE: Duration = Duration::from_secs(10);
const LONGEST_SEED: u64 = 64 << 10;

/// xorshift64*: the same numbers on every machine.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % end.max(1)
    }
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.metadata().unwrap().len() <= LONGEST_SEED {
            found.push(path);
        }
    }
}

fn seeds(folders: &[&str]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for folder in folders {
        files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut found);
    }
    found.sort();
    found.iter().map(|file| fs::read(file).unwrap()).collect()
}

fn mutate(bytes: &mut Vec<u8>, other: &[u8], numbers: &mut Numbers) {
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(bytes.len() + 1);
        match numbers.below(5) {
            0 if at < bytes.len() => bytes[at] ^= 1 << numbers.below(8),
            1 if at < bytes.len() => bytes[at] = numbers.below(256) as u8,
            2 => bytes.truncate(at),
            3 => {
                let from = numbers.below(other.len());
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
            _ => {
                let end = bytes.len().min(at + numbers.below(64));
                let chunk = bytes[at..end].repeat(numbers.below(100));
                bytes.splice(at..at, chunk);
            }
        }
    }
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().unwrap())
}

#[test]
fn no_mutated_input_makes_a_parser_panic_or_wait() {
    let time = Duration::from_secs(number("MUSTER_FUZZ_SECONDS", 1));
    let seed = number("MUSTER_FUZZ_SEED", 1).max(1);
    for (name, parse, folders) in TARGETS {
        let seeds = seeds(folders);
        assert!(!seeds.is_empty(), "{name} has no seeds");
        let mut numbers = Numbers(seed);
        let (start, mut runs) = (Instant::now(), 0_u64);
        while start.elapsed() < time {
            let mut bytes = seeds[numbers.below(seeds.len())].clone();
            mutate(&mut bytes, &seeds[numbers.below(seeds.len())], &mut numbers);
            let before = Instant::now();
            let outcome = catch_unwind(AssertUnwindSafe(|| parse(&bytes)));
            if outcome.is_err() || before.elapsed() > PATIENCE {
                let path = std::env::temp_dir().join(format!("muster-fuzz-{name}-{seed}-{runs}"));
                fs::write(&path, &bytes).unwrap();
                panic!("{name} fails with the input {} (seed {seed}, input {runs})", path.display());
            }
            runs += 1;
        }
        println!("fuzz {name}: {runs} inputs from {} seeds", seeds.len());
    }
}
