//! The broker over HTTP: one question, one bounded answer.
//!
//! Follows the TSB's "Authentication": a bearer token, an API key in a header, a certificate of the client. An API key that is
//! refused is followed by the next. The server's certificate is always verified, and no redirect is followed, since secrets go
//! with every request. What a broker says is repeated without the secrets that it was shown. What may pass ([`Miss::Passing`]) is told from what lasts; who asks again, and when, is decided elsewhere.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Certificate, Client, Identity, Method, StatusCode};
use serde::de::DeserializeOwned;
use url::Url;
use zeroize::Zeroizing;

use super::secrets::{Secrets, setting_file};
use super::{TsbError, TsbSettings};
use crate::address::{authority, is_loopback};
use crate::echo;
use crate::failure::quote;
use crate::http_client::{self, asked_pause, causes};
use crate::limits;
use crate::signer::fits_header;
use crate::tsb::error_answer::API_KEY_REFUSED;
use crate::tsb::{API_KEY_HEADER, ErrorAnswer};

/// A broker with what is shown to it.
pub(super) struct Broker {
    url: Url,
    client: Client,
    token: Option<HeaderValue>,
    api_keys: Vec<HeaderValue>,
    /// Which of them is shown.
    api_key: AtomicUsize,
    /// What no message repeats.
    secrets: Vec<Zeroizing<String>>,
    /// How long one answer may take.
    patience: Duration,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Miss {
    /// It may come at another time.
    Passing {
        /// What happened.
        reason: String,
        /// When to ask again, if the broker says so.
        asked: Option<Duration>,
        /// What is known of what was asked.
        taken: Taken,
    },
    /// It will not.
    Lasting(Refusal),
}

/// Whether what was asked may have been done without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// It was not.
    No,
    /// It was not, since too much is asked.
    TooMany,
    /// It was not, and the broker says why.
    Refused,
    /// It may have been.
    Perhaps,
}

/// What the broker said in place of an answer.
#[derive(Debug)]
pub(super) struct Refusal {
    /// The status of the answer; `None` if it was good, and what it says is not.
    pub(super) status: Option<StatusCode>,
    /// What it said; safe to print.
    pub(super) said: String,
}

impl Broker {
    pub(super) fn open(settings: &TsbSettings, secrets: &Secrets) -> Result<Broker, TsbError> {
        let header = |scheme: &str, secret: &str, what: &str| {
            let value = Zeroizing::new(format!("{scheme}{secret}"));
            let value = HeaderValue::from_str(&value).ok().filter(|_| fits_header(secret)).ok_or_else(|| {
                TsbError::Setting(format!(
                    "the {what} is empty, or has characters that no {what} has, such as a line break, a blank or a byte order mark: write it \
                     alone, in plain text"
                ))
            });
            value.map(|mut value| {
                value.set_sensitive(true);
                value
            })
        };
        let token = secrets.token.as_ref().map(|token| header("Bearer ", token, "bearer token"));
        let api_keys = secrets.api_keys.iter().map(|key| header("", key, "API key"));
        Ok(Broker {
            url: settings.url.clone(),
            client: client(settings)?,
            token: token.transpose()?,
            api_keys: api_keys.collect::<Result<_, TsbError>>()?,
            api_key: AtomicUsize::new(0),
            secrets: secrets.all().cloned().collect(),
            patience: limits::TSB_ANSWER_TIMEOUT,
        })
    }

    /// With another time in which each answer has to be there.
    pub(super) fn patient_for(self, patience: Duration) -> Broker {
        Broker { patience, ..self }
    }

    /// The broker, for messages.
    pub(super) fn name(&self) -> String {
        quote(&authority(&self.url))
    }

