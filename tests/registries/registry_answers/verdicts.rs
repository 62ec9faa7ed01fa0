//! What an audit makes of the answers: A06, A07, A20–A22, A27, A28, from the wire to the verdict.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use muster::Verifier;
use muster::audit::{Judged, Platforms, Sources, Target};
use muster::digest::Digest;
use muster::failure::Code;
use muster::forge::{Artifact, Authority, Blob, Key, KeyKind, LeafRequest, SignatureManifest, Signer, Statement};
use muster::manifest::{
    ARTIFACT_MANIFEST, DOCKER_MANIFEST, Descriptor, IMAGE_INDEX, IMAGE_MANIFEST, SIGNATURE_ARTIFACT_TYPE,
};
use muster::pki::Certificate;
use muster::policy::TrustPolicy;
use muster::reference::Repository;
use muster::trust_store::{StoreName, StoreType, TrustStores};
use muster::verify::{CheckResult, Outcome, Verdict};
use time::OffsetDateTime;
use time::macros::datetime;

use super::mock::{Reply, entry, guarded, index, options, serve};

pub const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);
pub const COSE: &str = "application/cose";
const POLICY: &str = r#"{"version":"1.0","trustPolicies":[{"name":"wabbit","registryScopes":["*"],
    "signatureVerification":{"level":"strict"},"trustStores":["ca:wabbit"],"trustedIdentities":["*"]}]}"#;

/// A registry with one image, and who may sign it.
pub struct World {
    root: Authority,
    pub signer: Signer,
    pub image: Artifact,
    /// What is answered at which path; 404 everywhere else.
    pub replies: HashMap<String, Reply>,
    /// The entries of the list of the image's referrers.
    pub listed: Vec<String>,
    /// Whether the manifests of an index are judged with it.
    pub with_parts: bool,
}

impl World {
    pub fn new() -> World {
        let key = |slot| Key::pooled(KeyKind::P256, slot).unwrap();
        let root = Authority::root("C=US, ST=WA, O=wabbit-networks.io, CN=Root", key(0)).unwrap();
        let signer = LeafRequest::new("C=US, ST=WA, O=wabbit-networks.io, CN=SecureBuilder", key(1)).unwrap();
        let mut world = World {
            signer: root.issue(signer).unwrap(),
            root,
            image: Artifact::image("net-monitor"),
            replies: HashMap::new(),
            listed: Vec::new(),
            with_parts: false,
        };
        let image = world.image.clone();
        world.put(&image);
        world
    }

    pub fn put(&mut self, artifact: &Artifact) {
        self.put_manifest(&artifact.manifest);
        for Blob { descriptor, bytes } in &artifact.blobs {
            self.answer(&format!("blobs/{}", descriptor.digest), Reply::new(200, bytes.clone()));
        }
    }

    pub fn put_manifest(&mut self, Blob { descriptor, bytes }: &Blob) {
        self.answer(&format!("manifests/{}", descriptor.digest), Reply::ok(&descriptor.media_type, bytes.clone()));
    }

    pub fn answer(&mut self, path: &str, reply: Reply) {
        self.replies.insert(format!("/v2/team/app/{path}"), reply);
    }

    /// Lists a manifest as a signature of the image.
    pub fn list(&mut self, Descriptor { media_type, digest, size, .. }: &Descriptor) {
        let listed = entry(&digest.to_string(), &size.to_string(), SIGNATURE_ARTIFACT_TYPE);
        self.listed.push(listed.replace(IMAGE_MANIFEST, media_type));
    }

    /// A signature that says `target`, attached to `subject`.
    pub fn signature(&self, target: Descriptor, subject: &Descriptor) -> Artifact {
        let envelope = Statement::new(target, NOW).cose(&self.signer).unwrap().seal().unwrap();
        Artifact::signature(SignatureManifest::ArtifactType, subject, COSE, &envelope, &self.signer)
    }

