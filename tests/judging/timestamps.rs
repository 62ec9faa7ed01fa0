//! `decide` where a statement asks for time stamps: what is demanded when, by whom it may be made, and for which time.
//!
//! What a token must be in itself is tested beside `muster::timestamp`.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code, reason = "tests; the drafts are shared")]

use muster::evidence::{Discovery, Envelope, Evidence, Signature, Signatures};
use muster::failure::Code;
use muster::forge::{
    Accuracy, Artifact, Authority, CertificateDraft, Imprint, LeafRequest, Signer, SigningScheme, Statement, Validity,
    crl_distribution_points,
};
use muster::policy::{TrustPolicy, Validation};
use muster::revocation::Need as Question;
use muster::trust_store::{StoreName, StoreType, TrustStores};
use muster::verify::{CheckResult, Need, Options, Outcome, Verdict, decide};
use serde_json::json;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use crate::timekeeper::{TIME, authority, draft_of, key, sound, stamper};
use muster::digest::Digest;
use muster::pki::Certificate;

/// The signing certificate is valid in 2026, the time stamp is of the middle of it.
const YEAR: Validity =
    Validity { not_before: datetime!(2026-01-01 0:00 UTC), not_after: datetime!(2026-12-31 23:59:59 UTC) };
/// Then it is judged.
const LATER: OffsetDateTime = datetime!(2027-06-01 0:00 UTC);
const DURING: OffsetDateTime = datetime!(2026-06-02 0:00 UTC);

struct World {
    at: OffsetDateTime,
    scheme: SigningScheme,
    /// When the signer's root and the signer's certificate are valid.
    root: Validity,
    leaf: Validity,
    when: &'static str,
    level: &'static str,
    overridden: serde_json::Value,
    stores: Vec<&'static str>,
    /// Who stamps.
    stamper: Signer,
    gen_time: &'static str,
    accuracy: Option<Accuracy>,
    /// Done to the token.
    change: fn(Vec<u8>) -> Option<Vec<u8>>,
}

impl World {
    fn new() -> World {
        World {
            at: LATER,
            scheme: SigningScheme::X509,
            root: Validity::default(),
            leaf: YEAR,
            when: "always",
            level: "strict",
            overridden: json!({}),
            stores: vec!["ca:wabbit", "tsa:timekeeper"],
            stamper: stamper(&authority(), key(12), |_| Ok(())),
            gen_time: "20260601120000Z",
            accuracy: None,
            change: Some,
        }
    }

    fn with(change: impl FnOnce(&mut World)) -> World {
        let mut world = World::new();
        change(&mut world);
        world
    }

