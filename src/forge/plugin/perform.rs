//! Being the plugin: one command, from standard input to standard output.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::install::{PluginRequest, requests_beside};
use super::{PluginBehaviour, PluginDefect, PluginVerdict, Processed, signing};

pub(super) const METADATA: &str = "get-plugin-metadata";

/// How long a plugin hangs if it is not ended: past every deadline, and not without end.
const HANG: Duration = Duration::from_secs(600);
/// How much a plugin writes if it is not stopped, in bytes: more than any host takes.
const FLOOD: usize = 1 << 30;
/// What exit code stands for a plugin that could not do what its behaviour says.
const BROKEN: u8 = 70;

/// Does what the contract, or the behaviour in the file, says of `command`, and returns the exit code.
pub fn perform(
    behaviour: &Path,
    command: &str,
    mut stdin: impl Read,
    mut stdout: impl Write,
    mut stderr: impl Write,
) -> u8 {
    let read = fs::read(behaviour).map_err(|error| error.to_string());
    let parsed = read.and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| error.to_string()));
    let stated: PluginBehaviour = match parsed {
        Ok(stated) => stated,
        Err(error) => {
            // The program that started this has closed standard error, or reads it.
            let _ = writeln!(stderr, "the behaviour of the plugin cannot be read: {error}");
            return BROKEN;
        }
    };
    let defect = stated.defect_of(command);
    let mut request = Vec::new();
    if defect != Some(PluginDefect::IgnoreStdin) && stdin.read_to_end(&mut request).is_err() {
        return BROKEN;
    }
    let request = match request.is_empty() {
        true => Value::Null,
        false => serde_json::from_slice(&request)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&request).into_owned())),
    };
    if write_down(behaviour, command, &request).is_err() {
        return BROKEN;
    }
    let answer = match answer(&stated, command, &request) {
        Ok(answer) => answer.to_string(),
        Err(reason) => {
            let _ = stderr.write_all(error(&stated, &reason).as_bytes());
            return 1;
        }
    };
    // A host may have closed either stream, which is no matter to a plugin that is done.
    match defect {
        None | Some(PluginDefect::IgnoreStdin) => drop(stdout.write_all(answer.as_bytes())),
        Some(PluginDefect::Hang) => std::thread::sleep(HANG),
        Some(PluginDefect::FloodStdout) => flood(&mut stdout),
        Some(PluginDefect::FloodStderr) => {
            flood(&mut stderr);
            drop(stdout.write_all(answer.as_bytes()));
        }
        Some(PluginDefect::Daemon) => {
            leave_a_daemon();
            drop(stdout.write_all(answer.as_bytes()));
        }
        Some(PluginDefect::InvalidJson) => {
            drop(stdout.write_all(&answer.as_bytes()[..answer.len() - 1]));
        }
        Some(PluginDefect::TwoDocuments) => drop(stdout.write_all(answer.repeat(2).as_bytes())),
        Some(PluginDefect::NoAnswer) => {}
        Some(PluginDefect::ErrorWithSuccess) => drop(stderr.write_all(error(&stated, "on demand").as_bytes())),
        Some(PluginDefect::Error) => {
            drop(stderr.write_all(error(&stated, "on demand").as_bytes()));
            return 1;
        }
        Some(PluginDefect::SilentError) => return 1,
        Some(PluginDefect::TextError) => {
            drop(stderr.write_all(b"panic: on demand\n"));
            return 1;
        }
        Some(PluginDefect::OtherExitCode) => {
            drop(stderr.write_all(error(&stated, "on demand").as_bytes()));
            return 7;
        }
        Some(PluginDefect::Signal) => end_by_signal(),
    }
    // What is written has to arrive before the process ends.
    drop(stdout.flush());
    0
}

fn write_down(behaviour: &Path, command: &str, request: &Value) -> std::io::Result<()> {
    let line = PluginRequest { command: command.to_owned(), request: request.clone() };
    let line = serde_json::to_string(&line)? + "\n";
    // One write, so that the lines of plugins that run at once do not mix.
    let mut file = fs::OpenOptions::new().append(true).create(true).open(requests_beside(behaviour))?;
    file.write_all(line.as_bytes())
}

