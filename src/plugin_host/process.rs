//! One command of a plugin: a process that is given its request, and whose answer is awaited within bounds.
//!
//! Follows *plugin-extensibility*, Plugin contract: the request on standard input, the answer on standard output and exit
//! code 0, or an error on standard error and another exit code. Nothing is read without end and nothing is waited for
//! without end; whatever the plugin started has ended when this returns ([`Group`]).

use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

use super::environment;
use super::group::Group;
use crate::{limits, shortage};

/// What a process left behind.
#[derive(Debug)]
pub(super) struct Left {
    pub(super) status: ExitStatus,
    pub(super) output: Vec<u8>,
    pub(super) complaint: Vec<u8>,
}

/// Why a process left nothing that counts. Each reads on after "the plugin … asked for …".
#[derive(Debug, thiserror::Error)]
pub(super) enum Lost {
    #[error("could not be started: {0}")]
    Start(#[source] io::Error),
    #[error("wrote more than {bytes} bytes and was ended", bytes = limits::PLUGIN_OUTPUT_BYTES)]
    TooMuch,
    #[error("did not answer within {0:?} and was ended")]
    Deadline(Duration),
    #[error("was ended, since the run was")]
    Stopped,
    #[error("could not be waited for: {0}")]
    Wait(#[source] io::Error),
}

/// Runs `program`, the plugin `name`, with `word` as its only argument. It is ended after `deadline`, or when `stopped` is
/// ready; then it is asked to end first, so that it can take back what it has asked of others.
pub(super) async fn run(
    name: &str,
    program: &Path,
    word: &str,
    request: &Bytes,
    deadline: Duration,
    stopped: impl Future<Output = ()>,
) -> Result<Left, Lost> {
    let mut command = Command::new(program);
    command.arg(word).env_clear().envs(environment::of_plugin(name, std::env::vars_os()));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    Group::prepare(&mut command);
    let mut child = command.spawn().map_err(|error| {
        shortage::note_of_start(&error);
        Lost::Start(error)
    })?;
    // Dropped before the child is, so that the group goes while its leader still has its number.
    let group = Group::of(&child);

    let (mut output, mut complaint) = (Vec::new(), Vec::new());
    let ended = {
        let talk = talk(&mut child, request, &mut output, &mut complaint);
        let mut whole = pin!(until_ended(talk, &group, &mut child));
        tokio::select! {
            biased;
            ended = &mut whole => ended,
            () = tokio::time::sleep(deadline) => Err(Lost::Deadline(deadline)),
            () = stopped => Err(Lost::Stopped),
        }
    };
    if matches!(ended, Err(Lost::Deadline(_) | Lost::Stopped)) {
        group.terminate();
        let _ = tokio::time::timeout(limits::PLUGIN_TERM_GRACE, group.leader_ended(&mut child)).await;
    }
    group.kill();
    ended?;
    let status = child.wait().await.map_err(Lost::Wait)?;
    group.over();
    Ok(Left { status, output, complaint })
}

/// Waits until the leader has ended and everything it wrote was read. What still holds the pipes then is a process that it
/// left behind, and is not waited for.
async fn until_ended(
    talk: impl Future<Output = Result<(), Lost>>,
    group: &Group,
    child: &mut Child,
) -> Result<(), Lost> {
    let (mut talk, mut ended) = (pin!(talk), pin!(group.leader_ended(child)));
    tokio::select! {
        biased;
        talked = &mut talk => {
            talked?;
            ended.await;
            Ok(())
        }
        () = &mut ended => tokio::time::timeout(limits::PLUGIN_PIPE_GRACE, talk).await.unwrap_or(Ok(())),
    }
}

/// Writes the request and reads what comes, all at once: a plugin may answer before it has read everything.
fn talk<'a>(
    child: &mut Child,
    request: &'a Bytes,
    output: &'a mut Vec<u8>,
    complaint: &'a mut Vec<u8>,
) -> impl Future<Output = Result<(), Lost>> + 'a {
    let (input, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    async move {
        let write = async {
            if let Some(mut input) = input {
                // A plugin that does not read its request may still answer, as for its metadata.
                let _ = input.write_all(request).await;
            }
            Ok(())
        };
        tokio::try_join!(write, read(stdout, output), read(stderr, complaint)).map(|_| ())
    }
}

/// Reads to the end, and not one byte more than is allowed.
async fn read(from: Option<impl AsyncRead + Unpin>, bytes: &mut Vec<u8>) -> Result<(), Lost> {
    let Some(from) = from else { return Ok(()) };
    // A pipe that breaks has ended; what came until then counts.
    let _ = from.take(limits::PLUGIN_OUTPUT_BYTES + 1).read_to_end(bytes).await;
    if bytes.len() as u64 > limits::PLUGIN_OUTPUT_BYTES { Err(Lost::TooMuch) } else { Ok(()) }
}
