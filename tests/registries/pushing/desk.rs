//! A key with its certificates in files, `muster sign` with it, and what can be asked of a registry afterwards.

use std::fmt;
use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster::digest::Digest;
use muster::forge::registry::{EmbeddedRegistry, Flavour, Options};
use muster::forge::{Artifact, Authority, Key, KeyKind, LeafRequest};
use serde_json::Value;
use tempfile::TempDir;

use crate::hosted::front::Front;
use crate::registry_answers::mock::{Reply, Request};

/// The repository of these tests, which has an image under the tag `v1`.
pub(super) const REPOSITORY: &str = "team/app";

pub(super) struct Desk(TempDir);

/// What a run of Muster left behind.
pub(super) struct Run {
    pub(super) code: Option<i32>,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[exit {:?}]\n{}{}", self.code, self.stdout, self.stderr)
    }
}

impl Run {
    /// The digest of the signature that was pushed, as it is said.
    pub(super) fn pushed(&self) -> Option<Digest> {
        let line = self.stdout.lines().find(|line| line.starts_with("Pushed the signature to "))?;
        line.rsplit_once('@')?.1.parse().ok()
    }
}

fn pem(label: &str, ders: &[Vec<u8>]) -> String {
    let block = |der: &Vec<u8>| format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der));
    ders.iter().map(block).collect()
}

impl Desk {
    pub(super) fn new() -> Desk {
        let folder = tempfile::tempdir().unwrap();
        let key = |slot| Key::pooled(KeyKind::P256, slot).unwrap();
        let root = Authority::root("C=US, ST=WA, O=wabbit-networks.io, CN=Root", key(0)).unwrap();
        let subject = "C=US, ST=WA, O=wabbit-networks.io, CN=builder";
        let signer = root.issue(LeafRequest::new(subject, key(1)).unwrap()).unwrap();
        let write = |name: &str, text: String| std::fs::write(folder.path().join(name), text).unwrap();
        write("builder.key", pem("PRIVATE KEY", &[key(1).pkcs8().unwrap()]));
        write("builder.crt", pem("CERTIFICATE", &signer.chain));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let private = std::fs::Permissions::from_mode(0o600);
            std::fs::set_permissions(folder.path().join("builder.key"), private).unwrap();
        }
        Desk(folder)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
        command
            .args(arguments)
            .current_dir(self.0.path())
            .env("NOTATION_CONFIG", self.0.path())
            .env("HOME", self.0.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Begins `muster sign` of the image at `host`.
    pub(super) fn begin(&self, host: &str, options: &[&str]) -> Child {
        let target = format!("{host}/{REPOSITORY}@{}", Artifact::image("app").descriptor().digest);
        let key = ["sign", "--key", "builder.key", "--certificate-chain", "builder.crt"];
        self.command(&[&key[..], options, &[&target]].concat()).spawn().unwrap()
    }

    pub(super) fn end(child: Child) -> Run {
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Run { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Signs the image at `host`, and expects this exit code.
    #[track_caller]
    pub(super) fn sign(&self, host: &str, code: i32, options: &[&str]) -> Run {
        let run = Desk::end(self.begin(host, options));
        assert_eq!(run.code, Some(code), "{run}");
        assert_eq!(run.stdout.contains("Successfully signed"), code == 0, "{run}");
        run
    }

    /// The signatures that `muster list` finds of the image at `host`.
    pub(super) fn listed(&self, host: &str) -> Vec<Digest> {
        let target = format!("{host}/{REPOSITORY}@{}", Artifact::image("app").descriptor().digest);
        let run = Desk::end(self.command(&["list", &target]).spawn().unwrap());
        assert_eq!(run.code, Some(0), "{run}");
        let leaves = run.stdout.lines().filter_map(|line| line.split_once("── sha256:"));
        leaves.map(|(_, hex)| format!("sha256:{hex}").parse().unwrap()).collect()
    }
}

/// Puts the image into a registry.
pub(super) fn fill(registry: &EmbeddedRegistry) {
    let image = Artifact::image("app");
    for blob in &image.blobs {
        registry.put_blob(REPOSITORY, blob.bytes.clone()).unwrap();
    }
    let manifest = &image.manifest;
    registry.put_manifest(REPOSITORY, Some("v1"), &manifest.descriptor.media_type, manifest.bytes.clone()).unwrap();
}

/// The referrers tag of the image.
pub(super) fn tag() -> String {
    Artifact::image("app").descriptor().digest.referrers_tag()
}

/// A registry without the referrers API, with a front that has habits.
pub(super) fn without_api(
    before: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static,
    after: impl Fn(&Request, Reply) -> Reply + Send + Sync + 'static,
) -> Front {
    let options = Options { flavour: Flavour::WithoutReferrers, ..Options::default() };
    Front::before(options, fill, before, after)
}

/// What is under a name of the repository, if anything is.
pub(super) fn manifest(host: &str, name: &str) -> Option<Value> {
    let url = format!("http://{host}/v2/{REPOSITORY}/manifests/{name}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        let answer = client.get(url).send().await.unwrap();
        let found = answer.status().is_success();
        let body = answer.bytes().await.unwrap();
        found.then(|| serde_json::from_slice(&body).unwrap())
    })
}

/// What the index under the referrers tag lists.
pub(super) fn under_tag(host: &str) -> Vec<Digest> {
    let index = manifest(host, &tag()).unwrap_or_default();
    let entries = index["manifests"].as_array().cloned().unwrap_or_default();
    entries.iter().map(|entry| entry["digest"].as_str().unwrap().parse().unwrap()).collect()
}

/// Whether a request puts something under the referrers tag.
pub(super) fn puts_tag(request: &Request) -> bool {
    request.method == "PUT" && request.path().ends_with(&format!("/manifests/{}", tag()))
}

/// Whether a request puts a manifest by its digest.
pub(super) fn puts_by_digest(request: &Request) -> bool {
    request.method == "PUT" && request.path().contains("/manifests/sha256:")
}

/// An answer with an error body.
pub(super) fn refusal(status: u16, code: &str, message: &str) -> Reply {
    let body = serde_json::json!({ "errors": [{ "code": code, "message": message }] });
    Reply::new(status, body.to_string()).header("Content-Type", "application/json")
}
