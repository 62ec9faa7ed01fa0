//! The part of a whole run behind a gateway: `muster gateway`, `muster sign`, `muster approve` and `notation-muster-tsb`.

use std::fs;
use std::io::{Read, Write as _};
use std::process::{Child, Command, Output, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster::forge::KeyKind;
use serde_json::json;

use super::whole_run::Run;
use crate::bench::{Attempt, Pin, close_to_others, pem_of_key, write_layout};
use crate::world::key;

/// Starts it, and gives back what it says on standard error up to the line with `words`.
fn started(mut command: Command, words: &str) -> (Child, String) {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let said = line_with(child.stderr.as_mut().unwrap(), words);
    (child, said)
}

/// What comes from there up to the end of the line with `words`, and no byte more.
#[track_caller]
fn line_with(source: &mut impl Read, words: &str) -> String {
    let (mut said, mut byte) = (Vec::new(), [0]);
    loop {
        let text = String::from_utf8_lossy(&said);
        if text.contains(words) && text.ends_with('\n') {
            return text.into_owned();
        }
        let count = source.read(&mut byte).unwrap();
        assert!(count > 0, "{text}");
        said.push(byte[0]);
    }
}

/// What a process is and may leave: no core of any size.
#[track_caller]
fn leaves_no_core(child: &Child) {
    let limits = fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    let core = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().next(), Some("0"), "{core}");
}

