//! `decide` by the rules of trust-store-trust-policy and signing-and-verification-workflow: every level with every
//! validation failing, and what an artifact comes to from its signatures.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod several_signatures;

use std::collections::{BTreeMap, HashMap};

use muster::digest::Digest;
use muster::evidence::{Discovery, Envelope, EnvelopeProblem, Evidence, Signature, Signatures};
use muster::failure::{Code, Failure};
use muster::forge::{Artifact, Authority, Key, KeyKind, LeafRequest, Signer, SigningScheme, Statement, Validity};
use muster::pki::Certificate;
use muster::policy::{TrustPolicy, Validation};
use muster::trouble::{Trouble, TroubleKind};
use muster::trust_store::{StoreName, StoreType, TrustStores};
use muster::verify::{CheckResult, Options, Outcome, Verdict, decide};
use serde_json::{Value, json};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);
const REPOSITORY: &str = "registry.acme-rockets.io/net-monitor";
const SIGNER: &str = "C=US, ST=WA, L=Seattle, O=wabbit-networks.io, OU=Security Tools, CN=SecureBuilder";

/// Everything that a decision needs; a test changes what it is about.
struct World {
    authority: Authority,
    leaf: LeafRequest,
    image: Artifact,
    statement: Statement,
    policy: Value,
    trusted: Vec<Vec<u8>>,
    user_metadata: BTreeMap<String, String>,
}

impl World {
    fn new() -> World {
        let root = Authority::root("C=US, ST=WA, O=wabbit-networks.io, CN=Root", key(0)).unwrap();
        let authority = root.intermediate("C=US, ST=WA, O=wabbit-networks.io, CN=Issuing", key(1)).unwrap();
        let image = Artifact::image("net-monitor");
        let statement = Statement::new(image.descriptor().clone(), NOW - Duration::days(1));
        World {
            leaf: LeafRequest::new(SIGNER, key(2)).unwrap(),
            trusted: vec![root.certificate().to_vec()],
            authority,
            image,
            statement,
            policy: statement_of("strict"),
            user_metadata: BTreeMap::new(),
        }
    }

    fn level(mut self, level: &str) -> World {
        self.policy = statement_of(level);
        self
    }

    fn with(mut self, change: impl FnOnce(&mut World)) -> World {
        change(&mut self);
        self
    }

    fn signer(&self) -> Signer {
        self.authority.issue(self.leaf.clone()).unwrap()
    }

    fn signature(&self) -> Signature {
        let bytes = self.statement.jws(&self.signer()).unwrap().seal().unwrap();
        signature(Ok(Envelope { media_type: "application/jose+json".to_owned(), bytes: bytes.into() }))
    }

    fn evidence(&self) -> Evidence {
        self.evidence_of(vec![self.signature()])
    }

    fn evidence_of(&self, found: Vec<Signature>) -> Evidence {
        Evidence::new(
            REPOSITORY,
            self.image.descriptor().clone(),
            Ok(Signatures { found, more: false, doubt: None, foreign: None }),
        )
    }

    fn decide(&self) -> Outcome {
        self.decide_on(&self.evidence())
    }

    fn decide_on(&self, evidence: &Evidence) -> Outcome {
        let document = json!({ "version": "1.0", "trustPolicies": [self.policy] }).to_string();
        let policy = TrustPolicy::parse(document.as_bytes(), "policy.json").unwrap();
        let certificates: Vec<_> = self.trusted.iter().map(|der| Certificate::parse(der).unwrap()).collect();
        let store = |kind| StoreName::new(kind, "wabbit-networks").unwrap();
        let stores = TrustStores::from_certificates(HashMap::from([
            (store(StoreType::Ca), certificates.clone()),
            (store(StoreType::SigningAuthority), certificates.clone()),
            (store(StoreType::Tsa), certificates),
        ]));
        let mut options = Options::new(stores);
        options.user_metadata = self.user_metadata.clone();
        decide(evidence, &policy, &options, NOW)
    }
}

