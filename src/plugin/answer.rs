//! What a plugin wrote, read strictly, and what its failure means.
//!
//! An answer is one JSON object and nothing else; no member stands in it twice. Members that are not known are passed over,
//! as the contract demands. What a plugin says of its failure is untrusted text: it is quoted and cut.

use serde::de::DeserializeOwned;

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
