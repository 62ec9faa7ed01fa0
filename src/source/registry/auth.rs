//! Meeting a registry's challenge: user and password, or a token from a token server.
//!
//! A token is asked for once for all requests of one scope, and again when the registry refuses it. The token server's
//! redirects are not followed: the request has the user's credentials in it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, RequestBuilder, StatusCode};
use tokio::sync::OnceCell;
use url::{Url, form_urlencoded};

use crate::limits;
use crate::trouble::{Trouble, TroubleKind};
use crate::{failure::quote, json};

use super::answer::Answer;
use super::challenge::{self, Challenge, Scope};
use super::credentials::{Credentials, Identity};
use super::retry::Fault;
use super::transport::{Bound, Transport};

/// How many scopes are remembered; with more, all are forgotten and asked for again.
const SCOPES: usize = 1024;

/// The client's name in token requests.
const CLIENT: &str = "muster";

/// What a request shows, and which of the answers to challenges it is.
#[derive(Debug, Clone)]
pub(super) struct Ticket {
    pub(super) header: HeaderValue,
    number: u64,
}

type Slot = Arc<tokio::sync::Mutex<Option<Ticket>>>;

/// The credentials for a registry, and the tickets got with them.
#[derive(Debug)]
pub(super) struct Auth {
    host: String,
    base: Url,
    credentials: Credentials,
    identity: OnceCell<Result<Identity, Trouble>>,
    slots: Mutex<HashMap<Scope, Slot>>,
    /// The ticket that is good for every scope: user and password.
    everywhere: Slot,
    issued: std::sync::atomic::AtomicU64,
}

impl Auth {
    pub(super) fn new(host: &str, base: Url, credentials: Credentials) -> Auth {
        Auth {
            host: host.to_owned(),
            base,
            credentials,
            identity: OnceCell::new(),
            slots: Mutex::default(),
            everywhere: Slot::default(),
            issued: Default::default(),
        }
    }

    /// The ticket to show at first, if there is one already.
    pub(super) async fn ticket(&self, scope: &Scope) -> Option<Ticket> {
        if let Some(ticket) = self.everywhere.lock().await.clone() {
            return Some(ticket);
        }
        self.slot(scope).lock().await.clone()
    }

    /// Meets the challenge of a 401 that `shown` got.
    pub(super) async fn renew(
        &self,
        transport: &Transport,
        scope: &Scope,
        refused: &Answer,
        shown: Option<&Ticket>,
    ) -> Result<Ticket, Fault> {
        let challenge = challenge::read(&refused.headers, &self.base, scope).map_err(|why| refused.invalid(why))?;
        let slot = if challenge == Challenge::Basic { self.everywhere.clone() } else { self.slot(scope) };
        // One request asks; those that wait here meanwhile take what it got.
        let mut slot = slot.lock().await;
        match &*slot {
            Some(ticket) if Some(ticket.number) != shown.map(|shown| shown.number) => return Ok(ticket.clone()),
            _ => *slot = None,
        }
        let time = transport.timings.idle;
        let identity = self.identity.get_or_init(|| self.credentials.identity(&self.host, time)).await;
        let identity = identity.as_ref().map_err(Clone::clone)?;
        let mut header = match challenge {
            Challenge::Basic => basic(identity, refused)?,
            Challenge::Bearer { realm, service, scopes } => {
                bearer(transport, identity, &realm, service.as_deref(), &scopes).await?
            }
        };
        header.set_sensitive(true);
        let number = self.issued.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let ticket = Ticket { header, number };
        *slot = Some(ticket.clone());
        Ok(ticket)
    }

    fn slot(&self, scope: &Scope) -> Slot {
        // The map is whole even if a thread died while it held the lock.
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(scope) {
            return slot.clone();
        }
        if slots.len() >= SCOPES {
            slots.clear();
        }
        slots.entry(scope.clone()).or_default().clone()
    }
}

/// User and password as a header (RFC 7617).
fn basic(identity: &Identity, refused: &Answer) -> Result<HeaderValue, Fault> {
    let denied = |why: &str| Fault::lasting(TroubleKind::AccessDenied, format!("{}; {why}", refused.sentence()));
    match identity {
        Identity::Password { user, password } => password_header(user, password.expose()),
        Identity::Anonymous => Err(denied("no credentials are known for this registry")),
        Identity::Token(_) => Err(denied("the registry wants a user and a password, not an identity token")),
    }
}