fn error(stated: &PluginBehaviour, reason: &str) -> String {
    json!({ "errorCode": stated.error_code, "errorMessage": reason, "errorMetadata": { "plugin": "for tests" } })
        .to_string()
}

/// The answer, with what the behaviour puts into it.
fn answer(stated: &PluginBehaviour, command: &str, request: &Value) -> Result<Value, String> {
    let handed = request.get("pluginConfig").unwrap_or(&Value::Null);
    if !stated.settings.is_empty() && *handed != json!(stated.settings) {
        return Err(format!("it was handed the settings {handed}"));
    }
    let mut members = match command {
        METADATA => metadata(stated),
        "verify-signature" => verified(stated, request),
        "describe-key" => signing::described(stated, request)?,
        "generate-signature" => signing::signature(stated, request)?,
        "generate-envelope" => signing::envelope(stated, request)?,
        _ => return Err(format!("there is no command {}", crate::failure::quote(command))),
    };
    for (name, value) in stated.answers.get(command).into_iter().flatten() {
        match value {
            Value::Null => drop(members.remove(name)),
            value => drop(members.insert(name.clone(), value.clone())),
        }
    }
    Ok(Value::Object(members))
}

fn metadata(stated: &PluginBehaviour) -> Map<String, Value> {
    members(json!({
        "name": stated.name.clone().unwrap_or_default(),
        "description": "A plugin for tests",
        "version": stated.version,
        "url": "https://example.com/plugin",
        "supportedContractVersions": stated.contract_versions,
        "capabilities": stated.capabilities,
    }))
}

fn verified(stated: &PluginBehaviour, request: &Value) -> Map<String, Value> {
    let asked = |list: &Value| -> Vec<String> {
        let names = list.as_array().into_iter().flatten();
        names.filter_map(|name| name.as_str().map(str::to_owned)).collect()
    };
    let mut results = Map::new();
    for capability in asked(&request["trustPolicy"]["signatureVerification"]) {
        let verdict = match capability.as_str() {
            "SIGNATURE_VERIFIER.TRUSTED_IDENTITY" => stated.identity,
            "SIGNATURE_VERIFIER.REVOCATION_CHECK" => stated.revocation,
            _ => PluginVerdict::Missing,
        };
        let result = match verdict {
            PluginVerdict::Success => json!({ "success": true, "reason": "on demand" }),
            PluginVerdict::Failure => json!({ "success": false, "reason": "on demand" }),
            PluginVerdict::Missing => continue,
        };
        results.insert(capability, result);
    }
    let attributes = asked(&request["signature"]["unprocessedAttributes"]);
    let processed = match stated.processed {
        Processed::All => attributes,
        Processed::None => Vec::new(),
        Processed::Extra => attributes.into_iter().chain(["com.example.extra".to_owned()]).collect(),
        Processed::Listed => stated.attributes.clone(),
    };
    members(json!({ "verificationResults": results, "processedAttributes": processed }))
}

/// The members of an object.
pub(super) fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// Writes until the reader closes the pipe, or [`FLOOD`] bytes are written.
fn flood(stream: &mut impl Write) {
    let piece = [b'x'; 1 << 16];
    let mut written = 0;
    while written < FLOOD && stream.write_all(&piece).is_ok() {
        written += piece.len();
    }
}

/// Starts a process of a group of its own that holds this one's output, and does not wait for it.
fn leave_a_daemon() {
    let mut daemon = Command::new("/bin/sh");
    daemon.args(["-c", "exec sleep 60"]).stdin(Stdio::null());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut daemon, 0);
    // Without it, this is a plugin without a defect, which the test that wants one sees.
    drop(daemon.spawn());
}

#[cfg(unix)]
fn end_by_signal() {
    // It cannot fail for the process itself.
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
}

#[cfg(not(unix))]
fn end_by_signal() {
    std::process::abort();
}
