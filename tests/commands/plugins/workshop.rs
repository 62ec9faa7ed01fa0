//! Plugins made of shell scripts, signatures that ask for them, and the verdict on one.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use muster::digest::Digest;
use muster::evidence::{Discovery, Envelope, Evidence, Signature, Signatures};
use muster::failure::Code;
use muster::forge::{Artifact, Attribute, Authority, JwsDraft, Key, KeyKind, LeafRequest, Signer, Statement};
use muster::pki::Certificate;
use muster::plugin::PluginConfig;
use muster::plugin_host::{PluginDirectory, PluginHost, ProcessHost};
use muster::policy::{TrustPolicy, Validation};
use muster::trust_store::{StoreName, StoreType, TrustStores};
use muster::verify::{Check, Need, Options, Outcome, Verdict, decide};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::datetime;

pub(crate) const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);
pub(crate) const PLUGIN: &str = "io.cncf.notary.verificationPlugin";
pub(crate) const MINIMUM: &str = "io.cncf.notary.verificationPluginMinVersion";
pub(crate) const IDENTITY: &str = "SIGNATURE_VERIFIER.TRUSTED_IDENTITY";
pub(crate) const REVOCATION: &str = "SIGNATURE_VERIFIER.REVOCATION_CHECK";
pub(crate) const NAME: &str = "com.example.checker";

/// A folder of plugins.
pub(crate) struct Plugins {
    folder: tempfile::TempDir,
}

impl Plugins {
    pub(crate) fn new() -> Plugins {
        Plugins { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Installs `script` as the plugin `name`. Each of its processes leaves its number in `pids` beside it. The file is
    /// written by a process of its own: one that this process held open, a fork of another test would keep busy.
    pub(crate) fn install(&self, name: &str, script: &str) {
        let folder = self.path(&format!("plugins/{name}"));
        let write = r#"umask 022; mkdir -p "$1" && cat > "$1/notation-$2" && chmod 755 "$1/notation-$2""#;
        let mut shell = Command::new("sh");
        shell.args(["-c", write, "sh"]).arg(&folder).arg(name).stdin(Stdio::piped());
        let mut child = shell.spawn().unwrap();
        let script = format!("#!/bin/sh\nhere=$(dirname \"$0\")\necho $$ >> \"$here/pids\"\n{script}\n");
        child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
    }

    /// Installs the plugin [`NAME`] with these answers.
    pub(crate) fn answering(metadata: &Value, answer: &str) -> Plugins {
        let plugins = Plugins::new();
        plugins.install(NAME, &script(metadata, answer));
        plugins
    }

    pub(crate) fn programs(&self, deadline: Duration) -> Arc<ProcessHost> {
        Arc::new(ProcessHost::new(PluginDirectory::new(self.folder.path()), deadline))
    }

    /// How many processes were started as [`NAME`].
    pub(crate) fn started(&self) -> usize {
        self.groups().len()
    }

    fn groups(&self) -> Vec<u32> {
        let pids = fs::read_to_string(self.path(&format!("plugins/{NAME}/pids"))).unwrap_or_default();
        pids.lines().map(|pid| pid.parse().unwrap()).collect()
    }

    /// Nothing is left of any process group that was started.
    #[track_caller]
    pub(crate) fn assert_nothing_left(&self) {
        let groups = self.groups();
        let patience = Instant::now();
        while groups.iter().any(|group| alive(*group)) {
            assert!(patience.elapsed() < Duration::from_secs(5), "processes of a plugin are left");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Whether a process of this group runs; the dead that nobody has buried yet do not count.
fn alive(group: u32) -> bool {
    fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let mut fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        let (state, _, of) = (fields.next(), fields.next(), fields.next());
        of == Some(&group.to_string()) && !matches!(state, Some("Z" | "X"))
    })
}

pub(crate) fn metadata(capabilities: &[&str]) -> Value {
    json!({
        "name": NAME, "description": "checks", "version": "1.2.3", "url": "https://example.com",
        "supportedContractVersions": ["1.0"], "capabilities": capabilities,
    })
}

/// A script that tells `metadata`, and does `answer` when it is asked to verify.
pub(crate) fn script(metadata: &Value, answer: &str) -> String {
    format!(
        "case \"$1\" in\nget-plugin-metadata)\ncat > \"$here/request-$1\"\ncat <<'END'\n{metadata}\nEND\n;;\n*)\n{answer}\n;;\nesac"
    )
}

/// What a script does to keep its request and print `answer`.
pub(crate) fn print(answer: &Value) -> String {
    format!("cat > \"$here/request-$1\"\ncat <<'END'\n{answer}\nEND")
}

/// An answer in which every capability is fine and these attributes were processed.
pub(crate) fn fine(capabilities: &[&str], processed: &[&str]) -> Value {
    let results: BTreeMap<_, _> = capabilities.iter().map(|name| (*name, json!({ "success": true }))).collect();
    json!({ "verificationResults": results, "processedAttributes": processed })
}

fn key(slot: usize) -> Key {
    Key::pooled(KeyKind::P256, slot).unwrap()
}

/// A signature, and by what it is judged.
pub(crate) struct Case {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) policy: Value,
    pub(crate) config: PluginConfig,
    pub(crate) user_metadata: BTreeMap<String, String>,
    pub(crate) deadline: Duration,
    pub(crate) trusted: bool,
    pub(crate) change: fn(&mut JwsDraft),
    pub(crate) expiry: Option<OffsetDateTime>,
}

impl Case {
    /// A sound signature that asks for the plugin [`NAME`], under the level strict.
    pub(crate) fn new() -> Case {
        Case {
            attributes: vec![critical(PLUGIN, NAME)],
            policy: json!({
                "name": "all", "registryScopes": ["*"], "signatureVerification": { "level": "strict" },
                "trustStores": ["ca:acme"], "trustedIdentities": ["x509.subject: C=US, ST=WA, O=acme"],
            }),
            config: PluginConfig::new(),
            user_metadata: BTreeMap::new(),
            deadline: Duration::from_secs(20),
            trusted: true,
            change: |_| {},
            expiry: None,
        }
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Case)) -> Case {
        change(&mut self);
        self
    }

    pub(crate) fn level(self, level: &str) -> Case {
        self.with(|case| case.policy["signatureVerification"] = json!({ "level": level }))
    }

    pub(crate) fn signer() -> &'static (Authority, Signer) {
        static SIGNER: LazyLock<(Authority, Signer)> = LazyLock::new(|| {
            let root = Authority::root("C=US, ST=WA, O=acme, CN=root", key(1)).unwrap();
            let leaf = LeafRequest::new("C=US, ST=WA, O=acme, CN=signer", key(0)).unwrap();
            let signer = root.issue(leaf).unwrap();
            (root, signer)
        });
        &SIGNER
    }

