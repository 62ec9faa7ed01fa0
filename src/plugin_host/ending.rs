//! How a command of a plugin ended: with its output, or with what its failure means.

use bytes::Bytes;

use super::complaint;
use super::process::Left;
use crate::plugin::Secrets;

/// What the process answered, or its failure in words that read on after "the plugin … asked for …".
/// Its `secrets` stand in no words.
pub(super) fn of(left: Left, secrets: impl Fn() -> Secrets) -> Result<Bytes, String> {
    let complaint = || complaint::of(&left.complaint, &secrets());
    if !left.status.success() {
        let ended = match left.status.code() {
            Some(code) => format!("ended with exit code {code}"),
            None => format!("was ended by {}", signal(&left)),
        };
        return Err(ended + complaint().as_deref().unwrap_or(" and said nothing"));
    }
    // A plugin that fails has to end with another code; some only say why.
    match left.output.trim_ascii().is_empty().then(complaint).flatten() {
        Some(complaint) => Err(format!("answered nothing, though it ended with exit code 0{complaint}")),
        None => Ok(left.output.into()),
    }
}

#[cfg(unix)]
fn signal(left: &Left) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    left.status.signal().map_or("the system".to_owned(), |signal| format!("signal {signal}"))
}

#[cfg(not(unix))]
fn signal(_: &Left) -> String {
    "the system".to_owned()
}
