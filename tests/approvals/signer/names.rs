//! The names by which keys are found: those of a key list, and those that a host of plugins gives.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use muster::forge::{Key, KeyKind};
use serde_json::{Value, json};

use super::bench::Bench;

/// A key without a policy, so that it signs at once.
fn bench() -> Bench {
    Bench::new(&Key::pooled(KeyKind::P256, 0).unwrap(), None)
}

#[test]
fn listed_keys_sign_by_their_uri_and_by_the_plugin_that_is_not_started() {
    let bench = bench();
    let uri = format!("tsb:release?url={}&without-approvals=true", bench.gateway.url());
    let config = json!({
        "url": bench.gateway.url(), "without-approvals": "true", "certificate-chain": bench.path("release.crt"),
    });
    let list = json!({ "default": "by-uri", "keys": [
        { "name": "by-uri", "keyPath": uri, "certPath": bench.path("release.crt") },
        { "name": "by-plugin", "pluginName": "muster-tsb", "id": "release", "pluginConfig": config },
        { "name": "misspelt", "pluginName": "muster-tsb", "id": "releese", "pluginConfig": config },
        { "name": "in-clear", "pluginName": "muster-tsb", "id": "release", "pluginConfig": {"url": bench.gateway.url(), "token": "s3cret"} },
    ]});
    fs::write(bench.path("config/signingkeys.json"), list.to_string()).unwrap();
    let sign = |arguments: &[&str]| {
        let mut all = vec!["sign", "oci:layout:app"];
        all.extend(arguments);
        let output = bench.muster(&all).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for (arguments, code, words) in [
        (&[][..], 0, ""),
        (&["--key", "by-plugin"], 0, ""),
        (&["--plugin", "muster-tsb", "--id", "release", "--plugin-config", "url=http://10.0.0.1"], 2, "plain http"),
        (&["--key", "by-plugin", "--plugin-config", "timeout=never"], 2, "timeout"),
        (&["--key", "misspelt"], 3, "has no key \"releese\""),
        (&["--key", "in-clear"], 2, "in clear"),
    ] {
        let (found, text) = sign(arguments);
        assert_eq!(found, Some(code), "{arguments:?}: {text}");
        assert!(text.contains(words) && !text.contains("s3cret"), "{arguments:?}: {text}");
    }
    assert_eq!(bench.verdict(), (2, true));
}

fn plugin(command: &str, request: &Value) -> (Option<i32>, Value, Value) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_notation-muster-tsb"));
    program.arg(command).current_dir("/").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = program.spawn().unwrap();
    child.stdin.take().unwrap().write_all(request.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let json = |bytes: &[u8]| serde_json::from_slice(bytes).unwrap_or(Value::Null);
    (output.status.code(), json(&output.stdout), json(&output.stderr))
}

#[test]
fn the_plugin_says_what_it_is_and_of_which_kind_a_key_is() {
    let (code, metadata, _) = plugin("get-plugin-metadata", &json!({}));
    assert_eq!(code, Some(0));
    assert_eq!(metadata["name"], "muster-tsb");
    assert_eq!(metadata["supportedContractVersions"], json!(["1.0"]));
    assert_eq!(metadata["capabilities"], json!(["SIGNATURE_GENERATOR.RAW"]));

    let bench = bench();
    // The chain is the broker's; a key that it does not have is not made.
    let describe = |id: &str, config: Value| {
        plugin("describe-key", &json!({ "contractVersion": "1.0", "keyId": id, "pluginConfig": config }))
    };
    let (code, described, _) = describe("release", json!({ "url": bench.gateway.url() }));
    assert_eq!((code, described), (Some(0), json!({ "keyId": "release", "keySpec": "EC-256" })));
    for (id, config, error) in [
        ("releese", json!({ "url": bench.gateway.url() }), "VALIDATION_ERROR"),
        ("release", json!({}), "VALIDATION_ERROR"),
        ("release", json!({ "url": bench.gateway.url(), "certificate-chain": "release.crt" }), "VALIDATION_ERROR"),
        ("release", json!({ "url": "http://127.0.0.1:1" }), "ERROR"),
    ] {
        let (code, answer, refusal) = describe(id, config.clone());
        assert_eq!((code, &answer), (Some(1), &Value::Null), "{id} {config}");
        assert_eq!(refusal["errorCode"], error, "{refusal}");
    }
    assert!(bench.gateway.requests().is_empty());
}