    fn decide(&self) -> Outcome {
        let validity = |draft: &mut CertificateDraft| draft.set_validity(self.root);
        let root = Authority::root_with("C=US, ST=WA, O=wabbit, CN=root", key(20), validity).unwrap();
        let mut leaf = LeafRequest::new("C=US, ST=WA, O=wabbit, CN=builder", key(21)).unwrap();
        leaf.validity = self.leaf;
        let signer = root.issue(leaf).unwrap();
        let image = Artifact::image("app");
        let mut statement = Statement::new(image.descriptor().clone(), TIME);
        statement.scheme = self.scheme;
        let mut envelope = statement.jws(&signer).unwrap();
        let signature = envelope.fix_signature().unwrap();
        let mut stamp = draft_of(&self.stamper);
        stamp.imprint = Imprint::sha256(&signature);
        stamp.gen_time_text = Some(self.gen_time.to_owned());
        stamp.accuracy = self.accuracy;
        let token = (self.change)(stamp.sign().unwrap());
        if let Some(token) = token {
            envelope.set_timestamp(&token);
        }
        let bytes = envelope.seal().unwrap();

        let envelope = Envelope { media_type: "application/jose+json".to_owned(), bytes: bytes.into() };
        let found =
            Signature { manifest: Digest::sha256(b"signature"), discovery: Discovery::Listed, envelope: Ok(envelope) };
        let evidence = Evidence::new(
            "registry.io/app",
            image.descriptor().clone(),
            Ok(Signatures { found: vec![found], more: false, doubt: None, foreign: None }),
        );
        let verification = json!({ "level": self.level, "override": self.overridden, "verifyTimestamp": self.when });
        let policy = json!({ "version": "1.0", "trustPolicies": [{
            "name": "wabbit", "registryScopes": ["*"], "signatureVerification": verification,
            "trustStores": self.stores, "trustedIdentities": ["*"],
        }]});
        let policy = TrustPolicy::parse(policy.to_string().as_bytes(), "policy.json").unwrap();
        let store = |kind, name: &str| StoreName::new(kind, name).unwrap();
        let certificate = |der: &[u8]| vec![Certificate::parse(der).unwrap()];
        let trusted = certificate(root.certificate());
        let timekeeper = certificate(crate::timekeeper::root().certificate());
        let stores = TrustStores::from_certificates([
            (store(StoreType::Ca, "wabbit"), trusted.clone()),
            (store(StoreType::Ca, "timekeeper"), timekeeper.clone()),
            (store(StoreType::SigningAuthority, "wabbit"), trusted.clone()),
            (store(StoreType::Tsa, "timekeeper"), timekeeper),
            (store(StoreType::Tsa, "other"), trusted),
            (store(StoreType::Tsa, "broken"), certificate(&self.stamper.chain[0])),
        ]);
        decide(&evidence, &policy, &Options::new(stores), self.at)
    }
}

fn checked(outcome: &Outcome) -> &CheckResult {
    let checks = &outcome.signatures[0].checks;
    &checks.iter().find(|check| check.validation == Validation::AuthenticTimestamp).unwrap().result
}

#[track_caller]
fn passes(world: &World) -> Outcome {
    let outcome = world.decide();
    assert_eq!(outcome.verdict, Verdict::Pass, "{:?}", outcome.failure);
    outcome
}

#[track_caller]
fn fails(world: &World, code: Code) -> Outcome {
    let outcome = world.decide();
    let CheckResult::Fail(failure) = checked(&outcome) else { panic!("{:?}", checked(&outcome)) };
    assert_eq!((failure.code, outcome.verdict), (code, Verdict::Fail), "{failure}");
    outcome
}

#[test]
fn a_signature_outlives_its_certificate_by_a_time_stamp() {
    for when in ["always", "afterCertExpiry"] {
        let outcome = passes(&World::with(|world| world.when = when));
        let stamp = outcome.signatures[0].timestamp.as_ref().unwrap();
        assert_eq!((stamp.at, stamp.accuracy), (TIME, Duration::ZERO));
        assert_eq!(stamp.subject, "CN=stamper,O=timekeeper,ST=WA,C=US");
        assert_eq!(stamp.revocation.len(), 3);
    }
    // While every certificate is valid, nothing is asked of a token unless always.
    let outcome = passes(&World::with(|world| (world.when, world.at) = ("afterCertExpiry", DURING)));
    assert_eq!(outcome.signatures[0].timestamp, None);
    let broken = |world: &mut World| world.change = |_| Some(vec![0]);
    passes(&World::with(|world| {
        (world.when, world.at) = ("afterCertExpiry", YEAR.not_after);
        broken(world);
    }));
    fails(&World::with(|world| (world.at = DURING, broken(world)).1), Code::TimestampMalformed);
    // Without a tsa store a token proves nothing.
    let outcome = fails(&World::with(|world| world.stores.truncate(1)), Code::CertificateExpired);
    assert_eq!(outcome.signatures[0].timestamp, None);
}

#[test]
fn e01_a_token_that_is_demanded_is_there() {
    let missing =
        |when: &'static str, at| World::with(|world| (world.when, world.at, world.change) = (when, at, |_| None));
    fails(&missing("always", DURING), Code::TimestampMissing);
    fails(&missing("always", LATER), Code::TimestampMissing);
    fails(&missing("afterCertExpiry", LATER), Code::TimestampMissing);
    passes(&missing("afterCertExpiry", DURING));
}

