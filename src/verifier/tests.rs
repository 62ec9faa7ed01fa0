//! What only callers of the library can do: use a verifier, a layout or a host more than once, and bring their own sources.

mod robustness;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use serde_json::{Value, json};
use time::Duration;

use super::*;
use crate::audit::Platforms;
use crate::digest::Digest;
use crate::encode::SignatureManifest;
use crate::failure::Code;
use crate::forge::{Artifact, Attribute, Authority, CrlDraft, Key, KeyKind, LeafRequest, Signer, Statement};
use crate::manifest::{Descriptor, IMAGE_INDEX};
use crate::pki::Certificate;
use crate::revocation::{Answer, Need};
use crate::source::layout::Layout;
use crate::trouble::Trouble;
use crate::trust_store::{StoreName, StoreType};

const REFERENCE: &str = "registry.io/app:v1";

fn key(slot: usize) -> Key {
    Key::pooled(KeyKind::P256, slot).unwrap()
}

fn signer(change: impl FnOnce(&mut LeafRequest)) -> (Authority, Signer) {
    let root = Authority::root("C=US, ST=WA, O=acme, CN=root", key(1)).unwrap();
    let mut leaf = LeafRequest::new("C=US, ST=WA, O=acme, CN=signer", key(0)).unwrap();
    change(&mut leaf);
    let signer = root.issue(leaf).unwrap();
    (root, signer)
}

/// A strict policy for everything that the authority certifies.
fn builder(root: &Authority) -> VerifierBuilder {
    let policy = json!({ "version": "1.0", "trustPolicies": [{
        "name": "all", "registryScopes": ["*"], "signatureVerification": { "level": "strict" },
        "trustStores": ["ca:acme"], "trustedIdentities": ["x509.subject: C=US, ST=WA, O=acme"],
    }]});
    let policy = TrustPolicy::parse(policy.to_string().as_bytes(), "policy.json").unwrap();
    let store = StoreName::new(StoreType::Ca, "acme").unwrap();
    let certificate = Certificate::parse(root.certificate()).unwrap();
    Verifier::builder(policy, TrustStores::from_certificates(HashMap::from([(store, vec![certificate])])))
}

/// A layout on disk whose entries are added one by one.
struct Folder {
    folder: tempfile::TempDir,
    entries: Vec<Value>,
}

