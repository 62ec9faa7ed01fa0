//! The broker as an approver sees it: an address, and what it wants to be shown.

use std::fmt;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::ApproverError;
use crate::address::is_loopback;
use crate::echo;
use crate::failure::quote;
use crate::http_client;
use crate::limits;
use crate::tsb::{API_KEY_HEADER, ErrorAnswer};

/// A broker. What is secret about it is not shown.
#[derive(Clone)]
pub struct ApproversBroker {
    url: String,
    client: Client,
    bearer: Option<HeaderValue>,
    api_key: Option<HeaderValue>,
    /// What no message repeats.
    secrets: Vec<Zeroizing<String>>,
}

impl fmt::Debug for ApproversBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApproversBroker({})", self.url)
    }
}

impl ApproversBroker {
    /// The broker at `url`, as `https://tsb.example` or `http://127.0.0.1:8080`. Plain http is for this machine alone, and no proxy
    /// is asked for it, since what is shown to the broker is secret.
    ///
    /// # Errors
    ///
    /// If that cannot be an address. It is not repeated: there may be a password in it.
    pub fn new(url: &str) -> Result<ApproversBroker, ApproverError> {
        let refused = |reason: &str| ApproverError::Address(reason.to_owned());
        let parsed = url::Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let Some(parsed) = parsed else { return Err(refused("is not of the kind https://broker.example.com")) };
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(refused("holds a name or a password, which others can read there: take it out"));
        }
        if parsed.query().is_some() || parsed.fragment().is_some() {
            return Err(refused("has something behind ? or #, where nothing belongs"));
        }
        let is_here = is_loopback(&parsed);
        if parsed.scheme() == "http" && !is_here {
            return Err(refused(
                "is plain http, which others on the way can read and change: write https://, or run the broker on this machine",
            ));
        }
        let mut builder = http_client::builder()
            .connect_timeout(limits::CONNECT_TIMEOUT)
            .timeout(limits::APPROVER_REQUEST_TIMEOUT)
            .pool_idle_timeout(Duration::from_secs(10));
        if is_here {
            builder = builder.no_proxy();
        }
        let client = builder
            .build()
            .map_err(|error| ApproverError::Unreachable { url: url.to_owned(), reason: http_client::causes(&error) })?;
        let url = url.trim_end_matches('/').to_owned();
        Ok(ApproversBroker { url, client, bearer: None, api_key: None, secrets: Vec::new() })
    }

    /// Shows a bearer token.
    #[must_use]
    pub fn with_bearer(mut self, token: &str) -> ApproversBroker {
        self.bearer = secret(&Zeroizing::new(format!("Bearer {token}")));
        self.secrets.push(Zeroizing::new(token.to_owned()));
        self
    }

    /// Shows the API key of an approver.
    #[must_use]
    pub fn with_api_key(mut self, key: &str) -> ApproversBroker {
        self.api_key = secret(key);
        self.secrets.push(Zeroizing::new(key.to_owned()));
        self
    }

    /// Posts `question` to `path` and reads the answer.
    pub(super) async fn ask<A: DeserializeOwned>(
        &self,
        path: &str,
        question: &impl Serialize,
    ) -> Result<A, ApproverError> {
        let answer = self.post(path, question).await?;
        serde_json::from_slice(&answer).map_err(|error| {
            // Where it is wrong, and none of its words.
            let reason =
                format!("it is not the JSON that was expected (line {}, column {})", error.line(), error.column());
            ApproverError::Answer { url: self.url.clone(), reason }
        })
    }

    /// Posts `telling` to `path`; what is answered is of no account if it is taken.
    pub(super) async fn tell(&self, path: &str, telling: &impl Serialize) -> Result<(), ApproverError> {
        self.post(path, telling).await.map(drop)
    }

    async fn post(&self, path: &str, body: &impl Serialize) -> Result<Vec<u8>, ApproverError> {
        let url = &self.url;
        let body = serde_json::to_vec(body)
            .map_err(|error| ApproverError::Answer { url: url.clone(), reason: error.to_string() })?;
        let mut request = self.client.post(format!("{url}{path}")).header(CONTENT_TYPE, "application/json").body(body);
        if let Some(bearer) = &self.bearer {
            request = request.header(AUTHORIZATION, bearer);
        }
        if let Some(key) = &self.api_key {
            request = request.header(API_KEY_HEADER, key);
        }
        let unreachable = |error: reqwest::Error| ApproverError::Unreachable {
            url: url.clone(),
            reason: quote(&http_client::causes(&error)),
        };
        let answer = request.send().await.map_err(unreachable)?;
        let status = answer.status();
        if status.is_success() {
            return self.body(answer, limits::APPROVER_ANSWER_BYTES).await;
        }
        let body = self.body(answer, limits::ERROR_BYTES).await.unwrap_or_default();
        let said: ErrorAnswer = serde_json::from_slice(&body).unwrap_or_default();
        let message = said.message.map_or_else(|| "it gives no reason".to_owned(), |message| self.repeated(&message));
        let reason = self.repeated(&said.reason.unwrap_or_default());
        Err(ApproverError::Refused { url: url.clone(), status: status.as_u16(), reason, message })
    }

    /// The broker's words as they may be shown: quoted, and without what is shown to it.
    fn repeated(&self, words: &str) -> String {
        quote(&echo::concealed(words, self.secrets.iter().map(|secret| secret.as_str())))
    }

    async fn body(&self, mut answer: Response, limit: u64) -> Result<Vec<u8>, ApproverError> {
        let mut body = Vec::new();
        loop {
            match answer.chunk().await {
                Ok(None) => return Ok(body),
                Ok(Some(chunk)) if body.len() as u64 + chunk.len() as u64 <= limit => body.extend_from_slice(&chunk),
                Ok(Some(_)) => {
                    let reason = format!("it is longer than {limit} bytes");
                    return Err(ApproverError::Answer { url: self.url.clone(), reason });
                }
                Err(error) => {
                    let reason = quote(&http_client::causes(&error));
                    return Err(ApproverError::Unreachable { url: self.url.clone(), reason });
                }
            }
        }
    }
}

fn secret(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_with_a_password_is_refused_and_not_repeated() {
        for url in ["http://user:s3cret@host", "https://host/?token=s3cret", "s3cret@host"] {
            let refused = ApproversBroker::new(url).unwrap_err().to_string();
            assert!(!refused.contains("s3cret"), "{refused}");
        }
        assert!(ApproversBroker::new("ftp://host").is_err());
        assert!(ApproversBroker::new("http://127.0.0.1:7403/").is_ok());
    }
}
