//! What a server or a plugin repeats of what it was shown.
//!
//! Messages have the words of servers and plugins in them, and some put what they refuse into theirs. A report is kept and passed
//! on: no password, token or header stands in it, whether it was written as it is or the end of it was cut off.

use crate::failure::quote;

/// How long a secret must be to be looked for: shorter ones stand in other words.
const SHORTEST: usize = 4;
/// By how many characters at its start a secret is found.
const START: usize = 12;
/// What stands in its place.
const CONCEALED: &str = "(secret)";

/// The message without the secrets.
pub(crate) fn concealed<'a>(message: &str, secrets: impl IntoIterator<Item = &'a str>) -> String {
    let mut message = message.to_owned();
    for secret in secrets {
        message = without(&message, secret);
        let quoted = quote(secret);
        // As messages quote it: between quotation marks, and cut where it is long.
        message = without(&message, quoted.trim_matches('"').trim_end_matches('…'));
    }
    message
}

fn without(message: &str, secret: &str) -> String {
    if secret.chars().count() < SHORTEST {
        return message.to_owned();
    }
    let start: String = secret.chars().take(START).collect();
    let (mut rest, mut left) = (message, String::with_capacity(message.len()));
    while let Some(at) = rest.find(&start) {
        let (before, found) = rest.split_at(at);
        let same: usize = found
            .chars()
            .zip(secret.chars())
            .take_while(|(one, other)| one == other)
            .map(|(one, _)| one.len_utf8())
            .sum();
        let (repeated, behind) = found.split_at(same);
        left.push_str(before);
        let all = same == secret.len() || behind.starts_with('…');
        left.push_str(if all { CONCEALED } else { repeated });
        rest = behind;
    }
    left.push_str(rest);
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_left_whole_cut_or_quoted() {
        let long = "x1".repeat(400);
        for (said, secret, expected) in [
            ("no hunter2!", "hunter2", "no (secret)!"),
            ("hunter2 hunter2", "hunter2", "(secret) (secret)"),
            ("no \"pass\\\"word\"", "pass\"word", "no \"(secret)\""),
            ("hunter", "hunter2", "hunter"),
            ("a pin", "a", "a pin"),
            ("none", "", "none"),
            ("p\u{e4}ssw\u{f6}rter p\u{e4}ssw\u{f6}rt", "p\u{e4}ssw\u{f6}rt", "(secret)er (secret)"),
        ] {
            assert_eq!(concealed(said, [secret]), expected, "{said}");
        }
        let said = format!("was answered with {}", quote(&format!("bad token {long}")));
        assert_eq!(concealed(&said, [long.as_str()]), "was answered with \"bad token (secret)…\"");
        // What only begins alike is no secret.
        assert_eq!(concealed("eyJhbGciOiJSUzI1NiJ9.a", ["eyJhbGciOiJSUzI1NiJ9.b"]), "eyJhbGciOiJSUzI1NiJ9.a");
    }
}