fn password_header(user: &str, password: &str) -> Result<HeaderValue, Fault> {
    HeaderValue::try_from(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
        .map_err(|_| Fault::lasting(TroubleKind::AccessDenied, "user and password cannot be sent"))
}

/// A token from the token server as a header (RFC 6750).
async fn bearer(
    transport: &Transport,
    identity: &Identity,
    realm: &Url,
    service: Option<&str>,
    scopes: &[String],
) -> Result<HeaderValue, Fault> {
    let (method, send) = match identity {
        Identity::Token(token) => (Method::POST, exchange(transport, realm, service, scopes, token.expose())),
        Identity::Password { user, password } => {
            let header = sensitive(password_header(user, password.expose())?);
            (Method::GET, ask(transport, realm, service, scopes).header(AUTHORIZATION, header))
        }
        Identity::Anonymous => (Method::GET, ask(transport, realm, service, scopes)),
    };
    let answer = transport.exchange(method, realm.clone(), send, Bound::AtMost(limits::TOKEN_BYTES)).await?;
    if answer.status != StatusCode::OK {
        let mut fault = Fault::of_answer(&answer);
        if !fault.is_passing() {
            fault.trouble.kind = TroubleKind::AccessDenied;
        }
        return Err(fault);
    }
    let denied =
        |why: &str| Fault::lasting(TroubleKind::AccessDenied, format!("the answer to {} {why}", answer.request()));
    let token = token(&answer.body).map_err(|why| denied(&why))?;
    HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| denied("has a token that cannot be sent"))
}

fn ask(transport: &Transport, realm: &Url, service: Option<&str>, scopes: &[String]) -> RequestBuilder {
    let mut url = realm.clone();
    {
        let mut query = url.query_pairs_mut();
        if let Some(service) = service {
            query.append_pair("service", service);
        }
        for scope in scopes {
            query.append_pair("scope", scope);
        }
    }
    transport.client.get(url)
}

/// The request that exchanges a refresh token (RFC 6749, section 6).
fn exchange(
    transport: &Transport,
    realm: &Url,
    service: Option<&str>,
    scopes: &[String],
    refresh_token: &str,
) -> RequestBuilder {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "refresh_token").append_pair("client_id", CLIENT);
    form.append_pair("refresh_token", refresh_token).append_pair("scope", &scopes.join(" "));
    if let Some(service) = service {
        form.append_pair("service", service);
    }
    transport.client.post(realm.clone()).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.finish())
}

/// The token in a token server's answer. When it expires is not read: the registry says so by refusing it.
fn token(body: &[u8]) -> Result<String, String> {
    let members = json::text(body).and_then(json::members).map_err(|error| format!("is not strict JSON: {error}"))?;
    for name in ["token", "access_token"] {
        let Some(value) = members.get(name).filter(|value| !json::is_null(value)) else { continue };
        let token = json::string(value).map_err(|error| format!("has no usable {}: {error}", quote(name)))?;
        if !token.is_empty() {
            return Ok(token.into_owned());
        }
    }
    Err("has no token".to_owned())
}

fn sensitive(mut header: HeaderValue) -> HeaderValue {
    header.set_sensitive(true);
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a19_an_answer_without_a_usable_token_is_refused() {
        for (body, expected) in [
            (r#"{"token":"t","expires_in":-1}"#, Some("t")),
            (r#"{"access_token":"t","expires_in":1e400}"#, Some("t")),
            (r#"{"token":"","access_token":"t"}"#, Some("t")),
            (r#"{"token":null,"access_token":"t"}"#, Some("t")),
            (r#"{"token":"a","access_token":"b"}"#, Some("a")),
            (r#"{"token":"a","token":"b"}"#, None),
            (r#"{"token":7}"#, None),
            (r#"{"token":""}"#, None),
            ("{}", None),
            ("[]", None),
            ("", None),
        ] {
            assert_eq!(token(body.as_bytes()).ok().as_deref(), expected, "{body}");
        }
    }
}
