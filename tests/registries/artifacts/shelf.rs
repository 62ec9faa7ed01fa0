//! A shelf of manifests with and without tags, to be put into a registry or a layout, and the policy that judges them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use muster::digest::Digest;
use muster::forge::registry::EmbeddedRegistry;
use muster::forge::{Artifact, Authority, Blob, Key, KeyKind, LeafRequest, SignatureManifest, Signer, Statement};
use muster::manifest::Descriptor;
use serde_json::{Value, json};
use tempfile::TempDir;
use time::macros::datetime;

pub(crate) const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const IMAGE_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub(crate) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
pub(crate) const EMPTY: &str = "application/vnd.oci.empty.v1+json";
pub(crate) const NAME: &str = "org.opencontainers.image.ref.name";

/// Manifests in the order in which they were put there.
pub(crate) struct Shelf {
    pub(crate) kept: Vec<(Option<String>, Artifact)>,
    folder: TempDir,
    signer: Signer,
}

/// What a run left behind.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Shelf {
    pub(crate) fn new() -> Shelf {
        let key = |slot| Key::pooled(KeyKind::P256, slot).unwrap();
        let root = Authority::root("C=US, ST=WA, O=wabbit, CN=Root", key(0)).unwrap();
        let signer = root.issue(LeafRequest::new("C=US, ST=WA, O=wabbit, CN=Builder", key(1)).unwrap()).unwrap();
        let shelf = Shelf { kept: Vec::new(), folder: tempfile::tempdir().unwrap(), signer };
        let store = shelf.path("config/truststore/x509/ca/wabbit");
        std::fs::create_dir_all(&store).unwrap();
        std::fs::write(store.join("root.der"), root.certificate()).unwrap();
        shelf.policy(&[("all", "*", "strict")]);
        shelf
    }

    /// Statements: name, scope, level.
    pub(crate) fn policy(&self, statements: &[(&str, &str, &str)]) {
        let statements = statements.iter().map(|(name, scope, level)| {
            let mut statement =
                json!({ "name": name, "registryScopes": [scope], "signatureVerification": { "level": level } });
            if *level != "skip" {
                statement["trustStores"] = json!(["ca:wabbit"]);
                statement["trustedIdentities"] = json!(["*"]);
            }
            statement
        });
        let policy = json!({ "version": "1.0", "trustPolicies": statements.collect::<Vec<_>>() });
        std::fs::write(self.path("config/trustpolicy.json"), policy.to_string()).unwrap();
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn put(&mut self, tag: Option<&str>, artifact: &Artifact) -> Descriptor {
        self.kept.push((tag.map(str::to_owned), artifact.clone()));
        artifact.descriptor().clone()
    }

    /// Puts a signature of `artifact` there, and says what it is.
    pub(crate) fn sign(&mut self, artifact: &Artifact) -> Descriptor {
        let statement = Statement::new(artifact.descriptor().clone(), datetime!(2026-11-23 12:00 UTC));
        let envelope = statement.jws(&self.signer).unwrap().seal().unwrap();
        let form = SignatureManifest::ArtifactType;
        let signature =
            Artifact::signature(form, artifact.descriptor(), "application/jose+json", &envelope, &self.signer);
        self.put(None, &signature)
    }

    pub(crate) fn put_into(&self, registry: &EmbeddedRegistry, repository: &str) {
        for (tag, Artifact { manifest, blobs }) in &self.kept {
            for blob in blobs {
                registry.put_blob(repository, blob.bytes.clone()).unwrap();
            }
            let (media_type, bytes) = (&manifest.descriptor.media_type, manifest.bytes.clone());
            registry.put_manifest(repository, tag.as_deref(), media_type, bytes).unwrap();
        }
    }

    /// The entries of `index.json`: those with a tag are called `prefix:tag`, or by the tag alone.
    pub(crate) fn entries(&self, prefix: Option<&str>) -> Vec<Value> {
        let entry = |(tag, artifact): &(Option<String>, Artifact)| {
            let descriptor = artifact.descriptor();
            let mut entry = entry(descriptor);
            if let Some(tag) = tag {
                let name = prefix.map_or_else(|| tag.clone(), |prefix| format!("{prefix}:{tag}"));
                entry["annotations"] = json!({ NAME: name });
            }
            entry
        };
        self.kept.iter().map(entry).collect()
    }

    /// Writes a layout of this name with these entries.
    pub(crate) fn layout(&self, name: &str, entries: &[Value]) {
        let layout = self.path(name);
        std::fs::create_dir_all(layout.join("blobs/sha256")).unwrap();
        std::fs::write(layout.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        std::fs::write(layout.join("index.json"), json!({ "schemaVersion": 2, "manifests": entries }).to_string())
            .unwrap();
        for (_, Artifact { manifest, blobs }) in &self.kept {
            for blob in blobs.iter().chain([manifest]) {
                std::fs::write(self.blob(name, &blob.descriptor.digest), &blob.bytes).unwrap();
            }
        }
    }

    /// Where a layout keeps a blob.
    pub(crate) fn blob(&self, layout: &str, digest: &Digest) -> PathBuf {
        self.path(layout).join("blobs/sha256").join(digest.hex())
    }

    /// Packs a layout into a tar archive beside it.
    pub(crate) fn pack(&self, name: &str) {
        let mut builder = tar::Builder::new(std::fs::File::create(self.path(format!("{name}.tar"))).unwrap());
        builder.append_dir_all(".", self.path(name)).unwrap();
        builder.into_inner().unwrap();
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.run_in(arguments, &[])
    }

    /// The same with these variables as well.
    pub(crate) fn run_in(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
        let kept = ["PATH", "SystemRoot", "TMPDIR", "TEMP", "LLVM_PROFILE_FILE"];
        let kept = kept.into_iter().filter_map(|name| std::env::var_os(name).map(|value| (name, value)));
        command.env_clear().envs(kept).env("HOME", "/nonexistent").current_dir(self.folder.path());
        command.envs(environment.iter().copied());
        command.args(arguments).args(["--config", "config", "--at", "2026-11-24"]);
        let Output { status, stdout, stderr } = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
    }

    /// A run that writes its report as JSON to standard output.
    pub(crate) fn report(&self, arguments: &[&str]) -> (Option<i32>, Value) {
        let ran = self.run(&[arguments, &["-o", "json"]].concat());
        let report = serde_json::from_str(&ran.stdout);
        (ran.code, report.unwrap_or_else(|error| panic!("{error}: {}\n{}", ran.stdout, ran.stderr)))
    }
}

/// The results of a report by reference: the first row of each, with its code.
pub(crate) fn results(report: &Value) -> BTreeMap<String, String> {
    let mut results = BTreeMap::new();
    for row in report["artifacts"].as_array().unwrap() {
        let reference = row["reference"].as_str().unwrap().to_owned();
        let result = row["code"].as_str().unwrap_or_else(|| row["result"].as_str().unwrap()).to_owned();
        results.entry(reference).or_insert(result);
    }
    results
}

/// An entry of an index.
pub(crate) fn entry(descriptor: &Descriptor) -> Value {
    json!({ "mediaType": descriptor.media_type, "digest": descriptor.digest, "size": descriptor.size })
}

/// An entry for a platform `os/architecture[/variant]`.
pub(crate) fn entry_for(descriptor: &Descriptor, platform: &str) -> Value {
    let mut entry = entry(descriptor);
    let mut words = platform.split('/');
    entry["platform"] = json!({ "os": words.next(), "architecture": words.next() });
    if let Some(variant) = words.next() {
        entry["platform"]["variant"] = variant.into();
    }
    entry
}

/// An entry as buildkit writes it for an attestation.
pub(crate) fn attestation_entry(descriptor: &Descriptor) -> Value {
    let mut entry = entry_for(descriptor, "unknown/unknown");
    entry["annotations"] = json!({ "vnd.docker.reference.type": "attestation-manifest" });
    entry
}

pub(crate) fn index(entries: &[Value]) -> Artifact {
    let manifest = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries });
    Artifact { manifest: Blob::new(INDEX, manifest.to_string()), blobs: Vec::new() }
}

/// An image manifest with one layer, that refers to `subject`.
pub(crate) fn image(name: &str, config: &str, layer: &str, subject: Option<&Descriptor>) -> Artifact {
    let (config, layer) = (Blob::new(config, *b"{}"), Blob::new(layer, name));
    let mut manifest = json!({
        "schemaVersion": 2, "mediaType": IMAGE,
        "config": entry(&config.descriptor), "layers": [entry(&layer.descriptor)], "annotations": { "name": name },
    });
    if let Some(subject) = subject {
        manifest["subject"] = entry(subject);
    }
    Artifact { manifest: Blob::new(IMAGE, manifest.to_string()), blobs: vec![config, layer] }
}
