//! Time stamps for new signatures: the request to an authority over HTTP, and what is made of its answer.
//!
//! Follows RFC 3161, section 3.4, and *signature-specification*, Unsigned Attributes. What comes back is verified as it
//! will be by every verifier: a time stamp that would fail verification is not put into an envelope. Redirects are not
//! followed and nothing is tried twice: the user who signs sees what happened.

use std::path::Path;
use std::time::Duration;

use aws_lc_rs::rand;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Client, Response, StatusCode};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use url::Url;

use crate::address::is_loopback;
use crate::failure::{Failure, quote};
use crate::http_client::{self, causes};
use crate::limits;
use crate::pki::{Certificate, Chain};
use crate::timestamp::{self, Request, RequestRefused, Token, VerifiedTimestamp};
use crate::trust_store::{NamedStore, StoreProblem, StoreType};

/// A time stamping authority, and the roots by which its time stamps are verified.
#[derive(Debug)]
pub struct TimestampAuthority {
    url: Url,
    roots: NamedStore,
    client: Client,
    deadline: Duration,
}

/// Why there is no time stamp.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimestampingError {
    /// The address is not an absolute http or https URL.
    #[error("{} is not the address of a time stamping authority: expected http:// or https:// and a host", quote(.0))]
    Address(String),
    /// The file with its roots cannot be used.
    #[error("no time stamp could be verified: {0}")]
    Roots(StoreProblem),
    /// The connection, TLS, HTTP.
    #[error("the time stamping authority {url} gave no time stamp: {reason}")]
    Exchange {
        /// Where; safe to print.
        url: String,
        /// What happened.
        reason: String,
    },
    /// The authority refused, or answered with something else.
    #[error("the time stamping authority {url} gave no time stamp: {reason}")]
    Refused {
        /// Where; safe to print.
        url: String,
        /// What the authority said.
        reason: RequestRefused,
    },
    /// The authority's time stamp is not good.
    #[error("the time stamp of {url} is thrown away: {reason}")]
    Unsound {
        /// Where; safe to print.
        url: String,
        /// Why.
        reason: Failure,
    },
    /// The authority's time stamp is good, and not what was asked for.
    #[error("the time stamp of {url} is thrown away: {reason}")]
    Other {
        /// Where; safe to print.
        url: String,
        /// Why.
        reason: String,
    },
}

impl TimestampAuthority {
    /// The authority at `url`, whose time stamps lead to a root in the file `roots`. Nothing is asked of it yet.
    ///
    /// # Errors
    ///
    /// [`TimestampingError::Address`] and [`TimestampingError::Roots`].
    pub fn open(url: &str, roots: &Path) -> Result<TimestampAuthority, TimestampingError> {
        let parsed = Url::parse(url).ok().filter(|parsed| matches!(parsed.scheme(), "http" | "https"));
        let url = parsed.ok_or_else(|| TimestampingError::Address(url.to_owned()))?;
        let roots = NamedStore::from_file(StoreType::Tsa, roots).map_err(TimestampingError::Roots)?;
        let client = client(&url).map_err(|reason| TimestampingError::Exchange { url: shown(&url), reason })?;
        Ok(TimestampAuthority { url, roots, client, deadline: limits::TIMESTAMP_TIMEOUT })
    }

    /// With another time in which it has to answer.
    pub fn within(self, deadline: Duration) -> TimestampAuthority {
        TimestampAuthority { deadline, ..self }
    }