    /// Adds a sound signature to the registry and its list.
    pub fn sign(&mut self) {
        let target = self.image.descriptor().clone();
        let signature = self.signature(target.clone(), &target);
        self.put(&signature);
        self.list(signature.descriptor());
    }

    pub async fn audit(self) -> Outcome {
        self.rows().await.pop().unwrap().outcome
    }

    /// Audits the image in the registry.
    pub async fn rows(mut self) -> Vec<Judged> {
        let subject = self.image.descriptor().digest;
        let referrers = format!("/v2/team/app/referrers/{subject}");
        self.replies.entry(referrers).or_insert_with(|| Reply::ok(IMAGE_INDEX, index(&self.listed)));
        let replies = std::mem::take(&mut self.replies);
        let mock =
            serve(move |request| replies.get(request.path()).cloned().unwrap_or_else(|| Reply::new(404, ""))).await;
        self.rows_of(Target::Artifact(mock.repository().at(subject)), None).await
    }

    /// Audits `target`; `scope` is the repository of what is in layouts.
    pub async fn rows_of(&self, target: Target, scope: Option<Repository>) -> Vec<Judged> {
        let root = Certificate::parse(self.root.certificate()).unwrap();
        let stores = HashMap::from([(StoreName::new(StoreType::Ca, "wabbit").unwrap(), vec![root])]);
        let policy = TrustPolicy::parse(POLICY.as_bytes(), "policy.json").unwrap();
        let verifier = Verifier::builder(policy, TrustStores::from_certificates(stores))
            .at(NOW)
            .offline()
            .platforms(if self.with_parts { Platforms::All } else { Platforms::Covered })
            .jobs(1)
            .max_signatures(10)
            .artifact_timeout(Duration::from_secs(60))
            .build();
        let mut audit = verifier.audit(Arc::new(Sources::new(options(), scope)), vec![target]);
        let mut rows = Vec::new();
        while let Some(judged) = audit.next().await {
            rows.push(judged);
        }
        rows
    }

    pub async fn verdict(self) -> (Verdict, Option<Code>) {
        let outcome = self.audit().await;
        (outcome.verdict, outcome.failure.map(|failure| failure.code))
    }
}

#[tokio::test]
async fn a00_the_world_of_these_tests_passes() {
    guarded(async {
        let mut world = World::new();
        world.sign();
        assert_eq!(world.verdict().await, (Verdict::Pass, None));
        assert_eq!(World::new().verdict().await, (Verdict::Fail, Some(Code::Unsigned)));
    })
    .await;
}

/// The image is served by `change`d facts while the signature states those of the image, or the other way round.
async fn mismatched(code: Code, change: impl Fn(&mut World, &mut Descriptor)) {
    let mut world = World::new();
    let subject = world.image.descriptor().clone();
    let mut target = subject.clone();
    change(&mut world, &mut target);
    let signature = world.signature(target, &subject);
    world.put(&signature);
    world.list(signature.descriptor());
    let outcome = world.audit().await;
    assert_eq!(outcome.verdict, Verdict::Fail);
    assert_eq!(integrity_faults(&outcome), [code], "integrity fails, and of the one signature");
}

/// The codes with which the signatures failed integrity.
fn integrity_faults(outcome: &Outcome) -> Vec<Code> {
    let integrity = outcome.signatures.iter().map(|signature| &signature.checks[0].result);
    let failed = |result: &CheckResult| match result {
        CheckResult::Fail(failure) => Some(failure.code),
        _ => None,
    };
    integrity.filter_map(failed).collect()
}

