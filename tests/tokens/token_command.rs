//! `muster token list`: what it shows of SoftHSM and of modules with odd manners, and where it logs in.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use muster::forge::KeyKind;
use muster::forge::softhsm::KeyPlace;
use serde_json::Value;

use crate::bench::{Attempt, Bench, Pin, said};
use crate::process::{with_shim, with_softhsm};
use crate::world::key;

/// What `muster token list -o json` wrote, which is as its schema says.
#[track_caller]
pub(crate) fn document(output: &Output, schema: &str) -> Value {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(!text.contains(|character: char| character.is_control() && character != '\n'), "{text}");
    let document: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {}", said(output)));
    let schema = Command::new(env!("CARGO_BIN_EXE_muster")).args(["schema", schema]).output().unwrap();
    let schema: Value = serde_json::from_slice(&schema.stdout).unwrap();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let wrong: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:?}\n{text}");
    document
}

/// `muster token list` with the shim and these manners.
fn list(bench: &Bench<'_>, module: &Path, manners: &str, pin: Pin<'_>, arguments: &[&str]) -> Command {
    let attempt = Attempt { pin, ..bench.attempt(manners, "token=ci;object=release", KeyKind::P256) };
    let mut command = bench.command(env!("CARGO_BIN_EXE_muster"), &attempt);
    command.args(["token", "list", "--module"]).arg(module).args(arguments);
    command
}

fn tokens(document: &Value) -> Vec<&Value> {
    let modules = document["modules"].as_array().unwrap();
    let slots = modules.iter().flat_map(|module| module["slots"].as_array().unwrap());
    // SoftHSM always offers an empty slot for the next token.
    let is_empty = |token: &Value| token["label"] == "" && token["flags"].to_string().contains("not-initialized");
    let is_token = |token: &&Value| !token.is_null() && !is_empty(token);
    slots.map(|slot| &slot["token"]).filter(is_token).collect()
}

fn keys(document: &Value) -> Vec<&Value> {
    tokens(document).into_iter().flat_map(|token| token["keys"].as_array().unwrap()).collect()
}

/// How often somebody tried to log in, by the journal of the shim.
pub(crate) fn logins(bench: &Bench<'_>) -> usize {
    let calls = fs::read_to_string(bench.log()).unwrap_or_default();
    calls.lines().filter(|call| call.starts_with("C_Login")).count()
}

#[test]
fn every_key_is_listed_with_a_uri_that_signs() {
    with_softhsm("token_command::every_key_is_listed_with_a_uri_that_signs", |hsm| {
        let token = hsm.token("M\u{fc}ller & Co; 100%").unwrap();
        let other = hsm.token("other").unwrap();
        other.generate(KeyKind::P256, "a key").unwrap();
        let places: [(&str, &[u8]); 5] = [
            ("a key", b"\x01"),
            ("same", b"\x02"),
            ("same", b"\x03 ;"),
            ("\u{1b}[2J/?&=#", b"\x04"),
            ("", b"\xff\x00"),
        ];
        for (number, (label, id)) in places.into_iter().enumerate() {
            token.import_at(&key(KeyKind::P256, number), &KeyPlace { label, id, public_half: true }).unwrap();
        }
        let muster = || Command::new(env!("CARGO_BIN_EXE_muster"));
        let list = |output: &str| {
            let mut list = muster();
            list.args(["token", "list", "-o", output, "--token", token.label(), "--module"]).arg(hsm.module());
            list.arg("--pin-source").arg(token.pin_file()).output().unwrap()
        };
        let output = list("json");
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let listed = document(&output, "token-list");
        assert_eq!(tokens(&listed).len(), 1);
        assert_eq!(keys(&listed).len(), places.len());
        for key in keys(&listed) {
            assert_eq!((&key["signs"], &key["privateKeySeen"]), (&"yes".into(), &true.into()), "{key}");
            let check = muster().args(["token", "check", key["uri"].as_str().unwrap()]).output().unwrap();
            assert_eq!(check.status.code(), Some(0), "{key}\n{}", said(&check));
        }
        // The same for people, with nothing in it that commands a terminal.
        let text = String::from_utf8(list("text").stdout).unwrap();
        assert!(text.contains("key \"same\" (id 02): EC P-256, can sign") && text.contains("\\u{1b}[2J"), "{text}");
        assert!(
            !text.contains('\u{1b}') && keys(&listed).iter().all(|key| text.contains(key["uri"].as_str().unwrap()))
        );
    });
}

