//! How a command of a plugin ended: with its output, or with what its failure means.
//!
//! What a plugin says of its failure is untrusted text: it is quoted and cut.

use bytes::Bytes;

use super::process::Left;
use crate::failure::quote;
use crate::plugin::{ErrorResponse, read_answer as read};

/// What the process answered, or its failure in words that read on after "the plugin … asked for …".
pub(super) fn of(left: Left) -> Result<Bytes, String> {
    if left.status.success() {
        return Ok(left.output.into());
    }
    let ended = match left.status.code() {
        Some(code) => format!("ended with exit code {code}"),
        None => format!("was ended by {}", signal(&left)),
    };
    let said = String::from_utf8_lossy(&left.complaint);
    let said = said.trim();
    match read::<ErrorResponse>(&left.complaint) {
        Ok(error) if error != ErrorResponse::default() => {
            let code = if error.error_code.is_empty() { "none".to_owned() } else { quote(&error.error_code) };
            Err(format!("{ended}, error code {code}: {}", quote(&error.error_message)))
        }
        _ if said.is_empty() => Err(format!("{ended} and said nothing")),
        _ => Err(format!("{ended} and said {}", quote(said))),
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
