//! What the program says to people, and what it says without any token.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use super::host::{Host, describe_key};

#[test]
fn started_by_hand_it_explains_itself() {
    let host = Host::new();
    let asked = host.run(&["--help"], b"", &[]);
    let text = String::from_utf8(asked.stdout).unwrap();
    assert_eq!((asked.status.code(), asked.stderr.len()), (Some(0), 0));
    for word in ["notation key add --plugin muster-pkcs11", "certificate-chain", "pin-source", "MUSTER_PKCS11_MODULE"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    assert!(text.lines().all(|line| line.len() <= 120), "{text}");
    let page = include_str!("../../../docs/plugins-and-tokens.md");
    let key_add: Vec<_> =
        text.lines().filter(|line| line.contains("notation key add") || line.contains("--plugin-config ")).collect();
    assert_eq!(key_add.len(), 4, "{text}");
    assert!(page.contains(&key_add.join("\n")), "docs/plugins-and-tokens.md registers a key in another way");

    let alone = host.run(&[], b"", &[]);
    assert_eq!((alone.status.code(), alone.stdout.len()), (Some(2), 0));
    assert_eq!(String::from_utf8(alone.stderr).unwrap(), text);

    let version = host.run(&["--version"], b"", &[]);
    let expected = format!("notation-muster-pkcs11 {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(String::from_utf8(version.stdout).unwrap(), expected);
}

#[cfg(target_os = "linux")]
#[test]
fn an_answer_that_cannot_be_written_is_no_success() {
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(super::host::PLUGIN);
    let output = command.arg("get-plugin-metadata").stdin(std::process::Stdio::null()).stdout(full).output().unwrap();
    let errors: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!((output.status.code(), errors["errorCode"].as_str()), (Some(1), Some("ERROR")), "{errors}");
}

/// Hosts ask this whenever they sign or verify, and `notation plugin install` refuses what is missing.
#[test]
fn the_metadata_is_whole_and_takes_no_token() {
    let host = Host::new();
    let nowhere = [("MUSTER_PKCS11_MODULE", "/nowhere/m.so"), ("MUSTER_PKCS11_PIN", "31337")];
    for request in ["{}", "", r#"{"pluginConfig":{"pin":"31337"}}"#] {
        let output = host.run(&["get-plugin-metadata"], request.as_bytes(), &nowhere);
        assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{request}");
        let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
        let expected = json!({
            "name": "muster-pkcs11",
            "description": "Signs with keys in PKCS #11 tokens",
            "version": env!("CARGO_PKG_VERSION"),
            "url": "https://crates.io/crates/muster-oci",
            "supportedContractVersions": ["1.0"],
            "capabilities": ["SIGNATURE_GENERATOR.RAW"],
        });
        assert_eq!(metadata, expected, "{request}");
    }
    semver::Version::parse(env!("CARGO_PKG_VERSION")).unwrap();
}

/// The library of a vendor that greets on both streams. It is no module, so that the refusal shows both streams at once.
#[cfg(unix)]
#[test]
fn a_talkative_module_does_not_disturb_the_answer() {
    let folder = tempfile::tempdir().unwrap();
    let (source, library) = (folder.path().join("chatty.c"), folder.path().join("chatty.so"));
    let code = "#include <stdio.h>\n__attribute__((constructor)) static void greet(void) {\n\
                puts(\"licensed to nobody\"); fflush(stdout); fputs(\"warning: evaluation copy\\n\", stderr); }\n";
    fs::write(&source, code).unwrap();
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let built = Command::new(compiler).args(["-shared", "-fPIC", "-o"]).args([&library, &source]).status().unwrap();
    assert!(built.success());

    let request = describe_key("pkcs11:token=a;object=b", &json!({ "module": library })).to_string();
    let message = Host::new().refusal(&["describe-key"], request.as_bytes(), &[], "ERROR", "talkative");
    assert!(message.contains("no PKCS #11 module"), "{message}");
}
