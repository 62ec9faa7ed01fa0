//! Two hundred signatures with eight threads, and eight programs at once, on tokens that allow much and tokens that allow little.
//! None may fail. How many there are a second is printed:
//!
//!     cargo test --features containers --test tokens throughput -- --nocapture | grep '^|'

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::Instant;

use muster::forge::KeyKind;
use muster::forge::softhsm::SoftHsm;
use muster::pki::PublicKey;
use muster::signer::{Pkcs11, PrivateKey as _};

use crate::bench::Bench;
use crate::process::{in_shim, open, shim_pin, with_shim, with_softhsm};
use crate::world::key;

/// Two hundred signatures, each of another message, verified beside the signer.
pub(crate) fn two_hundred(signer: &Pkcs11, of_what: &str) {
    const THREADS: usize = 8;
    const EACH: usize = 25;
    let public = PublicKey::new(signer.verifying_key().subject_key()).unwrap();
    let (public, started) = (&public, Instant::now());
    thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                for round in 0..EACH {
                    let message = format!("{of_what} {thread} {round}");
                    let signature =
                        signer.sign(message.as_bytes()).unwrap_or_else(|error| panic!("{message}: {error}"));
                    assert!(public.verify(message.as_bytes(), &signature).is_ok(), "{message}");
                }
            });
        }
    });
    let seconds = started.elapsed().as_secs_f64();
    println!("| {of_what} | 200 signatures, 8 threads | {:.0} a second |", 200.0 / seconds);
}

#[test]
fn two_hundred_signatures_on_softhsm() {
    with_softhsm("throughput::two_hundred_signatures_on_softhsm", |hsm| {
        let token = hsm.token("much").unwrap();
        for kind in [KeyKind::P256, KeyKind::Rsa2048] {
            let uri = token.import(&key(kind, 0), kind.word()).unwrap();
            two_hundred(&open(&uri).unwrap(), &format!("SoftHSM, {}", kind.word()));
        }
    });
}

/// The key in the shim, loaded into this process.
fn of_shim(hsm: &SoftHsm, module: &Path, manners: &str) {
    let bench = Bench::new(hsm, module);
    fs::copy(bench.token().pin_file(), shim_pin(hsm)).unwrap();
    for kind in [KeyKind::P256, KeyKind::Rsa2048] {
        bench.put(kind, 0, kind.word(), kind.word().as_bytes());
        let uri = bench.uri(&bench.attempt(manners, &format!("token=ci;object={}", kind.word()), kind));
        two_hundred(&open(&uri).unwrap(), &format!("shim with {manners}, {}", kind.word()));
    }
}

/// One test a combination, since the shim reads its manners once a process.
macro_rules! on_shim {
    ($($name:ident: $manners:literal),* $(,)?) => { $(
        #[test]
        fn $name() {
            let name = concat!("throughput::", stringify!($name));
            in_shim(name, $manners, |hsm, module| of_shim(hsm, module, $manners));
        }
    )* };
}

on_shim! {
    two_hundred_signatures_with_one_session: "one-session",
    two_hundred_signatures_with_one_operation_at_a_time: "one-operation",
    two_hundred_signatures_with_a_module_without_locks: "cant-lock",
    two_hundred_signatures_that_want_their_pin_each: "always-auth",
    two_hundred_signatures_that_want_their_pin_each_in_one_session: "always-auth,one-session,cant-lock",
    two_hundred_signatures_of_a_token_that_hashes: "hashing-only,one-operation",
}

/// Eight programs at once, each with a session of its own, or with the only one, for which they wait.
#[test]
fn eight_programs_sign_at_once() {
    with_shim("throughput::eight_programs_sign_at_once", |hsm, module| {
        let bench = Bench::new(hsm, module);
        bench.put(KeyKind::P256, 0, "release", b"1");
        for manners in ["", "one-session-for-all"] {
            let attempt = bench.attempt(manners, "token=ci;object=release", KeyKind::P256);
            let started = Instant::now();
            let programs: Vec<_> = (0..8)
                .map(|_| {
                    let (mut command, target) = bench.sign_command(&attempt);
                    (command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap(), target)
                })
                .collect();
            let ended: Vec<_> =
                programs.into_iter().map(|(child, target)| (child.wait_with_output().unwrap(), target)).collect();
            let seconds = started.elapsed().as_secs_f64();
            ended.iter().for_each(|(output, target)| bench.judged(output, target).signs());
            let manners = if manners.is_empty() { "a session each" } else { "one session for all" };
            println!("| muster sign, {manners} | 8 programs at once | {:.1} a second |", 8.0 / seconds);
        }
    });
}
