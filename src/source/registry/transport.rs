//! One exchange with a server: a request out through the gate before it, an answer in, both bounded in time and the answer
//! in size.
//!
//! Nothing is decompressed: identity is asked for, and an answer in any other coding is refused. A body is read as it
//! comes and dropped at the first byte over its bound; what it was declared to be allocates nothing before the run's budget
//! has a share for it.

use std::error::Error as _;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use tokio::time::Instant;
use url::Url;

use crate::address::authority;
use crate::digest::{Digest, Hasher};
use crate::failure::quote;
use crate::http_client::causes;
use crate::limits;
use crate::shortage::Shortage;
use crate::source::budget::{Budget, Content, Queue, Share};
use crate::source::resolver::LeadsHere;
use crate::source::traffic::Traffic;
use crate::source::waiting::Waiting;
use crate::trouble::{Trouble, TroubleKind};

use super::answer::{Answer, request};
use super::connections::Connections;
use super::credentials::Server;
use super::gate::{Gate, Gates, Mood, Pass};
use super::rate::Rates;
use super::retry::{Fault, Timings, mood};
use super::{RegistryOptions, tls_advice};

/// How long a body may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    /// At most this many bytes.
    AtMost(u64),
    /// The same of a list of names.
    Names(u64),
    /// As many bytes as a descriptor says. Up to `most` are read to find out which of the two is wrong where there are more
    /// or fewer: the content or the descriptor.
    Described { digest: Digest, size: u64, most: u64 },
    /// As long as it likes: no more than [`limits::ERROR_BYTES`] of it are read.
    Beginning,
}

/// How often at least is looked whether the time of a request is over that waited for memory.
const TICK: Duration = Duration::from_millis(50);

/// A request that was given leave to be sent.
struct Sent {
    method: Method,
    url: Url,
    request: RequestBuilder,
    bound: Bound,
}

/// The connections to a registry and to the servers that it names.
#[derive(Debug)]
pub(super) struct Transport {
    connections: Connections,
    pub(super) timings: Timings,
    pub(super) budget: Budget,
    pub(super) traffic: Traffic,
    /// The requests that wait, of all registries of the run.
    pub(super) waiting: Waiting,
    gates: Gates,
    rates: Rates,
    /// Requests in flight to one host.
    at_a_time: usize,
    /// What the registry at the address is called.
    named: (String, String),
    /// The gates that requests of this registry went through.
    passed: Mutex<Vec<Arc<Gate>>>,
}

impl Transport {
    /// Connections for the registry `server`, which references call `host`, at `base`.
    pub(super) fn new(
        host: &str,
        server: &Server,
        base: &Url,
        options: &RegistryOptions,
    ) -> Result<Transport, Trouble> {
        Ok(Transport {
            connections: Connections::new(server, base, options)?,
            timings: options.timings,
            budget: options.budget.clone(),
            traffic: options.traffic.clone(),
            waiting: options.waiting.clone(),
            gates: options.gates.clone(),
            rates: options.rates.clone(),
            at_a_time: options.requests_per_host,
            named: (authority(base), host.to_owned()),
            passed: Mutex::default(),
        })
    }