fn key(slot: usize) -> Key {
    Key::pooled(KeyKind::P256, slot).unwrap()
}

fn statement_of(level: &str) -> Value {
    json!({
        "name": "wabbit",
        "registryScopes": ["*"],
        "signatureVerification": { "level": level },
        "trustStores": ["ca:wabbit-networks"],
        "trustedIdentities": ["x509.subject: C=US, ST=WA, O=wabbit-networks.io, OU=Security Tools"],
    })
}

fn signature(envelope: Result<Envelope, EnvelopeProblem>) -> Signature {
    Signature { manifest: Digest::sha256(b"signature"), discovery: Discovery::Listed, envelope }
}

fn code(outcome: &Outcome) -> Option<Code> {
    outcome.failure.as_ref().map(|failure| failure.code)
}

fn checked(outcome: &Outcome, validation: Validation) -> &CheckResult {
    let check = outcome.signatures[0].checks.iter().find(|check| check.validation == validation);
    &check.unwrap().result
}

/// The five results as one word: `pass fail not-reached not-reached not-reached`.
fn row(outcome: &Outcome) -> String {
    let results: Vec<_> = outcome.signatures[0].checks.iter().map(|check| check.result.as_str()).collect();
    results.join(" ")
}

fn assert_outcome(outcome: &Outcome, verdict: Verdict, expected: Option<Code>, what: &str) {
    assert_eq!((outcome.verdict, code(outcome)), (verdict, expected), "{what}: {outcome:#?}");
}

#[test]
fn a_sound_signature_passes_at_every_level() {
    for level in ["strict", "permissive", "audit"] {
        let outcome = World::new().level(level).decide();
        assert_outcome(&outcome, Verdict::Pass, None, level);
        assert_eq!(row(&outcome), "pass pass pass pass pass");
        assert_eq!((outcome.statement.as_deref(), outcome.level), (Some("wabbit"), Some(level)));
    }
}

#[test]
fn a_failing_validation_counts_as_the_level_says() {
    type Break = fn(&mut World);
    let expired_signature: Break = |world| world.statement.expiry = Some(NOW - Duration::hours(1));
    let stranger: Break =
        |world| world.trusted = vec![Authority::root("C=US, CN=Other", key(3)).unwrap().certificate().to_vec()];
    let expired_certificate: Break = |world| {
        world.leaf.validity = Validity { not_before: NOW - Duration::days(9), not_after: NOW - Duration::seconds(1) };
    };
    let other_artifact: Break = |world| world.image = Artifact::image("another");
    let (fail, warn) = (Verdict::Fail, Verdict::Warn);
    type Row = (&'static str, Break, Code, [Verdict; 3], [&'static str; 3]);
    let table: [Row; 4] = [
        (
            "integrity",
            other_artifact,
            Code::PayloadMismatch,
            [fail, fail, fail],
            [
                "fail not-reached not-reached not-reached not-reached",
                "fail not-reached not-reached not-reached not-reached",
                "fail not-reached not-reached not-reached not-reached",
            ],
        ),
        (
            "authenticity",
            stranger,
            Code::UntrustedChain,
            [fail, fail, warn],
            [
                "pass fail not-reached not-reached not-reached",
                "pass fail not-reached not-reached not-reached",
                "pass fail pass pass pass",
            ],
        ),
        (
            "expiry",
            expired_signature,
            Code::SignatureExpired,
            [fail, warn, warn],
            ["pass pass fail not-reached not-reached", "pass pass fail pass pass", "pass pass fail pass pass"],
        ),
        (
            "authenticTimestamp",
            expired_certificate,
            Code::CertificateExpired,
            [fail, warn, warn],
            ["pass pass pass fail not-reached", "pass pass pass fail pass", "pass pass pass fail pass"],
        ),
    ];
    for (what, change, code, verdicts, rows) in table {
        for ((level, verdict), expected) in ["strict", "permissive", "audit"].into_iter().zip(verdicts).zip(rows) {
            let outcome = World::new().level(level).with(change).decide();
            assert_outcome(&outcome, verdict, Some(code), &format!("{what} at {level}"));
            assert_eq!(row(&outcome), expected, "{what} at {level}");
        }
    }
}