#[test]
fn before_a_login_public_keys_stand_for_their_pairs() {
    with_softhsm("token_command::before_a_login_public_keys_stand_for_their_pairs", |hsm| {
        let token = hsm.token("ci").unwrap();
        token.generate(KeyKind::Rsa2048, "release").unwrap();
        let mut list = Command::new(env!("CARGO_BIN_EXE_muster"));
        let output = list.args(["token", "list", "-o", "json", "--module"]).arg(hsm.module()).output().unwrap();
        let listed = document(&output, "token-list");
        let [key] = keys(&listed)[..] else { panic!("{listed}") };
        assert_eq!((&key["signs"], &key["privateKeySeen"]), (&"unknown".into(), &false.into()));
        assert!(key["reason"].as_str().unwrap().contains("after a login"), "{key}");
        // The URI is the key's, once it has a PIN.
        let uri = format!("{}&pin-source=file:{}", key["uri"].as_str().unwrap(), token.pin_file().display());
        let check = Command::new(env!("CARGO_BIN_EXE_muster")).args(["token", "check", &uri]).output().unwrap();
        assert_eq!(check.status.code(), Some(0), "{}", said(&check));
    });
}

#[test]
fn s14_a_pin_is_tried_at_the_one_token_that_is_meant() {
    with_shim("token_command::s14_a_pin_is_tried_at_the_one_token_that_is_meant", |hsm, module| {
        let bench = Bench::new(hsm, module);
        bench.put(KeyKind::P256, 0, "release", b"\x01");
        hsm.token("other").unwrap();
        let output = list(&bench, module, "", Pin::Environment, &["-o", "json"]).output().unwrap();
        assert_eq!((output.status.code(), logins(&bench)), (Some(0), 0), "{}", said(&output));
        let listed = document(&output, "token-list");
        assert_eq!(tokens(&listed).len(), 2);
        for token in tokens(&listed) {
            assert!(token["message"].as_str().unwrap().contains("--token or --serial"), "{token}");
        }
        let output = list(&bench, module, "", Pin::Environment, &["--token", "ci", "-o", "json"]).output().unwrap();
        assert_eq!((output.status.code(), logins(&bench)), (Some(0), 1), "{}", said(&output));
        let listed = document(&output, "token-list");
        assert_eq!((&tokens(&listed)[0]["loggedIn"], &keys(&listed)[0]["signs"]), (&true.into(), &"yes".into()));

        // Of a token that was not asked for it is not said that there is none.
        let output = list(&bench, module, "", Pin::None, &["--token", "elsewhere"]).output().unwrap();
        assert_eq!(output.status.code(), Some(4), "{}", said(&output));
        assert!(said(&output).contains("no token that was asked for is in its slots"), "{}", said(&output));

        // Two modules that show the same token: one try all the same.
        fs::remove_file(bench.log()).unwrap();
        let copy = bench.folder().join("copy.so");
        fs::copy(module, &copy).unwrap();
        let copy = copy.to_str().unwrap();
        let output = list(&bench, module, "", Pin::Environment, &["--module", copy, "--token", "ci", "-o", "json"])
            .output()
            .unwrap();
        assert_eq!(logins(&bench), 1, "{}", said(&output));
    });
}

#[test]
fn a_wrong_pin_is_tried_once() {
    with_shim("token_command::a_wrong_pin_is_tried_once", |hsm, module| {
        let bench = Bench::new(hsm, module);
        bench.put(KeyKind::P256, 0, "release", b"\x01");
        let wrong = bench.folder().join("wrong");
        fs::write(&wrong, "hunter2hunter2").unwrap();
        let arguments = ["--token", "ci", "--pin-source", wrong.to_str().unwrap(), "-o", "json"];
        let output = list(&bench, module, "", Pin::None, &arguments).output().unwrap();
        assert_eq!((output.status.code(), logins(&bench)), (Some(3), 1), "{}", said(&output));
        assert!(said(&output).contains("refuses the PIN") && !said(&output).contains("hunter2"), "{}", said(&output));
        // What is seen without a login is shown all the same.
        assert_eq!(keys(&document(&output, "token-list")).len(), 1);
    });
}

#[test]
fn no_pin_is_tried_where_a_wrong_one_would_lock_the_token() {
    with_shim("token_command::no_pin_is_tried_where_a_wrong_one_would_lock_the_token", |hsm, module| {
        let bench = Bench::new(hsm, module);
        bench.put(KeyKind::P256, 0, "release", b"\x01");
        let arguments = ["--token", "ci", "-o", "json"];
        let output = list(&bench, module, "pin-final", Pin::Environment, &arguments).output().unwrap();
        assert_eq!((output.status.code(), logins(&bench)), (Some(0), 0), "{}", said(&output));
        let listed = document(&output, "token-list");
        assert_eq!(tokens(&listed)[0]["flags"], serde_json::json!(["pin-final-try"]));
        assert!(tokens(&listed)[0]["message"].as_str().unwrap().contains("--last-try"));
        let output = list(&bench, module, "pin-final", Pin::Environment, &[&arguments[..], &["--last-try"]].concat())
            .output()
            .unwrap();
        assert_eq!((output.status.code(), logins(&bench)), (Some(0), 1), "{}", said(&output));
    });
}