    /// A request to `url`, to be sent by [`Transport::exchange`].
    pub(super) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.connections.to(&url, false).request(method, url)
    }

    /// The same to a server that the registry named for logging in.
    pub(super) fn request_to_named(&self, method: Method, url: Url) -> RequestBuilder {
        self.connections.to(&url, true).request(method, url)
    }

    /// For how long requests of this registry had to wait so far, because a host or the user says so, or because what others
    /// read takes all the memory that there is.
    pub(super) fn held(&self) -> Duration {
        // The list is whole even if a thread died while it held the lock.
        let passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        passed.iter().map(|gate| gate.held()).sum::<Duration>() + self.budget.waited()
    }

    /// Whether no request may be sent to the host of an address for a while.
    pub(super) fn is_closed(&self, url: &Url) -> bool {
        self.gate(url).is_closed()
    }

    /// The gate before the host of an address.
    fn gate(&self, url: &Url) -> Arc<Gate> {
        let authority = authority(url);
        let gate = self.gates.of(&authority, || {
            let (own, host) = &self.named;
            let named = *own == authority;
            let names = if named { [host, &authority] } else { [&authority, &authority] };
            let rate = self.rates.of(&names.map(String::as_str));
            Gate::new(authority.clone(), named, self.at_a_time, rate, self.timings.pause)
        });
        let mut passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        if !passed.iter().any(|known| Arc::ptr_eq(known, &gate)) {
            passed.truncate(limits::HOSTS_REMEMBERED - 1);
            passed.push(Arc::clone(&gate));
        }
        gate
    }

    /// Sends a request to `url`, when its turn has come, and reads the answer: its body to `bound` where the status is 200,
    /// and the first [`limits::ERROR_BYTES`] of it otherwise.
    pub(super) async fn exchange(
        &self,
        method: Method,
        url: Url,
        send: RequestBuilder,
        bound: Bound,
    ) -> Result<Answer, Fault> {
        let gate = self.gate(&url);
        let aside = gate.stand_aside(&self.waiting);
        let pass = gate.pass().await?;
        drop(aside);
        let time = self.timings.request;
        let (asked, queue) = (request(&method, &url), Queue::default());
        let mut answer = pin!(self.passed(&gate, pass, Sent { method, url, request: send, bound }, &queue));
        let began = Instant::now();
        loop {
            // While it waits for memory, the answer is not the server's to hasten.
            let took = began.elapsed().saturating_sub(queue.waited());
            if took >= time {
                // Not tried again: a server that trickles would take as long once more.
                let message = format!("{asked} was not answered in full in {} s", time.as_secs_f32());
                return Err(Fault::lasting(TroubleKind::TimedOut, message));
            }
            let left = (time - took).max(TICK);
            if let Ok(answer) = tokio::time::timeout(left, &mut answer).await {
                return answer;
            }
        }
    }

    async fn passed(&self, gate: &Arc<Gate>, pass: Pass, sent: Sent, queue: &Queue) -> Result<Answer, Fault> {
        let Sent { method, url, request: send, bound } = sent;
        let asked = request(&method, &url);
        let send = send.header(ACCEPT_ENCODING, "identity");
        // Within the time for silence; a connection has its own part of it.
        let time = self.timings.connect.max(self.timings.idle);
        let again = if method == Method::GET { send.try_clone() } else { None };
        let (response, pass) = self
            .in_time(&asked, time, self.answered(gate, pass, send, again))
            .await?
            .map_err(|error| self.unsent(&asked, &url, &error))?;
        let status = response.status();
        let headers = response.headers().clone();
        if status == StatusCode::TOO_MANY_REQUESTS {
            self.traffic.count_refusal();
        }
        let mood = mood(status, &headers);
        let refused = matches!(mood, Mood::Refused(_));
        if !refused {
            pass.note(mood, String::new)?;
        }
        if let Some(coding) = coding(&headers).filter(|_| !refused) {
            let message = format!("the answer to {} is in the coding {}, not as it is", asked, quote(&coding));
            return Err(Fault::contradiction(message));
        }
        let body = match status {
            StatusCode::OK if bound == Bound::Beginning => self.beginning(&asked, response).await?,
            // Where something is changed, the status says whether it is.
            StatusCode::OK | StatusCode::CREATED if method == Method::PUT || method == Method::DELETE => {
                self.beginning(&asked, response).await.unwrap_or_default()
            }
            // Some token servers say that they have created a token.
            StatusCode::OK | StatusCode::CREATED => self.body(&asked, response, bound, queue).await?,
            StatusCode::NOT_FOUND => self.beginning(&asked, response).await?,
            // The status says enough.
            _ => self.beginning(&asked, response).await.unwrap_or_default(),
        };
        let answer = Answer { method, url, status, headers, body };
        if refused {
            pass.note(mood, || answer.sentence())?;
        }
        Ok(answer)
    }

    /// The beginning of an answer. Where it is late, the request is sent `again` as well, a few times; the first answer counts.
    async fn answered(
        &self,
        gate: &Gate,
        mut pass: Pass,
        send: RequestBuilder,
        mut again: Option<RequestBuilder>,
    ) -> Result<(Response, Pass), reqwest::Error> {
        let numbered = |number: u32, send: RequestBuilder| {
            self.traffic.count_request();
            send.send().map(move |answered| (number, answered))
        };
        let mut sent = FuturesUnordered::from_iter([numbered(0, send)]);
        let (mut number, mut waits) = (0, None);
        loop {
            let late = again.as_ref().and_then(|again| Some((gate.late()?, again.try_clone()?)));
            let answered = match late {
                None => sent.select_next_some().await,
                Some((late, copy)) => match tokio::time::timeout(late, sent.select_next_some()).await {
                    Ok(answered) => answered,
                    Err(_) if gate.begin_again() => {
                        number += 1;
                        waits.get_or_insert_with(|| self.waiting.begin());
                        if number < limits::SENT_AT_ONCE {
                            // It takes the place of the one before among those in flight.
                            self.traffic.count_retry();
                            pass.send_again();
                            sent.push(numbered(number, copy));
                        } else {
                            pass.step_aside();
                            again = None;
                        }
                        continue;
                    }
                    Err(_) => {
                        again = None;
                        continue;
                    }
                },
            };
            match answered {
                // Another may still be answered.
                (_, Err(_)) if !sent.is_empty() => again = None,
                (_, Err(error)) => return Err(error),
                (first, Ok(response)) => {
                    if number > 0 {
                        gate.note_again(number, first > 0);
                    }
                    return Ok((response, pass));
                }
            }
        }
    }

    /// The fault of a request that got no answer.
    fn unsent(&self, asked: &str, url: &Url, error: &reqwest::Error) -> Fault {
        let causes = causes(error);
        let mut message = format!("{} got no answer: {}", asked, quote(&causes));
        let shown = self.connections.shows_certificate(url);
        let advice = shown.and_then(|shown| tls_advice::of_error(&causes, shown));
        if let Some(advice) = advice {
            message.push_str(&format!("; {advice}{}", self.connections.unreadable));
        }
        if error.is_builder() || LeadsHere::caused(error) {
            Fault::lasting(TroubleKind::AnswerInvalid, message)
        } else if error.is_timeout() {
            Fault::passing(TroubleKind::TimedOut, message)
        } else if advice.is_some() || refuses_tls(error) {
            // A server that wants a certificate may say so behind the handshake only.
            Fault::lasting(TroubleKind::Unreachable, message)
        } else if error.is_connect() && Shortage::behind(error).is_none() {
            Fault::stubborn(TroubleKind::Unreachable, message)
        } else {
            Fault::passing(TroubleKind::Unreachable, message)
        }
    }

    async fn body(&self, asked: &str, mut response: Response, bound: Bound, queue: &Queue) -> Result<Bytes, Fault> {
        let (most, mut described) = match bound {
            Bound::AtMost(most) | Bound::Names(most) => (most, None),
            Bound::Beginning => (limits::ERROR_BYTES, None),
            Bound::Described { digest, size, most } => (most, Some((digest, size, Hasher::new(digest.algorithm())))),
        };
        let declared = response.content_length();
        if declared.is_some_and(|declared| declared > most) {
            return Err(too_long(asked, bound));
        }
        let mut body = BytesMut::new();
        let mut share: Option<Share> = None;
        let mut length = 0;
        while let Some(chunk) = self.chunk(asked, &mut response).await? {
            length += chunk.len() as u64;
            if length > most {
                return Err(too_long(asked, bound));
            }
            let kept = described.as_ref().is_none_or(|(_, size, _)| length <= *size);
            if let Some((_, _, hasher)) = &mut described {
                hasher.update(&chunk);
            }
            if !kept {
                // What is longer than its descriptor says is of no use: it is hashed, and not kept.
                body = BytesMut::new();
                share = None;
                continue;
            }
            // Once and for all of it: no task may wait for more while holding some.
            if share.is_none() && length > limits::SMALL_ANSWER_BYTES {
                let (content, longest) = match bound {
                    Bound::AtMost(most) => (Content::Document, most),
                    Bound::Beginning => (Content::Document, limits::ERROR_BYTES),
                    Bound::Names(most) => (Content::Names, most),
                    Bound::Described { size, .. } => (Content::Envelope, size),
                };
                let expected = declared.unwrap_or(longest).min(longest);
                share = Some(self.budget.share_in(queue, content, expected).await);
                body.reserve(usize::try_from(expected).unwrap_or(0).saturating_sub(body.len()));
            }
            body.extend_from_slice(&chunk);
        }
        match described {
            Some((digest, size, hasher)) if length != size => {
                Err(wrong_length(asked, length, size, hasher.finish() == digest))
            }
            _ => Ok(match share {
                Some(share) => share.bytes(body),
                None => body.freeze(),
            }),
        }
    }

    /// The first bytes of an answer that is shown or looked at for an error code only, or of content that is not read further.
    async fn beginning(&self, asked: &str, mut response: Response) -> Result<Bytes, Fault> {
        let mut body = BytesMut::new();
        while let Some(chunk) = self.chunk(asked, &mut response).await? {
            let room = usize::try_from(limits::ERROR_BYTES).unwrap_or(usize::MAX).saturating_sub(body.len());
            if chunk.len() > room {
                body.extend_from_slice(&chunk[..room]);
                break;
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }

    async fn chunk(&self, asked: &str, response: &mut Response) -> Result<Option<Bytes>, Fault> {
        let chunk = self.in_time(asked, self.timings.idle, response.chunk()).await?.map_err(|error| {
            let message = format!("the answer to {} broke off: {}", asked, quote(&causes(&error)));
            Fault::passing(TroubleKind::Unreachable, message)
        })?;
        self.traffic.count_bytes(chunk.as_ref().map_or(0, Bytes::len));
        Ok(chunk)
    }

    async fn in_time<T>(&self, asked: &str, time: Duration, step: impl Future<Output = T>) -> Result<T, Fault> {
        tokio::time::timeout(time, step)
            .await
            .map_err(|_| Fault::silence(format!("{} met silence for {} s", asked, time.as_secs_f32())))
    }
}

/// Whether the TLS handshake failed because of what was said in it, which another try will not change.
fn refuses_tls(error: &reqwest::Error) -> bool {
    if !error.is_connect() {
        return false;
    }
    let mut cause = error.source();
    while let Some(current) = cause {
        // The TLS library hands its verdicts on as errors of this kind; the network's own are of others.
        if current
            .downcast_ref::<io::Error>()
            .is_some_and(|error| innermost(error).kind() == io::ErrorKind::InvalidData)
        {
            return true;
        }
        cause = current.source();
    }
    false
}

/// An error of this type may wrap another of it, which is then not among its causes.
fn innermost(error: &io::Error) -> &io::Error {
    let mut error = error;
    while let Some(inner) = error.get_ref().and_then(|inner| inner.downcast_ref::<io::Error>()) {
        error = inner;
    }
    error
}

/// The content coding of an answer, when it is not the identity.
fn coding(headers: &HeaderMap) -> Option<String> {
    headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned())
        .find(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity"))
}

fn too_long(asked: &str, bound: Bound) -> Fault {
    match bound {
        Bound::AtMost(_) | Bound::Names(_) | Bound::Beginning => {
            let most = if let Bound::AtMost(most) | Bound::Names(most) = bound { most } else { limits::ERROR_BYTES };
            let message = format!("the answer to {asked} is longer than the {most} bytes that are read");
            Fault::lasting(TroubleKind::AnswerTooLarge, message)
        }
        Bound::Described { size, .. } => {
            Fault::contradiction(format!("the answer to {asked} is longer than the {size} bytes of its descriptor"))
        }
    }
}

/// The fault where content has another length than its descriptor says; `is_it` says whether it has the digest.
fn wrong_length(asked: &str, found: u64, stated: u64, is_it: bool) -> Fault {
    if is_it {
        let message = format!("the descriptor says {stated} bytes, but the content that has its digest has {found}");
        return Fault::lasting(TroubleKind::SizeMisstated, message);
    }
    Fault::contradiction(format!("the answer to {asked} has {found} bytes, but its descriptor says {stated}"))
}
