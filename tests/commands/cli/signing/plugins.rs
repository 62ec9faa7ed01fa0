//! Signing plugins as vendors write them.

use std::fs;

use muster::forge::registry::Flavour;
use serde_json::{Value, json};

use super::super::plugins::{SIGNS, metadata};
use super::super::workshop::Workshop;

fn workshop() -> (Workshop, String) {
    let workshop = Workshop::new(Flavour::Current);
    let image = workshop.image("app");
    (workshop, image)
}

const KEY: [&str; 5] = ["sign", "--plugin", "kms", "--id", "rsa-2048"];
const RAW: &str = "SIGNATURE_GENERATOR.RAW";

#[test]
fn s40_the_version_of_a_signing_plugin_need_not_be_semantic() {
    let (workshop, image) = workshop();
    for version in ["v0.1.0+unreleased", "v1.2.3", "1.0", "2026-11-29"] {
        workshop.plugin("kms", &format!("{}\n{SIGNS}", metadata("kms", RAW).replace("1.0.0", version)));
        workshop.with_plugins(0, &[&KEY[..], &[&image]].concat());
        let shown = workshop.expect(0, &["inspect", "-o", "json", &image]).stdout;
        let agent = format!("muster/{} kms/{version}", env!("CARGO_PKG_VERSION"));
        assert!(shown.contains(&agent), "{shown}");
    }
    workshop.expect(0, &["verify", &image]);
    // What commands a terminal is no version.
    workshop.plugin("kms", &format!("{}\n{SIGNS}", metadata("kms", RAW).replace("1.0.0", r"1\\u001b[31m")));
    let run = workshop.with_plugins(2, &[&KEY[..], &[&image]].concat());
    assert!(run.stderr.contains("that can be printed") && !run.stderr.contains('\u{1b}'), "{run}");
}

/// A plugin that knows no key, for this reason.
fn failing(workshop: &Workshop, says: &str) {
    let script = format!("{}\ncat > /dev/null\ncat >&2 <<'END'\n{says}\nEND\nexit 1", metadata("kms", RAW));
    workshop.plugin("kms", &script);
}

#[test]
fn s41_s42_what_a_plugin_says_of_its_failure_is_shown() {
    let (workshop, image) = workshop();
    let error = json!({
        "errorCode": "ACCESS_DENIED",
        "errorMessage": "The key was not found\r\nStatus: 404 (Not Found)\nErrorCode: KeyNotFound\u{1b}[31m\n",
        "errorMetadata": { "requestId": "7f3c", "cause": "role ci may not\nsign" },
    });
    let stack = "Unhandled exception.\n   at Kms.Sign(Key key)\n   at Program.Main()";
    for (says, words) in [
        (
            error.to_string(),
            "error code \"ACCESS_DENIED\": \"The key was not found; Status: 404 (Not Found); ErrorCode: KeyNotFound\\u{1b}[31m\" \
             (cause: \"role ci may not; sign\", requestId: \"7f3c\")",
        ),
        (stack.to_owned(), "said \"Unhandled exception. at Kms.Sign(Key key); at Program.Main()\""),
        // Not as the contract has it: what was written is shown.
        (json!({ "errorCode": 5, "errorMessage": "no" }).to_string(), "and said \"{\\\"errorCode\\\":5"),
    ] {
        failing(&workshop, &says);
        let run = workshop.with_plugins(3, &[&KEY[..], &[&image]].concat());
        assert!(run.stderr.contains(words) && !run.stderr.contains("\\u{a}"), "{run}");
        assert_eq!(run.stderr.matches('\n').count(), 1, "{run}");
    }
    workshop.plugin(
        "kms",
        &format!("{}\necho '{{\"errorCode\":\"ERROR\",\"errorMessage\":\"oh\"}}' >&2", metadata("kms", RAW)),
    );
    let run = workshop.with_plugins(3, &[&KEY[..], &[&image]].concat());
    assert!(
        run.stderr.contains("answered nothing, though it ended with exit code 0, error code \"ERROR\": \"oh\""),
        "{run}"
    );
    assert_eq!(workshop.listed(&[&image]), Vec::<String>::new());
}

