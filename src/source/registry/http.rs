//! A request to the registry in full: at most so many at a time, authorised, redirected, tried again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use backon::Retryable;
use reqwest::StatusCode;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use tokio::sync::Semaphore;
use url::Url;

use crate::limits;
use crate::source::{Trouble, TroubleKind};

use super::answer::{Answer, request};
use super::auth::{Auth, Ticket};
use super::challenge::Scope;
use super::retry::Fault;
use super::transport::{Bound, Transport};
use super::{RegistryOptions, endpoint, redirect};

/// What is asked of the registry.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) url: Url,
    /// The media types wanted.
    pub(super) accept: String,
    pub(super) scope: Scope,
    pub(super) bound: Bound,
}

/// The registry's HTTP side.
#[derive(Debug)]
pub(super) struct Http {
    pub(super) base: Url,
    transport: Transport,
    auth: Auth,
    in_flight: Arc<Semaphore>,
}

impl Http {
    pub(super) fn new(host: &str, options: RegistryOptions) -> Result<Http, Trouble> {
        let base = endpoint::base(host, &options)?;
        Ok(Http {
            transport: Transport::new(&base, &options)?,
            auth: Auth::new(host, base.clone(), options.credentials),
            in_flight: Arc::new(Semaphore::new(options.requests_per_host.clamp(1, Semaphore::MAX_PERMITS))),
            base,
        })
    }

    /// The address of `path` below the registry's; the path is made of names whose grammar was checked.
    pub(super) fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(path);
        url
    }

    /// The complete answer, whose status is 200 or 404; everything else is trouble.
    pub(super) async fn get(&self, ask: &Ask) -> Result<Answer, Trouble> {
        let timings = &self.transport.timings;
        let started = Instant::now();
        let tries = AtomicUsize::new(0);
        let answer = (|| {
            tries.fetch_add(1, Ordering::Relaxed);
            self.attempt(ask)
        })
        .retry(timings.backoff())
        .when(|fault| fault.is_worth_another(tries.load(Ordering::Relaxed)) && started.elapsed() < timings.retry)
        .adjust(|fault, planned| fault.pause(planned, timings.pause.1))
        .await;
        answer.map_err(|Fault { mut trouble, .. }| {
            let tries = tries.into_inner();
            if tries > 1 {
                trouble.message.push_str(&format!(" ({tries} tries)"));
            }
            trouble
        })
    }

    async fn attempt(&self, ask: &Ask) -> Result<Answer, Fault> {
        let closed = || Fault::lasting(TroubleKind::Unreachable, "the registry client was shut down");
        let _permit = self.in_flight.acquire().await.map_err(|_| closed())?;
        let time = self.transport.timings.request;
        match tokio::time::timeout(time, self.authorized(ask)).await {
            Ok(answer) => answer,
            // Not tried again: a server that trickles would take as long once more.
            Err(_) => {
                let message = format!("{} was not answered in full in {} s", request(&ask.url), time.as_secs_f32());
                Err(Fault::lasting(TroubleKind::TimedOut, message))
            }
        }
    }

    /// Shows what authorisation there is, and meets the registry's challenge once.
    async fn authorized(&self, ask: &Ask) -> Result<Answer, Fault> {
        let shown = self.auth.ticket(&ask.scope).await;
        let answer = self.follow(ask, shown.as_ref()).await?;
        let challenged = answer.status == StatusCode::UNAUTHORIZED && answer.headers.contains_key(WWW_AUTHENTICATE);
        if !challenged || !self.is_own(&answer.url) {
            return judge(answer);
        }
        let ticket = self.auth.renew(&self.transport, &ask.scope, &answer, shown.as_ref()).await?;
        judge(self.follow(ask, Some(&ticket)).await?)
    }

    /// Follows redirects. What authorises at the registry is shown to nobody else, and not again after a detour.
    async fn follow(&self, ask: &Ask, ticket: Option<&Ticket>) -> Result<Answer, Fault> {
        let mut url = ask.url.clone();
        let mut ticket = ticket;
        let accept = HeaderValue::try_from(&ask.accept)
            .map_err(|_| Fault::lasting(TroubleKind::AnswerInvalid, "the media types wanted cannot be sent"))?;
        for _ in 0..=limits::REDIRECTS {
            let mut send = self.transport.client.get(url.clone()).header(ACCEPT, accept.clone());
            ticket = ticket.filter(|_| self.is_own(&url));
            if let Some(ticket) = ticket {
                send = send.header(AUTHORIZATION, ticket.header.clone());
            }
            let answer = self.transport.exchange(url, send, ask.bound).await?;
            if !redirect::is_redirect(answer.status) {
                return Ok(answer);
            }
            url = redirect::target(&answer.url, &answer.headers)?;
        }
        let message = format!("{} was redirected more than {} times", request(&ask.url), limits::REDIRECTS);
        Err(Fault::lasting(TroubleKind::AnswerInvalid, message))
    }

    /// Whether the address is of the registry itself.
    pub(super) fn is_own(&self, url: &Url) -> bool {
        url.origin() == self.base.origin()
    }
}

fn judge(answer: Answer) -> Result<Answer, Fault> {
    match answer.status {
        StatusCode::OK | StatusCode::NOT_FOUND => Ok(answer),
        _ => Err(Fault::of_answer(&answer)),
    }
}
