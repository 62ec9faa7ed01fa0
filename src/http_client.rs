//! What every HTTP client of Muster does alike: those of registries, of CRLs and OCSP answers, and of time stamps.
//!
//! Nothing is followed and nothing is tried again unseen: each client decides itself where a redirect may lead and what is
//! worth a second try.

use std::error::Error as _;
use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, ClientBuilder};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use crate::shortage;

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
    // Every client asks for the causes of an error: what this machine lacks is noted here.
    shortage::note(error);
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

/// The pause that `Retry-After` asks for, as seconds or as a date; anything else is as good as no header. A date is by the
/// server's clock, which its `Date` tells.
pub(crate) fn asked_pause(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let date = |text: &str| OffsetDateTime::parse(text.trim(), &Rfc2822).ok().map(SystemTime::from);
    let now = headers.get(DATE).and_then(|value| date(value.to_str().ok()?)).unwrap_or(now);
    Some(date(text)?.duration_since(now).unwrap_or_default())
}