#[tokio::test]
async fn a06_a_media_type_that_was_not_signed_fails() {
    guarded(async {
        mismatched(Code::PayloadMismatch, |_, target| target.media_type = "application/vnd.acme.other+json".to_owned())
            .await;
        mismatched(Code::PayloadMismatch, |_, target| target.media_type = DOCKER_MANIFEST.to_owned()).await;
        // An image served as what it says it is not, or as no manifest at all, is no image that was signed wrongly.
        for served in [DOCKER_MANIFEST, IMAGE_INDEX, "application/vnd.acme.other+json", "application/json", "text/html"]
        {
            let mut world = World::new();
            world.sign();
            let Blob { descriptor, bytes } = world.image.manifest.clone();
            world.answer(&format!("manifests/{}", descriptor.digest), Reply::ok(served, bytes));
            assert_eq!(world.verdict().await, (Verdict::Error, Some(Code::AnswerInvalid)), "{served}");
        }
    })
    .await;
}

#[tokio::test]
async fn a06_a_subject_of_another_media_type_or_size_is_no_sound_manifest() {
    let untrue: [fn(&mut Descriptor); 3] = [
        |subject| subject.media_type = IMAGE_INDEX.to_owned(),
        |subject| subject.size += 1,
        |subject| subject.size = 0,
    ];
    guarded(async move {
        for change in untrue {
            let attached = |world: &World| {
                let target = world.image.descriptor().clone();
                let mut subject = target.clone();
                change(&mut subject);
                world.signature(target, &subject)
            };
            // What was signed is the artifact all the same: neither a pass, nor unsigned.
            let mut world = World::new();
            let signature = attached(&world);
            world.put(&signature);
            world.list(signature.descriptor());
            let outcome = world.audit().await;
            assert_eq!(outcome.verdict, Verdict::Fail);
            assert_eq!(integrity_faults(&outcome), [Code::SignatureManifestMalformed]);
            // Nor does it keep a sound one from passing.
            let mut world = World::new();
            let signature = attached(&world);
            world.put(&signature);
            world.list(signature.descriptor());
            world.sign();
            let outcome = world.audit().await;
            assert_eq!((outcome.verdict, outcome.signatures.len()), (Verdict::Pass, 2));
        }
    })
    .await;
}

#[tokio::test]
async fn a07_a_size_that_was_not_signed_fails() {
    guarded(async {
        mismatched(Code::PayloadMismatch, |_, target| target.size += 1).await;
        mismatched(Code::PayloadMismatch, |_, target| target.size = 0).await;
    })
    .await;
}

#[tokio::test]
async fn a20_an_artifact_is_unsigned_only_when_the_registry_says_so() {
    guarded(async {
        let subject = World::new().image.descriptor().digest;
        let api = format!("referrers/{subject}");
        let tag = format!("manifests/{}", subject.referrers_tag());
        for (path, status, expected) in [
            (&api, 404, (Verdict::Fail, Some(Code::Unsigned))),
            (&api, 403, (Verdict::Error, Some(Code::AccessDenied))),
            (&api, 429, (Verdict::Error, Some(Code::RateLimited))),
            (&api, 500, (Verdict::Error, Some(Code::Unreachable))),
            (&tag, 404, (Verdict::Fail, Some(Code::Unsigned))),
            (&tag, 403, (Verdict::Error, Some(Code::AccessDenied))),
            (&tag, 429, (Verdict::Error, Some(Code::RateLimited))),
            (&tag, 500, (Verdict::Error, Some(Code::Unreachable))),
        ] {
            let mut world = World::new();
            world.answer(path, Reply::new(status, ""));
            assert_eq!(world.verdict().await, expected, "{status} at {path}");
        }
    })
    .await;
}

#[tokio::test]
async fn a21_a_signature_of_another_image_is_passed_over() {
    guarded(async {
        let mut world = World::new();
        let other = Artifact::image("another image").descriptor().clone();
        let foreign = world.signature(other.clone(), &other);
        world.put(&foreign);
        world.list(foreign.descriptor());
        assert_eq!(world.verdict().await, (Verdict::Fail, Some(Code::Unsigned)));

        // Attached to this image, but made for another: the payload decides.
        let mut world = World::new();
        let attached = world.signature(other, world.image.descriptor());
        world.put(&attached);
        world.list(attached.descriptor());
        assert_eq!(world.audit().await.verdict, Verdict::Fail);
    })
    .await;
}

