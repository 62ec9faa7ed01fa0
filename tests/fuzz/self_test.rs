//! The runner itself: parsers that are broken on purpose, each of which it has to catch, and to name the input.

use std::fs;
use std::time::Duration;

use muster::fuzzing::Target;

use super::{MEMORY, try_target};

/// What may go wrong, each in a parser of its own; and one that is sound.
pub(super) const PARSERS: &[Target] = &[
    Target { name: "broken-panics", parse: |bytes| panic!("{} bytes", bytes.len()) },
    Target { name: "broken-aborts", parse: |_| std::process::abort() },
    Target { name: "broken-overflows", parse: |bytes| deeper(bytes.len()) > 0 },
    Target { name: "broken-swallows", parse: |bytes| vec![bytes[0]; MEMORY as usize * 1024].len() > 1 },
    Target { name: "broken-hangs", parse: |_| hang() },
    SOUND,
];

/// A parser that nothing is wrong with.
const SOUND: Target = Target { name: "sound", parse: |_| true };

fn hang() -> bool {
    loop {
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// Calls itself until the stack is full.
#[expect(unconditional_recursion, reason = "what a parser must not do")]
fn deeper(depth: usize) -> usize {
    let frame = std::hint::black_box([depth; 64]);
    deeper(depth + 1) + frame[depth % 64]
}

#[track_caller]
fn is_caught(name: &str, how: &str) {
    let folder = tempfile::tempdir().unwrap();
    let target = PARSERS.iter().find(|target| target.name == name).unwrap();
    let why = try_target(target, folder.path(), Duration::from_millis(500)).unwrap_err();
    assert!(why.starts_with(&format!("{name}: {how}")), "{why}");
    let kept = why.split("which is in ").nth(1).and_then(|rest| rest.split(';').next()).unwrap();
    assert!(!fs::read(kept).unwrap().is_empty(), "{why}");
    fs::remove_file(kept).unwrap();
}

#[test]
fn a_panic_is_caught() {
    is_caught("broken-panics", "exit status: 101 with input 0 of seed ");
}

#[cfg(unix)]
#[test]
fn an_abort_is_caught() {
    is_caught("broken-aborts", "signal: 6");
}

#[cfg(unix)]
#[test]
fn a_stack_overflow_is_caught() {
    is_caught("broken-overflows", "signal: 6");
}

#[cfg(unix)]
#[test]
fn too_much_memory_is_caught() {
    is_caught("broken-swallows", "signal: 6");
}

#[test]
fn a_hang_is_caught() {
    is_caught("broken-hangs", "it hangs with input 0 of seed ");
}

/// Otherwise the others would show nothing.
#[test]
fn a_sound_parser_is_not_caught() {
    let folder = tempfile::tempdir().unwrap();
    try_target(&SOUND, folder.path(), Duration::from_secs(60)).unwrap();
}
