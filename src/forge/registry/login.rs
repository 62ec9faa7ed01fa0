//! Who may ask: every client, one with a password (RFC 7617), or one with a token of the registry's own token server (Docker's
//! token specification, RFC 6750). A token serves what it was asked for, and only so many requests, as tokens of registries
//! serve some minutes only.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::http::header::{AUTHORIZATION, HOST, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use super::answer;
use super::route::Route;

/// Where tokens are to be had.
pub(super) const TOKENS: &str = "/token";

/// Who may ask an embedded registry.
#[derive(Debug, Clone, Default)]
pub enum Login {
    /// Every client.
    #[default]
    Open,
    /// A client that knows this user and password.
    Password {
        /// The user's name.
        user: String,
        /// The password.
        password: String,
    },
    /// A client that shows a token.
    Token {
        /// Which clients get one: those that know this user and password, or all.
        user: Option<(String, String)>,
        /// How many requests a token serves.
        requests: usize,
    },
}

/// The tokens that were given out.
#[derive(Debug, Default)]
pub(super) struct Tokens(Mutex<HashMap<String, Token>>);

#[derive(Debug)]
struct Token {
    scopes: Vec<String>,
    /// How many requests it still serves.
    left: usize,
}

impl Login {
    /// Why a request is not answered; `None` if it is.
    pub(super) fn refusal(&self, tokens: &Tokens, route: Route<'_>, request: &Parts) -> Option<Response> {
        let shown = request.headers.get(AUTHORIZATION).and_then(|shown| shown.to_str().ok()).unwrap_or_default();
        match self {
            Login::Open => None,
            Login::Password { user, password } => {
                (!is_basic(shown, user, password)).then(|| unauthorized("Basic realm=\"embedded\""))
            }
            Login::Token { .. } => {
                let needed = needed(route, &request.method);
                let served = tokens.serves(shown.strip_prefix("Bearer ").unwrap_or_default(), &needed);
                (!served).then(|| {
                    let host = request.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
                    let (path, action) = &needed;
                    unauthorized(&format!(
                        "Bearer realm=\"http://{host}{TOKENS}\",service=\"embedded\",scope=\"{path}:{action}\""
                    ))
                })
            }
        }
    }

    /// What the token server answers.
    pub(super) fn token(&self, tokens: &Tokens, request: &Parts) -> Response {
        let Login::Token { user, requests } = self else {
            return answer::error(StatusCode::NOT_FOUND, "UNSUPPORTED", "there is no such endpoint");
        };
        let shown = request.headers.get(AUTHORIZATION).and_then(|shown| shown.to_str().ok()).unwrap_or_default();
        if user.as_ref().is_some_and(|(user, password)| !is_basic(shown, user, password)) {
            return unauthorized("Basic realm=\"embedded\"");
        }
        let query = url::form_urlencoded::parse(request.uri.query().unwrap_or_default().as_bytes());
        let scopes = query.filter(|(name, _)| name == "scope").map(|(_, scope)| scope.into_owned());
        let token = tokens.issue(scopes.collect(), *requests);
        let body = json!({ "token": token, "expires_in": 60 }).to_string();
        answer::with_content(&request.method, StatusCode::OK, "application/json", body.into())
    }
}

impl Tokens {
    fn issue(&self, scopes: Vec<String>, requests: usize) -> String {
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let name = format!("token-{}", tokens.len() + 1);
        tokens.insert(name.clone(), Token { scopes, left: requests });
        name
    }

    /// Whether a token serves one request more, and that for `needed`.
    fn serves(&self, token: &str, (path, action): &(String, &str)) -> bool {
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Token { scopes, left }) = tokens.get_mut(token) else { return false };
        let allows = |scope: &String| {
            scope.rsplit_once(':').is_some_and(|(scoped, actions)| {
                scoped == path && actions.split(',').any(|allowed| allowed == *action || allowed == "*")
            })
        };
        let serves = *left > 0 && (path.is_empty() || scopes.iter().any(allows));
        *left -= usize::from(serves);
        serves
    }
}

/// What a token must be for: a resource, empty for any, and what is done with it.
fn needed(route: Route<'_>, method: &Method) -> (String, &'static str) {
    match route {
        Route::Base => (String::new(), "pull"),
        Route::Catalog => ("registry:catalog".to_owned(), "*"),
        Route::Tags { name }
        | Route::Manifest { name, .. }
        | Route::Blob { name, .. }
        | Route::Upload { name, .. }
        | Route::Referrers { name, .. } => {
            let action = match *method {
                Method::GET | Method::HEAD => "pull",
                Method::DELETE => "delete",
                _ => "push",
            };
            (format!("repository:{name}"), action)
        }
    }
}

fn is_basic(shown: &str, user: &str, password: &str) -> bool {
    let decoded = shown.strip_prefix("Basic ").and_then(|text| BASE64_STANDARD.decode(text).ok());
    decoded.is_some_and(|decoded| decoded == format!("{user}:{password}").into_bytes())
}

fn unauthorized(challenge: &str) -> Response {
    let mut response = answer::error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "log in first");
    answer::set(&mut response, WWW_AUTHENTICATE, challenge);
    response
}