impl Folder {
    fn new() -> Folder {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("blobs/sha256")).unwrap();
        std::fs::write(folder.path().join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        Folder { folder, entries: Vec::new() }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn put(&self, bytes: &[u8]) -> Digest {
        let digest = Digest::sha256(bytes);
        std::fs::write(self.path().join("blobs/sha256").join(digest.hex()), bytes).unwrap();
        digest
    }

    fn put_whole(&self, artifact: &Artifact) {
        for blob in artifact.blobs.iter().chain([&artifact.manifest]) {
            self.put(&blob.bytes);
        }
    }

    fn list(&mut self, descriptor: &Descriptor, name: Option<&str>) {
        let mut entry = entry(descriptor);
        if let Some(name) = name {
            entry["annotations"] = json!({ "org.opencontainers.image.ref.name": name });
        }
        self.entries.push(entry);
        let index = json!({ "schemaVersion": 2, "manifests": self.entries });
        std::fs::write(self.path().join("index.json"), index.to_string()).unwrap();
    }

    fn add(&mut self, artifact: &Artifact, name: Option<&str>) {
        self.put_whole(artifact);
        self.list(artifact.descriptor(), name);
    }

    fn sign(&mut self, signer: &Signer, subject: &Descriptor, attributes: Vec<Attribute>) {
        let mut statement = Statement::new(subject.clone(), OffsetDateTime::now_utc() - Duration::MINUTE);
        statement.attributes = attributes;
        let envelope = statement.jws(signer).unwrap().seal().unwrap();
        let form = SignatureManifest::ArtifactType;
        self.add(&Artifact::signature(form, subject, "application/jose+json", &envelope, signer), None);
    }

    /// An image index of one image, signed; the image itself is put there if `whole`.
    fn index(signer: &Signer, whole: bool) -> (Folder, Artifact) {
        let mut folder = Folder::new();
        let image = Artifact::image("app");
        let mut part = entry(image.descriptor());
        part["platform"] = json!({ "os": "linux", "architecture": "amd64" });
        let index = json!({ "schemaVersion": 2, "mediaType": IMAGE_INDEX, "manifests": [part] }).to_string();
        let index = Descriptor::new(IMAGE_INDEX, folder.put(index.as_bytes()), index.len() as u64);
        if whole {
            folder.put_whole(&image);
        }
        folder.list(&index, Some(REFERENCE));
        folder.sign(signer, &index, Vec::new());
        (folder, image)
    }

    fn open(&self) -> Arc<dyn ArtifactSource> {
        Arc::new(Layout::open_directory(self.path()).unwrap())
    }
}

fn entry(descriptor: &Descriptor) -> Value {
    json!({ "mediaType": descriptor.media_type, "digest": descriptor.digest, "size": descriptor.size })
}

fn reference() -> Reference {
    REFERENCE.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_in_a_layout_hides_no_part_of_an_index() {
    let (root, signer) = signer(|_| {});
    let verifier = builder(&root).platforms(Platforms::All).build();
    let (mut folder, image) = Folder::index(&signer, true);
    for _ in ["unnamed", "named in another repository"] {
        let found = verifier.verify(folder.open(), &reference()).await;
        assert_eq!(found.artifact.outcome.verdict, Verdict::Pass);
        let parts: Vec<_> = found.manifests.iter().map(|part| part.outcome.failure.as_ref().unwrap().code).collect();
        assert_eq!(parts, [Code::Unsigned]);
        assert!(!found.passes());
        folder.list(image.descriptor(), Some("elsewhere.io/b:v1"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_of_an_index_that_are_not_there_are_counted() {
    let (root, signer) = signer(|_| {});
    let verifier = builder(&root).platforms(Platforms::All).build();
    let (folder, _) = Folder::index(&signer, false);
    let found = verifier.verify(folder.open(), &reference()).await;
    assert!(found.passes() && found.manifests.is_empty());
    assert_eq!(found.absent_manifests, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_is_listed_twice_and_differently_is_trouble() {
    let (root, signer) = signer(|_| {});
    let mut folder = Folder::new();
    let image = Artifact::image("app");
    folder.add(&image, Some(REFERENCE));
    folder.sign(&signer, image.descriptor(), Vec::new());
    let verifier = builder(&root).build();
    assert!(verifier.verify(folder.open(), &reference()).await.passes());
    let other = Descriptor { media_type: IMAGE_INDEX.to_owned(), ..image.descriptor().clone() };
    folder.list(&other, Some("registry.io/app:v2"));
    assert_eq!(verifier.verify(folder.open(), &reference()).await.artifact.outcome.verdict, Verdict::Error);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_audit_sees_what_was_signed_since() {
    let (root, signer) = signer(|_| {});
    let mut folder = Folder::new();
    let image = Artifact::image("app");
    folder.add(&image, Some(REFERENCE));
    let (verifier, sources) = (builder(&root).build(), Arc::new(Sources::new(Default::default(), None)));
    let target = || vec![Target::layout(folder.path())];
    sources.check_scopes(&target()).await.unwrap();
    let before = verifier.audit(Arc::clone(&sources), target()).next().await.unwrap();
    assert_eq!(before.outcome.failure.unwrap().code, Code::Unsigned);
    folder.sign(&signer, image.descriptor(), Vec::new());
    let target = vec![Target::layout(folder.path())];
    let after = verifier.audit(sources, target).next().await.unwrap();
    assert_eq!(after.outcome.verdict, Verdict::Pass);
}

/// A CRL that is issued when it is asked for, after the call began.
struct IssuedOnDemand(std::sync::atomic::AtomicUsize);

#[async_trait]
impl RevocationSource for IssuedOnDemand {
    async fn answer(&self, _: &Need) -> Result<Answer, Trouble> {
        self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let (root, _) = signer(|_| {});
        let issued = OffsetDateTime::now_utc() + Duration::seconds(1);
        Ok(Answer::new(CrlDraft::new(&root, issued).sign(&key(1)).unwrap()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_of_the_callers_is_asked_once_a_call_and_its_answers_are_dated() {
    let (root, signer) = signer(|leaf| leaf.crl_urls = vec!["http://crl.io/x.crl".to_owned()]);
    let mut folder = Folder::new();
    let image = Artifact::image("app");
    folder.add(&image, Some(REFERENCE));
    for name in ["a", "b"] {
        let attribute = Attribute { name: format!("com.example.{name}"), value: "x".into(), critical: false };
        folder.sign(&signer, image.descriptor(), vec![attribute]);
    }
    let source = Arc::new(IssuedOnDemand(Default::default()));
    let verifier = builder(&root).revocation(Arc::clone(&source) as Arc<dyn RevocationSource>).keep_evidence().build();
    for calls in 1..=2 {
        let found = verifier.verify(folder.open(), &reference()).await;
        assert_eq!(found.artifact.outcome.verdict, Verdict::Pass);
        assert_eq!(source.0.load(std::sync::atomic::Ordering::SeqCst), calls);
        let evidence = found.artifact.evidence.unwrap();
        assert!(evidence.revocation.iter().all(|(_, answer)| answer.as_ref().unwrap().arrival().is_some()));
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn the_next_call_asks_plugins_again() {
    use std::os::unix::fs::PermissionsExt as _;

    use crate::plugin_host::{PluginDirectory, ProcessHost};

    const SCRIPT: &str = r#"#!/bin/sh
here=$(dirname "$0")
cat > /dev/null
case "$1" in
get-plugin-metadata) echo '{"name":"com.example.checker","description":"checks","version":"1.2.3","url":"https://example.com","supportedContractVersions":["1.0"],"capabilities":["SIGNATURE_VERIFIER.REVOCATION_CHECK"]}';;
*) if [ -e "$here/revoked" ]; then good=false; else good=true; fi
echo '{"verificationResults":{"SIGNATURE_VERIFIER.REVOCATION_CHECK":{"success":'$good',"reason":"x"}},"processedAttributes":[]}';;
esac
"#;
    let plugins = tempfile::tempdir().unwrap();
    let folder: PathBuf = plugins.path().join("plugins/com.example.checker");
    std::fs::create_dir_all(&folder).unwrap();
    let program = folder.join("notation-com.example.checker");
    std::fs::write(&program, SCRIPT).unwrap();
    for path in [plugins.path().join("plugins"), folder.clone(), program] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let (root, signer) = signer(|_| {});
    let mut layout = Folder::new();
    let image = Artifact::image("app");
    layout.add(&image, Some(REFERENCE));
    let name = "io.cncf.notary.verificationPlugin".to_owned();
    layout.sign(
        &signer,
        image.descriptor(),
        vec![Attribute { name, value: "com.example.checker".into(), critical: true }],
    );
    let host = ProcessHost::new(PluginDirectory::new(plugins.path()), std::time::Duration::from_secs(20));
    let verifier = builder(&root).plugins(Arc::new(host)).build();
    assert!(verifier.verify(layout.open(), &reference()).await.passes());
    std::fs::write(folder.join("revoked"), "").unwrap();
    assert_eq!(verifier.verify(layout.open(), &reference()).await.artifact.outcome.verdict, Verdict::Fail);
}