#[test]
fn an_override_turns_enforce_into_log_and_back() {
    let expired = |world: &mut World| world.statement.expiry = Some(NOW);
    let logged = World::new().with(expired).with(|world| {
        world.policy["signatureVerification"]["override"] = json!({ "expiry": "log" });
    });
    assert_outcome(&logged.decide(), Verdict::Warn, Some(Code::SignatureExpired), "logged");
    assert_eq!(logged.decide().level, Some("custom"));
    let enforced = World::new().level("audit").with(expired).with(|world| {
        world.policy["signatureVerification"]["override"] = json!({ "expiry": "enforce" });
    });
    assert_outcome(&enforced.decide(), Verdict::Fail, Some(Code::SignatureExpired), "enforced");
}

#[test]
fn b20_expiry_now_is_too_late_and_a_moment_later_is_not() {
    let at = |expiry| World::new().with(|world| world.statement.expiry = Some(expiry)).decide();
    assert_outcome(&at(NOW), Verdict::Fail, Some(Code::SignatureExpired), "now");
    assert_outcome(&at(NOW + Duration::seconds(1)), Verdict::Pass, None, "in a second");
}

#[test]
fn b25_a_payload_for_another_digest_media_type_or_size_fails() {
    type Break = fn(&mut World);
    let changes: [(&str, Break); 3] = [
        ("digest", |world| world.statement.target.digest = Digest::sha256(b"another")),
        ("media type", |world| {
            world.statement.target.media_type = "application/vnd.oci.image.index.v1+json".to_owned()
        }),
        ("size", |world| world.statement.target.size += 1),
    ];
    for (what, change) in changes {
        let outcome = World::new().level("audit").with(change).decide();
        assert_outcome(&outcome, Verdict::Fail, Some(Code::PayloadMismatch), what);
        assert!(outcome.failure.unwrap().message.contains(what));
    }
}

#[test]
fn b26_user_metadata_must_have_been_signed() {
    let signed = || {
        World::new()
            .with(|world| world.statement = world.statement.clone().with_metadata([("buildId", "123"), ("x", "y")]))
    };
    let asked = |key: &str, value: &str| {
        signed().with(|world| world.user_metadata = BTreeMap::from([(key.to_owned(), value.to_owned())])).decide()
    };
    assert_outcome(&asked("buildId", "123"), Verdict::Pass, None, "signed");
    for value in ["124", "12", "1234", ""] {
        assert_outcome(&asked("buildId", value), Verdict::Fail, Some(Code::UserMetadataMismatch), "another value");
    }
    assert_outcome(&asked("buildid", "123"), Verdict::Fail, Some(Code::UserMetadataMismatch), "another key");
    for (first, second) in [("123", "z"), ("0", "y")] {
        let wanted = [("buildId", first), ("x", second)].map(|(key, value)| (key.to_owned(), value.to_owned()));
        let outcome = signed().with(|world| world.user_metadata = BTreeMap::from(wanted)).decide();
        assert_outcome(&outcome, Verdict::Fail, Some(Code::UserMetadataMismatch), "one of two");
    }
}

#[test]
fn d24_validity_is_the_authentic_timestamps_business_and_includes_both_ends() {
    let within = |not_before, not_after| {
        World::new().with(|world| world.leaf.validity = Validity { not_before, not_after }).decide()
    };
    let (day, second) = (Duration::days(1), Duration::seconds(1));
    assert_outcome(&within(NOW, NOW), Verdict::Pass, None, "valid for this second");
    let expired = within(NOW - day, NOW - second);
    assert_outcome(&expired, Verdict::Fail, Some(Code::CertificateExpired), "expired");
    assert_eq!(row(&expired), "pass pass pass fail not-reached");
    assert_outcome(&within(NOW + second, NOW + day), Verdict::Fail, Some(Code::CertificateNotYetValid), "not yet");
}

