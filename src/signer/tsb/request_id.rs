//! The id of a request, which the broker gives and which is put into addresses.
//!
//! The vendor's are UUIDs. Letters, digits, `-` and `_` are taken, so that no id leads anywhere else on the broker.

use std::fmt;
use std::str::FromStr;

use crate::failure::quote;

/// The longest id.
const LONGEST: usize = 64;

/// The id of a request.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(String);

/// What is no id of a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0} is no id of a request: those have 1 to 64 letters, digits, - and _, as 4e8731d8-2a1c-4c1e-9d34-55ad0c2f3b71"
)]
pub struct RequestIdError(String);

impl RequestId {
    /// The id as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RequestId {
    type Err = RequestIdError;

    fn from_str(text: &str) -> Result<RequestId, RequestIdError> {
        let sound = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if (1..=LONGEST).contains(&text.len()) && text.bytes().all(sound) {
            return Ok(RequestId(text.to_owned()));
        }
        Err(RequestIdError(quote(text)))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_leads_nowhere_else() {
        for text in ["4e8731d8-2a1c-4c1e-9d34-55ad0c2f3b71", "4e8731d8", "a_B-9"] {
            assert_eq!(text.parse::<RequestId>().unwrap().as_str(), text);
        }
        let long = "a".repeat(65);
        for text in ["", ".", "..", "../key", "a/b", "a?b", "a#b", "a%2fb", "a b", "a\n", "ä", "a.b", long.as_str()] {
            let refusal = text.parse::<RequestId>().unwrap_err().to_string();
            assert!(refusal.contains("is no id of a request") && !refusal.contains('\n'), "{refusal}");
        }
    }
}
