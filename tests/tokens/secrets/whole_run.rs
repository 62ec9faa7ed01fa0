//! A whole run under one search: signatures by `muster sign` and by both plugins, a gateway with its key in a token, approvers, and
//! scenarios with tokens and approvals, each with secrets that are right and that are wrong.

use std::fs;
use std::io::Read as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use muster::forge::KeyKind;
use serde_json::json;

use super::behind_gateway::sign_behind_gateway;
use super::watch::Watch;
use crate::bench::{Attempt, Bench, Pin, close_to_others, write_layout};
use crate::pkcs11_plugin::host::Host;
use crate::process::with_shim;

const MUSTER: &str = env!("CARGO_BIN_EXE_muster");
const TOKEN: &str = "t0ken/0f.the~signer+5e2d==";
const API_KEY: &str = "apikey-\"n3w\"-99bb22";
const REFUSED: &str = "apikey-0ld-77aa11";
const APPROVERS_KEY: &str = "apikey-appr0ver-43d0";
const PASSWORD: &str = "pässw0rd \"0f\" the key 31337";
const WRONG_PIN: &str = "f00dfacec0ffee99";

/// Where all of it happens.
pub(super) struct Run<'a> {
    pub(super) bench: Bench<'a>,
    pub(super) secrets: tempfile::TempDir,
    pub(super) watch: Watch,
    proxy: String,
}

impl Run<'_> {
    /// The file of a secret, which is not searched.
    pub(super) fn secret(&self, name: &str) -> String {
        self.secrets.path().join(name).display().to_string()
    }

    /// `muster` as talkative as it gets, with a proxy to which it may show nothing.
    pub(super) fn muster(&self, attempt: &Attempt<'_>, words: &[&str]) -> Command {
        let mut command = self.bench.command(MUSTER, attempt);
        command.args(words);
        self.talkative(command)
    }

    pub(super) fn talkative(&self, mut command: Command) -> Command {
        command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full");
        command.env("MUSTER_STATE", self.bench.folder().join("state"));
        for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
            command.env(name, &self.proxy);
        }
        command
    }

    /// The same with all that a signer shows to a broker in its environment.
    pub(super) fn with_environment(mut command: Command) -> Command {
        command.env("MUSTER_TSB_TOKEN", TOKEN).env("MUSTER_TSB_API_KEY", format!("{REFUSED} {API_KEY}"));
        command.env("MUSTER_TSB_KEY_PASSWORD", PASSWORD);
        command
    }

    /// An approval by each of both.
    #[track_caller]
    pub(super) fn approve(&self, url: &str, id: &str) {
        for person in ["alice.key", "bob.key"] {
            let words = ["approve", id, "--key", person, "--url", url, "--yes", "--api-key-file"];
            let mut command = self.muster(&self.bench.plain("", KeyKind::P256), &words);
            command.arg(self.secret("approvers-key")).arg("--token-file").arg(self.secret("token"));
            let output = self.watch.run(command);
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
    }
}

/// A proxy that writes down what it is shown.
fn proxy() -> (String, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let written = Arc::clone(&seen);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut shown = [0; 4096];
            let count = stream.read(&mut shown).unwrap_or(0);
            written.lock().unwrap().extend_from_slice(&shown[..count]);
        }
    });
    (url, seen)
}

#[test]
fn no_secret_of_a_whole_run_is_found() {
    with_shim("secrets::whole_run::no_secret_of_a_whole_run_is_found", |hsm, module| {
        let bench = Bench::new(hsm, module);
        bench.put(KeyKind::P256, 0, "release", b"1");
        let secrets = tempfile::tempdir().unwrap();
        for (name, content) in [
            ("token", TOKEN.to_owned()),
            ("api-keys", format!("{REFUSED}\n{API_KEY}\n")),
            ("refused", REFUSED.to_owned()),
            ("password", PASSWORD.to_owned()),
            ("approvers-key", APPROVERS_KEY.to_owned()),
            ("wrong-pin", WRONG_PIN.to_owned()),
            ("of-gateway", json!({ "keyOperationToken": [API_KEY], "approverToken": [APPROVERS_KEY] }).to_string()),
        ] {
            let path = secrets.path().join(name);
            fs::write(&path, content).unwrap();
            close_to_others(&path);
        }
        let pin = bench.pin();
        let known = [
            ("the PIN", pin.as_str()),
            ("the wrong PIN", WRONG_PIN),
            ("the token", TOKEN),
            ("the API key", API_KEY),
            ("the API key that is refused", REFUSED),
            ("the API key of approvers", APPROVERS_KEY),
            ("the password", PASSWORD),
        ];
        let watch = Watch::begin(bench.folder(), &known);
        let (proxy, shown) = proxy();
        let run = Run { bench, secrets, watch, proxy };

        sign_in_token(&run);
        sign_behind_gateway(&run);
        play_scenarios(&run);

        assert!(run.watch.secrets() > known.len(), "no PIN of a scenario was seen");
        let programs = run.watch.programs();
        for program in [
            "muster sign",
            "muster gateway",
            "muster approve",
            "muster test",
            "notation-muster-pkcs11 generate-signature",
            "notation-muster-tsb generate-signature",
        ] {
            assert!(programs.contains(program), "{program} was not seen: {programs:?}");
        }
        run.watch.search("what a proxy was shown", &shown.lock().unwrap());
        let found = run.watch.end();
        assert!(found.is_empty(), "{found:#?}");
    });
}

