//! The broker as an approver sees it: an address, and what it wants to be shown.

use std::fmt;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::ApproverError;
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
}

impl fmt::Debug for ApproversBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApproversBroker({})", self.url)
    }
}

impl ApproversBroker {
    /// The broker at `url`, as `https://tsb.example` or `http://127.0.0.1:8080`.
    ///
    /// # Errors
    ///
    /// If that cannot be an address.
    pub fn new(url: &str) -> Result<ApproversBroker, ApproverError> {
        let parsed = url::Url::parse(url).ok().filter(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
                && url.fragment().is_none()
        });
        if parsed.is_none() {
            return Err(ApproverError::Address(quote(url)));
        }
        let client = http_client::builder()
            .connect_timeout(limits::CONNECT_TIMEOUT)
            .timeout(limits::APPROVER_REQUEST_TIMEOUT)
            .pool_idle_timeout(Duration::from_secs(10))
            .build()
            .map_err(|error| ApproverError::Unreachable { url: url.to_owned(), reason: http_client::causes(&error) })?;
        Ok(ApproversBroker { url: url.trim_end_matches('/').to_owned(), client, bearer: None, api_key: None })
    }

    /// Shows a bearer token.
    #[must_use]
    pub fn with_bearer(mut self, token: &str) -> ApproversBroker {
        self.bearer = secret(&format!("Bearer {token}"));
        self
    }

    /// Shows the API key of an approver.
    #[must_use]
    pub fn with_api_key(mut self, key: &str) -> ApproversBroker {
        self.api_key = secret(key);
        self
    }

    /// Posts `question` to `path` and reads the answer.
    pub(super) async fn ask<A: DeserializeOwned>(
        &self,
        path: &str,
        question: &impl Serialize,
    ) -> Result<A, ApproverError> {
        let answer = self.post(path, question).await?;
        let url = self.url.clone();
        serde_json::from_slice(&answer)
            .map_err(|error| ApproverError::Answer { url, reason: quote(&error.to_string()) })
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
        let message = said.message.as_deref().map_or_else(|| "it gives no reason".to_owned(), quote);
        let reason = quote(said.reason.as_deref().unwrap_or_default());
        Err(ApproverError::Refused { url: url.clone(), status: status.as_u16(), reason, message })
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
