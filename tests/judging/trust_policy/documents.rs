//! Documents to judge, and how to say what is expected of them.

use muster::diagnostic::{Diagnostic, Severity};
use muster::policy::TrustPolicy;
use serde_json::{Value, json};

/// A statement that holds, but for what a case changes.
pub(crate) fn statement() -> Value {
    json!({
        "name": "wabbit",
        "registryScopes": ["registry.acme-rockets.io/software/net-monitor"],
        "signatureVerification": {"level": "strict"},
        "trustStores": ["ca:wabbit-networks"],
        "trustedIdentities": ["x509.subject: C=US, ST=WA, O=wabbit-networks.io"]
    })
}

pub(crate) fn document(statements: &[Value]) -> String {
    json!({"version": "1.0", "trustPolicies": statements}).to_string()
}

/// A document of one statement in which the value at `pointer` is another, or is not there.
pub(crate) fn with(pointer: &str, value: Option<Value>) -> String {
    let mut statement = statement();
    let (parent, member) = pointer.rsplit_once('/').unwrap();
    let parent = statement.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Some(value) => parent.insert(member.to_owned(), value),
        None => parent.remove(member),
    };
    document(&[statement])
}

pub(crate) fn parse(text: &str) -> Result<TrustPolicy, Vec<Diagnostic>> {
    TrustPolicy::parse(text.as_bytes(), "trustpolicy.json")
}

pub(crate) fn accept(text: &str) -> TrustPolicy {
    parse(text).unwrap_or_else(|errors| panic!("{text}\n{}", errors[0]))
}

/// The codes of all errors.
pub(crate) fn codes(text: &str) -> Vec<&'static str> {
    match parse(text) {
        Ok(_) => Vec::new(),
        Err(errors) => {
            assert!(!errors.is_empty());
            for error in &errors {
                assert_eq!(error.severity, Severity::Error);
                assert!(!error.message.is_empty() && error.help.is_some(), "no help: {error}");
                assert!(!error.message.ends_with('.'), "{error}");
            }
            errors.iter().map(|error| error.code).collect()
        }
    }
}

/// The document is refused for `code` and nothing else, at the place of `marked` (as it stands in the text).
pub(crate) fn refused(text: &str, code: &str, marked: &str) {
    assert_eq!(codes(text), [code], "{text}");
    let errors = parse(text).unwrap_err();
    let span = errors[0].span.unwrap();
    assert_eq!(&text[span.offset..span.offset + span.length], marked, "{}", errors[0]);
}

pub(crate) fn warned(text: &str) -> Vec<&'static str> {
    let policy = accept(text);
    assert!(policy.warnings().iter().all(|found| found.severity != Severity::Error && found.help.is_some()));
    policy.warnings().iter().map(|warning| warning.code).collect()
}
