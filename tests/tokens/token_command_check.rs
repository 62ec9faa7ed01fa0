//! `muster token check`: that it says of a key what `muster sign` does with it, and which step it is.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use muster::forge::KeyKind;
use serde_json::Value;

use crate::bench::{Attempt, Bench, Pin, said};
use crate::process::with_shim;
use crate::token_command::{document, logins};

fn check(bench: &Bench<'_>, attempt: &Attempt<'_>, arguments: &[&str]) -> Command {
    let mut command = bench.command(env!("CARGO_BIN_EXE_muster"), attempt);
    command.args(["token", "check", &bench.uri(attempt)]).args(arguments);
    if let Some(chain) = &attempt.chain {
        command.arg("--certificate-chain").arg(chain);
    }
    command
}

/// The steps with what came of them.
fn steps(document: &Value) -> Vec<(&str, &str)> {
    let steps = document["steps"].as_array().unwrap().iter();
    steps.map(|step| (step["step"].as_str().unwrap(), step["result"].as_str().unwrap())).collect()
}

/// The first step that fails, with what it says.
fn failing(document: &Value) -> Option<(&str, &str)> {
    let mut steps = document["steps"].as_array().unwrap().iter().filter(|step| step["result"] == "failed");
    steps.next().map(|step| (step["step"].as_str().unwrap(), step["message"].as_str().unwrap()))
}

#[test]
fn every_step_of_a_sound_key_is_ok() {
    with_shim("token_command_check::every_step_of_a_sound_key_is_ok", |hsm, module| {
        let bench = Bench::new(hsm, module);
        for (kind, label, mechanism) in
            [(KeyKind::P384, "ec", "CKM_ECDSA"), (KeyKind::Rsa2048, "rsa", "CKM_RSA_PKCS_PSS")]
        {
            bench.put(kind, 0, label, label.as_bytes());
            bench.token().store(&bench.certificates(kind, 0)[0]).unwrap();
            let attempt = bench.attempt("", &format!("token=ci;object={label}"), kind);
            let output = check(&bench, &attempt, &["-o", "json"]).output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{}", said(&output));
            let checked = document(&output, "token-check");
            assert_eq!(checked["signs"], "yes");
            assert_eq!(checked["steps"].as_array().unwrap().len(), 12);
            assert!(steps(&checked).iter().all(|(_, result)| *result == "ok"), "{checked:#}");
            assert!(checked.to_string().contains(mechanism), "{checked:#}");
            assert!(!said(&output).contains(&bench.pin()), "{}", said(&output));

            let without = Attempt { chain: None, ..attempt };
            let output = check(&bench, &without, &[]).output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{}", said(&output));
            let text = String::from_utf8(output.stdout).unwrap();
            assert!(
                text.contains("left out     chain") && text.ends_with("muster sign signs with this key.\n"),
                "{text}"
            );
        }
    });
}

#[test]
fn the_step_that_fails_is_named_in_the_words_of_muster_sign() {
    with_shim("token_command_check::the_step_that_fails_is_named_in_the_words_of_muster_sign", |hsm, module| {
        let bench = Bench::new(hsm, module);
        bench.put(KeyKind::P256, 0, "release", b"\x01");
        bench.put(KeyKind::P256, 1, "other", b"\x02");
        let wrong = bench.folder().join("wrong");
        fs::write(&wrong, "hunter2hunter2").unwrap();
        let (sound, none) = (Pin::File, Pin::None);
        let of =
            |manners: &'static str, path: &str, pin| Attempt { pin, ..bench.attempt(manners, path, KeyKind::P256) };
        let of_another =
            Attempt { chain: Some(bench.chain(KeyKind::P256, 1)), ..of("", "token=ci;object=release", sound) };
        let no_chain = bench.folder().join("no-chain.pem");
        fs::write(&no_chain, "nothing").unwrap();
        let without_chain = Attempt { chain: Some(no_chain), ..of("", "token=ci;object=release", sound) };
        let release = "token=ci;object=release";
        for (attempt, step) in [
            (of("", "token=ci", sound), "uri"),
            (of("", "token=ci;id=\u{fc}", sound), "uri"),
            (without_chain, "chain"),
            (of("no-daemon", release, sound), "module"),
            (of("", "token=cd;object=release", sound), "token"),
            (of("", release, none), "pin"),
            (of("", release, Pin::OtherFile(&bench.folder().join("absent"))), "pin"),
            (of("", release, Pin::OtherFile(&wrong)), "login"),
            (of("pin-locked", release, sound), "login"),
            (of("pin-expired", release, sound), "login"),
            (of("another", release, sound), "login"),
            (of("", "token=ci;object=nothing", sound), "key"),
            (of("sign-false", release, sound), "key"),
            (of("no-mechanism", release, sound), "mechanism"),
            (of("sign-fails", release, sound), "signature"),
            (of("wrong-signature", release, sound), "signature"),
            (of("pulled-out", release, sound), "signature"),
            (of_another, "chain-of-key"),
        ] {
            let named = format!("{:?} {} {:?}", attempt.manners, attempt.path, attempt.pin);
            let output = check(&bench, &attempt, &["-o", "json"]).output().unwrap();
            let expected = if step == "uri" { 2 } else { 1 };
            assert_eq!(output.status.code(), Some(expected), "{named}: {}", said(&output));
            let checked = document(&output, "token-check");
            assert_eq!(checked["signs"], "no", "{named}");
            let (failed, message) = failing(&checked).unwrap_or_else(|| panic!("{named}: {checked:#}"));
            assert_eq!(failed, step, "{named}: {checked:#}");
            let reached = steps(&checked).into_iter().skip_while(|(name, _)| *name != step).nth(1);
            let goes_on = ["chain", "chain-of-key"].contains(&step);
            assert!(goes_on || reached.is_some_and(|(_, result)| result == "not-reached"), "{named}: {checked:#}");
            // What is said is what sign says, and sign does not sign.
            let done = bench.sign(&attempt);
            assert!(!done.signed && done.said.contains(message), "{named}: {message}\n{}", done.said);
            assert!(![&*said(&output), &*done.said].concat().contains("hunter2"), "{named}");
        }
    });
}

