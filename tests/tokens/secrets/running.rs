//! What others see of a process that signs, while it does: its arguments and those of its children, and its temporary files.

use std::fs;
use std::process::Stdio;

use muster::forge::KeyKind;

use super::search::{Secret, wait_for_signing};
use crate::bench::{Attempt, Bench, Pin};
use crate::process::with_shim;

/// The process and all that it started, as far as they are still there.
pub(super) fn family(id: u32) -> Vec<u32> {
    let mut family = vec![id];
    let mut next = 0;
    while let Some(&parent) = family.get(next) {
        let threads = fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten();
        for thread in threads {
            let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            family.extend(children.split_whitespace().map(|child| child.parse::<u32>().unwrap()));
        }
        next += 1;
    }
    family
}

#[test]
fn no_pin_is_in_an_argument_list_or_a_temporary_file_meanwhile() {
    with_shim("secrets::running::no_pin_is_in_an_argument_list_or_a_temporary_file_meanwhile", |hsm, module| {
        let bench = Bench::new(hsm, module);
        bench.put(KeyKind::P256, 0, "release", b"1");
        let pin = Secret::new(bench.pin().as_bytes());
        for given in [Pin::File, Pin::Environment] {
            let attempt = Attempt {
                pin: given,
                ..bench.attempt("slow-sign,always-auth", "token=ci;object=release", KeyKind::P256)
            };
            let _ = fs::remove_file(bench.log());
            let (mut command, target) = bench.sign_command(&attempt);
            let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            wait_for_signing(&bench, &mut child);
            for id in family(child.id()) {
                let arguments = fs::read(format!("/proc/{id}/cmdline")).unwrap();
                assert!(arguments.windows(4).any(|window| window == b"sign"), "these are not the arguments");
                assert!(!pin.is_in(&arguments), "{given:?}: the arguments of a process hold the PIN");
                let environment = fs::read(format!("/proc/{id}/environ")).unwrap();
                assert_eq!(pin.is_in(&environment), given == Pin::Environment, "its environment");
            }
            pin.is_nowhere_below(bench.folder());
            bench.judged(&child.wait_with_output().unwrap(), &target).signs();
        }
    });
}
