//! An artifact in a layout, a key at a gateway whose clock is moved, and two ways to have the one signed by the other.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster::forge::gateway::{Gateway, GatewayClock, GatewaySetup, RequestRecord};
use muster::forge::{Artifact, Key, pem};
use muster::pki::Chain;
use muster::plugin::{hash_algorithm, key_spec};
use muster::sign::{SignRequest, UnsignedEnvelope};
use muster::signer::approver::{Approver, ApproverError, ApproversBroker, TaskKind};
use muster::tsb::{self, KeyPolicy};
use serde_json::{Value, json};
use tempfile::TempDir;
use time::OffsetDateTime;

use crate::gateway::bench::{START, person};
use crate::world;

/// How something is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// By `muster sign`.
    Command,
    /// By the plugin.
    Plugin,
}

pub(crate) struct Bench {
    pub(crate) gateway: Gateway,
    pub(crate) folder: TempDir,
    chain: Vec<Vec<u8>>,
    runtime: tokio::runtime::Runtime,
}

/// How signing ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) success: bool,
    /// The error code of the contract; of `muster sign` none.
    pub(crate) code: Option<String>,
    /// Everything that was said.
    pub(crate) said: String,
    pub(crate) metadata: Value,
}

impl Bench {
    pub(crate) fn new(key: &Key, policy: Option<KeyPolicy>) -> Bench {
        Bench::with(GatewaySetup { clock: GatewayClock::Moved(START), ..GatewaySetup::default() }, key, policy)
    }