#[test]
fn e07_a_token_of_another_signature_never_falls_back_to_now() {
    let replaced: fn(Vec<u8>) -> Option<Vec<u8>> = |_| Some(sound().sign().unwrap());
    for at in [DURING, LATER] {
        fails(&World::with(|world| (world.at, world.change) = (at, replaced)), Code::TimestampInvalid);
    }
    let logged = World::with(|world| (world.level, world.change, world.at) = ("permissive", replaced, DURING)).decide();
    assert_eq!(logged.verdict, Verdict::Warn);
}

#[test]
fn e11_the_time_stamp_lies_within_the_signing_certificates() {
    let at = |gen_time: &'static str, accuracy: Option<Accuracy>| {
        World::with(|world| (world.gen_time, world.accuracy) = (gen_time, accuracy))
    };
    const SECOND: Option<Accuracy> = Some(Accuracy { seconds: Some(1), millis: None, micros: None });
    passes(&at("20260101000000Z", None));
    passes(&at("20260101000001Z", SECOND));
    passes(&at("20261231235959Z", None));
    passes(&at("20261231235958Z", SECOND));
    fails(&at("20251231235959.999999999Z", None), Code::CertificateNotYetValid);
    fails(&at("20260101000000.999999999Z", SECOND), Code::CertificateNotYetValid);
    fails(&at("20261231235959.000000001Z", None), Code::CertificateExpired);
    let outcome = fails(&at("20261231235958.000000001Z", SECOND), Code::CertificateExpired);
    assert!(outcome.failure.unwrap().message.contains("and the time stamp is of 2026-12-31T23:59:58.000000001Z ± 1 s"));
    assert!(outcome.signatures[0].timestamp.is_some());
}

/// A chain is as old as its oldest certificate: what is asked of one is asked of all.
#[test]
fn every_certificate_of_the_signer_counts_and_not_the_leaf_alone() {
    let root = |validity: Validity, world: &mut World| (world.root, world.leaf) = (validity, Validity::default());
    let no_stamp = |world: &mut World| world.change = |_| None;
    // The root has expired since: its signer needs a time stamp, and with one he passes.
    passes(&World::with(|world| {
        world.when = "afterCertExpiry";
        root(YEAR, world);
    }));
    let missing = World::with(|world| {
        world.when = "afterCertExpiry";
        root(YEAR, world);
        no_stamp(world);
    });
    fails(&missing, Code::TimestampMissing);
    // At the last second of the root none is needed yet, a second later one is.
    for (since, needed) in [(Duration::ZERO, false), (Duration::SECOND, true)] {
        let world = World::with(|world| {
            (world.when, world.at) = ("afterCertExpiry", YEAR.not_after + since);
            root(YEAR, world);
            no_stamp(world);
        });
        if needed {
            fails(&world, Code::TimestampMissing);
        } else {
            passes(&world);
        }
    }
    // The root was not valid yet, or not any more, when the stamp was made.
    let later = Validity { not_before: TIME + Duration::SECOND, ..Validity::default() };
    fails(&World::with(|world| root(later, world)), Code::CertificateNotYetValid);
    let earlier = Validity { not_after: TIME - Duration::SECOND, ..Validity::default() };
    fails(&World::with(|world| root(earlier, world)), Code::CertificateExpired);
    // Without a store for time stamps, now is what counts, for the root as well.
    let now = World::with(|world| {
        world.stores = vec!["ca:wabbit"];
        root(YEAR, world);
    });
    fails(&now, Code::CertificateExpired);
}

/// A store for time stamps that is broken is never an empty one, nor one that was not named.
#[test]
fn a_broken_store_for_time_stamps_decides_nothing() {
    for when in ["always", "afterCertExpiry"] {
        let outcome = World::with(|world| {
            world.when = when;
            world.stores = vec!["ca:wabbit", "tsa:broken"];
        })
        .decide();
        assert_eq!(outcome.verdict, Verdict::Error);
        assert_eq!(outcome.failure.unwrap().code, Code::TrustStoreInvalid);
    }
    passes(&World::with(|world| {
        (world.when, world.at) = ("afterCertExpiry", DURING);
        world.stores = vec!["ca:wabbit", "tsa:broken"];
    }));
}

