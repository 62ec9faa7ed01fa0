//! `muster gateway` as a process of its own, and `muster` beside it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use muster::tsb::{self, RequestState};
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

pub(crate) fn muster(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    command
}

pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Output {
    muster(folder, arguments).output().unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A gateway in a process of its own, killed at the end.
pub(crate) struct Process {
    child: Child,
    pub(crate) url: String,
}

impl Process {
    /// Starts one that is refused as wrongly used; gives what it says.
    pub(crate) fn refused(folder: &Path, arguments: &[&str]) -> String {
        let (mut process, first) = Process::spawn(folder, arguments);
        assert_eq!(first, "", "it starts: {arguments:?}");
        assert_eq!(process.child.wait().unwrap().code(), Some(2));
        process.said()
    }

    pub(crate) fn start(folder: &Path, arguments: &[&str]) -> Process {
        let (mut process, first) = Process::spawn(folder, arguments);
        let url = first.split_whitespace().find(|word| word.starts_with("http://"));
        let Some(url) = url.map(str::to_owned) else { panic!("{first}{}", process.said()) };
        process.url = url;
        process
    }

    /// Starts it, and gives the first line that it prints.
    fn spawn(folder: &Path, arguments: &[&str]) -> (Process, String) {
        let arguments = [&["gateway"][..], arguments, &["--port", "0"]].concat();
        let mut child = muster(folder, &arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut first).unwrap();
        (Process { child, url: String::new() }, first)
    }

    /// What it said on standard error until it ended by itself.
    fn said(&mut self) -> String {
        let mut said = String::new();
        self.child.stderr.as_mut().unwrap().read_to_string(&mut said).unwrap();
        said
    }

    /// What it said on standard error until it had said all of these words, after which it is ended.
    pub(crate) fn end(mut self, words: &[&str]) -> String {
        let said = Arc::new(Mutex::new(String::new()));
        let (mut stderr, heard) = (self.child.stderr.take().unwrap(), Arc::clone(&said));
        let reader = std::thread::spawn(move || {
            let mut part = [0; 1 << 12];
            while let Ok(length @ 1..) = stderr.read(&mut part) {
                heard.lock().unwrap().push_str(&String::from_utf8_lossy(&part[..length]));
            }
        });
        let begun = Instant::now();
        while let Some(word) = words.iter().find(|word| !said.lock().unwrap().contains(**word)) {
            assert!(begun.elapsed() < PATIENCE, "{word} is not said: {}", said.lock().unwrap());
            std::thread::sleep(Duration::from_millis(20));
        }
        self.child.kill().unwrap();
        reader.join().unwrap();
        said.lock().unwrap().clone()
    }

    pub(crate) async fn ask(
        &self,
        key: &str,
        payload: &[u8],
        metadata: &Value,
        headers: &[(&str, &str)],
    ) -> (u16, Value) {
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

    pub(crate) async fn state(&self, id: &str) -> RequestState {
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

pub(crate) fn payload() -> Vec<u8> {
    let target = json!({"targetArtifact": {"mediaType": "application/x", "digest": DIGEST, "size": 7}});
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}", part(r#"{"alg":"ES256"}"#), part(&target.to_string())).into_bytes()
}

pub(crate) fn made() -> TempDir {
    let folder = TempDir::new().unwrap();
    let init = run(folder.path(), &["gateway", "init", "demo", "--approvers", "alice,bob,carol", "--quorum", "2"]);
    assert!(init.status.success(), "{}", text(&init.stderr));
    folder
}
