//! G01: files, encodings, JSON, members and types.

use std::fs;
use std::path::Path;

use muster::diagnostic::Diagnostic;
use muster::policy::TrustPolicy;
use serde_json::json;

use super::documents::*;

fn load_error(path: &Path) -> Diagnostic {
    let mut errors = TrustPolicy::load(path).expect_err("this was taken for a policy");
    assert_eq!(errors.len(), 1);
    errors.remove(0)
}

#[test]
fn g01_files_that_are_no_policy_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let write = |name: &str, content: &[u8]| {
        fs::write(path(name), content).unwrap();
        path(name)
    };
    let good = document(&[statement()]);

    assert!(TrustPolicy::load(&write("good.json", good.as_bytes())).is_ok());
    assert!(load_error(&path("missing.json")).message.contains("does not exist"));
    assert!(load_error(folder.path()).message.contains("a directory"));
    let big = fs::File::create(path("big.json")).unwrap();
    big.set_len(1 << 30).unwrap();
    assert!(load_error(&path("big.json")).message.contains("longer than the 16777216 bytes"));
    assert_eq!(load_error(&write("empty.json", b"")).code, "json-syntax");
    assert!(load_error(&write("bom.json", format!("\u{feff}{good}").as_bytes())).message.contains("byte order mark"));
    let wide: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(load_error(&write("utf16.json", &wide)).message.contains("UTF-16"));
    assert_eq!(load_error(&write("latin.json", b"{\"name\": \"\xe4\"}")).code, "not-utf-8");
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        symlink(path("good.json"), path("link.json")).unwrap();
        assert!(load_error(&path("link.json")).message.contains("a symbolic link"));
        symlink(folder.path(), path("parent")).unwrap();
        assert!(TrustPolicy::load(&path("parent").join("good.json")).is_ok(), "links above the file are followed");
        assert!(std::process::Command::new("mkfifo").arg(path("pipe.json")).status().unwrap().success());
        assert!(load_error(&path("pipe.json")).message.contains("a named pipe"));
        assert!(load_error(Path::new("/dev/zero")).message.contains("a device"));
        let _socket = std::os::unix::net::UnixListener::bind(path("socket.json")).unwrap();
        assert!(load_error(&path("socket.json")).message.contains("a socket"));
    }
}

/// Whoever asks, root included: there is no memory at address zero, where the reading begins.
#[cfg(target_os = "linux")]
#[test]
fn g01_unreadable_file() {
    let error = load_error(Path::new("/proc/self/mem"));
    assert_eq!(error.code, "unreadable-file");
    assert!(error.message.contains("cannot be read"), "{}", error.message);
}

#[test]
fn g01_text_that_is_not_strict_json() {
    let good = document(&[statement()]);
    for text in [
        format!("{good} {good}"),
        format!("{good}x"),
        format!("// policy\n{good}"),
        good.replacen('{', "{ /* policy */", 1),
        good.replacen("]}", ",]}", 1),
        good.replace("\"version\"", "version"),
        good.replace('"', "'"),
        good[..good.len() - 1].to_owned(),
    ] {
        assert_eq!(codes(&text), ["json-syntax"], "{text}");
    }
    assert_eq!(codes(&"[".repeat(10_000_000)), ["json-nesting"]);
    for text in ["null", "[]", "\"x\"", "1"] {
        refused(text, "wrong-type", text);
    }
}

#[test]
fn g01_members_given_twice_or_in_another_case() {
    let good = document(&[statement()]);
    let twice =
        |member: &str, again: &str| good.replacen(&format!("\"{member}\""), &format!("{again}, \"{member}\""), 1);
    for (member, again) in
        [("version", r#""version":"1.0""#), ("name", r#""name":"x""#), ("level", r#""level":"audit""#)]
    {
        refused(&twice(member, again), "duplicate-member", &format!("\"{member}\""));
    }
    // Names may differ in how they are spelled: the escape is an n.
    refused(&twice("name", r#""\u006eame":"x""#), "duplicate-member", "\"name\"");
    for (member, variant) in [
        ("version", "Version"),
        ("name", "NAME"),
        ("trustStores", "truststores"),
        ("verifyTimestamp", "VerifyTimestamp"),
        // To Go's parser the long s is an s.
        ("registryScopes", "regi\u{17f}tryScopes"),
    ] {
        let again = format!("\"{variant}\":\"x\"");
        let text = if good.contains(&format!("\"{member}\"")) { twice(member, &again) } else { twice("level", &again) };
        assert!(codes(&text).contains(&"member-case"), "{variant}: {:?}", codes(&text));
    }
    let overridden = with("/signatureVerification/override", Some(json!({"expiry": "log"})));
    let text = overridden.replace(r#""expiry":"log""#, r#""expiry":"log","expiry":"enforce""#);
    refused(&text, "duplicate-member", "\"expiry\"");
}

#[test]
fn g01_unknown_members_are_warnings_with_a_suggestion() {
    let text = with("/trustedIdentitys", Some(json!([])));
    assert_eq!(warned(&text), ["unknown-member"]);
    let policy = accept(&text);
    let warning = &policy.warnings()[0];
    assert_eq!(warning.help.as_deref(), Some("did you mean \"trustedIdentities\"?"));
    let span = warning.span.unwrap();
    assert_eq!(&text[span.offset..span.offset + span.length], "\"trustedIdentitys\"");
    assert_eq!(warned(&with("/signatureVerification/levels", Some(json!(1)))), ["unknown-member"]);
    assert_eq!(warned(&document(&[statement()]).replacen('{', "{\"$schema\":\"x\",", 1)), ["unknown-member"]);
}

#[test]
fn g01_values_of_another_type() {
    for (pointer, value) in [
        ("/name", json!(1)),
        ("/name", json!(null)),
        ("/registryScopes", json!("a.io/b")),
        ("/registryScopes", json!({})),
        ("/signatureVerification", json!("strict")),
        ("/signatureVerification", json!(null)),
        ("/signatureVerification/level", json!(true)),
        ("/signatureVerification/override", json!([])),
        ("/signatureVerification/override", json!(null)),
        ("/signatureVerification/verifyTimestamp", json!(false)),
        ("/trustStores", json!("ca:x")),
        ("/trustedIdentities", json!("*")),
    ] {
        refused(&with(pointer, Some(value.clone())), "wrong-type", &value.to_string());
    }
    refused(&with("/signatureVerification/override", Some(json!({"expiry": 1}))), "wrong-type", "1");
    refused(&with("/trustStores", Some(json!(["ca:x", 7]))), "wrong-type", "7");
    refused(&with("/trustedIdentities", Some(json!([null]))), "wrong-type", "null");
}