/// With a gateway whose key is in the token, and the secrets from files and from the environment.
pub(super) fn sign_behind_gateway(run: &Run<'_>) {
    let folder = run.bench.folder();
    let approvals: Vec<_> = [("alice", 101), ("bob", 102)]
        .map(|(name, slot)| {
            let key = key(KeyKind::P256, slot);
            let file = folder.join(format!("{name}.key"));
            fs::write(&file, pem_of_key(&key.pkcs8().unwrap())).unwrap();
            close_to_others(&file);
            json!({ "type": "public_key", "name": name, "value": STANDARD.encode(key.public_key()) })
        })
        .into();
    let groups = json!([{ "name": "group", "quorum": 2, "approvals": approvals }]);
    let tokens = json!([{ "name": "token", "timelock": 0, "timeout": 3600, "groups": groups }]);
    fs::write(folder.join("policy.json"), json!({ "ruleUse": { "tokens": tokens } }).to_string()).unwrap();
    let chain = run.bench.chain(KeyKind::P256, 0).display().to_string();
    let attempt = Attempt { pin: Pin::Environment, ..run.bench.attempt("", "token=ci;object=release", KeyKind::P256) };
    let key = format!("release={}", run.bench.uri(&attempt));
    let (token, keys) = (run.secret("token"), run.secret("of-gateway"));
    let words = [
        "gateway",
        "--key",
        &key,
        "--certificate-chain",
        &chain,
        "--policy",
        "policy.json",
        "--token-file",
        &token,
        "--api-keys",
        &keys,
        "--port",
        "0",
    ];
    let mut gateway = run.muster(&attempt, &words);
    let mut gateway = gateway.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let first = line_with(gateway.stdout.as_mut().unwrap(), "listens at");
    let url = first.split_whitespace().find(|word| word.starts_with("http://")).unwrap().to_owned();
    leaves_no_core(&gateway);

    let plain = run.bench.plain("", KeyKind::P256);
    let files = format!(
        "&token-file={token}&api-key-file={}&key-password-file={}",
        run.secret("api-keys"),
        run.secret("password")
    );
    for (number, from_files) in [true, false].into_iter().enumerate() {
        let layout = format!("behind-gateway-{number}");
        write_layout(&folder.join(&layout));
        let more = if from_files { files.as_str() } else { "" };
        let uri = format!("tsb:release?url={url}&certificate-chain={chain}&poll=100ms{more}");
        let command = |words: &[&str]| {
            let layout = format!("oci:{layout}:v1");
            let all = [&["sign", "--verbose", "--key", &uri][..], words, &[&layout]].concat();
            let command = run.muster(&plain, &all);
            if from_files { command } else { Run::with_environment(command) }
        };
        // One that is taken back, one that is waited for.
        let output = run.watch.run(command(&["--no-wait"]));
        let said = String::from_utf8_lossy(&output.stderr);
        let id = said.split("the request ").nth(1).unwrap_or_else(|| panic!("{said}")).split(' ').next().unwrap();
        let mut cancel = run.muster(&plain, &["sign", "--verbose", "--key", &uri, "--cancel", id]);
        if !from_files {
            cancel = Run::with_environment(cancel);
        }
        let output = run.watch.run(cancel);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let (child, said) = started(command(&[]), "waits for approvals");
        leaves_no_core(&child);
        let id = said.split("the request ").nth(1).unwrap().split(' ').next().unwrap();
        run.watch.search("standard error of muster sign", said.as_bytes());
        run.approve(&url, id);
        let output = child.wait_with_output().unwrap();
        run.watch.said("muster sign", &output);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let output = plugin(run, &url, &chain, from_files);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    // What is refused, and what is no file of a secret but the secret itself.
    let refused = run.secret("refused");
    for (more, code) in [
        (format!("&token-file={token}&api-key-file={refused}"), 3),
        (format!("&token-file={token}/x"), 2),
        ("&token-file=/".to_owned(), 2),
    ] {
        let uri = format!("tsb:release?url={url}&certificate-chain={chain}{more}");
        let output =
            run.watch.run(run.muster(&plain, &["sign", "--verbose", "--key", &uri, "oci:behind-gateway-0:v1"]));
        assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
    }
    for words in [["--token-file", &refused], ["--api-key-file", &refused]] {
        let all = [&["approve", "--list", "--key", "alice.key", "--url", &url][..], &words].concat();
        let output = run.watch.run(run.muster(&plain, &all));
        assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let id = rustix::process::Pid::from_raw(gateway.id().try_into().unwrap()).unwrap();
    rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
    let output = gateway.wait_with_output().unwrap();
    run.watch.said("muster gateway", &output);
    assert!(String::from_utf8_lossy(&output.stderr).contains("EXECUTED"), "it tells of what happened");
}

/// A signature by `notation-muster-tsb`, whose request is found by an approver.
fn plugin(run: &Run<'_>, url: &str, chain: &str, from_files: bool) -> Output {
    let mut config = json!({ "url": url, "certificate-chain": chain, "poll": "100ms" });
    let mut command = run
        .talkative(run.bench.command(env!("CARGO_BIN_EXE_notation-muster-tsb"), &run.bench.plain("", KeyKind::P256)));
    if from_files {
        for (setting, file) in
            [("token-file", "token"), ("api-key-file", "api-keys"), ("key-password-file", "password")]
        {
            config[setting] = json!(run.secret(file));
        }
    } else {
        command = Run::with_environment(command);
    }
    let question = json!({
        "contractVersion": "1.0", "keyId": "release", "keySpec": "EC-256", "hashAlgorithm": "SHA-256", "payload": "c2lnbmVk",
        "pluginConfig": config,
    });
    command.arg("generate-signature").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(question.to_string().as_bytes()).unwrap();
    let words = ["approve", "--list", "--key", "alice.key", "--url", url, "--api-key-file"];
    let id = loop {
        let mut list = run.muster(&run.bench.plain("", KeyKind::P256), &words);
        list.arg(run.secret("approvers-key"));
        let listed = run.watch.run(list);
        assert!(child.try_wait().unwrap().is_none(), "it ended before it asked");
        let listed = String::from_utf8(listed.stdout).unwrap();
        if let Some(id) = listed.split_whitespace().find(|word| word.len() == 36) {
            break id.to_owned();
        }
    };
    leaves_no_core(&child);
    run.approve(url, &id);
    let output = child.wait_with_output().unwrap();
    run.watch.said("notation-muster-tsb", &output);
    output
}
