//! What is left of a process that ends with a core: none of one that holds a PIN or a private key.

#![cfg(unix)]

use std::fs;
use std::io::Read as _;
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use muster::forge::KeyKind;
use serde_json::json;

use super::search::{Secret, files_below, wait_for_signing};
use crate::bench::Bench;
use crate::process::with_shim;
use crate::world::key;

/// `command`, with the right to leave a core of any size.
fn with_cores(command: &Command) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "ulimit -c unlimited 2>/dev/null; exec \"$@\"", "sh"]);
    shell.arg(command.get_program()).args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        shell.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell
}

fn cores_in(folder: &Path) -> Vec<PathBuf> {
    let is_core = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().contains("core");
    files_below(folder).into_iter().filter(is_core).collect()
}

/// Whether a process that ends so leaves a core where it was started: the system may hand cores to a program, or write none.
fn cores_are_written() -> bool {
    let folder = tempfile::tempdir().unwrap();
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "ulimit -c unlimited 2>/dev/null; kill -ABRT $$"]).current_dir(folder.path());
    shell.stderr(Stdio::null()).status().unwrap();
    !cores_in(folder.path()).is_empty()
}

/// Ends the process as a crash does, and asserts that it left no core, and the secret nowhere.
#[track_caller]
fn crashes_without_core(mut child: Child, secret: &Secret, folder: &Path) {
    let id = rustix::process::Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    rustix::process::kill_process(id, rustix::process::Signal::ABORT).unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.signal(), Some(rustix::process::Signal::ABORT.as_raw()), "{status}");
    assert!(!status.core_dumped(), "a core was written");
    assert_eq!(cores_in(folder), Vec::<PathBuf>::new());
    secret.is_nowhere_below(folder);
}

const NOT_WRITTEN: &str = "this system writes no cores to files (see `ulimit -Hc` and /proc/sys/kernel/core_pattern)";

