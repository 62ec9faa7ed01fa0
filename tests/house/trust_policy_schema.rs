//! The schema of trust policies for editors says the same as the parser, as far as a schema can.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;

use jsonschema::Validator;
use muster::policy::TrustPolicy;
use serde_json::{Value, json};

const FOLDER: &str = env!("CARGO_MANIFEST_DIR");

fn schema() -> Value {
    let text = fs::read_to_string(format!("{FOLDER}/schemas/trustpolicy.oci.v1.schema.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn validator() -> Validator {
    jsonschema::validator_for(&schema()).unwrap()
}

fn parse(document: &Value) -> Result<TrustPolicy, String> {
    TrustPolicy::parse(document.to_string().as_bytes(), "p").map_err(|errors| errors[0].to_string())
}

fn interop_documents() -> Vec<(String, Value)> {
    let lines = fs::read_to_string(format!("{FOLDER}/tests/interop/policy-validity.jsonl")).unwrap();
    let cases = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    cases.map(|case| (case["name"].as_str().unwrap().to_owned(), case["document"].clone())).collect()
}

#[test]
fn the_schema_is_a_schema() {
    assert!(jsonschema::meta::is_valid(&schema()));
}

#[test]
fn every_policy_of_the_interop_corpus_fits() {
    let validator = validator();
    let mut count = 0;
    for entry in fs::read_dir(format!("{FOLDER}/tests/interop/policies")).unwrap() {
        let path = entry.unwrap().path();
        let document: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        if let Err(error) = validator.validate(&document) {
            panic!("{}: {error}", path.display());
        }
        count += 1;
    }
    assert_eq!(count, 17);
}

#[test]
fn what_the_schema_refuses_the_parser_refuses_but_for_two_reasons() {
    // An unknown member is a warning for the parser; the empty word is one that nobody should write.
    let exceptions: BTreeSet<_> = ["unknown field", "verifyTimestamp ''"].map(str::to_owned).into();
    let validator = validator();
    let (mut excepted, mut refused) = (BTreeSet::new(), 0);
    for (name, document) in interop_documents() {
        let (fits, parsed) = (validator.is_valid(&document), parse(&document));
        if !fits {
            refused += 1;
            if parsed.is_ok() {
                excepted.insert(name);
            }
        }
    }
    println!("the schema refuses {refused} documents");
    assert_eq!(excepted, exceptions);
    // A schema that lets everything pass is of no use: it misses only what it cannot say.
    assert!(refused > 70, "only {refused}");
}

/// The members that the parser knows, by what it offers for one it does not know.
fn offered(pointer: &str) -> BTreeSet<String> {
    let mut document = json!({"version": "1.0", "trustPolicies": [{"name": "n", "registryScopes": ["a.io/b"],
        "signatureVerification": {"level": "strict"}, "trustStores": ["ca:x"], "trustedIdentities": ["*"]}]});
    let place = document.pointer_mut(pointer).unwrap();
    place.as_object_mut().unwrap().insert("qqqqqqqqqqqqqqqqqqqq".to_owned(), json!(1));
    let policy = parse(&document).unwrap();
    let help = policy.warnings()[0].help.clone().unwrap();
    let words = help.strip_prefix("expected one of ").unwrap().split(", ");
    words.map(|word| word.trim_matches('"').to_owned()).collect()
}

#[test]
fn schema_and_parser_know_the_same_members() {
    let schema = schema();
    for (pointer, definition) in [
        ("", ""),
        ("/trustPolicies/0", "/$defs/statement"),
        ("/trustPolicies/0/signatureVerification", "/$defs/signatureVerification"),
    ] {
        let properties = schema.pointer(&format!("{definition}/properties")).unwrap().as_object().unwrap();
        let known: BTreeSet<_> = properties.keys().cloned().collect();
        assert_eq!(offered(pointer), known, "{pointer}");
    }
}

#[test]
fn schema_and_parser_know_the_same_words() {
    let statement = |verification: Value, stores: Value, identities: Value| {
        json!({"version": "1.0", "trustPolicies": [{"name": "n", "registryScopes": ["a.io/b"],
            "signatureVerification": verification, "trustStores": stores, "trustedIdentities": identities}]})
    };
    let full = |verification| statement(verification, json!(["ca:x", "tsa:y"]), json!(["*"]));
    let validator = validator();
    let mut agreed = 0;
    let mut agree = |document: Value| {
        assert_eq!(validator.is_valid(&document), parse(&document).is_ok(), "{document}");
        agreed += 1;
    };
    for level in ["strict", "permissive", "audit", "skip", "none", "Strict", ""] {
        agree(full(json!({"level": level})));
        agree(statement(json!({"level": level}), json!([]), json!([])));
        for validation in ["integrity", "authenticity", "expiry", "authenticTimestamp", "revocation", "other"] {
            for action in ["enforce", "log", "skip", "Log"] {
                agree(full(json!({"level": level, "override": {validation: action}})));
            }
        }
    }
    for word in ["always", "afterCertExpiry", "never"] {
        agree(full(json!({"level": "strict", "verifyTimestamp": word})));
    }
    for store in [
        "ca:x",
        "signingAuthority:x",
        "tsa:x",
        "CA:x",
        "other:x",
        "ca:",
        "ca",
        "ca:.",
        "ca:..",
        "ca:...",
        "ca:.x",
        "ca:a/b",
    ] {
        agree(statement(json!({"level": "strict"}), json!([store]), json!(["*"])));
    }
    println!("{agreed} documents");
}
