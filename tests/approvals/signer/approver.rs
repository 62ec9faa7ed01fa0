//! `muster approve`, which has secrets too: they go to the broker alone, and no message repeats them.

use std::fs;
use std::process::{Command, Stdio};

use muster::forge::{Key, KeyKind, pem};
use tempfile::TempDir;

use super::hostile::{Asked, answer, broker};

const TOKEN: &str = "t0ken-0f-an-appr0ver-77c1";
const API_KEY: &str = "apikey-0f-an-appr0ver-19d4";

fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    let key = Key::pooled(KeyKind::P256, 101).unwrap();
    fs::write(folder.path().join("alice.key"), pem("PRIVATE KEY", &key.pkcs8().unwrap())).unwrap();
    fs::write(folder.path().join("token"), TOKEN).unwrap();
    fs::write(folder.path().join("keys"), API_KEY).unwrap();
    folder
}

/// The exit code and what was said, which never holds a secret.
#[track_caller]
fn approve(folder: &TempDir, url: &str, more: &[&str], proxy: Option<&str>) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
    command.args(["approve", "--list", "--key", "alice.key", "--url", url]).args(more);
    command.current_dir(folder.path()).stdin(Stdio::null());
    if let Some(proxy) = proxy {
        for name in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"] {
            command.env(name, proxy);
        }
    }
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    assert!(!said.contains(TOKEN) && !said.contains(API_KEY), "{said}");
    (output.status.code(), said)
}

const WITH_SECRETS: [&str; 4] = ["--token-file", "token", "--api-key-file", "keys"];

fn seen(asked: &Asked) -> String {
    asked.lock().unwrap().concat()
}

#[test]
fn what_a_broker_repeats_of_an_approvers_secrets_is_not_repeated() {
    let folder = folder();
    let refusal = format!(r#"{{"errorCode":631,"reason":"{TOKEN}","message":"no Bearer {TOKEN} or {API_KEY} here"}}"#);
    let nonsense = format!(r#"{{"tasks":"Bearer {TOKEN} {API_KEY}"}}"#);
    for (status, body, words) in
        [(403, refusal, "no Bearer (secret) or (secret) here"), (200, nonsense, "is not the JSON that was expected")]
    {
        let (url, asked) = broker(move |_, _| answer(status, &body));
        let (code, said) = approve(&folder, &url, &WITH_SECRETS, None);
        assert_eq!(code, Some(3), "{said}");
        assert!(said.contains(words), "{said}");
        assert!(seen(&asked).contains(TOKEN) && seen(&asked).contains(API_KEY));
    }
}

/// A proxy on the way to this machine would see them in clear, and one on the way to elsewhere sees a tunnel.
#[test]
fn no_proxy_sees_an_approvers_secrets() {
    let folder = folder();
    let (proxy, asked_of_proxy) = broker(|_, _| answer(502, "{}"));
    let (url, asked) = broker(|_, _| answer(200, r#"{"tasks":[]}"#));
    let (code, said) = approve(&folder, &url, &WITH_SECRETS, Some(&proxy));
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(seen(&asked_of_proxy), "");
    assert!(seen(&asked).contains(TOKEN));
    let (code, said) = approve(&folder, "https://broker.example.com", &WITH_SECRETS, Some(&proxy));
    assert_eq!(code, Some(3), "{said}");
    let seen = seen(&asked_of_proxy);
    assert!(seen.starts_with("CONNECT broker.example.com:443 "), "{seen}");
    assert!(!seen.contains(TOKEN) && !seen.contains(API_KEY), "{seen}");
}

#[test]
fn an_address_that_gives_secrets_away_is_refused_and_not_repeated() {
    let folder = folder();
    let (proxy, asked) = broker(|_, _| answer(200, r#"{"tasks":[]}"#));
    for (url, words) in [
        ("http://broker.example.com".to_owned(), "is plain http"),
        ("http://127.0.0.1.example.com".to_owned(), "is plain http"),
        (format!("https://me:{TOKEN}@broker.example.com"), "a name or a password"),
        (format!("https://broker.example.com/?token={TOKEN}"), "behind ?"),
        (TOKEN.to_owned(), "is not of the kind https://"),
        (format!("ftp://{TOKEN}"), "is not of the kind https://"),
    ] {
        let (code, said) = approve(&folder, &url, &WITH_SECRETS, Some(&proxy));
        assert_eq!(code, Some(2), "{url}: {said}");
        assert!(said.contains(words), "{url}: {said}");
    }
    assert_eq!(seen(&asked), "");
}

/// Given in the place of the file that holds it.
#[test]
fn a_secret_in_the_place_of_its_file_is_not_repeated() {
    let folder = folder();
    for option in ["--token-file", "--api-key-file"] {
        let (code, said) = approve(&folder, "http://127.0.0.1:1", &[option, TOKEN], None);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("may be the secret itself) does not exist"), "{said}");
    }
    let gateway = |option: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
        command.args(["gateway", "--key", "release=alice.key", option, TOKEN]).current_dir(folder.path());
        String::from_utf8(command.output().unwrap().stderr).unwrap()
    };
    for option in ["--token-file", "--api-keys"] {
        let said = gateway(option);
        assert!(!said.contains(TOKEN) && said.contains("may be the secret itself) does not exist"), "{said}");
    }
}

#[cfg(unix)]
#[test]
fn files_with_secrets_that_others_may_read_are_warned_of() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder();
    let (url, _) = broker(|_, _| answer(200, r#"{"tasks":[]}"#));
    for (mode, warned) in [(0o644, true), (0o600, false)] {
        for file in ["token", "keys"] {
            fs::set_permissions(folder.path().join(file), fs::Permissions::from_mode(mode)).unwrap();
        }
        let (code, said) = approve(&folder, &url, &WITH_SECRETS, None);
        assert_eq!(code, Some(0), "{said}");
        for what in ["the file of the token \"token\"", "the file of the API key \"keys\""] {
            let words = format!("warning: {what} can be read by other users");
            assert_eq!(said.contains(&words), warned, "{said}");
        }
    }
}
