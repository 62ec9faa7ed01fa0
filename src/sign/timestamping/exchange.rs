//! One request for a time stamp and its answer, redirects included.
//!
//! Follows RFC 3161, section 3.4, and RFC 9110, sections 15.4.8 and 15.4.9: 307 and 308 keep a request what it is, and are followed
//! to where a server may send ([`redirected`]). 301, 302 and 303 make a GET of it, which asks for no time stamp: where they lead
//! is told. The media type of an answer is not insisted on where its content is what was asked for: a token is verified,
//! whatever it was called.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::header::{ACCEPT, CONTENT_TYPE, LOCATION};
use reqwest::{Client, ClientBuilder, Response, StatusCode};
use url::Url;

use super::shown;
use crate::address::{is_loopback, redirected, without_secrets};
use crate::failure::quote;
use crate::http_client::{self, asked_pause, causes};
use crate::limits;
use crate::pki::der::SEQUENCE;
use crate::source::registry::no_proxy::PortEntries;
use crate::source::resolver::{LeadsHere, Lookup, Names};
use crate::source::{Resolver, SystemResolver};
use crate::timestamp::Request;

/// Why there is no answer. The reasons are ends of sentences whose "it" is the authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Miss {
    /// Another try may go better, at the earliest after this pause if the authority asked for one.
    Passing(String, Option<Duration>),
    /// It stays so.
    Lasting(String),
}

/// What speaks HTTP.
#[derive(Debug)]
pub(super) struct Clients {
    /// With the authority that the user named.
    named: Client,
    /// With another host that the authority sends on to: never in the reach of this machine alone.
    sent_on: Client,
}

impl Clients {
    /// The clients for the authority at `url`. The error is the end of a sentence.
    pub(super) fn new(url: &Url) -> Result<Clients, String> {
        let resolver: Arc<dyn Resolver> = Arc::new(SystemResolver);
        // A proxy's loopback is another machine's.
        let past_proxies = is_loopback(url) || PortEntries::of_environment().name(url);
        let names = Names::of_redirects(&resolver);
        Ok(Clients {
            named: client(url, |client| if past_proxies { client.no_proxy() } else { client })?,
            sent_on: client(url, |client| client.dns_resolver(Arc::new(Lookup(Arc::clone(&names)))))?,
        })
    }

    /// Sends `request` to `url`, and hands back the body of the answer.
    pub(super) async fn exchange(&self, url: &Url, request: &[u8]) -> Result<Vec<u8>, Miss> {
        let mut at = url.clone();
        for _ in 0..=limits::TIMESTAMP_REDIRECTS {
            let response = self.send(url, &at, request).await?;
            let status = response.status();
            let location = response.headers().get(LOCATION).map(|value| String::from_utf8_lossy(value.as_bytes()));
            let location = location.unwrap_or_default();
            match status.as_u16() {
                200 => return body(response).await,
                307 | 308 => {
                    at = redirected(&at, &location).map_err(|why| {
                        Miss::Lasting(format!("it redirects to {}, {why}", quote(&without_secrets(&location))))
                    })?;
                }
                301..=303 => return Err(Miss::Lasting(of_get(status, redirected(&at, &location), &location))),
                _ => return Err(of_status(&response)),
            }
        }
        Err(Miss::Lasting(format!("it redirected the request more than {} times", limits::TIMESTAMP_REDIRECTS)))
    }

    /// Sends to `at`, which is `named` or where that has sent on to.
    async fn send(&self, named: &Url, at: &Url, request: &[u8]) -> Result<Response, Miss> {
        // Only one on this machine sends on to another there, and is itself asked past proxies.
        let client = if at.host() == named.host() || is_loopback(at) { &self.named } else { &self.sent_on };
        let send = client.post(at.clone()).header(CONTENT_TYPE, Request::MEDIA_TYPE);
        let sent = send.header(ACCEPT, Request::ANSWER_MEDIA_TYPE).body(request.to_vec()).send().await;
        sent.map_err(|error| {
            let place = if at == named { String::new() } else { format!(" at {}, where it redirects to", shown(at)) };
            let why = quote(&causes(&error));
            match error.is_connect() {
                _ if LeadsHere::caused(&error) => Miss::Lasting(format!("it is not asked{place}: {why}")),
                true => Miss::Passing(format!("it cannot be reached{place}: {why}"), None),
                false => Miss::Passing(format!("the connection broke before it answered{place}: {why}"), None),
            }
        })
    }
}

fn client(url: &Url, change: impl Fn(ClientBuilder) -> ClientBuilder) -> Result<Client, String> {
    let builder = || change(http_client::builder().connect_timeout(limits::CONNECT_TIMEOUT));
    let mut built = builder().build();
    if built.is_err() && url.scheme() == "http" {
        // A system without any certificates, as small containers are.
        built = builder().tls_certs_only([]).build();
    }
    built.map_err(|error| format!("TLS cannot be set up: {}", quote(&causes(&error))))
}

/// What a redirect means behind which there is no request for a time stamp any more.
fn of_get(status: StatusCode, target: Result<Url, &str>, location: &str) -> String {
    let make = format!("it answered with {status}, which would make a GET of the request");
    match target {
        Ok(target) => {
            let query = if target.query().is_some() { " with the query that it adds" } else { "" };
            format!("{make}: it has moved to {}{query}, so name that by --timestamp-url", shown(&target))
        }
        Err(why) => format!("{make}, and leads to {}, {why}", quote(&without_secrets(location))),
    }
}

fn of_status(response: &Response) -> Miss {
    let status = response.status();
    let reason = format!("it answered with {status}");
    match status.as_u16() {
        408 | 425 | 429 | 500 | 502 | 503 | 504 => {
            Miss::Passing(reason, asked_pause(response.headers(), SystemTime::now()))
        }
        407 => Miss::Lasting(format!(
            "{reason}: the proxy of the environment wants credentials (http://USER:PASSWORD@HOST)"
        )),
        _ => Miss::Lasting(reason),
    }
}

/// The content of an answer, which has to look like a `TimeStampResp`, or be called one.
async fn body(mut response: Response) -> Result<Vec<u8>, Miss> {
    let stated = response.headers().get(CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let stated = stated.as_deref().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_owned();
    let mut body = Vec::new();
    // The answer adds a status to the token.
    let most = limits::TIMESTAMP_BYTES + 4096;
    let broke = |error| Miss::Passing(format!("its answer broke off: {}", quote(&causes(&error))), None);
    while let Some(chunk) = response.chunk().await.map_err(broke)? {
        if body.len() + chunk.len() > most {
            return Err(Miss::Lasting(format!("its answer is longer than {most} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    if stated.eq_ignore_ascii_case(Request::ANSWER_MEDIA_TYPE) || body.first() == Some(&SEQUENCE) {
        return Ok(body);
    }
    let wanted = Request::ANSWER_MEDIA_TYPE;
    Err(Miss::Lasting(match stated.to_ascii_lowercase().as_str() {
        "" => format!("its answer states no type and is not a time stamp: expected {wanted}"),
        "text/html" | "application/xhtml+xml" => format!(
            "its answer is of the type {}, a page for people, not {wanted}: is --timestamp-url where it takes requests, and \
             is a login or a proxy in between?",
            quote(&stated)
        ),
        _ => format!("its answer is of the type {}, not {wanted}", quote(&stated)),
    }))
}
