//! What a plugin wrote, read strictly, and what its failure means.
//!
//! An answer is one JSON object and nothing else; no member stands in it twice. Members that are not known are passed over,
//! as the contract demands. What a plugin says of its failure is untrusted text: it is quoted and cut.

use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::ErrorResponse;
use super::process::Left;
use crate::failure::quote;
use crate::json;

/// Reads an answer. The error reads on after "the answer …".
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let strict = |error: json::JsonError| format!("cannot be read: {error}");
    let text = json::text(bytes).map_err(strict)?;
    json::members(text).map_err(strict)?;
    json::check(text).map_err(strict)?;
    // The message may repeat what stands in the answer.
    serde_json::from_str(text).map_err(|error| format!("is not as the contract says: {}", quote(&error.to_string())))
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::VerifySignatureResponse;

    #[test]
    fn an_answer_is_one_json_object() {
        let read = |text: &str| read::<VerifySignatureResponse>(text.as_bytes());
        assert!(read(r#" {"processedAttributes":null,"verificationResults":null,"more":[{}]} "#).is_ok());
        for text in [
            "",
            "{}{}",
            "{} x",
            "[]",
            "null",
            "{",
            "\u{feff}{}",
            r#"{"processedAttributes":[],"processedAttributes":["a"]}"#,
            r#"{"processedAttributes":[],"ProcessedAttributes":["a"]}"#,
            r#"{"verificationResults":{"A":{"success":false},"A":{"success":true}}}"#,
            r#"{"verificationResults":{"A":{"success":"yes"}}}"#,
            r#"{"verificationResults":{"A":{}}}"#,
            r#"{"processedAttributes":"a"}"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
