//! `muster gateway` and `muster approve` as people use them: the page about approvals, with signatures asked for over HTTP.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use muster::signer::tsb::TsbSettings;
use muster::tsb::{self, KeyPolicy, RequestState, RequestStatus};
use serde_json::{Value, json};
use tempfile::TempDir;

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn muster(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    muster(folder, arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A gateway in a process of its own, killed at the end.
struct Process {
    child: Child,
    url: String,
}

impl Process {
    fn start(folder: &Path, arguments: &[&str]) -> Process {
        let arguments = [&["gateway"][..], arguments, &["--port", "0"]].concat();
        let mut child = muster(folder, &arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut first).unwrap();
        let url = first.split_whitespace().find(|word| word.starts_with("http://"));
        let Some(url) = url.map(str::to_owned) else {
            let mut said = String::new();
            child.stderr.as_mut().unwrap().read_to_string(&mut said).unwrap();
            panic!("{first}{said}");
        };
        Process { child, url }
    }

    /// What it said on standard error until it was ended.
    fn end(mut self) -> String {
        self.child.kill().unwrap();
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        said
    }

    async fn ask(&self, key: &str, payload: &[u8], metadata: &Value, headers: &[(&str, &str)]) -> (u16, Value) {
        let body = json!({"signRequest": {"payload": STANDARD.encode(payload), "signKeyName": key,
            "metaData": STANDARD.encode(metadata.to_string()), "signatureAlgorithm": "SHA256_WITH_ECDSA"}});
        let mut request = super::bench::client().post(format!("{}{}", self.url, tsb::SIGN)).body(body.to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
    }

    async fn state(&self, id: &str) -> RequestState {
        let url = format!("{}{}/{id}", self.url, tsb::REQUEST);
        let answer = super::bench::client().get(url).send().await.unwrap();
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn payload() -> Vec<u8> {
    let target = json!({"targetArtifact": {"mediaType": "application/x", "digest": DIGEST, "size": 7}});
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}", part(r#"{"alg":"ES256"}"#), part(&target.to_string())).into_bytes()
}

fn made() -> TempDir {
    let folder = TempDir::new().unwrap();
    let init = run(folder.path(), &["gateway", "init", "demo", "--approvers", "alice,bob,carol", "--quorum", "2"]);
    assert!(init.status.success(), "{}", text(&init.stderr));
    folder
}

#[test]
fn the_list_of_keys_leads_to_the_gateway() {
    let folder = made();
    let list: Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("demo/signingkeys.json")).unwrap()).unwrap();
    assert_eq!((list["default"].as_str(), list["keys"][0]["name"].as_str()), (Some("release"), Some("release")));
    let settings = TsbSettings::from_uri(list["keys"][0]["keyPath"].as_str().unwrap()).unwrap();
    assert_eq!((settings.key.as_str(), settings.url.as_str()), ("release", "http://127.0.0.1:7403/"));
    let demo = folder.path().canonicalize().unwrap().join("demo");
    assert_eq!(settings.approvers, Some(demo.join("policy.json")));
    assert_eq!(list["keys"][0]["certPath"].as_str(), demo.join("release.crt").to_str());
}

#[tokio::test]
async fn two_people_approve_by_hand() {
    let folder = made();
    let gateway = Process::start(folder.path(), &["demo"]);
    let metadata = json!({"reference": "r.example/app:v1\u{1b}[2J", "digest": DIGEST});
    let (status, answer) = gateway.ask("release", &payload(), &metadata, &[]).await;
    assert_eq!(status, 201, "{answer}");
    let id = answer["signRequestId"].as_str().unwrap();
    let approve = |name: &str, rest: &[&str]| {
        let key = format!("demo/approvers/{name}.key");
        run(folder.path(), &[&["approve", "--url", &gateway.url, "--key", &key][..], rest].concat())
    };
    let listed = text(&approve("alice", &["--list"]).stdout);
    assert!(listed.contains(id) && listed.contains(DIGEST) && !listed.contains('\u{1b}'), "{listed}");
    let asked = approve("alice", &[id]);
    assert_eq!(asked.status.code(), Some(2));
    assert!(text(&asked.stderr).contains("--yes"), "{}", text(&asked.stderr));
    assert_eq!(gateway.state(id).await.approved_by, [""; 0], "nobody has answered");
    let approved = approve("alice", &[id, "--yes"]);
    let shown = text(&approved.stdout);
    assert!(approved.status.success() && shown.ends_with("Approved.\n"), "{shown}{}", text(&approved.stderr));
    assert!(shown.contains(&format!("Artifact   {DIGEST}")) && !shown.contains('\u{1b}'), "{shown}");
    assert_eq!(text(&approved.stderr), "", "its key is its own");
    assert_eq!(approve("alice", &[id, "--yes"]).status.code(), Some(1));
    assert_eq!(gateway.state(id).await.status, RequestStatus::Pending);
    assert!(approve("carol", &[id, "--yes"]).status.success());
    let state = gateway.state(id).await;
    assert_eq!(state.status, RequestStatus::Executed);
    assert!(!state.result.unwrap().is_empty());
    let said = gateway.end();
    for word in ["\"alice\" approves", "\"carol\" approves", "is EXECUTED", id] {
        assert!(said.contains(word), "{said}");
    }
}

#[tokio::test]
async fn a_signer_who_says_another_digest_is_not_approved() {
    let folder = made();
    let gateway = Process::start(folder.path(), &["demo"]);
    let other = json!({"digest": DIGEST.replace('e', "f")});
    let (_, answer) = gateway.ask("release", &payload(), &other, &[]).await;
    let id = answer["signRequestId"].as_str().unwrap();
    let arguments = ["approve", id, "--url", &gateway.url, "--key", "demo/approvers/bob.key", "--yes"];
    let refused = run(folder.path(), &arguments);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("nothing is approved"), "{}", text(&refused.stderr));
    assert_eq!(gateway.state(id).await.approved_by, [""; 0]);
    let rejected = run(folder.path(), &[&arguments[..], &["--reject"]].concat());
    assert!(rejected.status.success(), "{}", text(&rejected.stderr));
    assert_eq!(gateway.state(id).await.rejected_by.len(), 1);
}

#[tokio::test]
async fn secrets_come_from_files_and_are_told_to_nobody() {
    let folder = made();
    std::fs::write(folder.path().join("token"), "t0ken-s3cret\n").unwrap();
    std::fs::write(
        folder.path().join("keys.json"),
        r#"{"keyOperationToken":["k3y-s3cret"],"approverToken":["appr0ve"]}"#,
    )
    .unwrap();
    std::fs::write(folder.path().join("approver"), "appr0ve\n").unwrap();
    let gateway = Process::start(folder.path(), &["demo", "--token-file", "token", "--api-keys", "keys.json"]);
    let (status, _) = gateway.ask("release", &payload(), &json!({}), &[]).await;
    assert_eq!(status, 401);
    let headers = [("Authorization", "Bearer t0ken-s3cret"), ("X-API-KEY", "k3y-s3cret")];
    let (status, answer) = gateway.ask("release", &payload(), &json!({}), &headers).await;
    assert_eq!(status, 201, "{answer}");
    let arguments = ["approve", "--list", "--url", &gateway.url, "--key", "demo/approvers/bob.key"];
    assert_eq!(run(folder.path(), &arguments).status.code(), Some(3));
    let listed = run(folder.path(), &[&arguments[..], &["--api-key-file", "approver"]].concat());
    assert!(listed.status.success() && !listed.stdout.is_empty(), "{}", text(&listed.stderr));
    let said = gateway.end();
    assert!(said.contains("has come in") && !said.contains("s3cret") && !said.contains("appr0ve"), "{said}");
}

#[test]
fn what_is_made_is_readable_by_its_owner_and_replaced_by_nothing() {
    let folder = made();
    #[cfg(unix)]
    for key in ["release.key", "approvers/alice.key"] {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(folder.path().join("demo").join(key)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{key}");
    }
    let policy = std::fs::read(folder.path().join("demo/policy.json")).unwrap();
    let policy: KeyPolicy = serde_json::from_slice(&policy).unwrap();
    assert_eq!(policy.rule_use.unwrap().tokens[0].groups[0].approvals.len(), 3);
    let again = run(folder.path(), &["gateway", "init", "demo"]);
    assert_eq!(again.status.code(), Some(2));
    assert!(text(&again.stderr).contains("exists already"), "{}", text(&again.stderr));
    let valid = run(folder.path(), &["policy", "check", "demo/trustpolicy.json"]);
    assert!(valid.status.success(), "{}", text(&valid.stderr));
    for wrong in [
        &["--quorum", "4"][..],
        &["--approvers", "a,a"],
        &["--approvers", "../x"],
        &["--timeout", "90s"],
        &["--port", "0"],
    ] {
        let refused = run(folder.path(), &[&["gateway", "init", "other"][..], wrong].concat());
        assert_eq!(refused.status.code(), Some(2), "{wrong:?}");
        assert!(!folder.path().join("other").exists());
    }
    std::fs::write(folder.path().join("policy.json"), r#"{"ruleUsage": null}"#).unwrap();
    let arguments = ["gateway", "--key", "release=demo/release.key", "--policy", "policy.json"];
    let refused = run(folder.path(), &arguments);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("ruleUsage"), "{}", text(&refused.stderr));
}
