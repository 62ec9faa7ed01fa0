//! A request to the registry in full: authorised, redirected, tried again.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use backon::Retryable;
use bytes::Bytes;
use futures_util::FutureExt;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, StatusCode};
use url::Url;

use crate::address::authority;
use crate::limits;
use crate::source::budget::Budget;
use crate::trouble::{Trouble, TroubleKind};

use super::answer::{Answer, request};
use super::auth::{Auth, Ticket};
use super::challenge::Scope;
use super::credentials::Server;
use super::retry::{Fault, Timings, Tries};
use super::transport::{Bound, Transport};
use super::{RegistryOptions, endpoint, redirect};

/// What is done at an address. Each may be tried again: content goes to where its digest, or one index, says.
#[derive(Debug, Clone)]
pub(super) enum Action {
    Get,
    Head,
    /// Begins an upload.
    Post,
    /// Puts content of a media type there.
    Put(String, Bytes),
    /// Deletes what is there.
    Delete,
}

impl Action {
    fn method(&self) -> Method {
        match self {
            Action::Get => Method::GET,
            Action::Head => Method::HEAD,
            Action::Post => Method::POST,
            Action::Put(..) => Method::PUT,
            Action::Delete => Method::DELETE,
        }
    }
}

/// What is asked of the registry.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) action: Action,
    pub(super) url: Url,
    /// The media types wanted.
    pub(super) accept: String,
    pub(super) scope: Scope,
    pub(super) bound: Bound,
    pub(super) absence: Absence,
    /// What another server's address of the same thing ends in; what ends otherwise is something else, as where people log in,
    /// and is not waited for. `None`: content may lie anywhere.
    pub(super) ending: Option<String>,
}

impl Ask {
    /// What changes something, or asks whether it is there: the answer is short.
    pub(super) fn short(action: Action, url: Url, scope: Scope) -> Ask {
        let bound = Bound::AtMost(limits::ERROR_BYTES);
        Ask { action, url, accept: "*/*".to_owned(), scope, bound, absence: Absence::after(1), ending: None }
    }
}

/// When a 404 says that something is not there. One that passes, as from a server that is just starting, would say of a
/// signed artifact that it has no signature.
#[derive(Debug, Clone, Copy)]
pub(super) struct Absence {
    /// How many 404s in a row.
    pub(super) answers: usize,
    /// The pause between them.
    pub(super) apart: Duration,
}

impl Absence {
    /// After this many answers, one right after the other.
    pub(super) fn after(answers: usize) -> Absence {
        Absence { answers, apart: Duration::ZERO }
    }
}

/// What came of a question.
#[derive(Debug)]
pub(super) enum Reply<T> {
    Found(T),
    /// The last of the 404s that say that it is not there.
    Absent(Box<Answer>),
}

/// The registry's HTTP side.
#[derive(Debug)]
pub(super) struct Http {
    pub(super) base: Url,
    transport: Transport,
    auth: Auth,
    /// Whether a 404 was answered for what turned out to be there.
    unsteady: AtomicBool,
}

impl Http {
    pub(super) fn new(host: &str, options: RegistryOptions) -> Result<Http, Trouble> {
        let base = endpoint::base(host, &options)?;
        let server = Server::new(host, if base.scheme() == "http" { 80 } else { 443 });
        Ok(Http {
            transport: Transport::new(host, &server, &base, &options)?,
            auth: Auth::new(server, base.clone(), options.credentials),
            unsteady: AtomicBool::new(false),
            base,
        })
    }

    /// The bytes that may be held at a time.
    pub(super) fn budget(&self) -> &Budget {
        &self.transport.budget
    }