#[test]
fn no_core_holds_a_pin() {
    const NAME: &str = "secrets::cores::no_core_holds_a_pin";
    if !cores_are_written() {
        return crate::skip::say(NAME, NOT_WRITTEN);
    }
    with_shim(NAME, |hsm, module| {
        let bench = Bench::new(hsm, module);
        bench.put(KeyKind::P256, 0, "release", b"1");
        let pin = Secret::new(bench.pin().as_bytes());
        let attempt = bench.attempt("slow-sign", "token=ci;object=release", KeyKind::P256);

        let (command, _) = bench.sign_command(&attempt);
        let mut child = with_cores(&command).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        wait_for_signing(&bench, &mut child);
        crashes_without_core(child, &pin, bench.folder());

        fs::remove_file(bench.log()).unwrap();
        let mut check = bench.command(env!("CARGO_BIN_EXE_muster"), &attempt);
        check.args(["token", "check"]).arg(bench.uri(&attempt));
        let mut child = with_cores(&check).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        wait_for_signing(&bench, &mut child);
        crashes_without_core(child, &pin, bench.folder());

        fs::remove_file(bench.log()).unwrap();
        let mut plugin = bench.command(env!("CARGO_BIN_EXE_notation-muster-pkcs11"), &attempt);
        plugin.arg("generate-signature");
        let request = json!({
            "contractVersion": "1.0", "keyId": bench.uri(&attempt), "keySpec": "EC-256", "hashAlgorithm": "SHA-256",
            "payload": "c2lnbmVk", "pluginConfig": { "certificate-chain": attempt.chain },
        });
        let file = bench.folder().join("request.json");
        fs::write(&file, request.to_string()).unwrap();
        let mut plugin = with_cores(&plugin);
        plugin.stdin(fs::File::open(&file).unwrap()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = plugin.spawn().unwrap();
        wait_for_signing(&bench, &mut child);
        crashes_without_core(child, &pin, bench.folder());
    });
}

/// With a key in a file, and a registry that never answers.
#[test]
fn no_core_holds_a_private_key() {
    if !cores_are_written() {
        return crate::skip::say("secrets::cores::no_core_holds_a_private_key", NOT_WRITTEN);
    }
    let folder = tempfile::tempdir().unwrap();
    let secrets = tempfile::tempdir().unwrap();
    let pkcs8 = key(KeyKind::P256, 0).pkcs8().unwrap();
    let pem = crate::bench::pem_of_key(&pkcs8);
    fs::write(secrets.path().join("key.pem"), pem).unwrap();
    let chain = crate::world::pem(&crate::world::signer(KeyKind::P256).chain);
    fs::write(folder.path().join("chain.pem"), chain).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
    command.args(["sign", "--certificate-chain", "chain.pem", "--plain-http", "--key"]);
    command.arg(secrets.path().join("key.pem")).arg(format!("{}/app:v1", listener.local_addr().unwrap()));
    command.current_dir(folder.path()).env("NOTATION_CONFIG", folder.path());
    let child = with_cores(&command).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // The key is opened before anything is asked.
    let mut asked = [0];
    listener.accept().unwrap().0.read_exact(&mut asked).unwrap();
    // The secret number, without what an encoder writes around it.
    let scalar = &pkcs8[36..68];
    crashes_without_core(child, &Secret::new(scalar), folder.path());
}

/// With a broker that never answers: the token, an API key and the password of a key.
#[test]
fn no_core_holds_what_a_broker_is_shown() {
    if !cores_are_written() {
        return crate::skip::say("secrets::cores::no_core_holds_what_a_broker_is_shown", NOT_WRITTEN);
    }
    let secrets = tempfile::tempdir().unwrap();
    let values = ["t0ken-4c7e2b90aa51d3f6", "ap1key-90f1c3d277e8b6a4", "passw0rd-5b1d88e2c90f7a63"];
    let [token, keys, password] = values.map(|value| {
        let path = secrets.path().join(&value[..5]);
        fs::write(&path, value).unwrap();
        path.display().to_string()
    });
    let chain = secrets.path().join("chain.pem");
    fs::write(&chain, crate::world::pem(&crate::world::signer(KeyKind::P256).chain)).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = || listener.accept().unwrap().0.read_exact(&mut [0]).unwrap();

    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
    let uri = format!("tsb:release?url={url}&token-file={token}&api-key-file={keys}&key-password-file={password}");
    command.args(["sign", "--plain-http", "--key", &uri, "--certificate-chain"]).arg(&chain);
    // The key is opened before the registry is asked.
    command.arg(format!("{}/app:v1", url.trim_start_matches("http://")));
    command.current_dir(folder.path()).env("NOTATION_CONFIG", folder.path()).env("MUSTER_STATE", folder.path());
    let child = with_cores(&command).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    asked();
    crashes_without_core(child, &Secret::new(values[0].as_bytes()), folder.path());

    let mut plugin = Command::new(env!("CARGO_BIN_EXE_notation-muster-tsb"));
    plugin.arg("generate-signature").current_dir(folder.path());
    let request = json!({
        "contractVersion": "1.0", "keyId": "release", "keySpec": "EC-256", "hashAlgorithm": "SHA-256", "payload": "c2lnbmVk",
        "pluginConfig": { "url": url, "certificate-chain": chain, "token-file": token, "api-key-file": keys, "key-password-file": password },
    });
    let file = folder.path().join("request.json");
    fs::write(&file, request.to_string()).unwrap();
    let mut plugin = with_cores(&plugin);
    plugin.stdin(fs::File::open(&file).unwrap()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = plugin.spawn().unwrap();
    asked();
    crashes_without_core(child, &Secret::new(values[0].as_bytes()), folder.path());
    for value in values {
        Secret::new(value.as_bytes()).is_nowhere_below(folder.path());
    }
}

/// A gateway that serves with its key in a file, and an approver whose broker never answers.
#[test]
fn no_core_holds_what_a_gateway_or_an_approver_has() {
    if !cores_are_written() {
        return crate::skip::say("secrets::cores::no_core_holds_what_a_gateway_or_an_approver_has", NOT_WRITTEN);
    }
    let (folder, secrets) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let token = "t0ken-4c7e2b90aa51d3f6";
    fs::write(secrets.path().join("token"), token).unwrap();
    let pkcs8 = key(KeyKind::P256, 0).pkcs8().unwrap();
    fs::write(secrets.path().join("key.pem"), crate::bench::pem_of_key(&pkcs8)).unwrap();
    let muster = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
        command.args(words).current_dir(folder.path()).arg("--token-file").arg(secrets.path().join("token"));
        let mut command = with_cores(&command);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        command
    };
    let key = secrets.path().join("key.pem").display().to_string();
    let mut gateway = muster(&["gateway", "--key", &format!("release={key}"), "--port", "0"]).spawn().unwrap();
    gateway.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let approver = muster(&["approve", "--list", "--key", &key, "--url", &url]).spawn().unwrap();
    let asked = listener.accept().unwrap();
    for child in [gateway, approver] {
        crashes_without_core(child, &Secret::new(token.as_bytes()), folder.path());
        Secret::new(&pkcs8[36..68]).is_nowhere_below(folder.path());
    }
    drop(asked);
}
