//! The front door under strain: what callers may set and keep without harm.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use time::Duration;
use time::macros::datetime;

use super::super::*;
use crate::digest::Digest;
use crate::encode::SignatureManifest;
use crate::envelope::Format;
use crate::evidence::{Discovery, Envelope, Signature, Signatures};
use crate::failure::Code;
use crate::forge::{Artifact, Authority, CrlDraft, Key, KeyKind, LeafRequest, Signer, Statement};
use crate::manifest::Descriptor;
use crate::pki::Certificate;
use crate::reference::Repository;
use crate::revocation::{Answer, Need};
use crate::source::{ListTrouble, Manifest, Referrers, TagEntry};
use crate::trouble::Trouble;
use crate::trust_store::{StoreName, StoreType};

const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);

/// A source that holds one signed artifact, under every tag.
struct Memory {
    manifests: HashMap<Digest, (Descriptor, Bytes)>,
    blobs: HashMap<Digest, Bytes>,
    artifact: Digest,
    referrers: Vec<Descriptor>,
}

#[async_trait]
impl ArtifactSource for Memory {
    fn repositories(&self) -> BoxStream<'_, Result<Repository, ListTrouble>> {
        stream::empty().boxed()
    }

    fn tags<'a>(&'a self, _: &'a Repository) -> BoxStream<'a, Result<TagEntry, ListTrouble>> {
        stream::empty().boxed()
    }

    async fn manifest(&self, reference: &Reference) -> Result<Option<Manifest>, Trouble> {
        let found = self.manifests.get(&reference.digest.unwrap_or(self.artifact));
        Ok(found.map(|(descriptor, bytes)| Manifest { descriptor: descriptor.clone(), bytes: bytes.clone() }))
    }

    async fn referrers(&self, _: &Repository, _: &Digest) -> Result<Referrers, Trouble> {
        Ok(Referrers { listed: self.referrers.clone(), ..Referrers::default() })
    }

    async fn blob(&self, _: &Repository, blob: &Descriptor, _: u64) -> Result<Option<Bytes>, Trouble> {
        Ok(self.blobs.get(&blob.digest).cloned())
    }
}

fn key(slot: usize) -> Key {
    Key::pooled(KeyKind::P256, slot).unwrap()
}

static ROOT: LazyLock<Authority> = LazyLock::new(|| Authority::root("C=US, ST=WA, O=acme, CN=root", key(1)).unwrap());

/// A signer whose certificate names a CRL.
fn asking() -> Signer {
    let mut leaf = LeafRequest::new("C=US, ST=WA, O=acme, CN=signer", key(0)).unwrap();
    leaf.crl_urls = vec!["http://crl.acme.io/x.crl".to_owned()];
    ROOT.issue(leaf).unwrap()
}

/// A signer whose certificate names nothing to be asked.
fn plain() -> Signer {
    ROOT.issue(LeafRequest::new("C=US, ST=WA, O=acme, CN=signer", key(0)).unwrap()).unwrap()
}

fn envelope(signer: &Signer) -> Vec<u8> {
    let statement = Statement::new(Artifact::image("app").descriptor().clone(), NOW - Duration::DAY);
    statement.jws(signer).unwrap().seal().unwrap()
}

fn source(signer: &Signer) -> Arc<dyn ArtifactSource> {
    let image = Artifact::image("app");
    let (form, media_type) = (SignatureManifest::ArtifactType, Format::Jws.media_type());
    let envelope = envelope(signer);
    let (subject, chain) = (image.descriptor().clone(), signer.chain.clone());
    let signature = Artifact::annotated_signature(form, &subject, media_type, &envelope, &chain, BTreeMap::new());
    let (artifact, referrers) = (subject.digest, vec![signature.descriptor().clone()]);
    let mut memory = Memory { manifests: HashMap::new(), blobs: HashMap::new(), artifact, referrers };
    for artifact in [image, signature] {
        let descriptor = artifact.descriptor().clone();
        memory.manifests.insert(descriptor.digest, (descriptor, artifact.manifest.bytes.clone()));
        memory.blobs.extend(artifact.blobs.into_iter().map(|blob| (blob.descriptor.digest, blob.bytes)));
    }
    Arc::new(memory)
}

fn stores() -> TrustStores {
    let certificate = Certificate::parse(ROOT.certificate()).unwrap();
    let store = StoreName::new(StoreType::Ca, "acme").unwrap();
    TrustStores::from_certificates(HashMap::from([(store, vec![certificate])]))
}

fn builder() -> VerifierBuilder {
    by_level("strict")
}

fn by_level(level: &str) -> VerifierBuilder {
    let document = serde_json::json!({ "version": "1.0", "trustPolicies": [{
        "name": "all", "registryScopes": ["*"], "signatureVerification": { "level": level },
        "trustStores": ["ca:acme"], "trustedIdentities": ["x509.subject: C=US, ST=WA, O=acme"],
    }]});
    let policy = TrustPolicy::parse(document.to_string().as_bytes(), "policy.json").unwrap();
    Verifier::builder(policy, stores()).at(NOW)
}

fn reference() -> Reference {
    "registry.acme.io/app:v1".parse().unwrap()
}

/// Answers with CRLs that each hold a part of a budget, as long ones do.
struct Holding {
    budget: Arc<()>,
    is_crl: bool,
}

#[async_trait]
impl RevocationSource for Holding {
    async fn answer(&self, _: &Need) -> Result<Answer, Trouble> {
        let crl = if self.is_crl { CrlDraft::new(&ROOT, NOW).sign(&key(1)).unwrap() } else { vec![0x30; 64] };
        Ok(Answer::new(crl).holding(Arc::clone(&self.budget) as Arc<_>))
    }
}

