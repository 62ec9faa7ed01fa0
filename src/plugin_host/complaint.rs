//! What a plugin says of its failure, as a part of one sentence.
//!
//! Follows *plugin-extensibility*, Plugin contract: a code, a message, and metadata that says more. Plugins write messages of
//! several lines, which become one; a stack trace is cut in its middle, since its ends say most. All of it is untrusted
//! text: nothing of it commands a terminal, and what the plugin repeats of the secrets that it was told is taken out.

use std::fmt::Write as _;

use crate::failure::{quote, quote_up_to};
use crate::limits;
use crate::plugin::{ErrorResponse, Secrets, read_answer};

/// What was written to standard error, in words that read on after "ended with exit code 1"; `None` if that is nothing.
pub(super) fn of(written: &[u8], secrets: &Secrets) -> Option<String> {
    match read_answer::<ErrorResponse>(written) {
        Ok(error) if error != ErrorResponse::default() => Some(structured(&without(secrets, error))),
        _ => {
            // Before it is cut, or a secret would be left in part.
            let said = one_line(&secrets.concealed(&String::from_utf8_lossy(written)));
            (!said.is_empty()).then(|| format!(" and said {}", shortened(&said)))
        }
    }
}

fn without(secrets: &Secrets, error: ErrorResponse) -> ErrorResponse {
    let concealed = |text: &String| secrets.concealed(text);
    ErrorResponse {
        error_code: concealed(&error.error_code),
        error_message: concealed(&error.error_message),
        error_metadata: error.error_metadata.iter().map(|(name, value)| (concealed(name), concealed(value))).collect(),
    }
}

fn structured(error: &ErrorResponse) -> String {
    let code = if error.error_code.is_empty() { "none".to_owned() } else { quote(&error.error_code) };
    let message = one_line(&error.error_message);
    let message = if message.is_empty() { "no message".to_owned() } else { shortened(&message) };
    format!(", error code {code}: {message}{}", details(error))
}

/// The metadata, sorted by name, as far as there is room for it.
fn details(error: &ErrorResponse) -> String {
    let mut shown = String::new();
    for (count, (name, value)) in error.error_metadata.iter().enumerate() {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        let name =
            if !name.is_empty() && name.len() <= 60 && name.bytes().all(plain) { name.clone() } else { quote(name) };
        let entry = format!("{name}: {}", quote_up_to(&one_line(value), limits::PLUGIN_MESSAGE / 2));
        if !shown.is_empty() && shown.len() + entry.len() > limits::PLUGIN_MESSAGE {
            let _ = write!(shown, ", and {} more", error.error_metadata.len() - count);
            break;
        }
        let separator = if shown.is_empty() { "" } else { ", " };
        let _ = write!(shown, "{separator}{entry}");
    }
    if shown.is_empty() { shown } else { format!(" ({shown})") }
}

/// The lines of a text as one: a line that does not end a sentence is ended by a semicolon.
fn one_line(text: &str) -> String {
    let mut whole = String::new();
    for line in
        text.split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']).map(str::trim).filter(|line| !line.is_empty())
    {
        if !whole.is_empty() {
            let ended = whole.ends_with(['.', ':', ';', ',', '!', '?', '{', '[', '(']);
            whole.push_str(if ended { " " } else { "; " });
        }
        whole.push_str(line);
    }
    whole
}