#[test]
fn base64_with_line_ends_is_read() {
    let (workshop, image) = workshop();
    for ends in ["\\\\n", "\\\\r\\\\n"] {
        // What `base64` prints of itself: lines of 76 characters, which JSON writes as escapes.
        let wrapped = SIGNS
            .replace("| tr -d '\\n')", &format!("| sed '/\"/!s/$/{ends}/' | tr -d '\\n')"))
            .replace("base64 -w0", &format!("base64 | sed 's/$/{ends}/' | tr -d '\\n'"));
        // Not by `echo`, which some shells have read escapes.
        let wrapped = wrapped
            .replace(r#"echo "{\"keyId\":\"$id\",\"signature\"#, r#"printf '%s\n' "{\"keyId\":\"$id\",\"signature\"#);
        assert!(wrapped.contains("printf '%s\\n' \"{") && wrapped.matches(ends).count() == 2, "{wrapped}");
        workshop.plugin("kms", &format!("{}\n{wrapped}", metadata("kms", RAW)));
        workshop.with_plugins(0, &[&KEY[..], &[&image]].concat());
    }
    workshop.expect(0, &["verify", &image]);
    assert_eq!(workshop.listed(&[&image]).len(), 2);
}

#[test]
fn s44_settings_reach_the_plugin_unchanged() {
    let (workshop, image) = workshop();
    let keep = "[ \"$1\" = describe-key ] && tee request.json > /dev/null";
    workshop.plugin("kms", &format!("{}\n{keep}\nexit 1", metadata("kms", RAW)));
    let list = json!({ "keys": [
        { "name": "k", "id": "x", "pluginName": "kms", "pluginConfig": { "listed": "", "both": "list" } },
    ]});
    workshop.list_keys(&list.to_string());
    let given =
        ["a=b=c", "=", "p=/x y/z", "u=\u{fc}\u{1f511}", "q=\"'$HOME\\n", "both=line", "e==", "same=1", "same=1"];
    let settings = |pairs: &[&'static str]| -> Vec<&'static str> {
        pairs.iter().filter(|pair| **pair != "=").flat_map(|pair| ["--plugin-config", pair]).collect()
    };
    workshop.with_plugins(3, &[&["sign", "-k", "k"][..], &settings(&given), &[&image]].concat());
    let request: Value = serde_json::from_slice(&fs::read(workshop.path("request.json")).unwrap()).unwrap();
    let expected = json!({ "a": "b=c", "p": "/x y/z", "u": "\u{fc}\u{1f511}", "q": "\"'$HOME\\n", "both": "line", "e": "=",
        "same": "1", "listed": "" });
    assert_eq!(request["pluginConfig"], expected);
    for (pairs, words) in [
        (&["a="][..], "the value behind the = is empty"),
        (&["=a"], "there is no name before the ="),
        (&["a"], "expected KEY=VALUE"),
        (&["a=1", "a=2"], "two values of \"a\""),
    ] {
        let run = workshop.with_plugins(2, &[&["sign", "-k", "k"][..], &settings(pairs), &[&image]].concat());
        assert!(run.stderr.contains(words), "{pairs:?}: {run}");
    }
}

#[test]
fn a_plugin_that_repeats_its_secrets_is_not_repeated() {
    let (workshop, image) = workshop();
    let secrets = ["--plugin-config", "pin=hunter2-pin", "--plugin-config", "region=eu-central-1"];
    let sign = |workshop: &Workshop, code: i32| {
        let arguments = [&KEY[..], &secrets, &[&image]].concat();
        let run =
            workshop.muster(&arguments).env("KMS_TOKEN", "hvs.hunter2-token").env("NOTATION_LIBEXEC", "libexec").run();
        assert_eq!(run.code, Some(code), "{run}");
        assert!(!format!("{run}").contains("hunter2"), "{run}");
        run.stderr
    };
    let error = json!({
        "errorCode": "DENIED", "errorMessage": "PIN hunter2-pin of eu-central-1\nis wrong",
        "errorMetadata": { "token": "hvs.hunter2-token" },
    });
    failing(&workshop, &error.to_string());
    let told = sign(&workshop, 3);
    assert!(told.contains("\"PIN (secret) of eu-central-1; is wrong\" (token: \"(secret)\")"), "{told}");
    failing(&workshop, "{\"pluginConfig\":{\"pin\":\"hunter2-pin\"}} hvs.hunter2-token");
    sign(&workshop, 3);
    // In answers and in what it says of itself.
    let answers = "cat > /dev/null\necho '{\"keyId\":\"rsa-2048\",\"keySpec\":\"hunter2-pin\"}'";
    workshop.plugin("kms", &format!("{}\n{answers}", metadata("kms", RAW)));
    let told = sign(&workshop, 2);
    assert!(told.contains("the key specification \"(secret)\" is not one of the six"), "{told}");
    let named = metadata("kms", RAW).replace("\"kms\"", "\"hunter2-pin\"");
    workshop.plugin("kms", &format!("{named}\n{SIGNS}"));
    sign(&workshop, 2);
    // The version of a plugin goes into signatures.
    workshop.plugin("kms", &format!("{}\n{SIGNS}", metadata("kms", RAW).replace("1.0.0", "1 hunter2-pin")));
    sign(&workshop, 0);
    let shown = workshop.expect(0, &["inspect", "-o", "json", &image]).stdout;
    assert!(shown.contains(" kms/1 (secret)") && !shown.contains("hunter2"), "{shown}");
    workshop.expect(0, &["verify", &image]);
}