#[tokio::test]
async fn a22_what_is_only_listed_as_a_signature_is_passed_over() {
    guarded(async {
        for signed in [false, true] {
            let mut world = World::new();
            // More than there may be signatures: they do not count.
            for name in 0..20 {
                let content = Blob::new("application/spdx+json", name.to_string());
                let sbom = Artifact::attachment(world.image.descriptor(), "application/spdx+json", content);
                world.put(&sbom);
                world.list(sbom.descriptor());
            }
            let expected = match signed {
                true => {
                    world.sign();
                    (Verdict::Pass, None)
                }
                false => (Verdict::Fail, Some(Code::Unsigned)),
            };
            assert_eq!(world.verdict().await, expected);
        }
    })
    .await;
}

#[tokio::test]
async fn a09_an_envelope_that_says_it_is_too_large_is_not_fetched() {
    guarded(async {
        let most = muster::limits::ENVELOPE_BYTES;
        for size in [most + 1, 32 << 20, i64::MAX as u64] {
            let mut world = World::new();
            let target = world.image.descriptor().clone();
            let signature = world.signature(target.clone(), &target);
            let sound = String::from_utf8(signature.manifest.bytes.to_vec()).unwrap();
            let layer = signature.blobs[1].descriptor.size;
            let untrue = sound.replacen(&format!("\"size\":{layer}}}]"), &format!("\"size\":{size}}}]"), 1);
            assert_ne!(untrue, sound);
            // The envelope is not there: to ask for it would end in an error.
            let manifest = Blob::new(IMAGE_MANIFEST, untrue);
            world.put_manifest(&manifest);
            world.list(&manifest.descriptor);
            let outcome = world.audit().await;
            assert_eq!(
                (outcome.verdict, integrity_faults(&outcome)),
                (Verdict::Fail, vec![Code::EnvelopeTooLarge]),
                "{size}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a27_a_signature_listed_often_is_judged_once() {
    guarded(async {
        let mut world = World::new();
        world.sign();
        world.listed = vec![world.listed[0].clone(); 1000];
        let outcome = world.audit().await;
        assert_eq!((outcome.verdict, outcome.signatures.len()), (Verdict::Pass, 1));
    })
    .await;
}

#[tokio::test]
async fn a28_a_broken_signature_manifest_is_no_reason_to_stop() {
    guarded(async {
        let empty = Digest::sha256(b"{}");
        let layer = format!(r#"{{"mediaType":"{COSE}","digest":"{empty}","size":2}}"#);
        for layers in [String::new(), format!("{layer},{layer}"), layer.replace(COSE, "application/unknown"), "7".to_owned()] {
            let mut world = World::new();
            let subject = world.image.descriptor();
            let body = format!(
                r#"{{"schemaVersion":2,"config":{{"mediaType":"{SIGNATURE_ARTIFACT_TYPE}","digest":"{empty}","size":2}},"layers":[{layers}],"subject":{{"mediaType":"{IMAGE_MANIFEST}","digest":"{}","size":{}}}}}"#,
                subject.digest, subject.size
            );
            let broken = Blob::new(IMAGE_MANIFEST, body);
            world.put_manifest(&broken);
            world.answer(&format!("blobs/{empty}"), Reply::new(200, "{}"));
            world.list(&broken.descriptor);
            world.sign();
            let outcome = world.audit().await;
            let verdicts: Vec<_> = outcome.signatures.iter().map(|signature| signature.verdict).collect();
            assert_eq!(verdicts, [Verdict::Fail, Verdict::Pass], "layers [{layers}]");
            assert_eq!(outcome.verdict, Verdict::Pass);
        }
        // The oldest form is sound.
        let mut world = World::new();
        let target = world.image.descriptor().clone();
        let envelope = Statement::new(target.clone(), NOW).cose(&world.signer).unwrap().seal().unwrap();
        let oldest = Artifact::signature(SignatureManifest::Oldest, &target, COSE, &envelope, &world.signer);
        assert_eq!(oldest.descriptor().media_type, ARTIFACT_MANIFEST);
        world.put(&oldest);
        world.list(oldest.descriptor());
        assert_eq!(world.verdict().await, (Verdict::Pass, None));
    })
    .await;
}

#[tokio::test]
async fn a08_a_signature_served_as_something_else_leaves_nothing_unsigned() {
    guarded(async {
        for served in ["application/octet-stream", "application/json", IMAGE_INDEX, DOCKER_MANIFEST] {
            let mut world = World::new();
            let target = world.image.descriptor().clone();
            let signature = world.signature(target.clone(), &target);
            world.put(&signature);
            let Blob { descriptor, bytes } = &signature.manifest;
            world.answer(&format!("manifests/{}", descriptor.digest), Reply::ok(served, bytes.clone()));
            world.list(descriptor);
            assert_eq!(world.verdict().await, (Verdict::Error, Some(Code::AnswerInvalid)), "{served}");
        }
    })
    .await;
}

#[tokio::test]
async fn a28_a_signature_in_the_form_of_docker_is_none() {
    guarded(async {
        let mut world = World::new();
        let target = world.image.descriptor().clone();
        let signature = world.signature(target.clone(), &target);
        world.put(&signature);
        let manifest = String::from_utf8(signature.manifest.bytes.to_vec()).unwrap();
        let manifest = Blob::new(DOCKER_MANIFEST, manifest.replace(IMAGE_MANIFEST, DOCKER_MANIFEST));
        world.put_manifest(&manifest);
        world.list(&manifest.descriptor);
        assert_eq!(world.verdict().await, (Verdict::Fail, Some(Code::SignatureManifestMalformed)));
    })
    .await;
}

#[tokio::test]
async fn a12_trouble_with_a_signature_is_no_bad_signature() {
    guarded(async {
        let world = World::new();
        let target = world.image.descriptor().clone();
        let signature = world.signature(target.clone(), &target);
        let envelope = signature.blobs.iter().find(|blob| blob.descriptor.media_type == COSE).unwrap();
        for reply in [
            Reply::new(500, ""),
            Reply::new(403, ""),
            Reply::new(404, ""),
            Reply::new(200, "evil"),
            Reply::new(200, envelope.bytes[1..].to_vec()).measured(envelope.descriptor.size),
        ] {
            let mut world = World::new();
            world.put(&signature);
            world.list(signature.descriptor());
            world.answer(&format!("blobs/{}", envelope.descriptor.digest), reply.clone());
            assert_eq!(world.verdict().await.0, Verdict::Error, "{reply:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_bad_signature_is_no_verdict_while_the_list_of_referrers_cannot_be_had() {
    guarded(async {
        for no_list in [Reply::ok("text/html", "<html>"), Reply::new(403, ""), Reply::new(400, "")] {
            let world = |signs: bool| {
                let mut world = World::new();
                let subject = world.image.descriptor().clone();
                let other = Descriptor::new(IMAGE_MANIFEST, Digest::sha256(b"other"), 5);
                let bad = world.signature(other, &subject);
                world.put(&bad);
                world.list(bad.descriptor());
                if signs {
                    world.sign();
                }
                world.answer(&format!("referrers/{}", subject.digest), no_list.clone());
                let tagged = Reply::ok(IMAGE_INDEX, index(&world.listed));
                world.answer(&format!("manifests/{}", subject.digest.referrers_tag()), tagged);
                world
            };
            let outcome = world(false).audit().await;
            let failure = outcome.failure.unwrap();
            assert_eq!((outcome.verdict, outcome.signatures.len()), (Verdict::Error, 1), "{failure}");
            assert!(failure.message.contains("does not pass, and there may be others: "), "{failure}");
            assert_eq!(world(true).audit().await.verdict, Verdict::Pass);
        }
    })
    .await;
}