#[test]
fn d24_an_expired_root_counts_too() {
    let world = World::new().with(|world| {
        let validity = Validity { not_before: NOW - Duration::days(9), not_after: NOW - Duration::days(1) };
        let root = Authority::root_with("C=US, CN=Root", key(0), |draft| draft.set_validity(validity)).unwrap();
        world.trusted = vec![root.certificate().to_vec()];
        world.authority = root;
    });
    assert_outcome(&world.decide(), Verdict::Fail, Some(Code::CertificateExpired), "root");
}

#[test]
fn d26_a_reissued_root_with_the_same_name_and_key_is_not_trusted() {
    let world = World::new().with(|world| {
        let twin =
            Authority::root_with("C=US, ST=WA, O=wabbit-networks.io, CN=Root", key(0), |draft| draft.set_serial(&[9]))
                .unwrap();
        world.trusted = vec![twin.certificate().to_vec()];
    });
    assert_outcome(&world.decide(), Verdict::Fail, Some(Code::UntrustedChain), "twin");
}

#[test]
fn any_certificate_of_the_chain_may_be_the_trusted_one() {
    for position in 0..3 {
        let outcome = World::new().with(|world| world.trusted = vec![world.signer().chain[position].clone()]);
        // The signer's own certificate is no authority's: a store that holds it is broken, and decides nothing.
        let expected = if position == 0 { Verdict::Error } else { Verdict::Pass };
        assert_eq!(outcome.decide().verdict, expected, "certificate {position}");
    }
}

/// Of a signer of whom it is not known whether he is trusted nothing more is judged, and nothing else is given as the reason.
#[test]
fn behind_a_broken_store_nothing_is_judged() {
    let outcome = World::new().with(|world| world.trusted = vec![world.signer().chain[0].clone()]).decide();
    assert_outcome(&outcome, Verdict::Error, Some(Code::TrustStoreInvalid), "broken");
    let results: Vec<&CheckResult> = outcome.signatures[0].checks.iter().map(|check| &check.result).collect();
    let [CheckResult::Pass, CheckResult::Error(failure), rest @ ..] = results.as_slice() else { panic!("{results:?}") };
    assert_eq!(failure.code, Code::TrustStoreInvalid);
    assert!(rest.len() == 3 && rest.iter().all(|result| **result == CheckResult::NotReached), "{rest:?}");
}

#[test]
fn identities_are_subsets_of_the_subject() {
    let identity = |text: &str| World::new().with(|world| world.policy["trustedIdentities"] = json!([text])).decide();
    for text in [
        "*",
        "x509.subject: C=US, ST=WA, O=wabbit-networks.io",
        "x509.subject: CN=SecureBuilder, O=wabbit-networks.io, S=WA, C=US",
    ] {
        assert_outcome(&identity(text), Verdict::Pass, None, text);
    }
    for text in [
        "x509.subject: C=US, ST=WA, O=acme-rockets.io",
        "x509.subject: C=US, ST=WA, O=Wabbit-networks.io",
        "x509.subject: C=US, ST=WA, O=wabbit-networks.io, DC=x",
    ] {
        assert_outcome(&identity(text), Verdict::Fail, Some(Code::IdentityMismatch), text);
    }
}

#[test]
fn stores_count_by_the_signing_scheme() {
    let stores = |scheme, stores: &[&str]| {
        World::new().with(|world| {
            world.statement.scheme = scheme;
            world.policy["trustStores"] = json!(stores);
        })
    };
    let (ca, sa) = ("ca:wabbit-networks", "signingAuthority:wabbit-networks");
    assert_outcome(&stores(SigningScheme::SigningAuthority, &[ca, sa]).decide(), Verdict::Pass, None, "both");
    let wrong = stores(SigningScheme::SigningAuthority, &[ca]).decide();
    assert_outcome(&wrong, Verdict::Fail, Some(Code::TrustStoreNotApplicable), "ca only");
    let wrong = stores(SigningScheme::X509, &[sa]).decide();
    assert_outcome(&wrong, Verdict::Fail, Some(Code::TrustStoreNotApplicable), "signingAuthority only");
    let missing = stores(SigningScheme::X509, &[ca, "ca:no-such-store"]).decide();
    assert_outcome(&missing, Verdict::Fail, Some(Code::TrustStoreMissing), "one of two is missing");
}

