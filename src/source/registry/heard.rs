//! Headers of a registry's answer by themselves, for [`crate::fuzzing`]: lines in place of values.

use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, LINK, WWW_AUTHENTICATE};
use reqwest::{Method, StatusCode};
use url::Url;

use super::answer::Answer;
use super::challenge::{self, Challenge, Scope};
use super::paging::Pages;
use crate::trouble::Trouble;

fn headers(name: &HeaderName, lines: &[u8]) -> HeaderMap {
    let values = lines.split(|byte| *byte == b'\n').filter_map(|line| HeaderValue::from_bytes(line).ok());
    let mut headers = HeaderMap::new();
    for value in values.take(100) {
        headers.append(name, value);
    }
    headers
}

/// The page after `first`, of an answer with these `Link` headers.
pub(crate) fn next_page(first: &Url, links: &[u8]) -> Result<Option<Url>, Trouble> {
    let headers = headers(&LINK, links);
    let (method, url, status) = (Method::GET, first.clone(), StatusCode::OK);
    let answer = Answer { method, url, status, headers, body: Bytes::new() };
    Pages::new(first, first, 3).next(&answer)
}

/// The token server and the scopes of these `WWW-Authenticate` headers; `None`: a password is asked for.
pub(crate) fn token_server(registry: &Url, challenges: &[u8]) -> Result<Option<(Url, Vec<String>)>, String> {
    let scope = Scope::Repository("team/app".to_owned());
    match challenge::read(&headers(&WWW_AUTHENTICATE, challenges), registry, &scope)? {
        Challenge::Basic => Ok(None),
        Challenge::Bearer { realm, scopes, .. } => Ok(Some((realm, scopes))),
    }
}
