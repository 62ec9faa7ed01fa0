//! Programs that keep credentials: `docker-credential-NAME get`.
//!
//! Follows *docker-credential-helpers*: the server's address on standard input, a JSON object on standard output, or words of
//! failure with an exit code. No shell is involved; a helper is found by `PATH` as docker finds it, is ended when it takes too
//! long or says too much, and nothing that it says is ever shown, since it may be a secret.

use std::io;
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;
use zeroize::Zeroizing;

use crate::limits;
use crate::trouble::TroubleKind;

use super::{Identity, Secret};

/// The words by which helpers say that they know no such server.
const UNKNOWN: &str = "credentials not found in native keychain";
/// The name by which a helper says that the secret is an identity token.
const TOKEN: &str = "<token>";

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "Username")]
    user: Option<String>,
    #[serde(rename = "Secret")]
    secret: Option<Secret>,
}

/// What is wrong with a helper; the text goes on after its name.
pub(super) type Failed = (TroubleKind, String);

/// The program of the helper `name`.
pub(super) fn program(name: &str) -> String {
    format!("docker-credential-{name}")
}

/// What the helper `name` knows of `server`, asked for no longer than `time`.
pub(super) async fn ask(name: &str, server: &str, time: Duration) -> Result<Option<Identity>, Failed> {
    if name.contains(['/', '\\', '\0']) {
        return Err((TroubleKind::AccessDenied, "is a path, not the name of a program".to_owned()));
    }
    match tokio::time::timeout(time, run(name, server)).await {
        Ok(answer) => answer.map_err(|why| (TroubleKind::AccessDenied, why)),
        // The process is killed as it is dropped.
        Err(_) => Err((TroubleKind::TimedOut, format!("does not answer within {} s", time.as_secs_f32()))),
    }
}

async fn run(name: &str, server: &str) -> Result<Option<Identity>, String> {
    let mut command = Command::new(program(name));
    command.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    // It keeps secrets itself, and needs none of those that are for others.
    for (variable, _) in std::env::vars_os() {
        let plain = variable.to_string_lossy().to_ascii_uppercase();
        if plain.starts_with("MUSTER_") || plain == "NOTATION_PASSWORD" {
            command.env_remove(variable);
        }
    }
    let mut child = command.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            "is not on this machine: install it, or take it out of the file where all that you read is public"
                .to_owned()
        }
        _ => format!("cannot be run: {error}"),
    })?;
    let (input, output, complaint) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let write = async {
        if let Some(mut input) = input {
            // A helper that reads nothing may still answer.
            let _ = input.write_all(server.as_bytes()).await;
        }
        Ok(())
    };
    let (output, complaint, ()) = tokio::try_join!(read(output), read(complaint), write)?;
    let status = child.wait().await.map_err(|error| format!("cannot be waited for: {error}"))?;
    if !status.success() {
        let unknown = [&output, &complaint].iter().any(|said| String::from_utf8_lossy(said).trim() == UNKNOWN);
        return if unknown { Ok(None) } else { Err(format!("failed ({status})")) };
    }
    let answer: Answer =
        serde_json::from_slice(&output).map_err(|_| "does not answer as such a program does".to_owned())?;
    let (user, secret) = (answer.user.unwrap_or_default(), answer.secret.unwrap_or_else(|| Secret::new("")));
    Ok(match (user.as_str(), secret.expose()) {
        ("" | TOKEN, "") => None,
        (TOKEN, _) => Some(Identity::Token(secret)),
        _ => Some(Identity::Password { user, password: secret }),
    })
}

/// Reads to the end, and not one byte more than is allowed.
async fn read(from: Option<impl AsyncRead + Unpin>) -> Result<Zeroizing<Vec<u8>>, String> {
    let most = limits::HELPER_OUTPUT_BYTES;
    let mut bytes = Zeroizing::new(Vec::with_capacity(4 << 10));
    if let Some(from) = from {
        // A pipe that breaks has ended; what came until then counts.
        let _ = from.take(most + 1).read_to_end(&mut bytes).await;
    }
    if bytes.len() as u64 > most { Err(format!("wrote more than {most} bytes and was ended")) } else { Ok(bytes) }
}