#[test]
fn a_signing_authority_vouches_for_the_time() {
    let expired_since = Validity { not_before: NOW - Duration::days(9), not_after: NOW - Duration::days(1) };
    let signed = |at| {
        World::new().with(|world| {
            world.policy["trustStores"] = json!(["signingAuthority:wabbit-networks"]);
            world.statement.scheme = SigningScheme::SigningAuthority;
            world.statement.signing_time = at;
            world.leaf.validity = expired_since;
        })
    };
    assert_outcome(&signed(NOW - Duration::days(2)).decide(), Verdict::Pass, None, "signed while valid");
    let late = signed(NOW - Duration::hours(1)).decide();
    assert_outcome(&late, Verdict::Fail, Some(Code::CertificateExpired), "signed after");
}

#[test]
fn what_could_not_be_asked_is_undecided_where_it_is_enforced() {
    let crl = |world: &mut World| world.leaf.crl_urls = vec!["http://crl.invalid/x.crl".to_owned()];
    let ocsp = |world: &mut World| world.leaf.ocsp_urls = vec!["http://ocsp.invalid".to_owned()];
    for level in ["strict", "permissive", "audit"] {
        for outcome in [World::new().level(level).with(crl).decide(), World::new().level(level).with(ocsp).decide()] {
            let verdict = if level == "strict" { Verdict::Error } else { Verdict::Warn };
            assert_outcome(&outcome, verdict, Some(Code::RevocationUnavailable), level);
            assert_eq!(row(&outcome), "pass pass pass pass error");
        }
    }
    let skipped = World::new().with(crl).with(|world| {
        world.policy["signatureVerification"]["override"] = json!({ "revocation": "skip" });
    });
    assert_outcome(&skipped.decide(), Verdict::Pass, None, "revocation skipped");
    assert_eq!(*checked(&skipped.decide(), Validation::Revocation), CheckResult::Skip);

    let tsa = |world: &mut World| world.policy["trustStores"] = json!(["ca:wabbit-networks", "tsa:wabbit-networks"]);
    assert_outcome(&World::new().with(tsa).decide(), Verdict::Fail, Some(Code::TimestampMissing), "always");
    let later = |world: &mut World| world.policy["signatureVerification"]["verifyTimestamp"] = json!("afterCertExpiry");
    assert_outcome(&World::new().with(tsa).with(later).decide(), Verdict::Pass, None, "still valid");
    let expired = |world: &mut World| {
        world.leaf.validity = Validity { not_before: NOW - Duration::days(9), not_after: NOW - Duration::days(1) };
    };
    let outcome = World::new().with(tsa).with(later).with(expired).decide();
    assert_outcome(&outcome, Verdict::Fail, Some(Code::TimestampMissing), "expired");
}

#[test]
fn a_definite_failure_outweighs_what_is_undecided() {
    let outcome = World::new()
        .with(|world| world.leaf.crl_urls = vec!["http://crl.invalid/x.crl".to_owned()])
        .with(|world| world.statement.expiry = Some(NOW))
        .decide();
    assert_outcome(&outcome, Verdict::Fail, Some(Code::SignatureExpired), "expired, with a CRL");
}

#[test]
fn level_skip_looks_at_nothing() {
    let world = World::new().with(|world| {
        world.policy =
            json!({ "name": "open", "registryScopes": [REPOSITORY], "signatureVerification": { "level": "skip" } });
    });
    let outcome = world.decide_on(&world.evidence_of(Vec::new()));
    assert_outcome(&outcome, Verdict::Skip, None, "skip");
    assert_eq!(outcome.level, Some("skip"));
}

