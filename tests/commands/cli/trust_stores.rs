//! Trust stores that are broken or missing: what needs one ends with an error, what does not is judged.

use serde_json::{Value, json};

use super::program::{Finished, muster};
use super::world::World;

/// The world of the other tests with a policy of its own: one statement for each repository, all of them strict, with these
/// stores and settings.
fn judged(world: &World, statements: &[(&str, Value, Value)], targets: &[&str]) -> Finished {
    let statements: Vec<Value> = statements
        .iter()
        .map(|(name, stores, verification)| {
            json!({
                "name": name,
                "registryScopes": [world.reference(name)],
                "signatureVerification": verification,
                "trustStores": stores,
                "trustedIdentities": ["*"],
            })
        })
        .collect();
    let policy = json!({ "version": "1.0", "trustPolicies": statements });
    std::fs::write(world.path("config/trustpolicy.json"), policy.to_string()).unwrap();
    let targets: Vec<String> = targets.iter().map(|name| world.reference(&format!("{name}:v1"))).collect();
    let mut arguments = vec!["audit"];
    arguments.extend(targets.iter().map(String::as_str));
    arguments.extend(["-o", "ndjson"]);
    world.muster(&arguments).run()
}

/// Result, code and failed checks of every artifact.
fn results(run: &Finished) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or("none").to_owned();
    let line = |line: &str| {
        let artifact: Value = serde_json::from_str(line).unwrap();
        (text(&artifact["result"]), text(&artifact["code"]))
    };
    let mut results: Vec<_> = run.stdout.lines().map(line).collect();
    results.sort();
    results
}

/// A store of this type and name, with these bytes in its one file.
fn store(world: &World, name: &str, content: &[u8]) {
    let folder = world.path("config/truststore/x509").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("root.pem"), content).unwrap();
}

fn strict() -> Value {
    json!({ "level": "strict" })
}

fn pair(result: &str, code: &str) -> (String, String) {
    (result.to_owned(), code.to_owned())
}

#[test]
fn a_broken_store_ends_only_the_judgements_that_need_it() {
    let world = World::new();
    store(&world, "ca/broken", b"junk");
    let statements = [
        ("good", json!(["ca:wabbit"]), strict()),
        ("wrong", json!(["ca:wabbit", "ca:broken"]), strict()),
        ("late", json!(["ca:missing"]), strict()),
    ];
    let run = judged(&world, &statements, &["good", "wrong", "late"]);
    // What is wrong with the signature of `wrong` is that it speaks of another artifact: for that no store is needed.
    let expected = [pair("fail", "payload-mismatch"), pair("fail", "trust-store-missing"), pair("pass", "none")];
    assert_eq!((results(&run), run.code), (expected.to_vec(), Some(1)), "{run}");
    assert!(run.stderr.contains("warning: ") && run.stderr.contains("root.pem"), "{run}");

    let statements = [("good", json!(["ca:wabbit", "ca:broken"]), strict()), ("late", json!(["ca:wabbit"]), strict())];
    let run = judged(&world, &statements, &["good"]);
    assert_eq!((results(&run), run.code), (vec![pair("error", "trust-store-invalid")], Some(3)), "{run}");
}

#[test]
fn a_store_that_no_statement_can_do_without_is_told_once_before_the_first_request() {
    let world = World::new();
    store(&world, "ca/broken", b"junk");
    let before = world.registry.requests();
    for (name, words) in [("ca:broken", "root.pem"), ("ca:missing", "there is no trust store ca:missing")] {
        let statements = [("good", json!([name]), strict()), ("late", json!(["ca:wabbit", name]), strict())];
        let run = judged(&world, &statements, &["good", "late"]);
        assert_eq!((run.stdout.as_str(), run.code), ("", Some(2)), "{run}");
        assert!(run.stderr.starts_with("error: ") && run.stderr.contains(words), "{run}");
        assert_eq!(run.stderr.matches("error: ").count(), 1, "{run}");
    }
    // A folder in which there is no store at all says so once, however many are named.
    let target = world.reference("good:v1");
    let run = world.muster(&["audit", &target, "--trust-store", "config"]).run();
    assert_eq!((run.stdout.as_str(), run.code), ("", Some(2)), "{run}");
    assert_eq!(run.stderr.matches("error: ").count(), 1, "{run}");
    assert!(run.stderr.contains("the trust store to name is"), "{run}");
    assert_eq!(world.registry.requests(), before);
    // A signature under the other scheme could be judged without it.
    store(
        &world,
        "signingAuthority/wabbit",
        &std::fs::read(world.path("config/truststore/x509/ca/wabbit/root.der")).unwrap(),
    );
    let either = json!(["ca:missing", "signingAuthority:wabbit"]);
    let run = judged(&world, &[("good", either, strict())], &["good"]);
    assert_eq!((results(&run), run.code), (vec![pair("fail", "trust-store-missing")], Some(1)), "{run}");
}

