//! What every HTTP client of Muster does alike: those of registries, of CRLs and OCSP answers, and of time stamps.
//!
//! Nothing is followed and nothing is tried again unseen: each client decides itself where a redirect may lead and what is
//! worth a second try.

use std::error::Error as _;

use reqwest::{Client, ClientBuilder};

/// A client that says what it is, follows no redirect, tries nothing again and tells no server about another.
pub(crate) fn builder() -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("muster/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
}

/// The causes of an error, the outermost first, each once; without the address, whose query may hold
/// what is secret, and not escaped.
pub(crate) fn causes(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut cause = error.source();
    while let Some(current) = cause {
        let words = current.to_string();
        if !text.contains(&words) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&words);
        }
        cause = current.source();
    }
    if text.is_empty() { "the request failed".to_owned() } else { text }
}
