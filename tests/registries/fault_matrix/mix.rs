//! The registries of the matrix, what they hold, and what an audit of them must say.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use muster::Verifier;
use muster::audit::{Judged, Platforms, Sources, Target};
use muster::digest::Digest;
use muster::failure::Code;
use muster::forge::registry::{EmbeddedRegistry, Flavour, Options};
use muster::forge::{
    Artifact, Authority, Blob, Key, KeyKind, LeafRequest, SignatureManifest as Form, Signer, Statement,
};
use muster::pki::Certificate;
use muster::policy::TrustPolicy;
use muster::source::registry::{Credentials, RegistryOptions, Timings};
use muster::trust_store::{StoreName, StoreType, TrustStores};
use muster::verify::Verdict;
use time::OffsetDateTime;
use time::macros::datetime;

const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);
const POLICY: &str = r#"{"version":"1.0","trustPolicies":[{"name":"all","registryScopes":["*"],
    "signatureVerification":{"level":"strict"},"trustStores":["ca:wabbit"],"trustedIdentities":["*"]}]}"#;

/// What an audit must say of an artifact.
pub type Truth = (Verdict, Option<Code>);

const PASS: Truth = (Verdict::Pass, None);
const UNSIGNED: Truth = (Verdict::Fail, Some(Code::Unsigned));
const STRANGER: Truth = (Verdict::Fail, Some(Code::UntrustedChain));
const HIDDEN: Truth = (Verdict::Fail, Some(Code::SignatureNotDiscoverable));

/// Registries of every kind, with the same artifacts in each.
pub struct Mix {
    registries: Vec<EmbeddedRegistry>,
    stores: Arc<TrustStores>,
    policy: Arc<TrustPolicy>,
    /// By host and digest.
    truth: HashMap<(String, Digest), Truth>,
}

/// How long the clients of the matrix wait.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    pub silence: Duration,
    pub retries: usize,
}

/// What an audit said, beside the truth.
#[derive(Debug, Default, Clone, Copy)]
pub struct Score {
    /// Artifacts judged as they are.
    pub right: usize,
    /// Rows of trouble.
    pub trouble: usize,
    /// Verdicts that are not the truth, artifacts that are none, and artifacts left out without a word.
    pub wrong: usize,
}

impl Mix {
    pub fn new() -> Mix {
        let kinds = [
            Options::default(),
            Options { referrers_page: Some(2), list_page: Some(2), ..Options::default() },
            Options { flavour: Flavour::WithoutReferrers, ..Options::default() },
            Options { flavour: Flavour::ReleaseCandidate, referrers_page: Some(2), ..Options::default() },
        ];
        let (root, signer) = signer("Root", 0);
        let (_, stranger) = signer_of_others();
        let stores = HashMap::from([(
            StoreName::new(StoreType::Ca, "wabbit").unwrap(),
            vec![Certificate::parse(root.certificate()).unwrap()],
        )]);
        let mut mix = Mix {
            registries: Vec::new(),
            stores: Arc::new(TrustStores::from_certificates(stores)),
            policy: Arc::new(TrustPolicy::parse(POLICY.as_bytes(), "policy.json").unwrap()),
            truth: HashMap::new(),
        };
        for options in kinds {
            let flavour = options.flavour;
            let server = EmbeddedRegistry::start(options).unwrap();
            let registry = Filling { server, signer: &signer, stranger: &stranger, flavour };
            mix.truth.extend(registry.fill());
            mix.registries.push(registry.server);
        }
        mix
    }

    pub fn registries(&self) -> &[EmbeddedRegistry] {
        &self.registries
    }

    pub fn artifacts(&self) -> usize {
        self.truth.len()
    }

    /// Audits all registries.
    pub async fn audit(&self, patience: Patience) -> Vec<Judged> {
        let timings = Timings {
            connect: patience.silence,
            idle: patience.silence,
            retries: patience.retries,
            pause: (Duration::from_millis(1), Duration::from_millis(4)),
            ..Timings::default()
        };
        let options = RegistryOptions { credentials: Credentials::Anonymous, timings, ..RegistryOptions::default() };
        let targets = self.registries.iter().map(|registry| Target::Registry(registry.host())).collect();
        let verifier = Verifier::builder(Arc::clone(&self.policy), Arc::clone(&self.stores))
            .at(NOW)
            .offline()
            .platforms(Platforms::All)
            .jobs(16)
            .max_signatures(10)
            .build();
        let mut audit = verifier.audit(Arc::new(Sources::new(options, None)), targets);
        let mut rows = Vec::new();
        while let Some(judged) = audit.next().await {
            rows.push(judged);
        }
        rows
    }

