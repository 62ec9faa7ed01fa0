//! What a time stamping authority answers: `TimeStampResp`.
//!
//! Follows RFC 3161, section 2.4.2. Whether the token in it is good is for [`verify`](super::verify()) to say.

use super::signed_data::optional;
use super::{Token, children, walk};
use crate::failure::{Failure, quote};
use crate::pki::der::{self, Element};

/// The authority refuses, or answers with something that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestRefused {
    /// The authority says no.
    #[error("the request was refused: {0}")]
    Status(String),
    /// The authority says something else.
    #[error("the answer cannot be read: {0}")]
    Unreadable(String),
}

/// The reasons for which requests are refused, by the number of their bit.
const REASONS: [(usize, &str); 8] = [
    (0, "it does not know the hash algorithm"),
    (2, "it takes the request for bad"),
    (5, "it takes the data for malformed"),
    (14, "it has no time"),
    (15, "it does not have the policy"),
    (16, "it does not know an extension"),
    (17, "it cannot provide additional information"),
    (25, "it failed"),
];

/// The token of an answer that grants one.
///
/// # Errors
///
/// Why there is no token.
pub fn read_response(answer: &[u8]) -> Result<Token, RequestRefused> {
    let unreadable = |failure: Failure| RequestRefused::Unreadable(failure.message);
    let shape = || RequestRefused::Unreadable("it does not have the parts of a TimeStampResp".to_owned());
    let parts = walk(answer).and_then(|answer| children(answer, der::SEQUENCE)).map_err(unreadable)?;
    let (status, token) = match parts.as_slice() {
        [status] => (status, None),
        [status, token] => (status, Some(token)),
        _ => return Err(shape()),
    };
    let status = children(*status, der::SEQUENCE).map_err(unreadable)?;
    let (Some(number), rest) = optional(&status, der::INTEGER) else { return Err(shape()) };
    let (texts, rest) = optional(rest, der::SEQUENCE);
    let (reasons, rest) = optional(rest, der::BIT_STRING);
    if !rest.is_empty() {
        return Err(shape());
    }
    // Granted, and granted with modifications: what the token says is looked at either way.
    match (number.contents, token) {
        ([0 | 1], Some(token)) => Ok(Token(token.whole.to_vec())),
        ([0 | 1], _) => Err(RequestRefused::Unreadable("it grants a time stamp and holds none".to_owned())),
        (number, _) => Err(RequestRefused::Status(refusal(number, texts, reasons))),
    }
}

/// Why, in the words of the authority and in those of the RFC.
fn refusal(number: &[u8], texts: Option<Element<'_>>, reasons: Option<Element<'_>>) -> String {
    let mut words = Vec::new();
    let bits = reasons.and_then(|reasons| reasons.contents.split_first()).map_or(&[][..], |(_, bits)| bits);
    let set = |bit: &usize| bits.get(bit / 8).is_some_and(|byte| byte >> (7 - bit % 8) & 1 == 1);
    words.extend(REASONS.iter().filter(|(bit, _)| set(bit)).map(|(_, reason)| (*reason).to_owned()));
    let texts = texts.and_then(|texts| texts.children(der::SEQUENCE).ok()).unwrap_or_default();
    words.extend(texts.iter().take(3).map(|text| quote(&String::from_utf8_lossy(text.contents))));
    if words.is_empty() {
        words.push("it does not say why".to_owned());
    }
    format!("status {}, {}", number.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte)), words.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forge::tlv;

    fn answer(status: &[u8], text: Option<&str>, reasons: Option<&[u8]>, token: Option<&[u8]>) -> Vec<u8> {
        let mut info = tlv(der::INTEGER, status);
        info.extend(text.map(|text| tlv(der::SEQUENCE, &tlv(der::UTF8_STRING, text.as_bytes()))).unwrap_or_default());
        info.extend(reasons.map(|bits| tlv(der::BIT_STRING, bits)).unwrap_or_default());
        tlv(der::SEQUENCE, &[tlv(der::SEQUENCE, &info), token.unwrap_or_default().to_vec()].concat())
    }

    #[test]
    fn a_token_is_taken_only_where_it_is_granted() {
        let token = tlv(der::SEQUENCE, &[]);
        for status in [0, 1] {
            assert_eq!(read_response(&answer(&[status], None, None, Some(&token))), Ok(Token(token.clone())));
        }
        for (answer, words) in [
            (answer(&[2], None, None, Some(&token)), "status 2, it does not say why"),
            (answer(&[2], Some("no \u{1b}[31m"), Some(&[2, 0x20]), None), "it takes the request for bad, \"no \\u{1b}"),
            (answer(&[2], None, Some(&[6, 0, 0, 0, 0x40]), None), "it failed"),
            (answer(&[0xff], None, None, Some(&token)), "status 255"),
            (answer(&[0, 0x80], None, None, Some(&token)), "status 128"),
            (answer(&[0], None, None, None), "holds none"),
            (tlv(der::SEQUENCE, &[]), "parts of a TimeStampResp"),
            ([answer(&[0], None, None, Some(&token)), vec![0]].concat(), "behind its end"),
            (b"<html>".to_vec(), "cannot be read"),
            (Vec::new(), "cannot be read"),
        ] {
            let refusal = read_response(&answer).unwrap_err().to_string();
            assert!(refusal.contains(words), "{refusal}");
        }
    }
}