#[test]
fn a_module_that_cannot_be_used_is_a_row_with_its_reason() {
    with_softhsm("token_command::a_module_that_cannot_be_used_is_a_row_with_its_reason", |hsm| {
        hsm.token("ci").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().join("text.so");
        fs::write(&text, "not a library").unwrap();
        // A library without C_GetFunctionList is there wherever a program runs.
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        let library = maps.lines().filter_map(|line| line.split_whitespace().nth(5));
        let library = PathBuf::from(library.into_iter().find(|path| path.contains("/libc.so")).unwrap());
        let broken = [folder.path().join("absent.so"), text, folder.path().to_owned(), library];
        let list = |modules: &[PathBuf]| {
            let mut list = Command::new(env!("CARGO_BIN_EXE_muster"));
            list.args(["token", "list", "-o", "json"]);
            for module in modules {
                list.arg("--module").arg(module);
            }
            list.output().unwrap()
        };
        let output = list(&[&broken[..], &[hsm.module().to_owned()]].concat());
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let listed = document(&output, "token-list");
        let modules = listed["modules"].as_array().unwrap();
        for (module, words) in
            modules.iter().zip(["does not exist", "cannot be loaded", "not a file", "no PKCS #11 module"])
        {
            assert_eq!(module["result"], "unusable", "{module}");
            assert!(module["message"].as_str().unwrap().contains(words), "{module}");
        }
        assert_eq!((&modules[4]["result"], tokens(&listed).len()), (&"opened".into(), 1));

        let output = list(&broken);
        assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    });
}

#[test]
fn what_is_listed_has_bounds() {
    with_softhsm("token_command::what_is_listed_has_bounds", |hsm| {
        let token = hsm.token("full").unwrap();
        let held = muster::limits::TOKEN_KEYS + 3;
        for number in 0..held {
            let (label, id) = (format!("key {number}"), number.to_be_bytes());
            let place = KeyPlace { label: &label, id: &id, public_half: false };
            token.import_at(&key(KeyKind::P256, 0), &place).unwrap();
        }
        let mut list = Command::new(env!("CARGO_BIN_EXE_muster"));
        list.args(["token", "list", "-o", "json", "--pin-source"]).arg(token.pin_file());
        let output = list.arg("--module").arg(hsm.module()).output().unwrap();
        let listed = document(&output, "token-list");
        assert_eq!((keys(&listed).len(), &tokens(&listed)[0]["moreKeys"]), (muster::limits::TOKEN_KEYS, &true.into()));
    });
}

#[test]
fn odd_manners_are_shown_and_hide_nothing() {
    with_shim("token_command::odd_manners_are_shown_and_hide_nothing", |hsm, module| {
        let bench = Bench::new(hsm, module);
        bench.put(KeyKind::P256, 0, "release", b"\x01");
        for (manners, pointer, expected) in [
            ("nul-padded", "/label", Value::from("ci")),
            ("no-label", "/label", "".into()),
            ("pinpad-takes-pin", "/flags/0", "pin-pad".into()),
            ("pin-count-low", "/flags/0", "pin-count-low".into()),
            ("write-protected", "/flags/0", "write-protected".into()),
            ("always-auth", "/keys/0/alwaysAuthenticate", true.into()),
            ("sign-false", "/keys/0/signs", "no".into()),
            ("no-sign-attribute", "/keys/0/signs", "yes".into()),
            ("attr-strict", "/keys/0/signs", "yes".into()),
            ("one-at-a-time", "/keys/0/signs", "yes".into()),
            ("compressed-point", "/keys/0/kind", "EC P-256".into()),
            ("explicit-params", "/keys/0/kind", "EC P-256".into()),
            ("no-public", "/keys/0/signs", "unknown".into()),
            ("no-mechanism", "/keys/0/signs", "unknown".into()),
            ("no-mechanism-list", "/mechanisms", Value::Null),
            ("no-id", "/keys/0/signs", "yes".into()),
            ("rw-only", "/keys/0/signs", "yes".into()),
            ("slotlist-first", "/keys/0/signs", "yes".into()),
            ("cant-lock", "/keys/0/signs", "yes".into()),
            ("one-session", "/keys/0/signs", "yes".into()),
            ("all-after-login", "/keys/0/signs", "yes".into()),
            ("no-initialized-flag", "/keys/0/signs", "yes".into()),
        ] {
            let output = list(&bench, module, manners, Pin::Environment, &["-o", "json"]).output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{manners}: {}", said(&output));
            let listed = document(&output, "token-list");
            let token = tokens(&listed)[0];
            assert_eq!(token.pointer(pointer), Some(&expected), "{manners}: {token:#}");
        }
    });
}

#[test]
fn wrong_usage_says_what_is_right() {
    let run = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_muster")).args(["token", "list"]).args(arguments).output().unwrap()
    };
    let output = run(&["--module", "module.so"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("write it from the root on"), "{}", said(&output));
    // A PIN has no place among the arguments, which other users can read.
    assert_eq!(run(&["--pin", "1234"]).status.code(), Some(2));
}
