//! What a stranger may push: artifacts with signatures, in a registry and in a layout.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use muster::digest::Digest;
use muster::forge::registry::{EmbeddedRegistry, Options};
use muster::forge::{Artifact, Authority, Key, KeyKind, LeafRequest, SignatureManifest, Signer, Statement};
use serde_json::{Value, json};
use tempfile::TempDir;
use time::OffsetDateTime;
use time::macros::datetime;

/// When everything is judged.
pub(crate) const AT: &str = "2026-11-23T12:00:00Z";
pub(crate) const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);
pub(crate) const JWS: &str = "application/jose+json";
/// The repository of everything.
pub(crate) const REPOSITORY: &str = "team/app";
/// The longest envelope that is read.
pub(crate) const LONGEST: usize = 4 << 20;

/// A folder with a configuration, a signer that it trusts, and a registry.
pub(crate) struct World {
    pub(crate) registry: EmbeddedRegistry,
    pub(crate) root: Authority,
    pub(crate) signer: Signer,
    folder: TempDir,
    /// The files of the layout in `layout`.
    listed: Vec<Value>,
}

impl World {
    pub(crate) fn new() -> World {
        World::signed_by(|root, request| root.issue(request).unwrap())
    }

    /// A world whose signer has the certificate that `issue` makes.
    pub(crate) fn signed_by(issue: impl FnOnce(&Authority, LeafRequest) -> Signer) -> World {
        let key = |slot| Key::pooled(KeyKind::P256, slot).unwrap();
        let root = Authority::root("C=US, ST=WA, O=wabbit-networks.io, CN=Root", key(0)).unwrap();
        let request = LeafRequest::new("C=US, ST=WA, O=wabbit-networks.io, CN=Builder", key(1)).unwrap();
        let signer = issue(&root, request);
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("config/truststore/x509/ca/wabbit");
        fs::create_dir_all(&store).unwrap();
        fs::write(store.join("root.der"), root.certificate()).unwrap();
        let policy = json!({ "version": "1.0", "trustPolicies": [{
            "name": "all",
            "registryScopes": ["*"],
            "signatureVerification": { "level": "strict" },
            "trustStores": ["ca:wabbit"],
            "trustedIdentities": ["*"],
        }]});
        fs::write(folder.path().join("config/trustpolicy.json"), policy.to_string()).unwrap();
        let registry = EmbeddedRegistry::start(Options::default()).unwrap();
        fs::create_dir_all(folder.path().join("layout/blobs/sha256")).unwrap();
        World { registry, root, signer, folder, listed: Vec::new() }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The repository in the registry.
    pub(crate) fn repository(&self) -> String {
        format!("{}/{REPOSITORY}", self.registry.host())
    }

    /// Puts an artifact into registry and layout, with these tags.
    pub(crate) fn put(&mut self, artifact: &Artifact, tags: &[String]) {
        for blob in artifact.blobs.iter().chain([&artifact.manifest]) {
            fs::write(self.blob(&blob.descriptor.digest), &blob.bytes).unwrap();
        }
        for blob in &artifact.blobs {
            self.registry.put_blob(REPOSITORY, blob.bytes.clone()).unwrap();
        }
        let manifest = &artifact.manifest;
        let media_type = &manifest.descriptor.media_type;
        let names: Vec<Option<&str>> = match tags {
            [] => vec![None],
            tags => tags.iter().map(|tag| Some(tag.as_str())).collect(),
        };
        for tag in names {
            self.registry.put_manifest(REPOSITORY, tag, media_type, manifest.bytes.clone()).unwrap();
            let mut entry = json!({
                "mediaType": media_type,
                "digest": manifest.descriptor.digest.to_string(),
                "size": manifest.bytes.len(),
            });
            if let Some(tag) = tag {
                entry["annotations"] = json!({ "org.opencontainers.image.ref.name": tag });
            }
            self.listed.push(entry);
        }
    }

    fn blob(&self, digest: &Digest) -> PathBuf {
        self.folder().join("layout/blobs/sha256").join(digest.hex())
    }

    /// Writes down what the layout lists.
    pub(crate) fn write_layout(&self) {
        let layout = self.folder().join("layout");
        fs::write(layout.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        let index = json!({ "schemaVersion": 2, "manifests": self.listed });
        fs::write(layout.join("index.json"), index.to_string()).unwrap();
    }

    /// Puts a signature of `subject` with this envelope.
    pub(crate) fn sign(&mut self, subject: &Artifact, media_type: &str, envelope: &[u8]) {
        let form = SignatureManifest::ArtifactType;
        let signature = Artifact::signature(form, subject.descriptor(), media_type, envelope, &self.signer);
        self.put(&signature, &[]);
    }

    /// A sound signature of `subject`.
    pub(crate) fn sound(&self, subject: &Artifact) -> Vec<u8> {
        Statement::new(subject.descriptor().clone(), NOW).jws(&self.signer).unwrap().seal().unwrap()
    }
}

/// The tags `v0` to `v7`.
pub(crate) fn tags(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("v{number}")).collect()
}

/// An envelope of the greatest length that is the `number`th of its kind, and is refused only after it was decoded.
pub(crate) fn long_envelope(number: usize) -> Vec<u8> {
    let parts = [r#"{"payload":""#, r#"","protected":"e30","header":{},"signature":"AAAA"}"#];
    let rest = LONGEST - parts[0].len() - parts[1].len();
    let digits = format!("{number:08}");
    format!("{}{digits}{}{}", parts[0], "A".repeat(rest - digits.len()), parts[1]).into_bytes()
}

/// An archive, compressed as well as can be, with these files.
pub(crate) fn archive(path: &Path, files: impl IntoIterator<Item = (String, Vec<u8>)>) {
    let file = fs::File::create(path).unwrap();
    let mut builder = tar::Builder::new(GzEncoder::new(file, Compression::best()));
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, bytes.as_slice()).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap().flush().unwrap();
}

/// The file that says that an archive is a layout.
pub(crate) fn layout_file() -> (String, Vec<u8>) {
    ("oci-layout".to_owned(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec())
}
