//! G02 to G11: the rules of a document, and where their findings point.

use muster::diagnostic::Severity;
use muster::policy::{Action, Level, Validation, VerifyTimestamp};
use serde_json::{Value, json};

use super::documents::*;

#[test]
fn g02_versions() {
    let good = document(&[statement()]);
    let version = |text: &str| good.replace("\"version\":\"1.0\"", text);
    refused(&version("\"version\":\"\""), "unsupported-version", "\"\"");
    refused(&version("\"version\":\"1.1\""), "unsupported-version", "\"1.1\"");
    refused(&version("\"version\":\"1\""), "unsupported-version", "\"1\"");
    refused(&version("\"version\":1.0"), "wrong-type", "1.0");
    let help = parse(&version("\"version\":1.0")).unwrap_err().remove(0).help.unwrap();
    assert_eq!(help, "put it in quotation marks: \"1.0\"");
    refused(&version("\"x\":1"), "unsupported-version", "{");
}

#[test]
fn g03_no_statement() {
    refused(r#"{"version": "1.0", "trustPolicies": []}"#, "no-statements", "[]");
    refused(r#"{"version": "1.0"}"#, "no-statements", "{");
    refused(r#"{"version": "1.0", "trustPolicies": [null]}"#, "wrong-type", "null");
    refused(r#"{"version": "1.0", "trustPolicies": null}"#, "wrong-type", "null");
    assert_eq!(codes("{}"), ["unsupported-version", "no-statements"]);
}

#[test]
fn g04_statement_names() {
    refused(&with("/name", Some(json!(""))), "statement-name-missing", "\"\"");
    refused(&with("/name", None), "statement-name-missing", "{");
    let mut second = statement();
    second["registryScopes"] = json!(["a.io/b"]);
    let text = document(&[statement(), second.clone()]);
    refused(&text, "statement-name-duplicate", "\"wabbit\"");
    assert!(parse(&text).unwrap_err()[0].span.unwrap().offset > text.find("a.io/b").unwrap() - 200);
    second["name"] = json!("Wabbit");
    accept(&document(&[statement(), second]));
}

#[test]
fn g05_levels() {
    for (level, marked) in [("Strict", "\"Strict\""), ("none", "\"none\""), ("", "\"\""), (" strict", "\" strict\"")] {
        refused(&with("/signatureVerification/level", Some(json!(level))), "verification-level", marked);
    }
    refused(&with("/signatureVerification/level", None), "verification-level", "{");
    refused(&with("/signatureVerification", None), "verification-level", "\"wabbit\"");
    let help = parse(&with("/signatureVerification/level", Some(json!("Strict")))).unwrap_err().remove(0).help;
    assert_eq!(help.as_deref(), Some("did you mean \"strict\"?"));
    let statement = accept(&document(&[statement()])).statements()[0].clone();
    assert_eq!((statement.level, statement.level_text(), statement.is_skip()), (Level::Strict, "strict", false));
}

#[test]
fn g06_overrides() {
    let overridden = |pairs: Value| with("/signatureVerification/override", Some(pairs));
    refused(&overridden(json!({"integrity": "enforce"})), "override-forbidden", "\"integrity\"");
    refused(&overridden(json!({"integrity": "skip"})), "override-forbidden", "\"integrity\"");
    for validation in ["authenticity", "expiry", "authenticTimestamp"] {
        refused(&overridden(json!({validation: "skip"})), "override-forbidden", "\"skip\"");
    }
    refused(&overridden(json!({"Expiry": "log"})), "override-unknown", "\"Expiry\"");
    refused(&overridden(json!({"expiry": "Log"})), "override-unknown", "\"Log\"");
    assert_eq!(codes(&overridden(json!({"other": "Log"}))), ["override-unknown", "override-unknown"]);
    let skip = json!({"name": "s", "registryScopes": ["a.io/b"], "signatureVerification":
        {"level": "skip", "override": {"expiry": "log"}}});
    refused(&document(&[skip]), "override-forbidden", r#"{"expiry":"log"}"#);

    let policy = accept(&overridden(json!({"revocation": "skip", "expiry": "log"})));
    let statement = &policy.statements()[0];
    let actions = Validation::ALL.map(|validation| statement.action(validation));
    assert_eq!(actions, [Action::Enforce, Action::Enforce, Action::Log, Action::Enforce, Action::Skip]);
    assert_eq!((statement.level, statement.level_text()), (Level::Strict, "custom"));
    assert_eq!(accept(&overridden(json!({}))).statements()[0].level_text(), "strict");
}

#[test]
fn g07_verify_timestamp() {
    let at = |word: &str| {
        let mut statement = statement();
        statement["signatureVerification"]["verifyTimestamp"] = json!(word);
        statement["trustStores"] = json!(["ca:x", "tsa:y"]);
        document(&[statement])
    };
    refused(&at("never"), "verify-timestamp", "\"never\"");
    refused(&at("Always"), "verify-timestamp", "\"Always\"");
    for (word, meant) in [
        ("always", VerifyTimestamp::Always),
        ("", VerifyTimestamp::Always),
        ("afterCertExpiry", VerifyTimestamp::AfterCertExpiry),
    ] {
        assert_eq!(accept(&at(word)).statements()[0].verify_timestamp, meant);
        assert!(warned(&at(word)).is_empty());
    }
    let unused = with("/signatureVerification/verifyTimestamp", Some(json!("always")));
    assert_eq!(warned(&unused), ["verify-timestamp-unused"]);
}

#[test]
fn g08_stores_and_identities_go_with_the_level() {
    let skip = |extra: Value| {
        let mut skip = json!({"name": "s", "registryScopes": ["a.io/b"], "signatureVerification": {"level": "skip"}});
        skip.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        document(&[skip])
    };
    refused(&skip(json!({"trustStores": ["ca:x"]})), "skip-with-trust", "[\"ca:x\"]");
    refused(&skip(json!({"trustedIdentities": ["*"]})), "skip-with-trust", "[\"*\"]");
    refused(&skip(json!({"registryScopes": ["*"]})), "skip-global", "[\"*\"]");
    let policy = accept(&skip(json!({"trustStores": [], "trustedIdentities": []})));
    assert!(policy.statements()[0].is_skip());
    for (member, code) in [("trustStores", "trust-stores-missing"), ("trustedIdentities", "trusted-identities-missing")]
    {
        refused(&with(&format!("/{member}"), Some(json!([]))), code, "[]");
        refused(&with(&format!("/{member}"), None), code, "\"wabbit\"");
    }
}

#[test]
fn g09_trust_store_names() {
    for store in
        ["", "ca", "ca:", ":x", "CA:x", "other:y", "ca:a b", "ca:a/b", "ca:../x", "ca:.", "ca:..", "ca:x:y", "ca:é"]
    {
        refused(&with("/trustStores", Some(json!([store]))), "trust-store-invalid-name", &json!(store).to_string());
    }
    let policy = accept(&with("/trustStores", Some(json!(["signingAuthority:a.b", "ca:x", "ca:x"]))));
    let names: Vec<_> = policy.statements()[0].trust_stores.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["signingAuthority:a.b", "ca:x"]);
    assert_eq!(warned(&with("/trustStores", Some(json!(["ca:x", "ca:x"])))), ["trust-store-duplicate"]);
    assert_eq!(warned(&with("/trustStores", Some(json!(["tsa:x"])))), ["trust-stores-tsa-only"]);
}

#[test]
fn g10_trusted_identities() {
    const A: &str = "x509.subject: C=US, ST=WA, O=a";
    let identities = |list: Value| with("/trustedIdentities", Some(list));
    for identity in [
        "",
        "x509.subject",
        "x509.subject:",
        "x509.subject: ",
        "x509.subject: C=US, ST=WA",
        "x509.subject: C=US, ST=WA, O=",
        "x509.subject: C=US, ST=WA, O=a, O=b",
        "x509.subject: C=US, S=WA, ST=WA, O=a",
        "x509.subject: C=US, ST=WA, O=a+CN=b",
        "x509.subject: C=US, ST=WA, O=#0c0161",
        "x509.subject: C=US, ST=WA, O=a, Inc",
        "x509.subject: C=US, ST=WA, O=a\\",
        "**",
    ] {
        refused(&identities(json!([identity])), "trusted-identity-invalid", &json!(identity).to_string());
    }
    refused(&identities(json!(["*", A])), "trusted-identity-wildcard", "\"*\"");
    assert_eq!(codes(&identities(json!(["*", "*"]))), ["trusted-identity-wildcard", "trusted-identity-wildcard"]);
    let narrow = format!("{A}, CN=b");
    refused(&identities(json!([A, narrow])), "trusted-identity-overlap", &json!(narrow).to_string());
    refused(&identities(json!([narrow, A])), "trusted-identity-overlap", &json!(narrow).to_string());
    refused(&identities(json!([A, A])), "trusted-identity-overlap", &json!(A).to_string());
    accept(&identities(json!([format!("{A}, CN=b"), format!("{A}, CN=c"), format!("{A}, OU=d")])));
    for useless in
        ["X509.subject: C=US", " x509.subject: C=US", "x509.subjct: C=US", "x509.subject: C=US, ST=WA, O=a, UID=x"]
    {
        assert_eq!(warned(&identities(json!([useless]))), ["trusted-identity-useless"], "{useless}");
    }
    // What verification plugins read is no mistake.
    let signer = "arn:aws:signer:eu-west-1:000000000000:/signing-profiles/release";
    for of_plugin in [signer, "other: x", "did:web:acme-rockets.io", "sigstore.issuer: x"] {
        let policy = accept(&identities(json!([A, of_plugin])));
        let [note] = policy.warnings() else { panic!("{:?}", policy.warnings()) };
        assert_eq!((note.code, note.severity), ("trusted-identity-of-plugin", Severity::Note));
        assert!(!note.to_string().contains("no signer"), "{note}");
        assert_eq!(policy.statements()[0].identities.others(), [of_plugin]);
    }
    assert!(accept(&identities(json!(["*"]))).statements()[0].identities.any());
}

#[test]
fn g11_registry_scopes() {
    let scopes = |list: Value| with("/registryScopes", Some(list));
    for scope in [
        "",
        "a.io",
        "a.io/",
        "net-monitor",
        "a.io/*",
        "*.io/b",
        "a.io/B",
        "https://a.io/b",
        "a.io/b:v1",
        "a.io/b@sha256:00",
        "[::1]:5000/b",
        "a.io/b/",
        "a.io//b",
        " a.io/b",
        "a.io:0/b",
        "\u{430}.io/b",
    ] {
        refused(&scopes(json!([scope])), "registry-scope-invalid", &json!(scope).to_string());
    }
    // notation takes these, and no reference has them.
    for (useless, hint) in
        [("A.io/b", "write a.io"), ("a.io:0443/b", "write a.io:443"), ("127.1:5000/b", "write 127.0.0.1:5000")]
    {
        let policy = accept(&scopes(json!([useless])));
        let [warning] = policy.warnings() else { panic!("{:?}", policy.warnings()) };
        assert_eq!(warning.code, "registry-scope-useless");
        assert!(warning.help.as_ref().unwrap().contains(hint), "{warning}");
    }
    accept(&scopes(json!(["a.io:443/b", "docker.io/library/b", "registry:5000/b", "localhost/b", "local/b"])));
    refused(&scopes(json!([])), "registry-scopes-missing", "[]");
    refused(&with("/registryScopes", None), "registry-scopes-missing", "\"wabbit\"");
    refused(&scopes(json!(["*", "a.io/b"])), "registry-scope-wildcard", "\"*\"");
    refused(&scopes(json!(["a.io/b", "a.io/b"])), "registry-scope-duplicate", "\"a.io/b\"");
    let mut second = statement();
    second["name"] = json!("second");
    let message = &parse(&document(&[statement(), second.clone()])).unwrap_err()[0].message;
    assert!(message.contains("already stands in statement \"wabbit\", on line 1"), "{message}");
    second["registryScopes"] = json!(["*"]);
    let mut third = second.clone();
    third["name"] = json!("third");
    assert_eq!(codes(&document(&[second, third])), ["registry-scope-duplicate"]);
}

/// The specification sets no bound to these; names as long as these stand nowhere.
#[test]
fn g09_g10_g11_what_is_too_long_or_too_much_is_refused() {
    let stores = |length: usize| with("/trustStores", Some(json!([format!("ca:{}", "x".repeat(length))])));
    assert_eq!(codes(&stores(255)), [""; 0]);
    assert_eq!(codes(&stores(256)), ["trust-store-invalid-name"]);
    let scopes = |length: usize| with("/registryScopes", Some(json!([format!("a.io/{}", "x".repeat(length))])));
    assert_eq!(codes(&scopes(255)), [""; 0]);
    assert_eq!(codes(&scopes(256)), ["registry-scope-invalid"]);
    // Each with a type of its own.
    let identity = |n: usize| format!("x509.subject: C=US, ST=WA, O=a, T{n}=x");
    let identities = |count: usize| {
        let all: Vec<_> = (0..count).map(identity).collect();
        codes(&with("/trustedIdentities", Some(json!(all))))
    };
    assert_eq!(identities(100), [""; 0]);
    assert_eq!(identities(2001), ["trusted-identities-too-many"]);
}

#[test]
fn g11_the_exact_scope_beats_the_global_one() {
    let mut rest = statement();
    rest["name"] = json!("rest");
    rest["registryScopes"] = json!(["*"]);
    let policy = accept(&document(&[rest, statement()]));
    let chosen = |repository: &str| policy.statement_for(repository).map(|statement| statement.name.as_str());
    assert_eq!(chosen("registry.acme-rockets.io/software/net-monitor"), Some("wabbit"));
    // Nothing is normalised or taken for a part of something else.
    for other in [
        "registry.acme-rockets.io/software",
        "registry.acme-rockets.io/software/net-monitor/more",
        "registry.acme-rockets.io:5000/software/net-monitor",
        "a.io/b",
        "*",
        "",
    ] {
        assert_eq!(chosen(other), Some("rest"), "{other}");
    }
    // What may be the named repository, in other letters, is not left to the statement for all others.
    for near in ["REGISTRY.acme-rockets.io/software/net-monitor", "registry.acme-rockets.io:443/software/net-monitor"] {
        assert_eq!(chosen(near), None, "{near}");
        let why = policy.why_none_for(near);
        assert!(
            why.contains("not even the one for \"*\": the policy names \"registry.acme-rockets.io/software"),
            "{why}"
        );
    }
    let policy = accept(&document(&[statement()]));
    assert!(policy.statement_for("a.io/b").is_none() && policy.statement_for("*").is_none());
}

#[test]
fn everything_wrong_is_said_in_one_go_with_its_place() {
    let text = r#"{
  "version": "1.1",
  "trustPolicies": [
    {
      "name": "wäbbit",
      "registryScopes": ["a.io/b", "a.io/c:v1"],
      "signatureVerification": { "level": "Strict", "override": { "integrity": "log" } },
      "trustStores": ["ca:.."],
      "trustedIdentities": ["*", "x509.subject: C=US"]
    }
  ]
}"#;
    let places: Vec<_> = parse(text)
        .unwrap_err()
        .iter()
        .map(|error| (error.code, error.span.unwrap().line, error.span.unwrap().column))
        .collect();
    assert_eq!(
        places,
        [
            ("unsupported-version", 2, 14),
            ("registry-scope-invalid", 6, 36),
            ("verification-level", 7, 43),
            ("override-forbidden", 7, 67),
            ("trust-store-invalid-name", 8, 23),
            ("trusted-identity-wildcard", 9, 29),
            ("trusted-identity-invalid", 9, 34),
        ]
    );
    let shown = parse(text).unwrap_err()[1].to_string();
    insta::assert_snapshot!(shown, @r#"
    error[registry-scope-invalid]: statement "wäbbit": the scope "a.io/c:v1" is not a repository: it has a tag
     --> trustpolicy.json:6:36
      |
    6 |       "registryScopes": ["a.io/b", "a.io/c:v1"],
      |                                    ^^^^^^^^^^^
      = help: write the repository with its registry and nothing else: "registry.example.com/team/app"
    "#);
}