    /// Asks, and reads the answer as JSON. `within` bounds the time beside the broker's own patience.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&[u8]>,
        within: Duration,
    ) -> Result<T, Miss> {
        let bytes = self.exchange(method, path, body, within).await?;
        serde_json::from_slice(&bytes).map_err(|error| {
            // Where it is wrong, and none of its words.
            let reason =
                format!("it is not the JSON that was expected (line {}, column {})", error.line(), error.column());
            Miss::Lasting(Refusal { status: None, said: reason })
        })
    }

    /// Asks, and reads the bytes of a good answer.
    pub(super) async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<&[u8]>,
        within: Duration,
    ) -> Result<Vec<u8>, Miss> {
        let within = within.min(self.patience);
        let mut tried = 0;
        loop {
            let shown = self.api_key.load(Ordering::Relaxed);
            let once = tokio::time::timeout(within, self.once(method.clone(), path, body, shown)).await;
            let miss = match once {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(miss)) => miss,
                Err(_) => Miss::Passing {
                    reason: format!("there was no answer in {:.1} s", within.as_secs_f32()),
                    asked: None,
                    taken: Taken::Perhaps,
                },
            };
            tried += 1;
            match miss {
                Miss::Lasting(Refusal { status: Some(StatusCode::UNAUTHORIZED), .. })
                    if tried < self.api_keys.len() =>
                {
                    // Unless another request has gone on to the next already.
                    let next = (shown + 1) % self.api_keys.len();
                    let _ = self.api_key.compare_exchange(shown, next, Ordering::Relaxed, Ordering::Relaxed);
                }
                miss => return Err(miss),
            }
        }
    }

    async fn once(&self, method: Method, path: &str, body: Option<&[u8]>, api_key: usize) -> Result<Vec<u8>, Miss> {
        let mut url = self.url.clone();
        url.set_path(&format!("{}{path}", self.url.path().trim_end_matches('/')));
        let mut request = self.client.request(method, url).header(ACCEPT, "application/json");
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, token);
        }
        if let Some(key) = self.api_keys.get(api_key) {
            request = request.header(API_KEY_HEADER, key);
        }
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_vec());
        }
        let mut response = request.send().await.map_err(|error| {
            let taken = if error.is_connect() { Taken::No } else { Taken::Perhaps };
            Miss::Passing { reason: quote(&causes(&error)), asked: None, taken }
        })?;
        let status = response.status();
        let asked = asked_pause(response.headers(), SystemTime::now());
        let asked = asked.map(|pause| pause.min(limits::TSB_LONGEST_ASKED_PAUSE));
        let mut bytes = Vec::new();
        loop {
            let chunk = response.chunk().await.map_err(|error| Miss::Passing {
                reason: format!("the answer broke off: {}", quote(&causes(&error))),
                asked: None,
                taken: Taken::Perhaps,
            })?;
            let Some(chunk) = chunk else { break };
            if bytes.len() + chunk.len() > limits::TSB_ANSWER_BYTES {
                let said = format!("it is longer than the {} bytes that are read", limits::TSB_ANSWER_BYTES);
                return Err(Miss::Lasting(Refusal { status: None, said }));
            }
            bytes.extend_from_slice(&chunk);
        }
        if status.is_success() { Ok(bytes) } else { Err(self.missed(status, asked, &bytes)) }
    }

    /// What an answer that is not good means.
    fn missed(&self, status: StatusCode, asked: Option<Duration>, body: &[u8]) -> Miss {
        let answer: ErrorAnswer = serde_json::from_slice(body).unwrap_or_default();
        let explained = answer.error_code.is_some();
        let by_the_broker = explained || answer.reason.is_some();
        let said = self.said(status, answer);
        match status {
            StatusCode::TOO_MANY_REQUESTS => Miss::Passing { reason: said, asked, taken: Taken::TooMany },
            // One without a word may be of something in between, which lost the answer of the broker behind it.
            StatusCode::SERVICE_UNAVAILABLE if by_the_broker || asked.is_some() => {
                Miss::Passing { reason: said, asked, taken: Taken::No }
            }
            StatusCode::REQUEST_TIMEOUT => Miss::Passing { reason: said, asked, taken: Taken::Perhaps },
            status if status.is_server_error() && explained => {
                Miss::Passing { reason: said, asked, taken: Taken::Refused }
            }
            status if status.is_server_error() => Miss::Passing { reason: said, asked, taken: Taken::Perhaps },
            status if status.is_redirection() => {
                let said = format!("{said}: it leads elsewhere, where no secret is sent; correct url");
                Miss::Lasting(Refusal { status: Some(status), said })
            }
            status => Miss::Lasting(Refusal { status: Some(status), said }),
        }
    }

    /// The status, and what the broker says of it, without the secrets that it was shown.
    fn said(&self, status: StatusCode, answer: ErrorAnswer) -> String {
        let mut text = format!("status {}", status.as_u16());
        match answer.error_code {
            Some(API_KEY_REFUSED) => text.push_str(" with the code 631, an API key that is not accepted"),
            Some(code) => text.push_str(&format!(" with the code {code}")),
            None => {}
        }
        if let Some(words) = answer.message.or(answer.reason).filter(|words| !words.is_empty()) {
            text.push_str(&format!(", {}", self.repeated(&words)));
        }
        text
    }

    /// Words of the broker without the secrets that it was shown.
    pub(super) fn concealed(&self, words: &str) -> String {
        echo::concealed(words, self.secrets.iter().map(|secret| secret.as_str()))
    }

    /// The same as they may be shown.
    pub(super) fn repeated(&self, words: &str) -> String {
        quote(&self.concealed(words))
    }
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Broker({})", self.name())
    }
}

/// A client that trusts the roots that the settings name, and shows the certificate that they name.
fn client(settings: &TsbSettings) -> Result<Client, TsbError> {
    let mut builder = http_client::builder().connect_timeout(limits::CONNECT_TIMEOUT);
    if is_loopback(&settings.url) {
        builder = builder.no_proxy();
    }
    if let Some(path) = &settings.ca {
        let pem = setting_file("ca", path, limits::CHAIN_FILE_BYTES)?;
        let roots = Certificate::from_pem_bundle(&pem).ok().filter(|roots| !roots.is_empty());
        let Some(roots) = roots else {
            return Err(unusable("ca", path, "holds no certificate in PEM (-----BEGIN CERTIFICATE-----)"));
        };
        builder = builder.tls_certs_only(roots);
    } else if settings.url.scheme() == "http" {
        // Nothing is verified, so that no roots are needed.
        builder = builder.tls_certs_only([]);
    }
    if let (Some(chain), Some(key)) = (&settings.client_certificate, &settings.client_key) {
        let mut pem = Zeroizing::new(setting_file("client-certificate", chain, limits::CHAIN_FILE_BYTES)?.to_vec());
        pem.push(b'\n');
        pem.extend_from_slice(&setting_file("client-key", key, limits::KEY_FILE_BYTES)?);
        let identity = Identity::from_pem(&pem).map_err(|_| {
            unusable("client-key", key, "holds no private key in PEM, or client-certificate no certificate: keys that are encrypted are not read")
        })?;
        builder = builder.identity(identity);
    }
    builder.build().map_err(|error| {
        TsbError::Setting(format!(
            "no connection to the broker can be prepared: {}: look at ca, client-certificate and client-key",
            quote(&causes(&error))
        ))
    })
}

fn unusable(name: &str, path: &std::path::Path, reason: &str) -> TsbError {
    TsbError::Setting(format!("the file {} of the setting {name} {reason}", quote(&path.display().to_string())))
}
