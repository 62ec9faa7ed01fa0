//! A bench to sign on: a token, a layout with an artifact, a trust policy, and both programs that sign, each a process of its own
//! with the manners of the shim that a test asks for.

#![allow(dead_code, reason = "tests of several kinds sign on it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster::forge::softhsm::{KeyPlace, SoftHsm, SoftToken};
use muster::forge::{Artifact, KeyKind, LeafRequest};
use muster::pki::{Certificate, PublicKey};
use muster::signer::Environment;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::shim;
use crate::world::{LEAF, issuing, key, pem, trust};

/// How a PIN reaches the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pin<'a> {
    /// `pin-source=file:` of the token's own file.
    File,
    /// `pin-source=file:` of another.
    OtherFile(&'a Path),
    /// `MUSTER_PKCS11_PIN`.
    Environment,
    /// Not at all.
    None,
}

/// What a program is to sign with, and how.
#[derive(Debug, Clone)]
pub(crate) struct Attempt<'a> {
    /// Of the shim, with commas between; `None` to load the real module.
    pub(crate) manners: Option<&'a str>,
    /// Another module than the real one and the shim.
    pub(crate) module: Option<&'a Path>,
    /// The path of the URI: `token=ci;object=release`.
    pub(crate) path: String,
    pub(crate) kind: KeyKind,
    /// A file; the plugin may do without, where the token has the certificates.
    pub(crate) chain: Option<PathBuf>,
    pub(crate) pin: Pin<'a>,
}

/// What a program did.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    /// All that it printed.
    pub(crate) said: String,
    /// Whether there is a signature that verifies.
    pub(crate) signed: bool,
}

impl Done {
    #[track_caller]
    pub(crate) fn signs(&self) {
        assert!(self.signed && self.code == Some(0), "{:?}: {}", self.code, self.said);
    }

    #[track_caller]
    pub(crate) fn refuses(&self, words: &str) {
        assert!(!self.signed && self.code != Some(0), "signed, though it should say {words:?}: {}", self.said);
        assert!(self.said.contains(words), "it should say {words:?}: {}", self.said);
    }
}

