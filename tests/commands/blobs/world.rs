//! A folder with a blob, keys, and a configuration in which statements about blobs stand.

use std::path::PathBuf;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster::digest::{Algorithm, Digest};
use muster::envelope::Format;
use muster::forge::{Authority, Key, KeyKind, LeafRequest, Signer, Statement, Validity};
use muster::manifest::Descriptor;
use serde_json::{Value, json};
use tempfile::TempDir;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

/// When blobs of [`World::signature`] are signed and judged.
pub(crate) const AT: &str = "2026-11-23T12:00:00Z";
pub(crate) const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);
pub(crate) const BLOB: &[u8] = b"net-monitor, version 1";
pub(crate) const OCTETS: &str = "application/octet-stream";

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The blob is `blob.bin`; a key of every kind lies in `KIND.key` and `KIND.crt`. The default key is `ec-p256`.
pub(crate) struct World {
    folder: TempDir,
    root: Authority,
}

fn key(kind: KeyKind, slot: usize) -> Key {
    Key::pooled(kind, slot).unwrap()
}

fn pem(label: &str, ders: &[Vec<u8>]) -> String {
    let block = |der: &Vec<u8>| format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der));
    ders.iter().map(block).collect()
}

/// A statement about blobs by this name, with `more` members in it.
pub(crate) fn statement(name: &str, level: &str, more: Value) -> Value {
    let mut statement = json!({
        "name": name, "signatureVerification": { "level": level },
        "trustStores": ["ca:wabbit"], "trustedIdentities": ["x509.subject: C=US, ST=WA, O=wabbit-networks.io"],
    });
    statement.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    statement
}

impl World {
    pub(crate) fn new() -> World {
        World::with_root_key(0)
    }

    /// The same names, with another root.
    pub(crate) fn with_root_key(slot: usize) -> World {
        let root = Authority::root("C=US, ST=WA, O=wabbit-networks.io, CN=Root", key(KeyKind::P256, slot)).unwrap();
        let world = World { folder: tempfile::tempdir().unwrap(), root };
        let store = world.path("config/truststore/x509/ca/wabbit");
        std::fs::create_dir_all(&store).unwrap();
        std::fs::write(store.join("root.der"), world.root.certificate()).unwrap();
        world.write("blob.bin", BLOB);
        let skip = json!({ "name": "unsigned tools", "signatureVerification": { "level": "skip" } });
        world.policy(&[
            statement("releases", "strict", json!({ "globalPolicy": true })),
            statement("strangers", "strict", json!({ "trustedIdentities": ["x509.subject: C=US, ST=WA, O=acme"] })),
            statement("tolerant", "audit", json!({})),
            skip,
        ]);
        let listed = KeyKind::ALL.map(|kind| {
            let (name, signer) = (kind.word(), world.signer(kind));
            world.write(&format!("{name}.key"), pem("PRIVATE KEY", &[key(kind, 1).pkcs8().unwrap()]).as_bytes());
            world.write(&format!("{name}.crt"), pem("CERTIFICATE", &signer.chain).as_bytes());
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                let private = std::fs::Permissions::from_mode(0o600);
                std::fs::set_permissions(world.path(&format!("{name}.key")), private).unwrap();
            }
            json!({ "name": name, "keyPath": format!("{name}.key"), "certPath": format!("{name}.crt") })
        });
        let keys = json!({ "default": "ec-p256", "keys": listed });
        world.write("config/signingkeys.json", keys.to_string().as_bytes());
        world
    }

    pub(crate) fn policy(&self, statements: &[Value]) {
        let policy = json!({ "version": "1.0", "trustPolicies": statements });
        self.write("config/trustpolicy.blob.json", policy.to_string().as_bytes());
    }

    pub(crate) fn signer(&self, kind: KeyKind) -> Signer {
        self.signer_valid(kind, Validity::default())
    }

    pub(crate) fn signer_valid(&self, kind: KeyKind, validity: Validity) -> Signer {
        let subject = format!("C=US, ST=WA, O=wabbit-networks.io, CN={}", kind.word());
        let mut request = LeafRequest::new(&subject, key(kind, 1)).unwrap();
        request.validity = validity;
        self.root.issue(request).unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    /// Puts a JWS that `signer` made into `signed.jws.sig`.
    pub(crate) fn signature(&self, signer: &Signer, said: &Statement) {
        self.write("signed.jws.sig", &said.jws(signer).unwrap().seal().unwrap());
    }

    /// Verifies the blob by `signed.jws.sig`, at [`AT`].
    #[track_caller]
    pub(crate) fn verify(&self, code: i32, more: &[&str]) -> Finished {
        let verify = ["blob", "verify", "--signature", "signed.jws.sig", "--at", AT, "blob.bin"];
        self.expect(code, &[&verify, more].concat())
    }

    /// The code of the failure that the report of a verification names.
    #[track_caller]
    pub(crate) fn code(&self, exit: i32, more: &[&str]) -> String {
        let run = self.verify(exit, &[&["-o", "ndjson"], more].concat());
        let artifact: Value = serde_json::from_str(&run.stdout).unwrap();
        artifact["code"].as_str().unwrap_or("none").to_owned()
    }

    /// Runs the program in the folder, and expects this exit code.
    #[track_caller]
    pub(crate) fn expect(&self, code: i32, arguments: &[&str]) -> Finished {
        let kept = ["PATH", "SystemRoot", "TMPDIR", "TEMP", "LLVM_PROFILE_FILE"];
        let kept = kept.into_iter().filter_map(|name| std::env::var_os(name).map(|value| (name, value)));
        let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
        command.env_clear().envs(kept).args(arguments).current_dir(self.folder.path());
        let output = command.env("NOTATION_CONFIG", "config").env("HOME", "/nonexistent").output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let run = Finished { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) };
        assert_eq!(run.code, Some(code), "muster {}\n{}\n{}", arguments.join(" "), run.stdout, run.stderr);
        run
    }
}

/// That `blob` was signed as octets yesterday, with the digest of `algorithm`.
pub(crate) fn said(blob: &[u8], algorithm: Algorithm) -> Statement {
    let target = Descriptor::new(OCTETS, Digest::of(algorithm, blob), blob.len() as u64);
    Statement::new(target, NOW - Duration::days(1))
}

/// The end of the name of a signature in `format`.
pub(crate) fn ending(format: Format) -> &'static str {
    match format {
        Format::Jws => "jws",
        Format::Cose => "cose",
    }
}
