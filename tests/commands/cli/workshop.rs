//! Keys, their certificates and a configuration to sign and verify with, beside a registry of any kind.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster::digest::Digest;
use muster::forge::registry::{EmbeddedRegistry, Flavour, Options};
use muster::forge::{Artifact, Authority, Key, KeyKind, LeafRequest, Validity};
use serde_json::json;
use tempfile::TempDir;
use time::macros::datetime;

use super::program::{Finished, Program, muster};

/// `signingkeys.json` knows a key of every kind by the kind's name, `lapsed`, `stranger` (the chain of another key) and
/// `plugged` (behind a plugin). The default is `ec-p256`.
pub(crate) struct Workshop {
    pub(crate) registry: EmbeddedRegistry,
    folder: TempDir,
}

fn pem(label: &str, ders: &[Vec<u8>]) -> String {
    let block = |der: &Vec<u8>| format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der));
    ders.iter().map(block).collect()
}

impl Workshop {
    pub(crate) fn new(flavour: Flavour) -> Workshop {
        let registry = EmbeddedRegistry::start(Options { flavour, ..Options::default() }).unwrap();
        let workshop = Workshop { registry, folder: tempfile::tempdir().unwrap() };
        let key = |kind, slot| Key::pooled(kind, slot).unwrap();
        let root = Authority::root("C=US, ST=WA, O=wabbit-networks.io, CN=Root", key(KeyKind::P256, 0)).unwrap();
        let store = workshop.path("config/truststore/x509/ca/wabbit");
        std::fs::create_dir_all(&store).unwrap();
        std::fs::write(store.join("root.der"), root.certificate()).unwrap();
        let policy = json!({ "version": "1.0", "trustPolicies": [{
            "name": "all", "registryScopes": ["*"], "signatureVerification": { "level": "strict" },
            "trustStores": ["ca:wabbit"], "trustedIdentities": ["x509.subject: C=US, ST=WA, O=wabbit-networks.io"],
        }]});
        std::fs::write(workshop.path("config/trustpolicy.json"), policy.to_string()).unwrap();

        let mut listed = Vec::new();
        let mut list = |name: &str, key: &Key, validity: Validity, certified: &Key| {
            let subject = format!("C=US, ST=WA, O=wabbit-networks.io, CN={name}");
            let mut request = LeafRequest::new(&subject, certified.clone()).unwrap();
            request.validity = validity;
            let signer = root.issue(request).unwrap();
            let (key_file, chain_file) = (format!("{name}.key"), format!("{name}.crt"));
            std::fs::write(workshop.path(&key_file), pem("PRIVATE KEY", &[key.pkcs8().unwrap()])).unwrap();
            std::fs::write(workshop.path(&chain_file), pem("CERTIFICATE", &signer.chain)).unwrap();
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                let private = std::fs::Permissions::from_mode(0o600);
                std::fs::set_permissions(workshop.path(&key_file), private).unwrap();
            }
            listed.push(json!({ "name": name, "keyPath": key_file, "certPath": chain_file }));
        };
        for kind in KeyKind::ALL {
            list(kind.word(), &key(kind, 1), Validity::default(), &key(kind, 1));
        }
        let past = Validity { not_after: datetime!(2021-01-01 0:00 UTC), ..Validity::default() };
        list("lapsed", &key(KeyKind::P256, 2), past, &key(KeyKind::P256, 2));
        list("stranger", &key(KeyKind::P256, 3), Validity::default(), &key(KeyKind::P256, 4));
        listed.push(json!({ "name": "plugged", "id": "x", "pluginName": "azure-kv" }));
        workshop.list_keys(&json!({ "default": "ec-p256", "keys": listed }).to_string());
        workshop
    }

    pub(crate) fn list_keys(&self, list: &str) {
        std::fs::write(self.path("config/signingkeys.json"), list).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts an image under the tag `v1`, and says what it is called by digest.
    pub(crate) fn image(&self, repository: &str) -> String {
        let image = Artifact::image(repository);
        self.put(repository, Some("v1"), &image);
        format!("{}@{}", self.repository(repository), image.descriptor().digest)
    }

    pub(crate) fn put(&self, repository: &str, tag: Option<&str>, artifact: &Artifact) -> Digest {
        for blob in &artifact.blobs {
            self.registry.put_blob(repository, blob.bytes.clone()).unwrap();
        }
        let manifest = &artifact.manifest;
        let media_type = &manifest.descriptor.media_type;
        self.registry.put_manifest(repository, tag, media_type, manifest.bytes.clone()).unwrap()
    }

    pub(crate) fn repository(&self, name: &str) -> String {
        format!("{}/{name}", self.registry.host())
    }

    /// Muster in the folder of this workshop, with its configuration.
    pub(crate) fn muster(&self, arguments: &[&str]) -> Program {
        muster(arguments).folder(self.folder.path()).env("NOTATION_CONFIG", "config")
    }

    /// Runs it, and expects this exit code.
    #[track_caller]
    pub(crate) fn expect(&self, code: i32, arguments: &[&str]) -> Finished {
        let run = self.muster(arguments).run();
        assert_eq!(run.code, Some(code), "muster {}\n{run}", arguments.join(" "));
        run
    }

    /// The signatures that `muster list` shows.
    #[track_caller]
    pub(crate) fn listed(&self, arguments: &[&str]) -> Vec<String> {
        let run = self.expect(0, &[&["list"], arguments].concat());
        let leaves = run.stdout.lines().filter_map(|line| line.split_once("── sha256:"));
        leaves.map(|(_, hex)| format!("sha256:{hex}")).collect()
    }

    /// What a run left behind, with everything replaced that differs from run to run.
    pub(crate) fn steady(&self, run: Finished, names: &[&str]) -> String {
        let mut text = run.to_string().replace(&self.registry.host(), "[registry]");
        for name in names {
            let digest = Artifact::image(name).descriptor().digest.to_string();
            text = text.replace(&digest, &format!("sha256:[{name}]"));
        }
        super::world::steady_digests(&text)
    }
}