#[test]
fn an_artifact_without_signature_or_statement_fails() {
    for level in ["strict", "permissive", "audit"] {
        let world = World::new().level(level);
        let outcome = world.decide_on(&world.evidence_of(Vec::new()));
        assert_outcome(&outcome, Verdict::Fail, Some(Code::Unsigned), level);
    }
    let world = World::new().with(|world| world.policy["registryScopes"] = json!(["registry.acme-rockets.io/other"]));
    assert_outcome(&world.decide(), Verdict::Fail, Some(Code::NoApplicablePolicy), "no statement");
}

#[test]
fn an_exact_scope_beats_the_global_one() {
    let world = World::new();
    let skip = json!({ "name": "open", "registryScopes": [REPOSITORY], "signatureVerification": { "level": "skip" } });
    let document = json!({ "version": "1.0", "trustPolicies": [statement_of("strict"), skip] }).to_string();
    let policy = TrustPolicy::parse(document.as_bytes(), "policy.json").unwrap();
    assert_eq!(policy.statement_for(REPOSITORY).unwrap().name, "open");
    assert_eq!(policy.statement_for(&format!("{REPOSITORY}/x")).unwrap().name, "wabbit");
    // Another spelling of a repository that a statement names is not judged by the one for all others.
    assert!(policy.statement_for(&REPOSITORY.to_uppercase()).is_none());
    drop(world);
}

#[test]
fn what_a_signature_says_is_told_once_its_own_key_signed_it() {
    let world = World::new().with(|world| world.statement.expiry = Some(NOW + Duration::days(30)));
    let signer = world.signer();
    let envelope = |bytes: Vec<u8>| {
        let envelope = Envelope { media_type: "application/jose+json".to_owned(), bytes: bytes.into() };
        world.evidence_of(vec![signature(Ok(envelope))])
    };
    let decided = |statement: &Statement| world.decide_on(&envelope(statement.jws(&signer).unwrap().seal().unwrap()));
    let passes = decided(&world.statement);
    assert_outcome(&passes, Verdict::Pass, None, "sound");
    // It is told too where it speaks of another artifact, and that is what integrity says.
    let mut statement = world.statement.clone();
    statement.target = Artifact::image("other").descriptor().clone();
    let other = decided(&statement);
    assert_outcome(&other, Verdict::Fail, Some(Code::PayloadMismatch), "another artifact");
    for outcome in [&passes, &other] {
        let told = &outcome.signatures[0];
        assert_eq!((told.signed_at, told.expires), (Some(NOW - Duration::days(1)), Some(NOW + Duration::days(30))));
        assert_eq!(told.scheme, Some("notary.x509"));
        let chain: Vec<_> = signer.chain.iter().map(|der| Certificate::parse(der).unwrap()).collect();
        assert_eq!(told.certificates.len(), chain.len());
        for (told, certificate) in told.certificates.iter().zip(&chain) {
            assert_eq!(told.subject, certificate.subject_text());
            assert_eq!((told.not_before, told.not_after), (certificate.not_before(), certificate.not_after()));
            assert_eq!(&told.fingerprint, certificate.fingerprint());
        }
    }
    // Nothing is told where no key stands for it.
    let mut bytes = world.statement.jws(&signer).unwrap().seal().unwrap();
    let position = bytes.windows(13).position(|window| window == b"\"signature\":\"").unwrap() + 20;
    bytes[position] = if bytes[position] == b'A' { b'B' } else { b'A' };
    let forged = world.decide_on(&envelope(bytes));
    let told = &forged.signatures[0];
    assert_outcome(&forged, Verdict::Fail, Some(Code::SignatureInvalid), "forged");
    assert!(told.signed_at.is_none() && told.expires.is_none() && told.certificates.is_empty());
}
