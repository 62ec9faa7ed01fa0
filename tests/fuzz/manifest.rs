//! The programs of `fuzz/` for libFuzzer: one for each parser.

use muster::fuzzing::TARGETS;

use super::root;

#[test]
fn there_is_a_program_for_each_parser() {
    let manifest = std::fs::read_to_string(root().join("fuzz/Cargo.toml")).unwrap();
    let bins = manifest.split("[[bin]]").skip(1);
    let named: Vec<_> = bins.map(|bin| bin.split('"').nth(1).unwrap()).collect();
    assert_eq!(named, TARGETS.iter().map(|target| target.name).collect::<Vec<_>>());
}
