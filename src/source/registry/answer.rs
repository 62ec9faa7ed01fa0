//! What a registry answered, read with suspicion: status, headers, and a body that is never longer than asked for.

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::failure::quote;
use crate::trouble::{Trouble, TroubleKind};

use super::tls_advice;
use crate::address::authority;

/// A complete answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) method: Method,
    /// The address that answered, after redirects.
    pub(super) url: Url,
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// The error answer of the OCI distribution specification, *Error Codes*.
#[derive(Deserialize)]
struct Errors {
    #[serde(default)]
    errors: Vec<ErrorEntry>,
}

#[derive(Deserialize)]
struct ErrorEntry {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
    /// Whatever the registry likes; some say only here what is the matter.
    #[serde(default)]
    detail: Value,
}

/// What a refusal says, for those who decide what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) status: StatusCode,
    /// The body in small letters, as far as it is read.
    words: String,
}

impl Said {
    /// Whether one of these stands in it; they are in small letters.
    pub(super) fn has_one_of(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.words.contains(word))
    }
}

impl Answer {
    /// The media type without its parameters, in small letters: its case says nothing (RFC 9110, section 8.3). `None`: the
    /// answer does not state one.
    pub(super) fn media_type(&self) -> Result<Option<String>, Trouble> {
        let mut stated: Option<String> = None;
        for value in self.headers.get_all(CONTENT_TYPE) {
            let text = String::from_utf8_lossy(value.as_bytes());
            let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            let contradicts = stated.as_deref().is_some_and(|first| first != essence);
            if contradicts || !is_media_type(&essence) {
                return Err(self.invalid(format!("states the content type {}", quote(&text))));
            }
            stated = Some(essence);
        }
        Ok(stated)
    }

    /// A header that may stand once, as text.
    pub(super) fn header(&self, name: HeaderName) -> Result<Option<&str>, Trouble> {
        let mut values = self.headers.get_all(&name).iter();
        let Some(value) = values.next() else { return Ok(None) };
        match value.to_str() {
            Ok(text) if values.all(|other| other == value) => Ok(Some(text)),
            _ => Err(self.invalid(format!("has a header {name} that is doubled or not text"))),
        }
    }

    /// Whether the registry says that it does not know the repository.
    pub(super) fn says_repository_unknown(&self) -> bool {
        self.status == StatusCode::NOT_FOUND && self.errors().iter().any(|error| error.code == "NAME_UNKNOWN")
    }

    /// Whether the error that the answer names first has one of these codes.
    pub(super) fn says_one_of(&self, codes: &[&str]) -> bool {
        self.errors().first().is_some_and(|error| codes.contains(&error.code.as_str()))
    }

    /// Trouble with this answer; `what` goes on after "the answer to …".
    pub(super) fn invalid(&self, what: impl AsRef<str>) -> Trouble {
        Trouble::new(TroubleKind::AnswerInvalid, format!("the answer to {} {}", self.request(), what.as_ref()))
    }

    /// The request that was answered, for messages.
    pub(super) fn request(&self) -> String {
        request(&self.method, &self.url)
    }

    /// One sentence that says what was answered: the status, and the first error that the body names.
    pub(super) fn sentence(&self) -> String {
        let mut sentence = format!("{} was answered with {}", self.request(), self.status);
        if let Some(error) = self.errors().first() {
            let detail = error.detail.as_str().filter(|detail| *detail != error.message).unwrap_or_default();
            for word in [&error.code, &error.message, detail].into_iter().filter(|word| !word.is_empty()) {
                sentence.push_str(": ");
                sentence.push_str(&quote(word));
            }
        } else if let Some(advice) = tls_advice::of_body(&self.body) {
            sentence.push_str(": ");
            sentence.push_str(advice);
        }
        sentence
    }

    /// What it says, for those who decide what a refusal means.
    pub(super) fn said(&self) -> Said {
        Said { status: self.status, words: String::from_utf8_lossy(&self.body).to_lowercase() }
    }

    fn errors(&self) -> Vec<ErrorEntry> {
        serde_json::from_slice::<Errors>(&self.body).map(|body| body.errors).unwrap_or_default()
    }
}

/// How a request is named in messages: path and host, never the query, which may hold what is secret.
pub(super) fn request(method: &Method, url: &Url) -> String {
    let preposition = if *method == Method::GET { "from" } else { "to" };
    format!("{method} {} {preposition} {}", quote(url.path()), authority(url))
}

fn is_media_type(text: &str) -> bool {
    let token = |text: &str| !text.is_empty() && text.bytes().all(is_token_byte);
    text.split_once('/').is_some_and(|(kind, name)| token(kind) && token(name))
}

/// Whether a byte may stand in a token (RFC 9110, section 5.6.2).
pub(super) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(headers: &[(HeaderName, &str)], body: &'static str) -> Answer {
        Answer {
            method: Method::GET,
            url: Url::parse("http://localhost:5000/v2/a/manifests/v1?token=secret").unwrap(),
            status: StatusCode::NOT_FOUND,
            headers: headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect(),
            body: Bytes::from_static(body.as_bytes()),
        }
    }

    #[test]
    fn a08_media_types_lose_their_parameters_and_must_be_media_types() {
        for (stated, expected) in [
            (&["application/json"][..], Some("application/json")),
            (
                &["application/vnd.oci.image.index.v1+json; charset=utf-8"],
                Some("application/vnd.oci.image.index.v1+json"),
            ),
            (&["a/b ;x=\"y;z\""], Some("a/b")),
            (&["a/b", "a/b;q=1"], Some("a/b")),
            (&["A/B", "a/b"], Some("a/b")),
            (&[], None),
        ] {
            let headers: Vec<_> = stated.iter().map(|value| (CONTENT_TYPE, *value)).collect();
            assert_eq!(answer(&headers, "").media_type(), Ok(expected.map(str::to_owned)), "{stated:?}");
        }
        for stated in [&["a/b, c/d"][..], &["a/b", "c/d"], &[""], &["json"], &["a/"], &["a b/c"], &["a/b/c"], &[";a/b"]]
        {
            let headers: Vec<_> = stated.iter().map(|value| (CONTENT_TYPE, *value)).collect();
            assert!(answer(&headers, "").media_type().is_err(), "{stated:?} was taken for a media type");
        }
    }

    #[test]
    fn a_sentence_names_the_first_error_and_no_query() {
        let sentence =
            answer(&[], r#"{"errors":[{"code":"NAME_UNKNOWN","message":"no \u001b[31m"},{"code":"X"}]}"#).sentence();
        assert_eq!(
            sentence,
            "GET \"/v2/a/manifests/v1\" from localhost:5000 was answered with 404 Not Found: \"NAME_UNKNOWN\": \"no \\u{1b}[31m\""
        );
        assert!(!answer(&[], "<html>").says_repository_unknown());
    }

    #[test]
    fn s60_what_only_the_detail_says_is_told() {
        // As Nexus says it.
        let nexus = r#"{"errors":[{"code":"BLOB_UPLOAD_INVALID","message":"blob upload invalid","detail":"Repository does not allow updating assets: docker"}]}"#;
        let answer = answer(&[], nexus);
        assert!(
            answer
                .sentence()
                .ends_with(r#""blob upload invalid": "Repository does not allow updating assets: docker""#)
        );
        assert!(answer.said().has_one_of(&["immutable", "not allow updating"]));
        assert!(!answer.said().has_one_of(&["immutable"]));
        let other = super::tests::answer(&[], r#"{"errors":[{"code":"X","message":"m","detail":{"tag":"v1"}}]}"#);
        assert!(other.sentence().ends_with(r#""X": "m""#));
    }
}
