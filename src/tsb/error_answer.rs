//! What a broker says when it refuses.
//!
//! Follows the form that the vendor's clients print; the list of all codes is not published.

use serde::{Deserialize, Serialize};

/// The code of an API key that is not accepted.
pub const API_KEY_REFUSED: u32 = 631;

/// The body of an answer of 400 or more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorAnswer {
    /// The number of the reason.
    #[serde(default)]
    pub error_code: Option<u32>,
    /// The reason in a word, as `res.error.in.hsm`.
    #[serde(default)]
    pub reason: Option<String>,
    /// The reason in a sentence. A stranger's text: quote it.
    #[serde(default)]
    pub message: Option<String>,
}