    /// The evidence, with the signature in it.
    pub(crate) fn evidence(&self) -> Evidence {
        let mut statement = Statement::new(Artifact::image("app").descriptor().clone(), NOW - time::Duration::DAY);
        statement.attributes = self.attributes.clone();
        statement.expiry = self.expiry;
        let mut draft = statement.jws(&Case::signer().1).unwrap();
        (self.change)(&mut draft);
        evidence("application/jose+json", draft.seal().unwrap())
    }

    pub(crate) fn decide(&self, evidence: &Evidence) -> Outcome {
        let document = json!({ "version": "1.0", "trustPolicies": [self.policy] }).to_string();
        let policy = TrustPolicy::parse(document.as_bytes(), "policy.json").unwrap();
        let (root, _) = Case::signer();
        let other = Authority::root("C=US, CN=other", key(2)).unwrap();
        let root = if self.trusted { root } else { &other };
        let store = StoreName::new(StoreType::Ca, "acme").unwrap();
        let certificate = Certificate::parse(root.certificate()).unwrap();
        let stores = TrustStores::from_certificates(HashMap::from([(store, vec![certificate])]));
        let mut options = Options::new(stores);
        options.user_metadata = self.user_metadata.clone();
        options.plugin_config = self.config.clone();
        decide(evidence, &policy, &options, NOW)
    }

    /// The verdict, with the plugins asked as long as something is lacking.
    pub(crate) fn judge(&self, plugins: &Plugins) -> Judged {
        let begun = Instant::now();
        let outcome = self.settle(self.evidence(), &*plugins.programs(self.deadline));
        plugins.assert_nothing_left();
        Judged { outcome, took: begun.elapsed() }
    }

    pub(crate) fn settle(&self, mut evidence: Evidence, host: &dyn PluginHost) -> Outcome {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        for _ in 0..4 {
            let outcome = self.decide(&evidence);
            if outcome.pending.needs.is_empty() {
                return outcome;
            }
            for need in outcome.pending.needs {
                let Need::Plugin(question) = need else { panic!("{need:?}") };
                let answer = runtime.block_on(host.ask(&question));
                evidence.plugins.record(question, answer);
            }
        }
        panic!("something is still lacking");
    }
}

pub(crate) fn evidence(media_type: &str, envelope: Vec<u8>) -> Evidence {
    let envelope = Envelope { media_type: media_type.to_owned(), bytes: envelope.into() };
    let manifest = Digest::sha256(b"signature");
    Evidence::new(
        "registry.io/app",
        Artifact::image("app").descriptor().clone(),
        Ok(Signatures {
            found: vec![Signature { manifest, discovery: Discovery::Listed, envelope: Ok(envelope) }],
            more: false,
            doubt: None,
            foreign: None,
        }),
    )
}

pub(crate) fn critical(name: &str, value: &str) -> Attribute {
    Attribute { name: name.to_owned(), value: value.to_owned(), critical: true }
}

/// An outcome, and how long it took.
pub(crate) struct Judged {
    pub(crate) outcome: Outcome,
    pub(crate) took: Duration,
}

impl Judged {
    /// Undecided, for this reason; hands back the message.
    #[track_caller]
    pub(crate) fn undecided(&self, code: Code) -> &str {
        self.is(Verdict::Error, Some(code))
    }

    #[track_caller]
    pub(crate) fn is(&self, verdict: Verdict, code: Option<Code>) -> &str {
        let failure = self.outcome.failure.as_ref();
        assert_eq!((self.outcome.verdict, failure.map(|f| f.code)), (verdict, code), "{:#?}", self.outcome);
        let message = failure.map_or("", |failure| failure.message.as_str());
        assert!(!message.contains(char::is_control) && message.len() < 2000, "{message:?}");
        message
    }

    pub(crate) fn check(&self, validation: Validation) -> &Check {
        self.outcome.signatures[0].checks.iter().find(|check| check.validation == validation).unwrap()
    }

    /// The five results as words.
    pub(crate) fn row(&self) -> String {
        let results: Vec<_> = self.outcome.signatures[0].checks.iter().map(|check| check.result.as_str()).collect();
        results.join(" ")
    }
}
