//! Why a signature or an artifact does not pass, and why it could not be decided.
//!
//! Every reason has a [`Code`]: a stable word with the section of the specification it comes from. All of them stand in
//! one table, in `code.rs`.

mod code;

pub use code::{Class, Code};

/// A reason: its code, and a sentence that says what was found in this case. Untrusted text in the sentence has been
/// escaped ([`quote`]).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// Which reason.
    pub code: Code,
    /// What was found, as one sentence without a full stop.
    pub message: String,
}

impl Failure {
    /// A failure for `code` with `message`.
    pub fn new(code: Code, message: impl Into<String>) -> Failure {
        Failure { code, message: message.into() }
    }
}

/// Puts text from outside between quotation marks, control characters escaped, cut to a readable length.
///
/// Nothing that a stranger wrote reaches a terminal or a report in any other way.
pub fn quote(text: &str) -> String {
    const LONGEST: usize = 200;
    let mut quoted = String::from("\"");
    for (count, character) in text.chars().enumerate() {
        if count == LONGEST {
            quoted.push('…');
            break;
        }
        // Formatting characters (bidirectional overrides and the like) can rearrange what a reader sees.
        let invisible = matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            _ if character.is_control() || invisible => quoted.extend(character.escape_unicode()),
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_escape_what_moves_a_terminal() {
        assert_eq!(quote("a\u{1b}[31m\"b\"\n\u{202e}"), "\"a\\u{1b}[31m\\\"b\\\"\\u{a}\\u{202e}\"");
        assert!(quote(&"x".repeat(10_000)).chars().count() < 210);
    }
}