/// The bench.
pub(crate) struct Bench<'a> {
    /// The real module.
    real: PathBuf,
    shim: PathBuf,
    pin_file: PathBuf,
    /// What the real module wants in the environment.
    environment: Vec<(&'static str, PathBuf)>,
    soft: Option<(&'a SoftHsm, SoftToken)>,
    serial: String,
    folder: TempDir,
    layouts: AtomicUsize,
}

impl<'a> Bench<'a> {
    /// With an empty token of SoftHSM called `ci`.
    pub(crate) fn new(hsm: &'a SoftHsm, shim: &Path) -> Bench<'a> {
        let token = hsm.token("ci").unwrap();
        let environment = hsm.environment().to_vec();
        let mut bench = Bench::on(hsm.module(), token.pin_file(), environment);
        bench.shim = shim.to_owned();
        // Asked once: this process sees the token no more while others log in.
        bench.serial = crate::hsm::mid_run::serial(hsm, &token);
        bench.soft = Some((hsm, token));
        bench
    }

    /// With another module and its token.
    pub(crate) fn on(real: &Path, pin_file: &Path, environment: Vec<(&'static str, PathBuf)>) -> Bench<'a> {
        let folder = tempfile::tempdir().unwrap();
        trust(folder.path());
        fs::create_dir(folder.path().join("temporary")).unwrap();
        Bench {
            real: real.to_owned(),
            shim: PathBuf::new(),
            pin_file: pin_file.to_owned(),
            environment,
            soft: None,
            serial: String::new(),
            folder,
            layouts: AtomicUsize::new(0),
        }
    }

    /// Has the root in this file trusted instead.
    pub(crate) fn trust(&self, root: &Path) {
        fs::copy(root, self.folder.path().join("truststore/x509/ca/acme/root.der")).unwrap();
    }

    /// The token of SoftHSM.
    pub(crate) fn token(&self) -> &SoftToken {
        &self.soft.as_ref().unwrap().1
    }

    /// A folder for what a test writes, and for what the programs are started in.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The folder that the programs have for temporary files.
    pub(crate) fn temporary(&self) -> PathBuf {
        self.folder.path().join("temporary")
    }

    /// The file of calls that the shim writes.
    pub(crate) fn log(&self) -> PathBuf {
        self.folder.path().join("calls")
    }

    /// The serial number of the token, which SoftHSM draws at random.
    pub(crate) fn serial(&self) -> &str {
        &self.serial
    }

    /// The PIN, to look for it.
    pub(crate) fn pin(&self) -> String {
        fs::read_to_string(&self.pin_file).unwrap()
    }

    /// Puts a key of the world into the token.
    pub(crate) fn put(&self, kind: KeyKind, slot: usize, label: &str, id: &[u8]) {
        self.token().import_at(&key(kind, slot), &KeyPlace { label, id, public_half: true }).unwrap();
    }

    /// The same without the public half.
    pub(crate) fn put_private(&self, kind: KeyKind, slot: usize, label: &str, id: &[u8]) {
        self.token().import_at(&key(kind, slot), &KeyPlace { label, id, public_half: false }).unwrap();
    }

    /// The certificates for a key of the world: leaf, intermediate, root.
    pub(crate) fn certificates(&self, kind: KeyKind, slot: usize) -> Vec<Vec<u8>> {
        issuing().issue(LeafRequest::new(LEAF, key(kind, slot)).unwrap()).unwrap().chain
    }

    /// A file with them.
    pub(crate) fn chain(&self, kind: KeyKind, slot: usize) -> PathBuf {
        let path = self.folder.path().join(format!("{}-{slot}.pem", kind.word()));
        if !path.exists() {
            fs::write(&path, pem(&self.certificates(kind, slot))).unwrap();
        }
        path
    }

    /// With the shim, and all else as it should be.
    pub(crate) fn attempt<'b>(&self, manners: &'b str, path: &str, kind: KeyKind) -> Attempt<'b> {
        let chain = Some(self.chain(kind, 0));
        Attempt { manners: Some(manners), module: None, path: path.to_owned(), kind, chain, pin: Pin::File }
    }

    /// With the real module.
    pub(crate) fn plain(&self, path: &str, kind: KeyKind) -> Attempt<'static> {
        Attempt { manners: None, ..self.attempt("", path, kind) }
    }

    /// The URI of an attempt.
    pub(crate) fn uri(&self, attempt: &Attempt<'_>) -> String {
        let module = attempt.module.unwrap_or(if attempt.manners.is_some() { &self.shim } else { &self.real });
        let pin = match attempt.pin {
            Pin::File => format!("&pin-source=file:{}", self.pin_file.display()),
            Pin::OtherFile(path) => format!("&pin-source=file:{}", path.display()),
            Pin::Environment | Pin::None => String::new(),
        };
        format!("pkcs11:{}?module-path={}{pin}", attempt.path, module.display())
    }

    /// A program with the environment of an attempt.
    pub(crate) fn command(&self, program: &str, attempt: &Attempt<'_>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).env("NOTATION_CONFIG", self.folder.path());
        command.env("TMPDIR", self.temporary()).env("HOME", self.folder.path());
        command.env_remove(Environment::MODULE).env_remove(Environment::PIN);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.env(shim::REAL, &self.real).env(shim::MANNERS, attempt.manners.unwrap_or_default());
        command.env(shim::PIN_FILE, &self.pin_file).env(shim::LOG, self.log());
        command.env(shim::LOCK, self.folder.path().join("only-one"));
        command.env(shim::TURNS, self.folder.path().join("turns"));
        if attempt.pin == Pin::Environment {
            command.env(Environment::PIN, self.pin());
        }
        command
    }

    /// `muster sign` on a layout of its own, ready to start, and the layout's name.
    pub(crate) fn sign_command(&self, attempt: &Attempt<'_>) -> (Command, String) {
        let number = self.layouts.fetch_add(1, Ordering::Relaxed);
        let layout = format!("layout-{number}");
        write_layout(&self.folder.path().join(&layout));
        let target = format!("oci:{layout}:v1");
        let mut command = self.command(env!("CARGO_BIN_EXE_muster"), attempt);
        command.args(["sign", "--key", &self.uri(attempt)]);
        if let Some(chain) = &attempt.chain {
            command.arg("--certificate-chain").arg(chain);
        }
        command.arg(&target);
        (command, target)
    }

    /// What `muster sign` did in the end: whoever says that he signed has left a signature that verifies, and nobody else any.
    #[track_caller]
    pub(crate) fn judged(&self, output: &Output, target: &str) -> Done {
        let said = said(output);
        let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
        command.current_dir(self.folder.path()).env("NOTATION_CONFIG", self.folder.path());
        let verified = command.args(["verify", target, "--scope", "example.com/app"]).output().unwrap();
        let signed = verified.status.success();
        assert_eq!(signed, output.status.success(), "{said}\n{}", self::said(&verified));
        Done { code: output.status.code(), said, signed }
    }

    /// Has `muster sign` sign.
    #[track_caller]
    pub(crate) fn sign(&self, attempt: &Attempt<'_>) -> Done {
        let (mut command, target) = self.sign_command(attempt);
        self.judged(&command.output().unwrap(), &target)
    }

    /// Asks `notation-muster-pkcs11` for the key and for a signature, as notation does.
    #[track_caller]
    pub(crate) fn plugin(&self, attempt: &Attempt<'_>) -> Done {
        const PAYLOAD: &[u8] = b"what is to be signed";
        let settings = attempt.chain.as_ref().map_or(json!({}), |chain| json!({ "certificate-chain": chain }));
        let mut request = json!({ "contractVersion": "1.0", "keyId": self.uri(attempt), "pluginConfig": settings });
        let described = self.ask("describe-key", attempt, &request);
        if !described.status.success() {
            return Done { code: described.status.code(), said: said(&described), signed: false };
        }
        let answer: Value = serde_json::from_slice(&described.stdout).unwrap();
        let (spec, hash) = words(attempt.kind);
        assert_eq!(answer["keySpec"], spec);
        request["keySpec"] = json!(spec);
        request["hashAlgorithm"] = json!(hash);
        request["payload"] = json!(STANDARD.encode(PAYLOAD));
        let output = self.ask("generate-signature", attempt, &request);
        let signed = output.status.success();
        if signed {
            let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
            let bytes = |value: &Value| STANDARD.decode(value.as_str().unwrap()).unwrap();
            let leaf = bytes(&answer["certificateChain"][0]);
            let key = PublicKey::new(Certificate::parse(&leaf).unwrap().subject_key()).unwrap();
            assert!(key.verify(PAYLOAD, &bytes(&answer["signature"])).is_ok(), "{answer}");
        }
        Done { code: output.status.code(), said: said(&output), signed }
    }

    fn ask(&self, question: &str, attempt: &Attempt<'_>, request: &Value) -> Output {
        use std::io::Write as _;
        let mut command = self.command(env!("CARGO_BIN_EXE_notation-muster-pkcs11"), attempt);
        command.arg(question).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(request.to_string().as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }
}

/// How the plugin contract calls a kind of key and its hash.
fn words(kind: KeyKind) -> (&'static str, &'static str) {
    match kind {
        KeyKind::Rsa2048 => ("RSA-2048", "SHA-256"),
        KeyKind::Rsa3072 => ("RSA-3072", "SHA-384"),
        KeyKind::Rsa4096 => ("RSA-4096", "SHA-512"),
        KeyKind::P256 => ("EC-256", "SHA-256"),
        KeyKind::P384 => ("EC-384", "SHA-384"),
        KeyKind::P521 => ("EC-521", "SHA-512"),
    }
}

/// All that a program printed.
pub(crate) fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A layout with one artifact, called `v1`.
pub(crate) fn write_layout(folder: &Path) {
    fs::create_dir_all(folder.join("blobs/sha256")).unwrap();
    fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    let image = Artifact::image("app");
    for blob in image.blobs.iter().chain([&image.manifest]) {
        fs::write(folder.join("blobs/sha256").join(blob.descriptor.digest.hex()), &blob.bytes).unwrap();
    }
    let descriptor = image.descriptor();
    let index = json!({ "schemaVersion": 2, "manifests": [{
        "mediaType": descriptor.media_type, "digest": descriptor.digest, "size": descriptor.size,
        "annotations": { "org.opencontainers.image.ref.name": "v1" },
    }] });
    fs::write(folder.join("index.json"), index.to_string()).unwrap();
}

/// A private key as a PEM file has it.
pub(crate) fn pem_of_key(pkcs8: &[u8]) -> String {
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(pkcs8))
}

/// Takes the right to read a file from all but its owner.
#[cfg(unix)]
pub(crate) fn close_to_others(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}
