//! Why a signature or an artifact does not pass, and why it could not be decided.
//!
//! Every reason has a [`Code`]: a stable word with the section of the specification it comes from. All of them stand in
//! one table, in `code.rs`.

mod code;

pub use code::{Class, Code, RETIRED};

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
        push_shown(&mut quoted, character);
    }
    quoted.push('"');
    quoted
}

/// The same, cut to `longest` bytes of what is shown: for text of which more than a readable length matters.
pub(crate) fn quote_up_to(text: &str, longest: usize) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        let mut shown = String::new();
        push_shown(&mut shown, character);
        if quoted.len() + shown.len() > longest {
            quoted.push('…');
            break;
        }
        quoted.push_str(&shown);
    }
    quoted.push('"');
    quoted
}

/// Adds a character as it stands between quotation marks.
fn push_shown(text: &mut String, character: char) {
    match character {
        '"' | '\\' => text.extend(['\\', character]),
        _ if is_unprintable(character) => text.extend(character.escape_unicode()),
        _ => text.push(character),
    }
}

/// Whether a character commands a terminal, or is a formatting character (a bidirectional override and the like) that
/// hides or rearranges what a reader sees.
pub fn is_unprintable(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_escape_what_moves_a_terminal() {
        assert_eq!(quote("a\u{1b}[31m\"b\"\n\u{202e}"), "\"a\\u{1b}[31m\\\"b\\\"\\u{a}\\u{202e}\"");
        assert!(quote(&"x".repeat(10_000)).chars().count() < 210);
        assert_eq!(quote_up_to("a\n\"\u{e4}", 100), "\"a\\u{a}\\\"\u{e4}\"");
        assert_eq!(quote_up_to("aaa\nb", 6), "\"aaa…\"");
    }
}
