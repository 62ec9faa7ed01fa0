//! G12 and G13: large documents, documents that change, and every document next to a good one.

use std::fs;
use std::time::Duration;

use muster::diagnostic::Severity;
use muster::digest::Digest;
use muster::limits;
use muster::policy::TrustPolicy;
use serde_json::{Value, json};

use super::documents::*;
use crate::processor_time::within;

#[test]
fn g12_many_statements_and_identities_take_bounded_work() {
    let statements: Vec<_> = (0..100_000)
        .map(|n| {
            json!({"name": format!("s{n}"), "registryScopes": [format!("a.io/{n}")],
                   "signatureVerification": {"level": "skip"}})
        })
        .collect();
    let text = document(&statements);
    assert!(text.len() as u64 <= limits::POLICY_BYTES);
    let policy = within(Duration::from_secs(20), "100,000 statements", || accept(&text));
    assert_eq!(policy.statement_for("a.io/99999").unwrap().name, "s99999");

    let identity = |n: usize| match n % 3 {
        0 => format!("x509.subject: C=US, ST=WA, O=a, CN={n}"),
        1 => format!("x509.subject: C=US, ST=WA, O=b, OU={n}, L=x"),
        _ => format!("x509.subject: C=US, ST=WA, O=c, OU={n}, STREET={n}"),
    };
    let identities: Vec<_> = (0..10_000).map(identity).collect();
    let text = with("/trustedIdentities", Some(json!(identities)));
    let policy = within(Duration::from_secs(5), "10,000 identities", || accept(&text));
    assert_eq!(policy.statements()[0].identities.subjects().len(), 10_000);

    // Nor does a member with an endless name take long.
    let text = with(&format!("/{}", "x".repeat(10_000_000)), Some(json!(1)));
    assert_eq!(within(Duration::from_secs(20), "a long name", || warned(&text)), ["unknown-member"]);

    // Errors on one endless line are no slower.
    let wrong = vec![json!("x"); 100_000];
    let text = with("/registryScopes", Some(json!(wrong)));
    let errors = within(Duration::from_secs(20), "100,000 errors", || parse(&text).unwrap_err());
    assert_eq!(errors.len(), 101);
    assert_eq!(errors[100].message, "99900 more like these are not shown");
}

#[test]
fn g13_what_is_loaded_stays_and_is_told_by_its_digest() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trustpolicy.json");
    let text = document(&[statement()]);
    fs::write(&path, &text).unwrap();
    let policy = TrustPolicy::load(&path).unwrap();
    fs::write(&path, "{}").unwrap();
    assert_eq!(policy.statements()[0].name, "wabbit");
    assert_eq!(policy.digest(), Digest::sha256(text.as_bytes()));
}

#[test]
fn no_change_of_one_byte_makes_it_panic_or_fall_silent() {
    let text =
        serde_json::to_string_pretty(&serde_json::from_str::<Value>(&document(&[statement()])).unwrap()).unwrap();
    let mut refused = 0;
    for position in 0..text.len() {
        for byte in [b'"', b'\\', b'{', b']', b',', b'*', b'0', 0, b'\n', 0x80, 0xff] {
            let mut bytes = text.clone().into_bytes();
            bytes[position] = byte;
            if let Err(errors) = TrustPolicy::parse(&bytes, "p") {
                refused += 1;
                assert!(!errors.is_empty());
                assert!(errors.iter().all(|error| !error.render(true).is_empty() && error.severity == Severity::Error));
            }
        }
    }
    assert!(refused > text.len() * 5, "{refused}");
}