    /// Has `signature` stamped, the primitive signature of an envelope by the key of `chain`.
    ///
    /// # Errors
    ///
    /// Why there is no time stamp, or none that would be accepted.
    pub async fn stamp(
        &self,
        signature: &[u8],
        chain: &Chain,
    ) -> Result<(Token, VerifiedTimestamp), TimestampingError> {
        let exchange = |reason| TimestampingError::Exchange { url: shown(&self.url), reason };
        let mut random = [0; 16];
        rand::fill(&mut random).map_err(|_| exchange("there are no random numbers for the request".to_owned()))?;
        let request = Request::new(signature, chain.signing_key().kind().hash(), random);
        let answer = tokio::time::timeout(self.deadline, self.ask(request.to_der())).await;
        let answer = match answer {
            Ok(answer) => answer.map_err(exchange)?,
            Err(_) => return Err(exchange(format!("no answer in {} s", self.deadline.as_secs_f32()))),
        };
        let token = timestamp::read_response(&answer)
            .map_err(|reason| TimestampingError::Refused { url: shown(&self.url), reason })?;
        let stamp = self.check(&token, signature, &request, chain)?;
        Ok((token, stamp))
    }

    fn check(
        &self,
        token: &Token,
        signature: &[u8],
        request: &Request,
        chain: &Chain,
    ) -> Result<VerifiedTimestamp, TimestampingError> {
        let unsound = |reason| TimestampingError::Unsound { url: shown(&self.url), reason };
        let other = |reason| Err(TimestampingError::Other { url: shown(&self.url), reason });
        let roots: Vec<&Certificate> = self.roots.certificates().iter().collect();
        let stamp = timestamp::verify(token, signature, &roots).map_err(unsound)?;
        if stamp.nonce.as_deref() != Some(request.nonce()) {
            return other("it does not repeat the nonce of the request, so that it may be an old one".to_owned());
        }
        let now = OffsetDateTime::now_utc();
        if (stamp.gen_time - now).unsigned_abs() > limits::TIMESTAMP_SKEW {
            let [time, now] = [stamp.gen_time, now].map(|time| time.format(&Rfc3339).unwrap_or_default());
            return other(format!("it is of {time}, and it is {now} by the clock of this machine"));
        }
        stamp.check_within(chain.certificates()).map_err(unsound)?;
        Ok(stamp)
    }

    /// The body of the answer. The error is the end of a sentence.
    async fn ask(&self, request: Vec<u8>) -> Result<Vec<u8>, String> {
        let send = self.client.post(self.url.clone()).header(CONTENT_TYPE, Request::MEDIA_TYPE);
        let send = send.header(ACCEPT, Request::ANSWER_MEDIA_TYPE).body(request).send();
        let mut response = send.await.map_err(|error| format!("it cannot be reached: {}", quote(&causes(&error))))?;
        if response.status() != StatusCode::OK {
            return Err(format!("it answered with {}", response.status()));
        }
        check_media_type(&response)?;
        let mut body = Vec::new();
        while let Some(chunk) =
            response.chunk().await.map_err(|error| format!("it broke off: {}", quote(&causes(&error))))?
        {
            // The answer adds a status to the token.
            let most = limits::TIMESTAMP_BYTES + 4096;
            if body.len() + chunk.len() > most {
                return Err(format!("its answer is longer than {most} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

fn client(url: &Url) -> Result<Client, String> {
    let builder = || {
        let client = http_client::builder().connect_timeout(limits::CONNECT_TIMEOUT);
        // A proxy's loopback is another machine's.
        if is_loopback(url) { client.no_proxy() } else { client }
    };
    let mut built = builder().build();
    if built.is_err() && url.scheme() == "http" {
        // A system without any certificates, as small containers are.
        built = builder().tls_certs_only([]).build();
    }
    built.map_err(|error| format!("TLS cannot be set up: {}", quote(&causes(&error))))
}

fn check_media_type(response: &Response) -> Result<(), String> {
    let stated = response.headers().get(CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let media_type = stated.as_deref().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case(Request::ANSWER_MEDIA_TYPE) {
        return Ok(());
    }
    Err(format!("its answer is of the type {}, not {}", quote(media_type), Request::ANSWER_MEDIA_TYPE))
}

/// An address without what may be secret in it.
fn shown(url: &Url) -> String {
    let mut shown = url.clone();
    shown.set_query(None);
    shown.set_fragment(None);
    // Neither fails for an address with a host.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    quote(shown.as_str())
}