#[test]
fn e12_an_authority_that_has_expired_since_is_as_good_as_before() {
    let validity =
        |not_after| stamper(&authority(), key(12), |draft| draft.set_validity(Validity { not_after, ..YEAR }));
    passes(&World::with(|world| world.stamper = validity(TIME)));
    let earlier = validity(TIME - Duration::SECOND);
    fails(&World::with(|world| world.stamper = earlier), Code::TimestampCertificate);
}

#[test]
fn e13_only_tsa_stores_say_whose_time_counts() {
    let stores = |stores: &[&'static str]| World::with(|world| world.stores = stores.to_vec());
    fails(&stores(&["ca:wabbit", "ca:timekeeper", "tsa:other"]), Code::TimestampUntrusted);
    passes(&stores(&["ca:wabbit", "tsa:other", "tsa:timekeeper"]));
    fails(&stores(&["ca:wabbit", "tsa:timekeeper", "tsa:missing"]), Code::TrustStoreMissing);
    let broken = stores(&["ca:wabbit", "tsa:timekeeper", "tsa:broken"]).decide();
    assert_eq!((broken.verdict, broken.failure.unwrap().code), (Verdict::Error, Code::TrustStoreInvalid));
}

#[test]
fn e15_the_authority_is_asked_about_whatever_the_policy_says_of_revocation() {
    const CRL: &str = "http://crl.timekeeper.example/";
    let stamper = || {
        stamper(&authority(), key(12), |draft| {
            draft.set(crl_distribution_points(&[CRL.to_owned()])?);
            Ok(())
        })
    };
    for revocation in ["enforce", "log", "skip"] {
        let outcome = World::with(|world| {
            world.stamper = stamper();
            world.overridden = json!({ "revocation": revocation });
        })
        .decide();
        let asked = Question::crl(CRL, &Certificate::parse(authority().certificate()).unwrap());
        let CheckResult::Error(failure) = checked(&outcome) else { panic!("{:?}", checked(&outcome)) };
        assert_eq!((failure.code, outcome.verdict), (Code::RevocationUnavailable, Verdict::Error));
        assert_eq!(outcome.pending.needs, [Need::Revocation(asked)], "{revocation}");
    }
}

#[test]
fn e15_nobody_is_asked_about_for_a_signer_that_is_not_trusted() {
    let outcome = World::with(|world| {
        world.stamper = stamper(&authority(), key(12), |draft| {
            draft.set(crl_distribution_points(&["http://crl.timekeeper.example/".to_owned()])?);
            Ok(())
        });
        (world.level, world.stores) = ("audit", vec!["ca:timekeeper", "tsa:timekeeper"]);
    })
    .decide();
    assert!(outcome.pending.needs.is_empty(), "{:?}", outcome.pending.needs);
    assert_eq!(outcome.verdict, Verdict::Warn);
}

#[test]
fn e17_a_signing_authority_needs_no_time_stamp() {
    for change in [Some::<Vec<u8>> as fn(Vec<u8>) -> Option<Vec<u8>>, |_| None, |_| Some(vec![0])] {
        let outcome = passes(&World::with(|world| {
            world.stores = vec!["signingAuthority:wabbit", "tsa:timekeeper"];
            (world.scheme, world.change) = (SigningScheme::SigningAuthority, change);
        }));
        assert_eq!(outcome.signatures[0].timestamp, None);
    }
}

#[test]
fn e18_a_time_stamp_from_the_future_is_refused() {
    let skew = Duration::minutes(5);
    passes(&World::with(|world| world.at = TIME - skew));
    fails(&World::with(|world| world.at = TIME - skew - Duration::NANOSECOND), Code::TimestampFromFuture);
    fails(&World::with(|world| world.at = TIME - Duration::DAY), Code::TimestampFromFuture);
}
