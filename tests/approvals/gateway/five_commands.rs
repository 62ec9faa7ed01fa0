//! The five commands of docs/approvals.md, as they stand there, on a registry of this machine: from nothing to an image that two
//! people approved and that passes.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use muster::forge::registry::{EmbeddedRegistry, Options};
use tempfile::TempDir;

/// The address that the page names.
const NAMED: &str = "registry.example.com";
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// The commands of the page, for this registry, image and port.
fn commands(registry: &str, digest: &str, port: u16) -> Vec<Vec<String>> {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/approvals.md")).unwrap();
    let lines = page.lines().filter_map(|line| line.strip_prefix("    muster "));
    let word = |word: &str| {
        let word = word.replace(NAMED, registry);
        word.split_once("@sha256:").map(|(name, _)| format!("{name}@{digest}")).unwrap_or(word)
    };
    lines
        .map(|line| {
            let mut words: Vec<String> = line.split_whitespace().map(word).collect();
            // Tests run at once, so that this one has a port of its own; and there is no terminal to be asked at.
            match words[0].as_str() {
                "gateway" => words.extend(["--port".to_owned(), port.to_string()]),
                "approve" => words.extend([format!("--url=http://127.0.0.1:{port}"), "--yes".to_owned()]),
                _ => {}
            }
            words
        })
        .collect()
}

fn muster(folder: &Path, words: &[String]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
    command.args(words).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env("HOME", folder).env("XDG_CONFIG_HOME", folder);
    command
}

fn run(folder: &Path, words: &[String]) -> Output {
    muster(folder, words).output().unwrap()
}

fn successful(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_stranger_gets_to_a_signed_image_with_two_approvers() {
    let registry = EmbeddedRegistry::start(Options::default()).unwrap();
    let config = registry.put_blob("app", &b"{}"[..]).unwrap();
    let manifest = serde_json::json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": config.to_string(), "size": 2}, "layers": []});
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let digest = registry.put_manifest("app", Some("v1"), media_type, manifest.to_string().into_bytes()).unwrap();
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let commands = commands(&registry.host(), &digest.to_string(), port);
    let [init, gateway, sign, approvals @ ..] = commands.as_slice() else { panic!("{commands:?}") };
    assert_eq!(approvals.len(), 2, "five commands: {commands:?}");

    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    successful(&run(folder, init));
    let mut gateway = Running(muster(folder, gateway).spawn().unwrap());
    let mut first = String::new();
    BufReader::new(gateway.0.stdout.as_mut().unwrap()).read_line(&mut first).unwrap();
    assert!(first.contains(&format!("http://127.0.0.1:{port}")), "{first}");
    let signing = muster(folder, sign).spawn().unwrap();
    let listed =
        ["approve", "--list", "--key", "demo/approvers/alice.key", "--url", &format!("http://127.0.0.1:{port}")];
    let begun = Instant::now();
    let request = loop {
        let listed = successful(&run(folder, &listed.map(str::to_owned)));
        if let Some(request) = listed.split_whitespace().next() {
            break request.to_owned();
        }
        assert!(begun.elapsed() < PATIENCE, "nothing is asked of alice");
        std::thread::sleep(Duration::from_millis(100));
    };
    for approval in approvals {
        let approval: Vec<String> = approval.iter().map(|word| word.replace("REQUEST", &request)).collect();
        assert!(successful(&run(folder, &approval)).contains(&digest.to_string()));
    }
    let signed = successful(&signing.wait_with_output().unwrap());
    assert!(signed.contains("Successfully signed"), "{signed}");
    let image = format!("{}/app@{digest}", registry.host());
    let verify = ["verify", "--config", "demo", &image].map(str::to_owned);
    assert!(successful(&run(folder, &verify)).contains("Successfully verified"));
}