#[tokio::test]
async fn evidence_that_a_caller_keeps_holds_nothing_of_the_budget_for_long_answers() {
    for is_crl in [true, false] {
        let budget = Arc::new(());
        let answers = Arc::new(Holding { budget: Arc::clone(&budget), is_crl });
        let held = Arc::strong_count(&budget);
        let verifier = builder().revocation(answers).keep_evidence().build();
        let kept = verifier.verify(source(&asking()), &reference()).await;
        assert_eq!(kept.passes(), is_crl);
        let evidence = kept.artifact.evidence.as_deref().unwrap();
        assert_eq!(evidence.revocation.iter().filter(|(_, answer)| answer.is_ok()).count(), 1);
        assert_eq!(Arc::strong_count(&budget), held, "a CRL: {is_crl}");
        // What is kept is still enough.
        assert_eq!(verifier.verify_evidence(evidence).signatures, kept.artifact.outcome.signatures);
    }
}

#[tokio::test]
async fn the_evidence_of_a_blob_holds_nothing_of_the_budget_for_long_answers() {
    let folder = tempfile::tempdir().unwrap();
    let (blob, signature) = (folder.path().join("blob"), folder.path().join("blob.jws.sig"));
    std::fs::write(&blob, "blob").unwrap();
    let target = Descriptor::new("application/octet-stream", Digest::sha256(b"blob"), 4);
    let signed = Statement::new(target, NOW - Duration::DAY).jws(&asking()).unwrap().seal().unwrap();
    std::fs::write(&signature, signed).unwrap();
    let document = serde_json::json!({ "version": "1.0", "trustPolicies": [{
        "name": "all", "globalPolicy": true, "signatureVerification": { "level": "strict" },
        "trustStores": ["ca:acme"], "trustedIdentities": ["x509.subject: C=US, ST=WA, O=acme"],
    }]});
    let policy = BlobTrustPolicy::parse(document.to_string().as_bytes(), "policy.json").unwrap();
    let budget = Arc::new(());
    let answers = Arc::new(Holding { budget: Arc::clone(&budget), is_crl: true });
    let held = Arc::strong_count(&budget);
    let verifier = Verifier::builder(policy, stores()).at(NOW).revocation(answers).build();
    let (outcome, evidence) = verifier.verify_blob(BlobRequest::new(blob, signature, Format::Jws)).await;
    assert_eq!(outcome.verdict, Verdict::Pass, "{outcome:?}");
    let evidence = evidence.unwrap();
    assert_eq!(evidence.revocation.iter().count(), 1);
    assert_eq!(Arc::strong_count(&budget), held);
}

#[tokio::test]
async fn a_stream_of_references_that_panics_does_not_look_complete() {
    let references = stream::iter(0..5).map(|number| {
        assert!(number < 2, "a defect of the caller");
        reference()
    });
    let mut audit = builder().build().verify_all(source(&plain()), references);
    let mut results = Vec::new();
    while let Some(judged) = audit.next().await {
        results.push((judged.outcome.verdict, judged.outcome.failure.map(|failure| failure.code)));
    }
    let fault = (Verdict::Error, Some(Code::InternalFault));
    assert_eq!(results, [(Verdict::Pass, None), (Verdict::Pass, None), fault]);
    assert_eq!((audit.tally().pass, audit.tally().error), (2, 1));
}

#[tokio::test]
async fn a_stream_of_references_ends_with_the_audit() {
    let (held, gone) = tokio::sync::oneshot::channel::<()>();
    let references = stream::iter([reference()]).chain(stream::once(async move {
        let _held = held;
        std::future::pending().await
    }));
    let mut audit = builder().build().verify_all(source(&plain()), references);
    assert_eq!(audit.next().await.unwrap().outcome.verdict, Verdict::Pass);
    drop(audit);
    assert!(gone.await.is_err());
}

/// What the documentation of [`Verifier::verify_evidence`] says.
#[test]
fn a_signature_that_lacks_answers_does_not_pass_and_one_that_passes_beside_it_is_enough() {
    let signature = |signer: &Signer| {
        let envelope = Envelope { media_type: Format::Jws.media_type().to_owned(), bytes: envelope(signer).into() };
        let manifest = Digest::sha256(&envelope.bytes);
        Signature { manifest, discovery: Discovery::Listed, envelope: Ok(envelope) }
    };
    let subject = Artifact::image("app").descriptor().clone();
    for (level, signers, expected) in [
        ("strict", vec![asking()], Verdict::Error),
        ("strict", vec![asking(), plain()], Verdict::Pass),
        ("permissive", vec![asking()], Verdict::Warn),
        ("permissive", vec![plain(), asking()], Verdict::Pass),
        ("audit", vec![asking()], Verdict::Warn),
    ] {
        let found = signers.iter().map(signature).collect();
        let signatures = Signatures { found, ..Signatures::default() };
        let evidence = Evidence::new("registry.acme.io/app", subject.clone(), Ok(signatures));
        let outcome = by_level(level).build().verify_evidence(&evidence);
        assert_eq!((outcome.verdict, outcome.pending.needs.len()), (expected, 1), "{level}: {outcome:?}");
    }
}

#[tokio::test]
async fn the_longest_time_for_an_artifact_is_no_panic() {
    for timeout in [std::time::Duration::MAX, std::time::Duration::from_secs(u64::MAX / 2)] {
        let verifier = builder().artifact_timeout(timeout).build();
        let verification = verifier.verify(source(&plain()), &reference()).await;
        assert_eq!(verification.artifact.outcome.verdict, Verdict::Pass, "{:?}", verification.artifact.outcome);
    }
}
