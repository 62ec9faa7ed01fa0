//! Threads at one key that is not ready at once: what the first of them finds out is not held against the others.

use std::fs;
use std::path::Path;
use std::thread;

use muster::forge::KeyKind;
use muster::forge::softhsm::SoftHsm;
use muster::signer::{Pkcs11, PrivateKey as _, SignerError};

use crate::bench::Bench;
use crate::process::{in_shim, open, shim_pin};

/// A key in the shim, loaded into this process.
fn key_of_shim(hsm: &SoftHsm, module: &Path, manners: &str) -> Pkcs11 {
    let bench = Bench::new(hsm, module);
    fs::copy(bench.token().pin_file(), shim_pin(hsm)).unwrap();
    bench.put(KeyKind::P256, 0, "release", b"1");
    open(&bench.uri(&bench.attempt(manners, "token=ci;object=release", KeyKind::P256))).unwrap()
}

/// What came of a signature in each of `count` threads, which start at once.
fn together(signer: &Pkcs11, count: usize) -> Vec<Result<Vec<u8>, SignerError>> {
    let start = std::sync::Barrier::new(count);
    let sign = || {
        start.wait();
        signer.sign(b"message")
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..count).map(|_| scope.spawn(sign)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn a_pin_that_is_refused_for_a_signature_is_given_by_one_of_eight_threads() {
    const MANNERS: &str = "always-auth,signature-pin";
    const NAME: &str = "reported::threads::a_pin_that_is_refused_for_a_signature_is_given_by_one_of_eight_threads";
    in_shim(NAME, MANNERS, |hsm, module| {
        let signer = key_of_shim(hsm, module, MANNERS);
        for result in together(&signer, 8).into_iter().chain([signer.sign(b"and once more")]) {
            assert!(matches!(result, Err(SignerError::PinWrong { .. })), "{result:?}");
        }
        let calls = fs::read_to_string(hsm.folder().join("calls")).unwrap();
        let given = calls.lines().filter(|call| call.starts_with("C_Login user 2")).count();
        assert_eq!(given, 1, "{calls}");
    });
}

/// The first way is refused; at the second the token is busy with another thread, which says nothing of the way.
#[test]
fn a_thread_that_finds_the_token_busy_at_the_second_way_waits() {
    const MANNERS: &str = "listed-but-refused,one-operation,slow-sign";
    const NAME: &str = "reported::threads::a_thread_that_finds_the_token_busy_at_the_second_way_waits";
    in_shim(NAME, MANNERS, |hsm, module| {
        let signer = key_of_shim(hsm, module, MANNERS);
        for result in together(&signer, 2) {
            result.unwrap();
        }
    });
}

/// What a module cannot do it is not asked for again, nor is it waited for.
#[test]
fn every_signature_that_a_module_does_not_end_is_told_in_the_same_words() {
    const MANNERS: &str = "size-hint-short";
    const NAME: &str = "reported::threads::every_signature_that_a_module_does_not_end_is_told_in_the_same_words";
    in_shim(NAME, MANNERS, |hsm, module| {
        let signer = key_of_shim(hsm, module, MANNERS);
        let said = |result: Result<Vec<u8>, SignerError>| result.unwrap_err().to_string();
        let first = said(signer.sign(b"message"));
        assert!(first.contains("CKR_BUFFER_TOO_SMALL"), "{first}");
        assert_eq!(said(signer.sign(b"another")), first);
    });
}