    /// Holds the rows of an audit against the truth; tells of what is wrong.
    pub fn score(&self, rows: &[Judged], what: &str) -> Score {
        let mut score = Score::default();
        let mut told: HashMap<(String, Digest), bool> =
            self.truth.keys().map(|artifact| (artifact.clone(), false)).collect();
        let mut in_trouble = std::collections::HashSet::new();
        for row in rows {
            let host = row.repository.split('/').next().unwrap().to_owned();
            let said = (row.outcome.verdict, row.outcome.failure.as_ref().map(|failure| failure.code));
            let key = row.digest.map(|digest| (host.clone(), digest));
            let truth = key.as_ref().and_then(|key| self.truth.get(key));
            if let Some(told) = key.as_ref().and_then(|key| told.get_mut(key)) {
                *told = true;
            }
            match (said.0, truth) {
                (Verdict::Error, _) => {
                    score.trouble += 1;
                    in_trouble.insert(host);
                    // A list of referrers is there, and may not be told from an image under its tag while there is trouble.
                    let tag = row.reference.rsplit(':').next();
                    let is_list = tag.is_some_and(Digest::is_referrers_tag);
                    if row.digest.is_some() && truth.is_none() && !is_list {
                        score.wrong += 1;
                        println!("{what}: trouble under the digest of what is none: {row:?}");
                    }
                }
                (_, Some(truth)) if said == *truth => score.right += 1,
                (_, truth) => {
                    score.wrong += 1;
                    println!("{what}: {} is {said:?}, and in truth {truth:?}", row.reference);
                }
            }
        }
        for ((host, digest), _) in told.iter().filter(|(_, told)| !**told) {
            if !in_trouble.contains(host) {
                score.wrong += 1;
                println!("{what}: {digest} of {host} was left out without a word");
            }
        }
        score
    }
}

fn signer(name: &str, slot: usize) -> (Authority, Signer) {
    let key = |slot| Key::pooled(KeyKind::P256, slot).unwrap();
    let root = Authority::root(&format!("C=US, ST=WA, O=wabbit-networks.io, CN={name}"), key(slot)).unwrap();
    let leaf = LeafRequest::new("C=US, ST=WA, O=wabbit-networks.io, CN=SecureBuilder", key(slot + 1)).unwrap();
    let signer = root.issue(leaf).unwrap();
    (root, signer)
}

fn signer_of_others() -> (Authority, Signer) {
    signer("Others", 2)
}

/// A registry that is being filled.
struct Filling<'a> {
    server: EmbeddedRegistry,
    signer: &'a Signer,
    stranger: &'a Signer,
    flavour: Flavour,
}

impl Filling<'_> {
    fn fill(&self) -> HashMap<(String, Digest), Truth> {
        let mut truth = HashMap::new();
        let mut note = |digest, is| {
            truth.insert((self.server.host(), digest), is);
        };
        // The release candidate does not list the newer form as signatures.
        let newer = if self.flavour == Flavour::ReleaseCandidate { HIDDEN } else { PASS };
        let image = |name: &str| Artifact::image(name);
        let place = |path: &str, tag: &str, artifact: &Artifact| self.put(path, Some(tag), artifact);

        let signed = image("signed");
        note(place("team/app", "signed", &signed), newer);
        self.sign("team/app", &signed, Form::ArtifactType, self.signer, 1);
        let older = image("older");
        note(place("team/app", "older", &older), PASS);
        self.sign("team/app", &older, Form::ConfigMediaType, self.signer, 1);
        note(place("team/app", "unsigned", &image("unsigned")), UNSIGNED);

        let several = image("several");
        note(place("team/api", "several", &several), PASS);
        self.sign("team/api", &several, Form::ConfigMediaType, self.stranger, 3);
        self.sign("team/api", &several, Form::ConfigMediaType, self.signer, 2);
        let strange = image("strange");
        note(place("team/api", "strange", &strange), STRANGER);
        self.sign("team/api", &strange, Form::Oldest, self.stranger, 1);
        let described = image("described");
        note(place("team/api", "described", &described), UNSIGNED);
        let sbom = Artifact::attachment(described.descriptor(), "application/spdx+json", Blob::new("text/spdx", *b"x"));
        self.put("team/api", None, &sbom);

        let parts = [image("part 1"), image("part 2")];
        note(self.put("web", None, &parts[0]), PASS);
        note(self.put("web", None, &parts[1]), UNSIGNED);
        self.sign("web", &parts[0], Form::ConfigMediaType, self.signer, 1);
        let index = Artifact::index(&[&parts[0], &parts[1]]);
        note(place("web", "index", &index), PASS);
        self.sign("web", &index, Form::ConfigMediaType, self.signer, 1);
        truth
    }

    fn put(&self, path: &str, tag: Option<&str>, artifact: &Artifact) -> Digest {
        for blob in &artifact.blobs {
            self.server.put_blob(path, blob.bytes.clone()).unwrap();
        }
        let media_type = &artifact.descriptor().media_type;
        self.server.put_manifest(path, tag, media_type, artifact.manifest.bytes.clone()).unwrap()
    }

    fn sign(&self, path: &str, artifact: &Artifact, form: Form, by: &Signer, times: i64) {
        for time in 0..times {
            let at = NOW - time::Duration::minutes(time + 1);
            let envelope = Statement::new(artifact.descriptor().clone(), at).cose(by).unwrap().seal().unwrap();
            let signature = Artifact::signature(form, artifact.descriptor(), "application/cose", &envelope, by);
            self.put(path, None, &signature);
        }
    }
}
