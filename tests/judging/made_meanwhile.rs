//! A run judges as of its beginning, and may take hours: what is made meanwhile is not from the future.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::collections::HashMap;

use muster::digest::Digest;
use muster::evidence::{Discovery, Envelope, Evidence, Signature, Signatures};
use muster::failure::Code;
use muster::forge::{Artifact, Authority, Key, KeyKind, LeafRequest, Statement, Validity};
use muster::pki::Certificate;
use muster::policy::TrustPolicy;
use muster::revocation::Arrival;
use muster::trust_store::{StoreName, StoreType, TrustStores};
use muster::verify::{Options, decide};
use serde_json::json;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

/// When the run began.
const RUN: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);

/// What becomes of a signature by a certificate that is valid for an hour from `begins`, whose evidence was there at `begun`.
fn decided(begins: OffsetDateTime, begun: Option<Arrival>) -> Option<Code> {
    let key = |slot| Key::pooled(KeyKind::P256, slot).unwrap();
    let root = Authority::root("C=US, ST=WA, O=wabbit, CN=Root", key(0)).unwrap();
    let mut leaf = LeafRequest::new("C=US, ST=WA, O=wabbit, CN=signer", key(1)).unwrap();
    leaf.validity = Validity { not_before: begins, not_after: begins + Duration::HOUR };
    let image = Artifact::image("net-monitor");
    let statement = Statement::new(image.descriptor().clone(), begins);
    let bytes = statement.jws(&root.issue(leaf).unwrap()).unwrap().seal().unwrap();
    let envelope = Envelope { media_type: "application/jose+json".to_owned(), bytes: bytes.into() };
    let manifest = Digest::sha256(b"signature");
    let found = vec![Signature { manifest, discovery: Discovery::Listed, envelope: Ok(envelope) }];
    let mut evidence = Evidence::new(
        "registry.io/net-monitor",
        image.descriptor().clone(),
        Ok(Signatures { found, more: false, doubt: None, foreign: None }),
    );
    if let Some(begun) = begun {
        evidence.revocation.begin(begun);
    }
    let policy = json!({ "version": "1.0", "trustPolicies": [{
        "name": "wabbit", "registryScopes": ["*"], "signatureVerification": { "level": "strict" },
        "trustStores": ["ca:wabbit"], "trustedIdentities": ["*"],
    }] });
    let store = StoreName::new(StoreType::Ca, "wabbit").unwrap();
    let certificate = Certificate::parse(root.certificate()).unwrap();
    let policy = TrustPolicy::parse(policy.to_string().as_bytes(), "policy.json").unwrap();
    let options = Options::new(TrustStores::from_certificates(HashMap::from([(store, vec![certificate])])));
    decide(&evidence, &policy, &options, RUN).failure.map(|failure| failure.code)
}

#[test]
fn a_certificate_made_while_the_run_goes_on_is_valid() {
    let (later, not_yet) = (RUN + Duration::hours(3), Some(Code::CertificateNotYetValid));
    let at = |run, at| Some(Arrival { run, at });
    assert_eq!(decided(later, at(RUN, later)), None);
    assert_eq!(decided(later, at(RUN, later - Duration::SECOND)), not_yet);
    // Nobody who judges as of then has seen it.
    assert_eq!(decided(later, None), not_yet);
    assert_eq!(decided(later, at(RUN - Duration::HOUR, later)), not_yet);
    // That the end has come meanwhile changes nothing: it is judged as of the beginning.
    let ending = RUN - Duration::minutes(30);
    assert_eq!(decided(ending, at(RUN, later)), None);
    assert_eq!(decided(RUN - Duration::hours(2), at(RUN, later)), Some(Code::CertificateExpired));
}
