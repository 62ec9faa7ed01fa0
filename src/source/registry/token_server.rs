//! A token from a token server (*Docker Registry v2 authentication via central service*; RFC 6749, section 6, and RFC 6750).
//!
//! The request has the user's credentials in it: a redirect is followed on the server's own origin only. When a token expires
//! is not read: the registry says so by refusing it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, RequestBuilder, StatusCode};
use url::{Url, form_urlencoded};

use crate::address::authority;
use crate::failure::quote;
use crate::json;
use crate::limits;
use crate::trouble::TroubleKind;

use super::answer::Answer;
use super::credentials::{Identity, Secret};
use super::redirect;
use super::retry::Fault;
use super::transport::{Bound, Transport};

/// The client's name in token requests.
const CLIENT: &str = "muster";

/// What a token is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) realm: &'a Url,
    pub(super) service: Option<&'a str>,
    pub(super) scopes: &'a [String],
    /// Whether the registry itself names it, and not a server that it sends to.
    pub(super) named: bool,
}

/// Why there is no token.
#[derive(Debug)]
pub(super) struct NoToken {
    pub(super) fault: Fault,
    /// Whether the server works, and does not want these credentials.
    pub(super) refused: bool,
}

impl From<Fault> for NoToken {
    fn from(fault: Fault) -> NoToken {
        NoToken { fault, refused: false }
    }
}

/// A token for `identity` as a header.
pub(super) async fn token(
    transport: &Transport,
    identity: &Identity,
    question: Question<'_>,
) -> Result<HeaderValue, NoToken> {
    let denied = |answer: &Answer, why: &str| {
        Fault::lasting(TroubleKind::AccessDenied, format!("the answer to {} {why}", answer.request()))
    };
    if let Identity::Ticket(token) = identity {
        return Ok(bearer(token.expose()).ok_or_else(|| {
            Fault::lasting(TroubleKind::AccessDenied, "the registry token of the stored credentials cannot be sent")
        })?);
    }
    let answer = ask(transport, identity, question).await?;
    if !matches!(answer.status, StatusCode::OK | StatusCode::CREATED) {
        let mut fault = Fault::of_answer(&answer);
        // To be asked later is neither.
        if !fault.is_passing() && !fault.refused {
            fault.trouble.kind = TroubleKind::AccessDenied;
        }
        let refused = matches!(
            answer.status,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND
        );
        return Err(NoToken { fault, refused });
    }
    let token = read(&answer.body).map_err(|why| denied(&answer, &why))?;
    Ok(bearer(&token).ok_or_else(|| denied(&answer, "has a token that cannot be sent"))?)
}

fn bearer(token: &str) -> Option<HeaderValue> {
    HeaderValue::try_from(format!("Bearer {token}")).ok()
}

/// User and password as a header (RFC 7617).
pub(super) fn basic(user: &str, password: &Secret) -> Result<HeaderValue, Fault> {
    let encoded = STANDARD.encode(format!("{user}:{}", password.expose()));
    let header = HeaderValue::try_from(format!("Basic {encoded}"));
    header.map_err(|_| Fault::lasting(TroubleKind::AccessDenied, "user and password cannot be sent"))
}

/// The answer to the question, at the address that the registry named or to where that server moved it.
async fn ask(transport: &Transport, identity: &Identity, question: Question<'_>) -> Result<Answer, Fault> {
    let Question { realm, service, scopes, named } = question;
    let (method, mut url, form) = match identity {
        Identity::Token(token) => (Method::POST, realm.clone(), Some(refresh(service, scopes, token))),
        _ => (Method::GET, with_query(realm, service, scopes), None),
    };
    let origin = realm.origin();
    for _ in 0..=limits::REDIRECTS {
        let (verb, address) = (method.clone(), url.clone());
        let mut send: RequestBuilder =
            if named { transport.request_to_named(verb, address) } else { transport.request(verb, address) };
        if let Identity::Password { user, password } = identity {
            let mut header = basic(user, password)?;
            header.set_sensitive(true);
            send = send.header(AUTHORIZATION, header);
        }
        if let Some(form) = &form {
            send = send.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.clone());
        }
        let answer = transport.exchange(method.clone(), url, send, Bound::AtMost(limits::TOKEN_BYTES)).await?;
        if !redirect::is_followed(&method, answer.status) {
            return Ok(answer);
        }
        url = redirect::target(&method, &answer.url, &answer.headers)?;
        if url.origin() != origin {
            let message = format!(
                "{} was redirected to {}, another server than the registry named: no credentials go there",
                answer.request(),
                authority(&url)
            );
            return Err(Fault::lasting(TroubleKind::AccessDenied, message));
        }
    }
    let message = format!("the token server at {} redirects more than {} times", authority(realm), limits::REDIRECTS);
    Err(Fault::lasting(TroubleKind::AccessDenied, message))
}

fn with_query(realm: &Url, service: Option<&str>, scopes: &[String]) -> Url {
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
    url
}

/// The form that exchanges a refresh token.
fn refresh(service: Option<&str>, scopes: &[String], token: &Secret) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "refresh_token").append_pair("client_id", CLIENT);
    form.append_pair("refresh_token", token.expose()).append_pair("scope", &scopes.join(" "));
    if let Some(service) = service {
        form.append_pair("service", service);
    }
    form.finish()
}

/// The token in a token server's answer.
fn read(body: &[u8]) -> Result<String, String> {
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
            assert_eq!(read(body.as_bytes()).ok().as_deref(), expected, "{body}");
        }
    }
}
