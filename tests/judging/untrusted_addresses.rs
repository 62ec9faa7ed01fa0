//! Addresses in certificates are followed only where the chain is trusted: a stranger may have written them.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::collections::HashMap;

use muster::digest::Digest;
use muster::evidence::{Discovery, Envelope, Evidence, Signature, Signatures};
use muster::failure::Code;
use muster::forge::{Artifact, Authority, Key, KeyKind, LeafRequest, Statement};
use muster::pki::Certificate;
use muster::policy::{TrustPolicy, Validation};
use muster::revocation::{self, Answer, Recorded, Status};
use muster::trouble::{Trouble, TroubleKind};
use muster::trust_store::{StoreName, StoreType, TrustStores};
use muster::verify::{CheckResult, Need, Options, Outcome, Verdict, decide};
use serde_json::json;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);
const CRL: &str = "http://169.254.169.254/latest";

fn authority(slot: usize) -> Authority {
    Authority::root("C=US, ST=WA, O=wabbit, CN=Root", Key::pooled(KeyKind::P256, slot).unwrap()).unwrap()
}

fn crl_need() -> revocation::Need {
    revocation::Need::crl(CRL, &Certificate::parse(authority(0).certificate()).unwrap())
}

/// What becomes of a signature whose certificate names [`CRL`], where its authority is trusted or another is, and
/// authenticity is `authenticity`.
fn decided(trusted: bool, authenticity: &str, recorded: Recorded) -> Outcome {
    let mut leaf =
        LeafRequest::new("C=US, ST=WA, O=wabbit, CN=signer", Key::pooled(KeyKind::P256, 2).unwrap()).unwrap();
    leaf.crl_urls = vec![CRL.to_owned()];
    let (issuer, other) = (authority(0), authority(1));
    let image = Artifact::image("net-monitor");
    let statement = Statement::new(image.descriptor().clone(), NOW - Duration::days(1));
    let bytes = statement.jws(&issuer.issue(leaf).unwrap()).unwrap().seal().unwrap();
    let envelope = Envelope { media_type: "application/jose+json".to_owned(), bytes: bytes.into() };
    let manifest = Digest::sha256(b"signature");
    let found = vec![Signature { manifest, discovery: Discovery::Listed, envelope: Ok(envelope) }];
    let mut evidence = Evidence::new(
        "registry.io/net-monitor",
        image.descriptor().clone(),
        Ok(Signatures { found, more: false, doubt: None, foreign: None }),
    );
    evidence.revocation = recorded;
    let document = json!({ "version": "1.0", "trustPolicies": [{
        "name": "wabbit",
        "registryScopes": ["*"],
        "signatureVerification": { "level": "strict", "override": { "authenticity": authenticity } },
        "trustStores": ["ca:wabbit"],
        "trustedIdentities": ["*"],
    }] });
    let certificate = Certificate::parse(if trusted { &issuer } else { &other }.certificate()).unwrap();
    let store = StoreName::new(StoreType::Ca, "wabbit").unwrap();
    let policy = TrustPolicy::parse(document.to_string().as_bytes(), "policy.json").unwrap();
    let options = Options::new(TrustStores::from_certificates(HashMap::from([(store, vec![certificate])])));
    decide(&evidence, &policy, &options, NOW)
}

fn recorded(answer: Result<Answer, Trouble>) -> Recorded {
    let mut recorded = Recorded::default();
    recorded.record(crl_need(), answer);
    recorded
}

fn code(outcome: &Outcome) -> Option<Code> {
    let check = outcome.signatures[0].checks.iter().find(|check| check.validation == Validation::Revocation).unwrap();
    check.result.failure().map(|failure| failure.code)
}

#[test]
fn what_a_trusted_chain_names_is_asked() {
    let outcome = decided(true, "enforce", Recorded::default());
    assert_eq!(outcome.pending.needs, [Need::Revocation(crl_need())]);
    assert_eq!((outcome.verdict, code(&outcome)), (Verdict::Error, Some(Code::RevocationUnavailable)));
    // An answer that is none is no trouble on the way; silence is.
    let nonsense = decided(true, "enforce", recorded(Ok(Answer::new("<html>"))));
    assert!(nonsense.pending.needs.is_empty());
    assert_eq!((nonsense.verdict, code(&nonsense)), (Verdict::Fail, Some(Code::RevocationUnknown)));
    let silence = decided(true, "enforce", recorded(Err(Trouble::new(TroubleKind::TimedOut, "no answer in time"))));
    assert_eq!((silence.verdict, code(&silence)), (Verdict::Error, Some(Code::RevocationUnavailable)));
}

#[test]
fn what_an_untrusted_chain_names_is_never_asked_and_never_passes() {
    for answers in [Recorded::default(), recorded(Ok(Answer::new("<html>")))] {
        let outcome = decided(false, "log", answers);
        assert!(outcome.pending.needs.is_empty());
        assert_eq!((outcome.verdict, code(&outcome)), (Verdict::Error, Some(Code::RevocationUnavailable)));
        let statuses: Vec<_> = outcome.signatures[0].revocation.iter().map(|found| found.status).collect();
        assert_eq!(statuses, [Status::Unavailable, Status::NotCheckable]);
    }
    let enforced = decided(false, "enforce", Recorded::default());
    assert_eq!(enforced.signatures[0].checks.last().unwrap().result, CheckResult::NotReached);
    assert!(enforced.signatures[0].revocation.is_empty());
}