    pub(crate) fn with(setup: GatewaySetup, key: &Key, policy: Option<KeyPolicy>) -> Bench {
        let gateway = Gateway::start(setup).unwrap();
        let leaf = muster::forge::LeafRequest::new(world::LEAF, key.clone()).unwrap();
        let chain = world::issuing().issue(leaf).unwrap().chain;
        gateway.add_key("release", key.clone(), Some(chain.clone()), policy).unwrap();
        let folder = TempDir::new().unwrap();
        world::trust(&folder.path().join("config"));
        let pems: Vec<u8> = chain.iter().flat_map(|der| pem("CERTIFICATE", der)).collect();
        fs::write(folder.path().join("release.crt"), pems).unwrap();
        layout(&folder.path().join("layout"));
        let runtime = tokio::runtime::Runtime::new().unwrap();
        Bench { gateway, folder, chain, runtime }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn at(&self, seconds: i64) {
        self.gateway.set_time(START + time::Duration::seconds(seconds));
    }

    /// The key in one word.
    pub(crate) fn uri(&self, more: &str) -> String {
        format!("tsb:release?url={}&certificate-chain=release.crt&poll=100ms{more}", self.gateway.url())
    }

    /// `muster` in the folder, with nothing of this process's environment that would lead elsewhere.
    pub(crate) fn muster(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        command.env("NOTATION_CONFIG", self.path("config")).env("MUSTER_STATE", self.path("state"));
        command
    }

    pub(crate) fn sign(&self, more: &str, arguments: &[&str]) -> Command {
        let uri = self.uri(more);
        let mut all = vec!["sign", "--key", &uri, "oci:layout:app"];
        all.extend(arguments);
        self.muster(&all)
    }

    /// The one request that there is, once there is one.
    pub(crate) fn requested(&self) -> RequestRecord {
        self.requested_or_ended(None)
    }

    fn requested_or_ended(&self, mut child: Option<&mut Child>) -> RequestRecord {
        for _ in 0..1200 {
            if let Some(request) = self.gateway.requests().into_iter().next() {
                return request;
            }
            if let Some(child) = child.as_deref_mut() {
                assert!(child.try_wait().unwrap().is_none(), "it ended before it asked");
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("nothing was asked");
    }

    pub(crate) fn approve(&self, who: &Approver, id: &str) -> Result<(), ApproverError> {
        let broker = ApproversBroker::new(self.gateway.url()).unwrap();
        self.runtime.block_on(async {
            let tasks = who.tasks(&broker, TaskKind::Sign, self.gateway.now(), Some(id)).await?;
            let Some(task) = tasks.first() else { return Err(ApproverError::NotToBeSigned) };
            who.approve(&broker, task).await
        })
    }

    /// Has another message approved, and sends that approval as one of the request `id`; the error is the status.
    pub(crate) fn replay(&self, who: &Approver, id: &str) -> Result<(), u16> {
        let (broker, now) = (ApproversBroker::new(self.gateway.url()).unwrap(), self.gateway.now());
        let http = crate::gateway::bench::client();
        self.runtime.block_on(async {
            let other = crate::gateway::bench::sign_request("release", b"another message");
            let asked = http.post(format!("{}{}", self.gateway.url(), tsb::SIGN)).body(other.to_string());
            assert_eq!(asked.send().await.unwrap().status().as_u16(), 201);
            let other = self.gateway.requests().into_iter().next_back().unwrap().id;
            let task = who.tasks(&broker, TaskKind::Sign, now, Some(id)).await.unwrap().remove(0);
            let others = who.tasks(&broker, TaskKind::Sign, now, Some(&other)).await.unwrap().remove(0);
            let mut approval = who.approval(&others).unwrap();
            approval.id = task.id;
            let body = serde_json::to_vec(&approval).unwrap();
            let sent = http.post(format!("{}{}", self.gateway.url(), tsb::APPROVAL)).body(body).send().await.unwrap();
            let status = sent.status().as_u16();
            if status < 400 { Ok(()) } else { Err(status) }
        })
    }

    pub(crate) fn reject(&self, number: usize, id: &str) {
        let (broker, who) = (ApproversBroker::new(self.gateway.url()).unwrap(), person(number));
        self.runtime.block_on(async {
            let tasks = who.tasks(&broker, TaskKind::Sign, self.gateway.now(), Some(id)).await.unwrap();
            who.reject(&broker, &tasks[0]).await.unwrap();
        });
    }

    /// Signs in that way, and has `play` done once there is a request.
    pub(crate) fn run(&self, way: Way, timeout: &str, play: impl FnOnce(&RequestRecord)) -> Ended {
        match way {
            Way::Command => {
                let child = self.sign(&format!("&timeout={timeout}"), &[]);
                self.played(child, None, play)
            }
            Way::Plugin => {
                let digest = Artifact::image("app");
                let request = SignRequest::new(digest.descriptor().clone(), OffsetDateTime::now_utc());
                let chain = Chain::parse_code_signing(&self.chain).unwrap();
                let unsigned = UnsignedEnvelope::prepare(&chain, &request).unwrap();
                let kind = chain.signing_key().kind();
                let question = json!({
                    "contractVersion": "1.0", "keyId": "release", "keySpec": key_spec(kind),
                    "hashAlgorithm": hash_algorithm(kind), "payload": STANDARD.encode(unsigned.message()),
                    "pluginConfig": { "url": self.gateway.url(), "poll": "100ms", "timeout": timeout,
                        "certificate-chain": self.path("release.crt") },
                });
                let mut command = Command::new(env!("CARGO_BIN_EXE_notation-muster-tsb"));
                command.arg("generate-signature").current_dir("/");
                let ended = self.played(command, Some(&question), play);
                if ended.success {
                    let answer: Value = serde_json::from_str(&ended.said).unwrap();
                    assert_eq!(answer["keyId"], "release");
                    let signature = STANDARD.decode(answer["signature"].as_str().unwrap()).unwrap();
                    let attachment = unsigned.signed(signature).finish(None).unwrap();
                    self.attach(&attachment);
                }
                ended
            }
        }
    }

    fn played(&self, mut command: Command, input: Option<&Value>, play: impl FnOnce(&RequestRecord)) -> Ended {
        let stdin = if input.is_some() { Stdio::piped() } else { Stdio::null() };
        let mut child = command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
            stdin.write_all(input.to_string().as_bytes()).unwrap();
        }
        play(&self.requested_or_ended(Some(&mut child)));
        Ended::of(&child.wait_with_output().unwrap(), input.is_some())
    }

    /// Signs where nothing is asked that could be played.
    pub(crate) fn refused(&self, way: Way) -> Ended {
        match way {
            Way::Command => Ended::of(&self.sign("&timeout=30s", &[]).output().unwrap(), false),
            Way::Plugin => {
                let question = json!({
                    "contractVersion": "1.0", "keyId": "release", "keySpec": "EC-256", "hashAlgorithm": "SHA-256",
                    "payload": "YQ==", "pluginConfig": { "url": self.gateway.url(), "timeout": "30s" },
                });
                let mut command = Command::new(env!("CARGO_BIN_EXE_notation-muster-tsb"));
                command.arg("generate-signature").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
                let mut child = command.spawn().unwrap();
                child.stdin.take().unwrap().write_all(question.to_string().as_bytes()).unwrap();
                Ended::of(&child.wait_with_output().unwrap(), true)
            }
        }
    }

    /// Puts a signature beside the artifact, as a host does.
    fn attach(&self, attachment: &muster::source::Attachment) {
        let layout = self.path("layout");
        for content in attachment.blobs.iter().chain([&attachment.manifest]) {
            let name = content.descriptor.digest.hex().to_string();
            fs::write(layout.join("blobs/sha256").join(name), &content.bytes).unwrap();
        }
        let mut index: Value = serde_json::from_slice(&fs::read(layout.join("index.json")).unwrap()).unwrap();
        let manifest = &attachment.manifest.descriptor;
        index["manifests"].as_array_mut().unwrap().push(json!({
            "mediaType": manifest.media_type, "digest": manifest.digest, "size": manifest.size,
            "artifactType": manifest.artifact_type,
        }));
        fs::write(layout.join("index.json"), index.to_string()).unwrap();
    }

    /// How many signatures the artifact has, and whether it verifies.
    pub(crate) fn verdict(&self) -> (usize, bool) {
        let listed = self.muster(&["list", "oci:layout:app"]).output().unwrap();
        let listed = String::from_utf8(listed.stdout).unwrap();
        let arguments = ["verify", "--scope", "registry.example.com/app", "oci:layout:app"];
        let verified = self.muster(&arguments).output().unwrap();
        let said = String::from_utf8_lossy(&verified.stdout).into_owned() + &String::from_utf8_lossy(&verified.stderr);
        let passed = verified.status.success();
        assert!(passed || said.contains("no signature is associated") || said.contains("unsigned"), "{said}");
        let count = listed.matches("sha256:").count();
        (count.saturating_sub(1), passed)
    }

    /// The files that are kept of requests.
    pub(crate) fn kept(&self) -> usize {
        fs::read_dir(self.path("state/requests")).into_iter().flatten().count()
    }
}

impl Ended {
    fn of(output: &Output, plugin: bool) -> Ended {
        let (out, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let mut ended = Ended {
            success: output.status.success(),
            code: None,
            said: format!("{out}{errors}"),
            metadata: Value::Null,
        };
        if plugin && !ended.success {
            assert_eq!(out, "", "a plugin that fails says so on standard error alone");
            let error: Value = serde_json::from_str(&errors).unwrap();
            ended.code = Some(error["errorCode"].as_str().unwrap().to_owned());
            ended.said = error["errorMessage"].as_str().unwrap().to_owned();
            ended.metadata = error["errorMetadata"].clone();
        } else if plugin {
            assert_eq!(errors, "", "a plugin that signs says nothing else");
        }
        ended
    }
}

fn layout(folder: &Path) {
    fs::create_dir_all(folder.join("blobs/sha256")).unwrap();
    fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    let image = Artifact::image("app");
    for blob in image.blobs.iter().chain([&image.manifest]) {
        fs::write(folder.join("blobs/sha256").join(blob.descriptor.digest.hex()), &blob.bytes).unwrap();
    }
    let descriptor = image.descriptor();
    let index = json!({ "schemaVersion": 2, "manifests": [{
        "mediaType": descriptor.media_type, "digest": descriptor.digest, "size": descriptor.size,
        "annotations": { "org.opencontainers.image.ref.name": "app" },
    }]});
    fs::write(folder.join("index.json"), index.to_string()).unwrap();
}