    /// The address of `path` below the registry's; the path is made of names whose grammar was checked.
    pub(super) fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(path);
        url
    }

    /// Asks for content, and has it read by `read`. What it refuses as invalid is asked for once more.
    pub(super) async fn get<T>(
        &self,
        ask: &Ask,
        read: impl Fn(Answer) -> Result<T, Trouble>,
    ) -> Result<Reply<T>, Fault> {
        let mut absent = 0;
        loop {
            let read = |answer: Answer| match answer.status {
                StatusCode::NOT_FOUND => Ok(Reply::Absent(Box::new(answer))),
                _ => read(answer).map(Reply::Found).map_err(Fault::of_content),
            };
            let reply = self.tried(ask, read).await?;
            match &reply {
                Reply::Found(_) if absent > 0 => self.unsteady.store(true, Ordering::Relaxed),
                Reply::Found(_) => {}
                Reply::Absent(_) => {
                    absent += 1;
                    let unsteady = self.unsteady.load(Ordering::Relaxed);
                    let least = if unsteady { limits::UNSTEADY_NOT_FOUND_ANSWERS } else { 1 };
                    if absent < ask.absence.answers.max(least) {
                        tokio::time::sleep(ask.absence.apart).await;
                        continue;
                    }
                }
            }
            return Ok(reply);
        }
    }

    /// Asks once, and tries nothing again: for what another question answers as well.
    pub(super) async fn once(&self, ask: &Ask) -> Result<Answer, Fault> {
        self.attempt(ask).await
    }

    /// Does what changes something, and is answered that it is done.
    pub(super) async fn send(&self, ask: &Ask) -> Result<Answer, Trouble> {
        self.change(ask).await.map_err(|fault| fault.trouble)
    }

    /// The same; the fault says what was answered.
    pub(super) async fn change(&self, ask: &Ask) -> Result<Answer, Fault> {
        self.tried(ask, Ok).await
    }

    /// The same, sent once, though the host may want to be asked later: for what has to be made anew before it is sent again.
    pub(super) async fn change_once(&self, ask: &Ask) -> Result<Answer, Fault> {
        self.authorized(ask).await
    }

    /// For how long requests had to wait so far, because a host or the user says so.
    pub(super) fn held(&self) -> Duration {
        self.transport.held()
    }

    /// How long is waited for what.
    pub(super) fn timings(&self) -> &Timings {
        &self.transport.timings
    }

    /// What `read` makes of the complete answer, tried again where it failed and that may pass.
    async fn tried<T>(&self, ask: &Ask, read: impl Fn(Answer) -> Result<T, Fault>) -> Result<T, Fault> {
        let timings = &self.transport.timings;
        let (started, held) = (Instant::now(), self.held());
        // Being held is not the fault of the request.
        let took = || started.elapsed().saturating_sub(self.held().saturating_sub(held));
        let (all, contradictions) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let tries =
            || Tries { all: all.load(Ordering::Relaxed), contradictions: contradictions.load(Ordering::Relaxed) };
        let waiting = self.transport.waiting.clone();
        let read = (async || {
            if all.fetch_add(1, Ordering::Relaxed) > 0 {
                self.transport.traffic.count_retry();
            }
            let read = self.attempt(ask).await.and_then(&read);
            let contradicts = read.as_ref().is_err_and(Fault::is_contradiction);
            contradictions.fetch_add(usize::from(contradicts), Ordering::Relaxed);
            read
        })
        .retry(timings.backoff())
        .sleep(move |pause| {
            let waits = waiting.begin();
            tokio::time::sleep(pause).map(move |()| drop(waits))
        })
        .when(|fault| fault.is_worth_another(tries(), took(), timings))
        .adjust(|_, planned| planned.map(|planned| planned.min(timings.pause.1)))
        .await;
        read.map_err(|mut fault| {
            let tries = tries().all;
            if tries > 1 {
                fault.trouble.message.push_str(&format!(" ({tries} tries)"));
            }
            fault
        })
    }

    /// One try. Where a host wants to be asked later, it is: the gate before it holds the request.
    async fn attempt(&self, ask: &Ask) -> Result<Answer, Fault> {
        let mut refusals = 0;
        loop {
            match self.authorized(ask).await {
                Err(fault) if fault.refused && !fault.astray && refusals < limits::REFUSALS => {
                    refusals += 1;
                    self.transport.traffic.count_retry();
                }
                Err(mut fault) if fault.refused && !fault.astray => {
                    fault.trouble.message.push_str(&format!(", {} times", refusals + 1));
                    return Err(fault);
                }
                answer => return answer,
            }
        }
    }

    /// Shows what authorisation there is, and meets a challenge: the registry's, and that of the server it sends to. It is met
    /// once, unless what it brought may have ended since.
    async fn authorized(&self, ask: &Ask) -> Result<Answer, Fault> {
        let mut shown = self.auth.ticket(&ask.scope).await;
        let mut answer = self.follow(ask, &ask.url, shown.as_ref()).await?;
        for _ in 0..limits::RENEWALS {
            if !self.is_own(&answer.url) {
                break;
            }
            let ticket = self.auth.renew(&self.transport, &ask.scope, &answer, shown.as_ref()).await?;
            let Some(ticket) = ticket else { break };
            answer = self.follow(ask, &ask.url, Some(&ticket)).await?;
            // It may have ended while the request waited for its turn.
            let ended = ticket.may_be_spent(&answer);
            shown = Some(ticket);
            if !ended {
                break;
            }
        }
        if !self.is_own(&answer.url)
            && let Some(ticket) = self.auth.guest(&self.transport, &ask.scope, &answer).await
        {
            answer = self.follow(ask, &answer.url, Some(&ticket)).await?;
        }
        let astray = self.is_astray(ask, &answer.url);
        self.judged(ask, answer, shown.as_ref()).map_err(|fault| fault.at(astray))
    }

    /// Whether the registry sent to an address that is not that of what is asked for.
    fn is_astray(&self, ask: &Ask, url: &Url) -> bool {
        let strays = |ending: &String| !url.path().ends_with(ending.as_str());
        ask.ending.as_ref().is_some_and(strays) && !self.is_own(url)
    }

    /// The answer, if it is what was asked for. What is refused says who asked.
    fn judged(&self, ask: &Ask, answer: Answer, shown: Option<&Ticket>) -> Result<Answer, Fault> {
        let shown = shown.filter(|_| self.is_own(&answer.url));
        if let Some(ticket) =
            shown.filter(|_| !matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN))
        {
            ticket.served();
        }
        judge(&ask.action, answer).map_err(|fault| self.auth.explained(fault, shown))
    }

    /// Follows redirects from `start`. What authorises at a server is sent to no other, and not again after a detour.
    async fn follow(&self, ask: &Ask, start: &Url, ticket: Option<&Ticket>) -> Result<Answer, Fault> {
        let mut url = start.clone();
        let mut ticket = ticket.cloned();
        let accept = HeaderValue::try_from(&ask.accept)
            .map_err(|_| Fault::lasting(TroubleKind::AnswerInvalid, "the media types wanted cannot be sent"))?;
        for _ in 0..=limits::REDIRECTS {
            let method = ask.action.method();
            let mut send = self.transport.request(method.clone(), url.clone()).header(ACCEPT, accept.clone());
            match &ask.action {
                Action::Get | Action::Head | Action::Delete => {}
                // Some servers want to be told that there is no content.
                Action::Post => send = send.header(CONTENT_LENGTH, 0),
                Action::Put(media_type, bytes) => send = send.header(CONTENT_TYPE, media_type).body(bytes.clone()),
            }
            ticket = ticket.filter(|ticket| ticket.is_for(&url));
            if let Some(ticket) = &ticket {
                send = send.header(AUTHORIZATION, ticket.header.clone());
            }
            let astray = self.is_astray(ask, &url);
            if astray && self.transport.is_closed(&url) {
                let message = format!("{} limits how often it may be asked", authority(&url));
                return Err(Fault::lasting(TroubleKind::RateLimited, message).at(astray));
            }
            let answer = self.transport.exchange(method, url, send, ask.bound).await;
            let answer = answer.map_err(|fault| fault.at(astray))?;
            if !redirect::is_followed(&answer.method, answer.status) {
                return Ok(answer);
            }
            url = redirect::target(&answer.method, &answer.url, &answer.headers)?;
            if url.origin() != answer.url.origin() {
                ticket = if self.is_own(&url) { None } else { self.auth.guest_ticket(&ask.scope, &url).await };
            }
        }
        let message = format!("{} was redirected more than {} times", ask.request(), limits::REDIRECTS);
        Err(Fault::lasting(TroubleKind::AnswerInvalid, message))
    }

    /// Whether the address is of the registry itself.
    pub(super) fn is_own(&self, url: &Url) -> bool {
        url.origin() == self.base.origin()
    }
}

impl Ask {
    fn request(&self) -> String {
        request(&self.action.method(), &self.url)
    }
}

fn judge(action: &Action, answer: Answer) -> Result<Answer, Fault> {
    match (action, answer.status) {
        (Action::Get | Action::Head, StatusCode::OK | StatusCode::NOT_FOUND)
        | (Action::Post, StatusCode::ACCEPTED)
        | (Action::Put(..), StatusCode::CREATED)
        | (Action::Delete, StatusCode::ACCEPTED | StatusCode::OK | StatusCode::NO_CONTENT | StatusCode::NOT_FOUND) => {
            Ok(answer)
        }
        _ => Err(Fault::of_answer(&answer)),
    }
}
