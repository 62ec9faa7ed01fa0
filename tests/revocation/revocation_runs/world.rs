//! A blob with signatures of two issuers, ours and a tenant's, each with a statement of its own.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster::digest::{Algorithm, Digest};
use muster::forge::{Authority, CrlDraft, CrlEntry, Key, KeyKind, LeafRequest, Statement};
use muster::manifest::Descriptor;
use serde_json::{Value, json};
use tempfile::TempDir;
use time::{Duration, OffsetDateTime};

use super::server::Server;

const BLOB: &[u8] = b"net-monitor, version 1";

pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) server: Server,
    pub(crate) ours: Authority,
    pub(crate) tenants: Authority,
}

/// To the second, as CRLs have it.
pub(crate) fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc().replace_nanosecond(0).unwrap()
}

pub(crate) fn key(slot: usize) -> Key {
    Key::pooled(KeyKind::P256, slot).unwrap()
}

impl World {
    pub(crate) fn new() -> World {
        World::with_tenant("tenant")
    }

    /// A world in which the tenant's authority goes by this name.
    pub(crate) fn with_tenant(organization: &str) -> World {
        let root = |name: &str, slot| Authority::root(&format!("C=US, ST=WA, O={name}, CN=Root"), key(slot)).unwrap();
        let world = World {
            folder: tempfile::tempdir().unwrap(),
            server: Server::start(),
            ours: root("wabbit", 0),
            tenants: root(organization, 1),
        };
        world.write("blob.bin", BLOB);
        let mut statements = Vec::new();
        for (name, authority) in [("wabbit", &world.ours), ("tenant", &world.tenants)] {
            let store = world.path(&format!("config/truststore/x509/ca/{name}"));
            std::fs::create_dir_all(&store).unwrap();
            std::fs::write(store.join("root.der"), authority.certificate()).unwrap();
            statements.push(json!({
                "name": name, "signatureVerification": { "level": "strict" },
                "trustStores": [format!("ca:{name}")], "trustedIdentities": ["*"],
            }));
        }
        let policy = json!({ "version": "1.0", "trustPolicies": statements });
        world.write("config/trustpolicy.blob.json", policy.to_string().as_bytes());
        world
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    /// Signs the blob by `authority` for the statement `name`, with a certificate that names these; its serial number.
    pub(crate) fn sign(&self, name: &str, crls: &[&str], responders: &[&str]) -> Vec<u8> {
        let authority = if name == "tenant" { &self.tenants } else { &self.ours };
        let owned = |paths: &[&str]| paths.iter().map(|path| self.server.url(path)).collect();
        let mut request = LeafRequest::new(&format!("C=US, ST=WA, O={name}, CN=signer"), key(2)).unwrap();
        (request.crl_urls, request.ocsp_urls) = (owned(crls), owned(responders));
        let signer = authority.issue(request).unwrap();
        let digest = Digest::of(Algorithm::Sha256, BLOB);
        let target = Descriptor::new("application/octet-stream", digest, BLOB.len() as u64);
        let statement = Statement::new(target, now() - Duration::days(1));
        self.write(&format!("{name}.jws.sig"), &statement.jws(&signer).unwrap().seal().unwrap());
        muster::pki::Certificate::parse(&signer.chain[0]).unwrap().serial().to_vec()
    }

    /// A CRL of ours with this number that lists these serial numbers.
    pub(crate) fn crl(&self, number: u64, listed: &[&[u8]], change: impl FnOnce(&mut CrlDraft<'_>)) -> Vec<u8> {
        let made = now() - Duration::hours(1);
        let mut draft = CrlDraft::new(&self.ours, made);
        draft.number = Some(number);
        draft.entries = listed.iter().map(|serial| CrlEntry::new(*serial, made)).collect();
        change(&mut draft);
        draft.sign(self.ours.key()).unwrap()
    }

    /// The command that verifies the blob for this statement.
    pub(crate) fn command(&self, name: &str, more: &[&str]) -> Command {
        let kept = ["PATH", "SystemRoot", "TMPDIR", "TEMP", "LLVM_PROFILE_FILE"];
        let kept = kept.into_iter().filter_map(|name| std::env::var_os(name).map(|value| (name, value)));
        let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
        command.env_clear().envs(kept).current_dir(self.folder.path());
        command.env("NOTATION_CONFIG", "config").env("NOTATION_CACHE", "cache").env("HOME", "/nonexistent");
        let signature = format!("{name}.jws.sig");
        command.args(["blob", "verify", "--signature", &signature, "--policy-name", name, "-o", "ndjson"]);
        command.args(more).arg("blob.bin").stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// The result and the code that the program tells.
    #[track_caller]
    pub(crate) fn verify(&self, name: &str, more: &[&str]) -> String {
        told(&self.command(name, more).output().unwrap())
    }

    /// The cached CRL of the address, as notation keeps it.
    pub(crate) fn cached(&self, path: &str) -> PathBuf {
        self.path("cache/crl").join(Digest::sha256(self.server.url(path).as_bytes()).hex())
    }

    /// Puts a CRL into the cache.
    pub(crate) fn cache(&self, path: &str, crl: &[u8]) {
        std::fs::create_dir_all(self.path("cache/crl")).unwrap();
        std::fs::write(self.cached(path), format!("{{\"baseCRL\":\"{}\"}}", STANDARD.encode(crl))).unwrap();
    }
}

#[track_caller]
pub(crate) fn told(output: &std::process::Output) -> String {
    let stdout = String::from_utf8_lossy(&output.stdout);
    let report: Value = serde_json::from_str(stdout.lines().next().unwrap_or_default())
        .unwrap_or_else(|error| panic!("{error}: {stdout}{}", String::from_utf8_lossy(&output.stderr)));
    match report["code"].as_str() {
        Some(code) => format!("{} {code}", report["result"].as_str().unwrap()),
        None => report["result"].as_str().unwrap().to_owned(),
    }
}