/// By `muster sign`, by the plugin alone, and by `muster sign` through the plugin, with what is for brokers beside it.
fn sign_in_token(run: &Run<'_>) {
    let wrong = run.secrets.path().join("wrong-pin");
    for (given, signs) in [(Pin::File, true), (Pin::Environment, true), (Pin::OtherFile(&wrong), false)] {
        // Slow, so that it is seen.
        let attempt =
            Attempt { pin: given, ..run.bench.attempt("slow-sign", "token=ci;object=release", KeyKind::P256) };
        let (mut command, _) = run.bench.sign_command(&attempt);
        command.arg("--verbose");
        let output = run.watch.run(run.talkative(command));
        assert_eq!(output.status.success(), signs, "{given:?}: {}", String::from_utf8_lossy(&output.stderr));
        let done = run.bench.plugin(&attempt);
        run.watch.search("what the plugin says", done.said.as_bytes());
        assert_eq!(done.signed, signs, "{given:?}: {}", done.said);
    }
    let host = Host::new().closed_to_others();
    let attempt =
        Attempt { pin: Pin::Environment, ..run.bench.attempt("slow-sign", "token=ci;object=release", KeyKind::P256) };
    write_layout(&run.bench.folder().join("through-plugin"));
    let setting = format!("certificate-chain={}", run.bench.chain(KeyKind::P256, 0).display());
    let uri = run.bench.uri(&attempt);
    let words =
        ["sign", "--plugin", "muster-pkcs11", "--id", &uri, "--plugin-config", &setting, "oci:through-plugin:v1"];
    let mut command = Run::with_environment(run.muster(&attempt, &words));
    command.env("NOTATION_LIBEXEC", host.libexec());
    let output = run.watch.run(command);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Scenarios of this project with tokens and approvals, one of which is made to fail, in each form of report.
fn play_scenarios(run: &Run<'_>) {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let wrong = run.bench.folder().join("wrong.yaml");
    let text = fs::read_to_string(project.join("tokens/wrong-pin-and-lock.yaml")).unwrap();
    assert!(text.contains("error: pin-wrong"), "{text}");
    fs::write(&wrong, text.replace("error: pin-wrong", "error: pin-unusable")).unwrap();
    let mut command = Command::new(MUSTER);
    command.arg("test").args([
        "-o",
        "json=report.json",
        "-o",
        "junit=report.xml",
        "-o",
        "ndjson=report.ndjson",
        "-o",
        "table",
    ]);
    command.args([project.join("tokens/wrong-pin-and-lock.yaml"), project.join("tokens/key-deleted.yaml"), wrong]);
    command.args(["01-two-of-three.yaml", "06-rejected.yaml"].map(|name| project.join("approvals").join(name)));
    command.current_dir(run.bench.folder()).env("TMPDIR", run.bench.temporary()).env("HOME", run.bench.folder());
    command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full");
    // It makes tokens of its own.
    for name in ["SOFTHSM2_CONF", "MUSTER_SOFTHSM_FOLDER"] {
        command.env_remove(name);
    }
    let output = run.watch.run(command);
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for report in ["report.json", "report.xml", "report.ndjson"] {
        let report = fs::read_to_string(run.bench.folder().join(report)).unwrap();
        assert!(report.contains("the PIN"), "it does not tell of the failure: {report}");
    }
}
