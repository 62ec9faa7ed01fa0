//! Tokens, API keys and passwords: searched for in everything that a run says and leaves, and in the arguments of its processes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster::forge::gateway::{Access, GatewayClock, GatewaySetup, Role};
use muster::forge::{Key, KeyKind};

use super::bench::Bench;
use crate::gateway::bench::{START, person, two_of_three};

const TOKEN: &str = "t0ken-0f-the-signer-5e2d";
const REFUSED: &str = "apikey-0ld-77aa11";
const API_KEY: &str = "apikey-n3w-99bb22";
const PASSWORD: &str = "passw0rd-0f-the-key-31337";

fn bench() -> Bench {
    let access = Access {
        bearer: vec![TOKEN.to_owned()],
        api_keys: BTreeMap::from([(Role::KeyOperation, vec![API_KEY.to_owned()])]),
    };
    let setup = GatewaySetup { clock: GatewayClock::Moved(START), access, ..GatewaySetup::default() };
    Bench::with(setup, &Key::pooled(KeyKind::P256, 0).unwrap(), Some(two_of_three()))
}

#[track_caller]
fn is_nowhere(what: &str, content: &[u8]) {
    for secret in [TOKEN, REFUSED, API_KEY, PASSWORD] {
        let base64 = STANDARD.encode(secret);
        for form in [secret.as_bytes(), hex::encode(secret).as_bytes(), &base64.as_bytes()[..base64.len() - 4]] {
            let found = content.windows(form.len()).any(|window| window == form);
            assert!(!found, "{what} holds a secret: {}", String::from_utf8_lossy(content));
        }
    }
}

fn below(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { below(&path) } else { vec![path] }).collect()
}

/// What the system tells everybody of a running process, and whether it may leave a core.
#[track_caller]
fn looks_at(process: u32) {
    let arguments = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    assert!(!arguments.is_empty());
    is_nowhere("the arguments of a process", &arguments);
    let limits = fs::read_to_string(format!("/proc/{process}/limits")).unwrap_or_default();
    let core =
        limits.lines().find(|line| line.starts_with("Max core file size")).unwrap_or("Max core file size 0").to_owned();
    assert!(core.split_whitespace().any(|word| word == "0"), "{core}");
}

#[test]
fn no_secret_is_left_anywhere() {
    for from_files in [true, false] {
        let bench = bench();
        let secrets = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &str| {
            let path = secrets.path().join(name);
            fs::write(&path, format!("{content}\n")).unwrap();
            path.display().to_string()
        };
        let (token, keys, password) =
            (file("token", TOKEN), file("keys", &format!("{REFUSED}\n{API_KEY}")), file("password", PASSWORD));
        let more = match from_files {
            true => format!("&token-file={token}&api-key-file={keys}&key-password-file={password}&timeout=5m"),
            false => "&timeout=5m".to_owned(),
        };
        let with_secrets = |mut command: Command| {
            if !from_files {
                command.env("MUSTER_TSB_TOKEN", TOKEN).env("MUSTER_TSB_API_KEY", format!("{REFUSED} {API_KEY}"));
                command.env("MUSTER_TSB_KEY_PASSWORD", PASSWORD);
            }
            command.env("TMPDIR", bench.folder.path());
            command
        };
        let mut command = with_secrets(bench.sign(&more, &["--verbose"]));
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let id = bench.requested().id;
        if cfg!(target_os = "linux") {
            looks_at(child.id());
        }
        approve_with_token(&bench, &id);
        let output = child.wait_with_output().unwrap();
        is_nowhere("standard output", &output.stdout);
        is_nowhere("standard error", &output.stderr);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        // With keys that are refused, errors hold none either.
        let wrong = file("keys", REFUSED);
        let refused =
            with_secrets(bench.sign(&format!("&token-file={token}&api-key-file={wrong}"), &[])).output().unwrap();
        is_nowhere("an error", &refused.stderr);
        let text = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && text.contains("631"), "{text}");
        for path in below(bench.folder.path()) {
            is_nowhere(&path.display().to_string(), &fs::read(&path).unwrap());
        }
    }
}

fn approve_with_token(bench: &Bench, id: &str) {
    for number in [1, 2] {
        bench.approve(&person(number), id).unwrap();
    }
}

#[test]
fn a_secret_in_clear_is_refused_and_not_repeated() {
    let bench = bench();
    for setting in ["token", "api-key", "password"] {
        let output = bench.sign(&format!("&{setting}={TOKEN}"), &[]).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        is_nowhere("an error", &output.stderr);
        assert!(String::from_utf8_lossy(&output.stderr).contains("in clear"));
    }
}

/// The search finds what it looks for, or it would prove nothing.
#[test]
fn a_secret_is_found() {
    for form in [TOKEN.to_owned(), hex::encode(API_KEY), STANDARD.encode(PASSWORD)] {
        let found = std::panic::catch_unwind(|| is_nowhere("a text", form.as_bytes()));
        assert!(found.is_err(), "{form}");
    }
}
