//! What is printed and what is left in files, where it signs and where it does not.

use std::fs;

use muster::forge::KeyKind;

use super::search::{Secret, files_below};
use crate::bench::{Attempt, Bench, Pin, said};
use crate::process::with_shim;

/// Manners that sign, and manners that fail wherever a PIN is at hand: at the login, at the second login, at the signature, and
/// after it.
const MANNERS: [&str; 12] = [
    "",
    "always-auth",
    "login-lost",
    "pinpad-takes-pin",
    "empty-pin",
    "pin-locked",
    "pin-length",
    "too-many-types",
    "no-mechanism",
    "sign-fails",
    "wrong-signature",
    "pulled-out",
];

#[test]
fn no_pin_is_printed_or_left_in_a_file() {
    with_shim("secrets::outputs::no_pin_is_printed_or_left_in_a_file", |hsm, module| {
        let bench = Bench::new(hsm, module);
        bench.put(KeyKind::P256, 0, "release", b"1");
        let pin = Secret::new(bench.pin().as_bytes());
        // A PIN that is wrong is as secret: it may be right elsewhere. (One try: the token locks after a few.)
        let wrong_pin = "f00dfacec0ffee99";
        let wrong_file = hsm.folder().join("wrong-pin");
        fs::write(&wrong_file, wrong_pin).unwrap();
        let wrong = Secret::new(wrong_pin.as_bytes());
        let mut signed = 0;
        for manners in MANNERS {
            for given in [Pin::File, Pin::Environment, Pin::OtherFile(&wrong_file)] {
                if matches!(given, Pin::OtherFile(_)) && !matches!(manners, "" | "always-auth") {
                    continue;
                }
                let attempt =
                    Attempt { pin: given, ..bench.attempt(manners, "token=ci;object=release", KeyKind::P256) };
                for done in [bench.sign(&attempt), bench.plugin(&attempt)] {
                    for secret in [&pin, &wrong] {
                        assert!(!secret.is_in(done.said.as_bytes()), "{manners} {given:?}: {}", done.said);
                    }
                    signed += usize::from(done.signed);
                }
            }
        }
        assert!(signed >= 4, "only {signed} signatures were made: the search means little");
        assert!(fs::read_to_string(bench.log()).unwrap().contains("C_Login user 1, a PIN"));
        for secret in [&pin, &wrong] {
            secret.is_nowhere_below(bench.folder());
        }
        let left = files_below(&bench.temporary());
        assert!(left.is_empty(), "{left:?}");
    });
}

/// `muster token` has the PIN too.
#[test]
fn no_pin_is_printed_by_muster_token() {
    with_shim("secrets::outputs::no_pin_is_printed_by_muster_token", |hsm, module| {
        let bench = Bench::new(hsm, module);
        bench.put(KeyKind::P256, 0, "release", b"1");
        let pin = Secret::new(bench.pin().as_bytes());
        let mut logged_in = 0;
        for manners in MANNERS {
            for (given, format) in [(Pin::File, "text"), (Pin::Environment, "json")] {
                let attempt =
                    Attempt { pin: given, ..bench.attempt(manners, "token=ci;object=release", KeyKind::P256) };
                let program = || bench.command(env!("CARGO_BIN_EXE_muster"), &attempt);
                let (mut list, mut check) = (program(), program());
                list.args(["token", "list", "-o", format, "--token", "ci", "--module"]).arg(module);
                if given == Pin::File {
                    list.arg("--pin-source").arg(bench.token().pin_file());
                }
                check.args(["token", "check", "-o", format]).arg(bench.uri(&attempt));
                for mut command in [list, check] {
                    let output = command.output().unwrap();
                    assert!(!pin.is_in(said(&output).as_bytes()), "{manners} {given:?}: {}", said(&output));
                    logged_in += usize::from(output.status.success());
                }
            }
        }
        assert!(logged_in >= 8, "only {logged_in} runs went well: the search means little");
        pin.is_nowhere_below(bench.folder());
        let left = files_below(&bench.temporary());
        assert!(left.is_empty(), "{left:?}");
    });
}

/// A PIN in the URI is refused by all commands, and is not repeated by the message.
#[test]
fn a_pin_in_the_uri_is_refused_and_not_repeated() {
    with_shim("secrets::outputs::a_pin_in_the_uri_is_refused_and_not_repeated", |hsm, module| {
        let bench = Bench::new(hsm, module);
        bench.put(KeyKind::P256, 0, "release", b"1");
        let path = format!("token=ci;object=release?pin-value={}&x-rest=", bench.pin());
        let attempt = Attempt { pin: Pin::None, ..bench.attempt("", &path, KeyKind::P256) };
        for done in [bench.sign(&attempt), bench.plugin(&attempt)] {
            assert!(!done.signed && !done.said.contains(&bench.pin()), "{}", done.said);
            assert!(done.said.contains("PIN"), "{}", done.said);
        }
    });
}