/// No certificate of the signer has expired: nothing that the stores of time stamping authorities hold matters.
#[test]
fn a_store_for_time_stamps_that_is_not_needed_may_be_broken_or_missing() {
    let world = World::new();
    store(&world, "tsa/broken", b"junk");
    let after = json!({ "level": "strict", "verifyTimestamp": "afterCertExpiry" });
    let always = json!({ "level": "strict", "verifyTimestamp": "always" });
    for name in ["tsa:broken", "tsa:missing"] {
        let run = judged(&world, &[("good", json!(["ca:wabbit", name]), after.clone())], &["good"]);
        assert_eq!((results(&run), run.code), (vec![pair("pass", "none")], Some(0)), "{run}");
        assert!(run.stderr.contains(name), "{run}");
        // Where every signature needs it, that is said before the first request.
        let run = judged(&world, &[("good", json!(["ca:wabbit", name]), always.clone())], &["good"]);
        assert_eq!((run.stdout.as_str(), run.code), ("", Some(2)), "{run}");
        assert!(run.stderr.starts_with("error: ") && run.stderr.contains(name), "{run}");
    }
}

/// Authenticity that is only logged needs no store, and none makes anything trusted: the artifact passes with a warning, as for
/// the reference implementation.
#[test]
fn at_level_audit_a_broken_store_is_only_logged() {
    let world = World::new();
    store(&world, "ca/broken", b"junk");
    for (name, code) in [("ca:broken", "trust-store-invalid"), ("ca:missing", "trust-store-missing")] {
        let run = judged(&world, &[("good", json!([name]), json!({ "level": "audit" }))], &["good"]);
        assert_eq!((results(&run), run.code), (vec![pair("warn", code)], Some(0)), "{run}");
    }
}

/// Files that editors of Windows write: told apart from what is no certificate at all.
#[test]
fn byte_order_marks_and_utf_16_in_stores_are_named() {
    let world = World::new();
    let text = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (content, words) in [
        ([b"\xef\xbb\xbf", text.as_bytes()].concat(), "byte order mark"),
        ([b"\xff\xfe", wide.as_slice()].concat(), "UTF-16"),
        (wide, "UTF-16"),
    ] {
        store(&world, "ca/marked", &content);
        let run = judged(&world, &[("good", json!(["ca:marked"]), strict())], &["good"]);
        assert_eq!(run.code, Some(2), "{run}");
        assert!(run.stderr.contains(words) && run.stderr.contains("root.pem"), "{run}");
    }
}

/// Whatever lacks first: nothing breaks down, and nothing that could not be read is called wrong.
#[cfg(target_os = "linux")]
#[test]
fn h25_what_cannot_be_read_for_lack_of_open_files_is_undecided() {
    let arguments = ["audit", "oci:tests/interop/layout", "--at", "2026-11-23T12:00:00Z", "-o", "ndjson"];
    let strict = ["--policy", "tests/interop/policies/strict-identity.json"];
    let stores = ["--trust-store", "tests/interop/truststore"];
    let whole = muster(&[&arguments[..], &strict, &stores].concat()).run();
    let mut told = 0;
    for files in 5..20 {
        let run = muster(&[&arguments[..], &strict, &stores].concat()).with_few_files(files).run();
        assert!(!run.stderr.contains("panicked"), "{files}: {run}");
        // What fails is what fails where nothing is short.
        assert!(matches!(run.code, Some(1 | 3)), "{files}: {run}");
        told += usize::from(run.code == Some(3) && run.stderr.contains("open files"));
        for line in run.stdout.lines().filter(|line| !whole.stdout.contains(*line)) {
            let judged: Value = serde_json::from_str(line).unwrap();
            assert_eq!(judged["result"], "error", "{files}: {line}");
        }
    }
    assert!(told > 2, "nothing was short");
}
