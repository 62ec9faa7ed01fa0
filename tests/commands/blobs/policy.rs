//! `muster policy` on documents for blobs, and the schema of them.

use std::collections::BTreeSet;

use muster::policy::BlobTrustPolicy;
use serde_json::{Value, json};

use super::world::{World, statement};

const SCHEMA: &str = include_str!("../../../schemas/trustpolicy.blob.v1.schema.json");

#[test]
fn a_document_is_one_for_blobs_by_its_name_or_when_asked() {
    let world = World::new();
    let text = std::fs::read(world.path("config/trustpolicy.blob.json")).unwrap();
    world.write("other.json", &text);
    world.write("x.BLOB.json", &text);
    for arguments in [
        &["config/trustpolicy.blob.json"][..],
        &["x.BLOB.json"],
        &["--blob", "other.json"],
        &["--blob", "other.json", "config/trustpolicy.blob.json"],
    ] {
        let run = world.expect(0, &[&["policy", "check"], arguments].concat());
        assert!(run.stdout.ends_with(": valid\n") && run.stderr.is_empty());
    }
    let wrong = world.expect(2, &["policy", "check", "other.json"]).stderr;
    assert!(wrong.contains("foreign-member") && wrong.contains("trustpolicy.blob.json"), "{wrong}");
    let oci =
        json!({ "version": "1.0", "trustPolicies": [statement("a", "strict", json!({"registryScopes": ["*"]}))] });
    world.write("oci.json", oci.to_string().as_bytes());
    world.expect(0, &["policy", "check", "oci.json"]);
    let wrong = world.expect(2, &["policy", "check", "--blob", "oci.json"]).stderr;
    assert!(wrong.contains("foreign-member") && wrong.contains("trustpolicy.oci.json"), "{wrong}");
}

#[test]
fn show_says_what_a_policy_for_blobs_means() {
    let world = World::new();
    let by_name = world.expect(0, &["policy", "show", "config/trustpolicy.blob.json"]).stdout;
    let usual = world.expect(0, &["policy", "show", "--blob"]).stdout;
    assert_eq!(by_name, usual);
    // Where the folder is differs from run to run; the digest of the file does not.
    insta::assert_snapshot!(usual);
    world.policy(&[statement("a", "strict", json!({}))]);
    assert!(world.expect(0, &["policy", "show", "--blob"]).stdout.contains("no statement has globalPolicy"));
}

#[test]
fn the_schema_agrees_with_the_parser() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    assert!(jsonschema::meta::is_valid(&schema));
    let validator = jsonschema::validator_for(&schema).unwrap();
    let skip = |more: Value| {
        let mut skip = json!({ "name": "s", "signatureVerification": { "level": "skip" } });
        skip.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        skip
    };
    let mut seen = BTreeSet::new();
    for statement in [
        statement("a", "strict", json!({})),
        statement("a", "strict", json!({ "globalPolicy": true })),
        statement("a", "audit", json!({ "globalPolicy": false })),
        statement("a", "strict", json!({ "globalPolicy": "true" })),
        statement("a", "strict", json!({ "globalPolicy": null })),
        statement("a", "strict", json!({ "registryScopes": ["*"] })),
        statement("", "strict", json!({})),
        statement("a", "none", json!({})),
        statement("a", "strict", json!({ "trustStores": [] })),
        statement("a", "strict", json!({ "trustStores": ["ca:.."] })),
        statement("a", "strict", json!({ "trustedIdentities": ["*", "x509.subject: C=US, ST=WA, O=a"] })),
        skip(json!({})),
        skip(json!({ "globalPolicy": false })),
        skip(json!({ "globalPolicy": true })),
        skip(json!({ "trustStores": ["ca:a"] })),
    ] {
        let document = json!({ "version": "1.0", "trustPolicies": [statement] });
        let parsed = BlobTrustPolicy::parse(document.to_string().as_bytes(), "p");
        assert_eq!(validator.is_valid(&document), parsed.is_ok(), "{document}");
        seen.insert(parsed.is_ok());
    }
    assert_eq!(seen.len(), 2);
    let offered =
        json!({ "version": "1.0", "trustPolicies": [statement("a", "strict", json!({ "qqqqqqqqqqqqq": 1 }))] });
    let policy = BlobTrustPolicy::parse(offered.to_string().as_bytes(), "p").unwrap();
    let help = policy.warnings()[0].help.clone().unwrap();
    let words: BTreeSet<_> =
        help.trim_start_matches("expected one of ").split(", ").map(|w| w.trim_matches('"')).collect();
    let known: BTreeSet<_> =
        schema["$defs"]["statement"]["properties"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(words, known);
}
