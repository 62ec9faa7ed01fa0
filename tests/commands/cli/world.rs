//! A registry with artifacts of every result, and the configuration by which they are judged.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use muster::forge::registry::{EmbeddedRegistry, Options};
use muster::forge::{Artifact, Authority, Key, KeyKind, LeafRequest, SignatureManifest, Signer, Statement};
use serde_json::json;
use tempfile::TempDir;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use super::program::{Finished, Program, muster};

/// When everything is judged.
pub(crate) const AT: &str = "2026-11-23T12:00:00Z";
const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);
const JWS: &str = "application/jose+json";

/// The world. Repositories: `good`, `wrong` (signature of another artifact), `unsigned`, `late` (expired, but only
/// logged), `free` (level skip), `set` (an index of two images, one of them signed).
pub(crate) struct World {
    pub(crate) registry: EmbeddedRegistry,
    folder: TempDir,
    signer: Signer,
}

impl World {
    pub(crate) fn new() -> World {
        let key = |slot| Key::pooled(KeyKind::P256, slot).unwrap();
        let root = Authority::root("C=US, ST=WA, O=wabbit-networks.io, CN=Root", key(0)).unwrap();
        let signer = root.issue(LeafRequest::new("C=US, ST=WA, O=wabbit-networks.io, CN=Builder", key(1)).unwrap());
        let registry = EmbeddedRegistry::start(Options::default()).unwrap();
        let world = World { registry, folder: tempfile::tempdir().unwrap(), signer: signer.unwrap() };
        world.configure(root.certificate());
        for name in ["good", "wrong", "unsigned", "late", "free"] {
            let image = Artifact::image(name);
            world.put(name, Some("v1"), &image);
            let mut statement = Statement::new(image.descriptor().clone(), NOW - Duration::days(2));
            match name {
                "unsigned" | "free" => continue,
                "wrong" => statement.target = Artifact::image("other").descriptor().clone(),
                "late" => statement.expiry = Some(NOW - Duration::days(1)),
                _ => statement = statement.with_metadata([("buildId", "101")]),
            }
            world.sign(name, &image, &statement);
        }
        let images = [Artifact::image("amd64"), Artifact::image("arm64")];
        let index = Artifact::index(&images.each_ref());
        images.iter().for_each(|image| world.put("set", None, image));
        world.put("set", Some("v1"), &index);
        for signed in [&images[0], &index] {
            world.sign("set", signed, &Statement::new(signed.descriptor().clone(), NOW));
        }
        world
    }

    fn configure(&self, root: &[u8]) {
        let host = self.registry.host();
        let statement = |name: &str, scopes: &[String], level: &str| {
            let mut statement =
                json!({ "name": name, "registryScopes": scopes, "signatureVerification": { "level": level } });
            if level != "skip" {
                statement["trustStores"] = json!(["ca:wabbit"]);
                statement["trustedIdentities"] = json!(["x509.subject: C=US, ST=WA, O=wabbit-networks.io"]);
            }
            statement
        };
        let named = |name: &str| format!("{host}/{name}");
        let strict: Vec<_> = ["good", "wrong", "unsigned", "set"].map(named).into();
        let policy = json!({ "version": "1.0", "trustPolicies": [
            statement("strict", &strict, "strict"),
            statement("lenient", &[named("late")], "permissive"),
            statement("open", &[named("free")], "skip"),
        ]});
        let store = self.path("config/truststore/x509/ca/wabbit");
        std::fs::create_dir_all(&store).unwrap();
        std::fs::write(store.join("root.der"), root).unwrap();
        std::fs::write(self.path("config/trustpolicy.json"), policy.to_string()).unwrap();
    }

    pub(crate) fn put(&self, repository: &str, tag: Option<&str>, artifact: &Artifact) {
        for blob in &artifact.blobs {
            self.registry.put_blob(repository, blob.bytes.clone()).unwrap();
        }
        let manifest = &artifact.manifest;
        self.registry.put_manifest(repository, tag, &manifest.descriptor.media_type, manifest.bytes.clone()).unwrap();
    }

    fn sign(&self, repository: &str, artifact: &Artifact, statement: &Statement) {
        let envelope = statement.jws(&self.signer).unwrap().seal().unwrap();
        let form = SignatureManifest::ArtifactType;
        self.put(repository, None, &Artifact::signature(form, artifact.descriptor(), JWS, &envelope, &self.signer));
    }

    /// A path in the folder of this world.
    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `host/name`, as a reference in this registry.
    pub(crate) fn reference(&self, name: &str) -> String {
        format!("{}/{name}", self.registry.host())
    }

    /// Muster in the folder of this world, judging by its configuration as of [`AT`].
    pub(crate) fn muster(&self, arguments: &[&str]) -> Program {
        let mut all = arguments.to_vec();
        all.extend(["--config", "config", "--at", AT]);
        muster(&all).folder(self.folder.path())
    }

    /// What a run left behind, with everything replaced that differs from run to run.
    pub(crate) fn steady(&self, run: Finished) -> String {
        let mut names = BTreeMap::new();
        for name in ["good", "wrong", "unsigned", "late", "free", "other", "amd64", "arm64"] {
            names.insert(Artifact::image(name).descriptor().digest.to_string(), format!("sha256:[{name}]"));
        }
        let index = Artifact::index(&[&Artifact::image("amd64"), &Artifact::image("arm64")]);
        names.insert(index.descriptor().digest.to_string(), "sha256:[set]".to_owned());
        let mut text = run.to_string().replace(&self.registry.host(), "[registry]");
        for (digest, name) in names {
            text = text.replace(&digest, &name);
        }
        steady_digests(&steady_efforts(&text))
    }
}

/// `text` with what a run took replaced: `in 12 ms, …`.
fn steady_efforts(text: &str) -> String {
    let steady = |line: &str| {
        let number = line.strip_prefix("in ").and_then(|rest| rest.chars().next());
        if number.is_some_and(|first| first.is_ascii_digit()) { "in [time]".to_owned() } else { line.to_owned() }
    };
    text.split('\n').map(steady).collect::<Vec<_>>().join("\n")
}

/// `text` with every digest that is left replaced.
pub(crate) fn steady_digests(text: &str) -> String {
    let mut pieces = text.split("sha256:");
    let mut steady = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let hex = piece.bytes().take_while(u8::is_ascii_hexdigit).count();
        steady.push_str("sha256:");
        steady.push_str(if hex == 64 { "[…]" } else { &piece[..hex] });
        steady.push_str(&piece[hex..]);
    }
    steady
}
