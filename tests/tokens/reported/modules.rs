//! How a module starts, locks, and asks for the PIN.

use muster::forge::KeyKind::P256;

use crate::bench::{Attempt, Bench, Pin};
use crate::process::with_shim;

#[track_caller]
fn signs_with(bench: &Bench<'_>, manners: &str) {
    let attempt = bench.attempt(manners, "token=ci;object=release", P256);
    bench.sign(&attempt).signs();
    bench.plugin(&attempt).signs();
}

#[test]
fn s08_a_module_without_locks_is_used_by_one_thread_at_a_time() {
    with_shim("reported::modules::s08_a_module_without_locks_is_used_by_one_thread_at_a_time", |hsm, module| {
        let bench = Bench::new(hsm, module);
        bench.put(P256, 0, "release", &[1]);
        signs_with(&bench, "cant-lock");
        let calls = std::fs::read_to_string(bench.log()).unwrap();
        assert!(calls.contains("C_Initialize flags 0") && !calls.contains("a second thread"), "{calls}");
    });
}

#[test]
fn s15_a_pin_pad_asks_for_the_pin() {
    with_shim("reported::modules::s15_a_pin_pad_asks_for_the_pin", |hsm, module| {
        let bench = Bench::new(hsm, module);
        bench.put(P256, 0, "release", &[1]);
        for manners in ["pinpad", "pinpad,always-auth"] {
            let attempt = Attempt { pin: Pin::None, ..bench.attempt(manners, "token=ci;object=release", P256) };
            bench.sign(&attempt).signs();
            bench.plugin(&attempt).signs();
        }
        // What the user cancels is said, and not tried again.
        std::fs::remove_file(bench.log()).unwrap();
        let attempt = Attempt { pin: Pin::None, ..bench.attempt("pinpad-cancelled", "token=ci;object=release", P256) };
        bench.sign(&attempt).refuses("CKR_FUNCTION_CANCELED");
        let calls = std::fs::read_to_string(bench.log()).unwrap();
        assert_eq!(calls.matches("C_Login").count(), 1, "{calls}");
    });
}

#[test]
fn s17_slots_are_listed_before_tokens_are_asked() {
    with_shim("reported::modules::s17_slots_are_listed_before_tokens_are_asked", |hsm, module| {
        let bench = Bench::new(hsm, module);
        bench.put(P256, 0, "release", &[1]);
        signs_with(&bench, "slotlist-first");
    });
}

#[test]
fn s21_a_module_that_is_started_already_is_no_error() {
    with_shim("reported::modules::s21_a_module_that_is_started_already_is_no_error", |hsm, module| {
        let bench = Bench::new(hsm, module);
        bench.put(P256, 0, "release", &[1]);
        signs_with(&bench, "already-initialized");
    });
}

/// A PIN that is wrong is tried once: the next try may lock the token.
#[test]
fn a_wrong_pin_is_tried_once_and_the_last_try_is_told() {
    with_shim("reported::modules::a_wrong_pin_is_tried_once_and_the_last_try_is_told", |hsm, module| {
        let bench = Bench::new(hsm, module);
        bench.put(P256, 0, "release", &[1]);
        let wrong = bench.folder().join("wrong");
        std::fs::write(&wrong, "0000").unwrap();
        for (manners, words) in [("", "refuses the PIN as wrong"), ("pin-final", "one try is left")] {
            let _ = std::fs::remove_file(bench.log());
            let attempt = bench.attempt(manners, "token=ci;object=release", P256);
            bench.sign(&Attempt { pin: Pin::OtherFile(&wrong), ..attempt.clone() }).refuses(words);
            let calls = std::fs::read_to_string(bench.log()).unwrap();
            assert_eq!(calls.matches("C_Login").count(), 1, "{calls}");
            // SoftHSM counts none; the right PIN signs still.
            bench.sign(&attempt).signs();
        }
    });
}
