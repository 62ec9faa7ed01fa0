//! Text from outside, made safe to print.

use std::borrow::Cow;

use crate::failure::is_unprintable;

/// `text` with every character escaped (`\u{1b}`) that commands a terminal or hides from its reader. What
/// [`crate::failure::quote`] has escaped already stays as it is.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_unprintable(character) {
            escaped.extend(character.escape_unicode());
        } else {
            escaped.push(character);
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_commands_and_hidden_characters_only() {
        for (text, expected) in [
            ("CN=Jürgen \"Q\" \\u{1b}", "CN=Jürgen \"Q\" \\u{1b}"),
            ("a\u{1b}[2Jb", "a\\u{1b}[2Jb"),
            ("line\r\nforged", "line\\u{d}\\u{a}forged"),
            ("x\u{202e}y\u{9b}z", "x\\u{202e}y\\u{9b}z"),
        ] {
            assert_eq!(printable(text), expected);
        }
    }
}