/// Quotes a text; of a long one its beginning and its end.
fn shortened(text: &str) -> String {
    let half = limits::PLUGIN_MESSAGE / 2;
    if text.len() < limits::PLUGIN_MESSAGE {
        return quote_up_to(text, limits::PLUGIN_MESSAGE);
    }
    let (mut room, mut start) = (half, text.len());
    for (position, character) in text.char_indices().rev() {
        // Without the quotation marks around it.
        let width = quote_up_to(character.encode_utf8(&mut [0; 4]), half).len() - 2;
        if width > room {
            break;
        }
        (room, start) = (room - width, position);
    }
    format!("{} … {}", quote_up_to(text, half), quote_up_to(&text[start..], half + 1))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn of(written: &[u8]) -> Option<String> {
        super::of(written, &Secrets::of(&[("pin".to_owned(), "hunter22".to_owned())].into(), []))
    }

    fn said(error: &Value) -> String {
        of(error.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn a_plugin_that_repeats_its_secrets_is_not_repeated() {
        let error = json!({ "errorCode": "hunter22", "errorMessage": "hunter22\nis", "errorMetadata": { "hunter22": "=hunter22" } });
        assert_eq!(said(&error), ", error code \"(secret)\": \"(secret); is\" (\"(secret)\": \"=(secret)\")");
        // Wherever a long text is cut.
        for room in 0..limits::PLUGIN_MESSAGE {
            let text = format!("{}hunter22{}", "x".repeat(room), "y".repeat(900 - room));
            let said = [of(text.as_bytes()).unwrap(), said(&json!({ "errorMessage": text }))];
            assert!(said.iter().all(|said| !said.contains("unter") && !said.contains("er22")), "{said:?}");
        }
    }

    #[test]
    fn s42_a_message_of_several_lines_is_one_sentence() {
        let message = "The certificate was not found\r\nStatus: 404 (Not Found)\n\n  ErrorCode: CertificateNotFound\nHeaders:\n\tx: y\n";
        assert_eq!(
            said(&json!({ "errorCode": "ERROR", "errorMessage": message })),
            ", error code \"ERROR\": \"The certificate was not found; Status: 404 (Not Found); ErrorCode: CertificateNotFound; \
             Headers: x: y\""
        );
        // Whatever else commands a terminal is escaped as everywhere.
        assert_eq!(
            said(&json!({ "errorMessage": "a\u{1b}[31m\nb\u{202e}" })),
            ", error code none: \"a\\u{1b}[31m; b\\u{202e}\""
        );
        assert_eq!(
            of(b"panic: no key\n\ngoroutine 1:\nmain.go\n").unwrap(),
            " and said \"panic: no key; goroutine 1: main.go\""
        );
        assert_eq!((of(b""), of(b" \n\r\n"), of(b"{}").as_deref()), (None, None, Some(" and said \"{}\"")));
    }

    #[test]
    fn s41_metadata_of_an_error_is_shown_sorted_and_bounded() {
        let metadata = json!({ "requestId": "7f3c", "cause": "role ci may not\nsign", "odd name": "x", "": "\u{1b}" });
        assert_eq!(
            said(&json!({ "errorCode": "ACCESS_DENIED", "errorMessage": "denied", "errorMetadata": metadata })),
            ", error code \"ACCESS_DENIED\": \"denied\" (\"\": \"\\u{1b}\", cause: \"role ci may not; sign\", \"odd name\": \"x\", \
             requestId: \"7f3c\")"
        );
        assert_eq!(
            said(&json!({ "errorCode": "E", "errorMetadata": { "a": "b" } })),
            ", error code \"E\": no message (a: \"b\")"
        );
        let many: serde_json::Map<String, Value> =
            (0..500).map(|n| (format!("n{n:03}"), json!("v".repeat(90)))).collect();
        let shown = said(&json!({ "errorMessage": "m", "errorMetadata": many }));
        assert!(
            shown.len() < 2 * limits::PLUGIN_MESSAGE && shown.contains("n000: ") && shown.ends_with(" more)"),
            "{shown}"
        );
    }

    #[test]
    fn of_a_long_text_both_ends_are_shown() {
        let long = format!("first {} last", "x\u{202e}".repeat(100_000));
        for shown in [said(&json!({ "errorMessage": long })), of(long.as_bytes()).unwrap()] {
            assert!(shown.contains("\"first x") && shown.ends_with("\""), "{shown}");
            assert!(shown.len() < 2 * limits::PLUGIN_MESSAGE && shown.contains(" … "), "{}", shown.len());
        }
        let said = of(format!("trace\n{}\nthe reason", "  at a.b.c\n".repeat(10_000)).as_bytes()).unwrap();
        assert!(said.starts_with(" and said \"trace; at a.b.c") && said.ends_with("; the reason\""), "{said}");
    }
}