#[test]
fn s06_a_key_whose_public_half_is_missing_is_told_apart_from_one_that_is_missing() {
    with_shim(
        "token_command_check::s06_a_key_whose_public_half_is_missing_is_told_apart_from_one_that_is_missing",
        |hsm, module| {
            let bench = Bench::new(hsm, module);
            bench.put_private(KeyKind::P256, 0, "release", b"\x01");
            let attempt = bench.attempt("", "token=ci;object=release", KeyKind::P256);
            let without = Attempt { chain: None, ..attempt.clone() };
            let output = check(&bench, &without, &["-o", "json"]).output().unwrap();
            assert_eq!(output.status.code(), Some(3), "{}", said(&output));
            let checked = document(&output, "token-check");
            assert!(steps(&checked).contains(&("key", "ok")), "{checked:#}");
            assert!(steps(&checked).contains(&("public-half", "left-out")), "{checked:#}");
            assert!(said(&output).contains("--certificate-chain"), "{checked:#}");
            // The chain has it.
            let output = check(&bench, &attempt, &["-o", "json"]).output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        },
    );
}

#[test]
fn a_pin_in_the_uri_is_refused_and_not_repeated() {
    let output = Command::new(env!("CARGO_BIN_EXE_muster"))
        .args(["token", "check", "pkcs11:token=ci;object=a?pin-value=hunter2"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("take pin-value out") && !said(&output).contains("hunter2"), "{}", said(&output));
}

#[test]
fn a_login_that_could_lock_the_token_is_left_out() {
    with_shim("token_command_check::a_login_that_could_lock_the_token_is_left_out", |hsm, module| {
        let bench = Bench::new(hsm, module);
        bench.put(KeyKind::P256, 0, "release", b"\x01");
        let attempt = bench.attempt("pin-final", "token=ci;object=release", KeyKind::P256);
        let output = check(&bench, &attempt, &["-o", "json"]).output().unwrap();
        assert_eq!((output.status.code(), logins(&bench)), (Some(3), 0), "{}", said(&output));
        let checked = document(&output, "token-check");
        assert_eq!(checked["signs"], "unknown");
        assert!(steps(&checked).contains(&("login", "left-out")), "{checked:#}");
        assert!(said(&output).contains("--last-try"), "{}", said(&output));

        let output = check(&bench, &attempt, &["-o", "json", "--last-try"]).output().unwrap();
        assert_eq!((output.status.code(), logins(&bench)), (Some(0), 1), "{}", said(&output));
        assert!(steps(&document(&output, "token-check")).contains(&("pin", "warning")));
    });
}

#[test]
fn a_wrong_pin_is_tried_once() {
    with_shim("token_command_check::a_wrong_pin_is_tried_once", |hsm, module| {
        let bench = Bench::new(hsm, module);
        bench.put(KeyKind::P256, 0, "release", b"\x01");
        let wrong = bench.folder().join("wrong");
        fs::write(&wrong, "hunter2hunter2").unwrap();
        let pin = Pin::OtherFile(&wrong);
        let attempt = Attempt { pin, ..bench.attempt("", "token=ci;object=release", KeyKind::P256) };
        let output = check(&bench, &attempt, &[]).output().unwrap();
        assert_eq!((output.status.code(), logins(&bench)), (Some(1), 1), "{}", said(&output));
        assert!(!said(&output).contains("hunter2"), "{}", said(&output));
    });
}

#[cfg(unix)]
#[test]
fn a_module_that_waits_is_ended_by_an_interrupt() {
    with_shim("token_command_check::a_module_that_waits_is_ended_by_an_interrupt", |hsm, module| {
        let bench = Bench::new(hsm, module);
        bench.put(KeyKind::P256, 0, "release", b"\x01");
        // Who has the pad never types anything: the shim waits for whoever writes into this pipe.
        let pipe = bench.folder().join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let pin = Pin::None;
        let attempt = Attempt { pin, ..bench.attempt("pinpad", "token=ci;object=release", KeyKind::P256) };
        let mut command = check(&bench, &attempt, &[]);
        command.env(crate::shim::PIN_FILE, &pipe).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // The steps are told as they are done.
        let pin = lines.by_ref().map(Result::unwrap).find(|line| line.starts_with("ok           PIN"));
        assert!(pin.is_some_and(|line| line.contains("pad")));
        while logins(&bench) == 0 {
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(130));
        assert_eq!(lines.count(), 0);
    });
}
