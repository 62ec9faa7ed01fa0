//! Which redirects are followed.
//!
//! A registry may hand a request on to where its content lies. It may not send it from HTTPS to plain HTTP, to another
//! scheme, to an address with credentials in it, nor to addresses that mean something on this machine or its network
//! only: a cloud's metadata service answers to every client inside the cloud.

use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{Method, StatusCode};
use url::Url;

use crate::address::{redirected, without_secrets};
use crate::failure::quote;
use crate::trouble::{Trouble, TroubleKind};

use super::answer::request;

/// Whether an answer with this status asks to go elsewhere, and is done the favour. What writes goes elsewhere only where
/// it stays the same request (RFC 9110, sections 15.4.8 and 15.4.9).
pub(super) fn is_followed(method: &Method, status: StatusCode) -> bool {
    match status.as_u16() {
        301..=303 => [Method::GET, Method::HEAD].contains(method),
        307 | 308 => true,
        _ => false,
    }
}

/// Where a redirect from `url` leads, if it may be followed.
pub(super) fn target(method: &Method, url: &Url, headers: &HeaderMap) -> Result<Url, Trouble> {
    let location = headers.get(LOCATION).map(|value| String::from_utf8_lossy(value.as_bytes())).unwrap_or_default();
    let refused = |why: &str| {
        let message =
            format!("{} was redirected to {}, {why}", request(method, url), quote(&without_secrets(&location)));
        Trouble::new(TroubleKind::AnswerInvalid, message)
    };
    redirected(url, &location).map_err(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follow(from: &str, to: &str) -> Result<String, Trouble> {
        let headers = HeaderMap::from_iter([(LOCATION, to.parse().unwrap())]);
        target(&Method::GET, &Url::parse(from).unwrap(), &headers).map(String::from)
    }

    #[test]
    fn follows_to_where_content_lies() {
        for (from, to, expected) in [
            ("https://a.io/v2/x", "/v2/y", "https://a.io/v2/y"),
            ("https://a.io/v2/x", "https://cdn.io/z?sig=1", "https://cdn.io/z?sig=1"),
            ("http://a.io/v2/x", "https://a.io/v2/x", "https://a.io/v2/x"),
            ("http://localhost:5000/v2/x", "http://127.0.0.1:5001/y", "http://127.0.0.1:5001/y"),
            ("http://169.254.1.1/v2/x", "http://169.254.1.1/y", "http://169.254.1.1/y"),
        ] {
            assert_eq!(follow(from, to), Ok(expected.to_owned()));
        }
    }

    #[test]
    fn a15_follows_nowhere_else() {
        for (from, to) in [
            ("https://a.io/v2/x", "http://a.io/v2/x"),
            ("https://a.io/v2/x", "file:///etc/passwd"),
            ("http://a.io/v2/x", "unix:/run/docker.sock"),
            ("http://a.io/v2/x", "http://169.254.169.254/latest/meta-data"),
            ("http://localhost:5000/v2/x", "http://169.254.169.254/latest/meta-data"),
            ("http://localhost:5000/v2/x", "http://[::ffff:169.254.169.254]/"),
            ("http://a.io/v2/x", "http://0251.0376.0251.0376/"),
            ("http://a.io/v2/x", "http://127.0.0.1:2375/"),
            ("http://a.io/v2/x", "http://2130706433/"),
            ("http://a.io/v2/x", "http://0x7f.1/"),
            ("http://a.io/v2/x", "http://[64:ff9b::a9fe:a9fe]/"),
            ("http://a.io/v2/x", "http://[fd00:ec2::254]/"),
            ("http://a.io/v2/x", "http://100.100.100.200/"),
            ("http://a.io/v2/x", "http://localhost./"),
            ("http://a.io/v2/x", "http://x.LOCALHOST/"),
            ("http://a.io/v2/x", "http://localhost/"),
            ("http://a.io/v2/x", "http://[fe80::1]/"),
            ("http://a.io/v2/x", "http://0.0.0.0/"),
            ("https://a.io/v2/x", "https://user:secret@a.io/"),
            ("https://a.io/v2/x", "https://"),
            ("https://a.io/v2/x", ""),
        ] {
            let trouble = follow(from, to).unwrap_err();
            assert_eq!(trouble.kind, TroubleKind::AnswerInvalid, "{from} to {to}");
        }
        for to in ["http://a.io/y?sig=secret", "https://user:secret@a.io/", "//user:secret@a.io", "file://secret@"] {
            let message = follow("https://a.io/x", to).unwrap_err().message;
            assert!(!message.contains("secret"), "{message}");
        }
    }
}
