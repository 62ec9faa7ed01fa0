//! Answers from the servers themselves, over plain HTTP.
//!
//! Follows RFC 5280, section 4.2.1.13, and RFC 6960, appendix A, with the reference implementation's bounds. One deadline
//! covers everything from the name to the last byte, so that a server that trickles gains nothing; a body is dropped at
//! the first byte over its bound. Nothing is decompressed, no cookie is kept, and nothing is tried again but a connection
//! that was reset before a word was said on it. Which addresses are spoken to at all, [`super::request`] says.
//!
//! What is the server's considered answer (a status from 400 to 499, nonsense, too much) is kept apart from trouble that
//! may have passed tomorrow (no connection, silence, a status from 500): [`TroubleKind::Unreachable`] and
//! [`TroubleKind::TimedOut`] say that nothing is known.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::BytesMut;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderMap, HeaderName, LOCATION};
use reqwest::{Client, Response};
use tokio::sync::Semaphore;
use url::Url;

use super::request::{OCSP_REQUEST, Request, refused_redirect};
use super::{Budget, RevocationSource};
use crate::address::{authority, is_loopback};
use crate::failure::quote;
use crate::http_client::{self, causes};
use crate::limits;
use crate::revocation::{Answer, Need};
use crate::source::resolver::{LeadsHere, Lookup, Names};
use crate::source::{Resolver, SystemResolver};
use crate::trouble::{Trouble, TroubleKind};

/// How servers are asked.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// Hosts, with their port where it is not 80, that are reached at another host with its port: how scenarios give
    /// servers inside the process the names that certificates know. The server is told the name.
    pub addresses: BTreeMap<String, String>,
    /// How long a CRL may take in all.
    pub crl_time: Duration,
    /// How long an OCSP answer may take in all.
    pub ocsp_time: Duration,
    /// How many requests to one host may be in flight; 0 counts as 1.
    pub requests_per_host: usize,
    /// What long answers take their memory from.
    pub budget: Budget,
    /// Who knows the addresses of host names.
    pub resolver: Arc<dyn Resolver>,
}

impl Default for HttpOptions {
    fn default() -> HttpOptions {
        HttpOptions {
            addresses: BTreeMap::new(),
            crl_time: limits::CRL_TIMEOUT,
            ocsp_time: limits::OCSP_TIMEOUT,
            requests_per_host: limits::REVOCATION_REQUESTS_PER_HOST,
            budget: Budget::default(),
            resolver: Arc::new(SystemResolver),
        }
    }
}

/// The servers that certificates name. Nothing is set up before the first request.
#[derive(Debug)]
pub struct Http {
    options: HttpOptions,
    all: Semaphore,
    /// By the proxies of the environment.
    usual: OnceLock<Result<Client, Trouble>>,
    /// Past them: a proxy's loopback is another machine's.
    direct: OnceLock<Result<Client, Trouble>>,
    /// As the usual one, for hosts that no certificate names.
    sent_on: OnceLock<Result<Client, Trouble>>,
    hosts: Mutex<HashMap<String, Arc<Semaphore>>>,
}

#[async_trait]
impl RevocationSource for Http {
    async fn answer(&self, need: &Need) -> Result<Answer, Trouble> {
        let request = Request::new(need)?;
        // Waiting for others is not the server's time.
        let host = self.host(&authority(&request.url));
        let _permit = host.acquire().await.map_err(|_| unreachable(need, "the client was shut down"))?;
        let time = match need {
            Need::Crl { .. } => self.options.crl_time,
            Need::Ocsp { .. } => self.options.ocsp_time,
        };
        let _one_of_all = self.all.acquire().await.map_err(|_| unreachable(need, "the client was shut down"))?;
        let late = |_| {
            let message = format!("{need} did not answer in full in {} s", time.as_secs_f32());
            Trouble::new(TroubleKind::TimedOut, message)
        };
        let started = Instant::now();
        let mut body = tokio::time::timeout(time, self.follow(need, request)).await.map_err(late)??;
        if body.ended {
            return Ok(Answer::new(body.bytes.freeze()));
        }
        // Nor is waiting for memory.
        let rest = time.saturating_sub(started.elapsed());
        let Some(permit) = self.options.budget.permit(body.most()).await else {
            return Err(unreachable(need, "too many long answers are in memory; run with fewer --jobs"));
        };
        tokio::time::timeout(rest, body.read(need, body_limit(need))).await.map_err(late)??;
        let permit = permit.cut(body.bytes.len() as u64);
        Ok(Answer::new(body.bytes.freeze()).holding(Arc::new(permit)))
    }
}

impl Http {
    /// Servers, asked by `options`.
    pub fn new(options: HttpOptions) -> Http {
        Http {
            options,
            all: Semaphore::new(limits::REVOCATION_REQUESTS),
            usual: OnceLock::new(),
            direct: OnceLock::new(),
            sent_on: OnceLock::new(),
            hosts: Mutex::default(),
        }
    }

    fn host(&self, name: &str) -> Arc<Semaphore> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.len() >= limits::REVOCATION_HOSTS && !hosts.contains_key(name) {
            hosts.retain(|_, host| Arc::strong_count(host) > 1);
        }
        let permits = self.options.requests_per_host.clamp(1, Semaphore::MAX_PERMITS);
        Arc::clone(hosts.entry(name.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(permits))))
    }

    async fn follow(&self, need: &Need, mut request: Request) -> Result<Body, Trouble> {
        for _ in 0..=limits::REVOCATION_REDIRECTS {
            let response = self.send(need, &request).await?;
            let location = response.headers().get(LOCATION).map(|value| String::from_utf8_lossy(value.as_bytes()));
            let location = location.unwrap_or_default();
            request = match request.redirected(response.status().as_u16(), &location) {
                None => return read(need, response).await,
                Some(Ok(request)) => request,
                Some(Err(why)) => return Err(refused_redirect(need, &location, why)),
            };
        }
        let message = format!("{need} redirected the request more than {} times", limits::REVOCATION_REDIRECTS);
        Err(Trouble::new(TroubleKind::AnswerInvalid, message))
    }

    async fn send(&self, need: &Need, request: &Request) -> Result<Response, Trouble> {
        let mut last = None;
        for _ in 0..2 {
            match self.prepare(need, request)?.send().await {
                Ok(response) => return Ok(response),
                // A connection that was kept open, and that the server closed just now.
                Err(error) if error.is_request() && !error.is_connect() && !error.is_timeout() => last = Some(error),
                Err(error) if LeadsHere::caused(&error) => {
                    let message = format!("{need} is not asked: {}", quote(&causes(&error)));
                    return Err(Trouble::new(TroubleKind::AnswerInvalid, message));
                }
                Err(error) => return Err(unreachable(need, &causes(&error))),
            }
        }
        Err(unreachable(need, &last.map(|error| causes(&error)).unwrap_or_default()))
    }

    fn prepare(&self, need: &Need, request: &Request) -> Result<reqwest::RequestBuilder, Trouble> {
        let name = authority(&request.url);
        let moved = self.options.addresses.get(&name).map(|address| moved(&request.url, address));
        let moved = moved.transpose().map_err(|()| unreachable(need, "its host is mapped to an invalid address"))?;
        let client = if moved.is_some() || is_loopback(&request.url) {
            self.direct.get_or_init(|| client(true, Names::of_certificates(&self.options.resolver)))
        } else if request.sent_on {
            self.sent_on.get_or_init(|| client(false, Names::of_redirects(&self.options.resolver)))
        } else {
            self.usual.get_or_init(|| client(false, Names::of_certificates(&self.options.resolver)))
        };
        let client = client.as_ref().map_err(Trouble::clone)?;
        let url = moved.unwrap_or_else(|| request.url.clone());
        let send = match &request.body {
            None => client.get(url),
            Some(body) => client.post(url).header(CONTENT_TYPE, OCSP_REQUEST).body(body.clone()),
        };
        Ok(send.header(HOST, name).header(ACCEPT_ENCODING, "identity"))
    }
}

/// The same address at another host.
fn moved(url: &Url, address: &str) -> Result<Url, ()> {
    let mut moved = Url::parse(&format!("http://{address}/")).map_err(|_| ())?;
    moved.set_path(url.path());
    moved.set_query(url.query());
    Ok(moved)
}

fn client(direct: bool, names: Arc<Names>) -> Result<Client, Trouble> {
    let builder = || {
        let builder = http_client::builder().dns_resolver(Arc::new(Lookup(Arc::clone(&names))));
        if direct { builder.no_proxy() } else { builder }
    };
    // Only a proxy could want TLS; a system without any certificates, as small containers are, has none for it either.
    let built = if direct { builder().tls_certs_only([]).build() } else { builder().build() };
    built.or_else(|_| builder().tls_certs_only([]).build()).map_err(|error| {
        Trouble::new(TroubleKind::Unreachable, format!("HTTP cannot be set up: {}", quote(&causes(&error))))
    })
}

/// The body of an answer, as far as it was read.
struct Body {
    response: Response,
    bytes: BytesMut,
    /// Whether the body is said to be a page for people.
    html: bool,
    ended: bool,
}

/// The beginning of the body of a good answer: all of it, unless it is a long one.
async fn read(need: &Need, response: Response) -> Result<Body, Trouble> {
    let invalid = |what: String| Trouble::new(TroubleKind::AnswerInvalid, format!("{need} answered {what}"));
    match response.status().as_u16() {
        200 => {}
        status @ (404 | 410) => {
            return Err(Trouble::new(TroubleKind::NotFound, format!("{need} answered with status {status}")));
        }
        // The server, or a proxy before it, may answer tomorrow.
        status @ (407 | 408 | 425 | 429 | 500..) => {
            return Err(Trouble::new(TroubleKind::Unreachable, format!("{need} answered with status {status}")));
        }
        status => return Err(invalid(format!("with status {status}"))),
    }
    let coding = header(response.headers(), CONTENT_ENCODING);
    if !matches!(coding.to_ascii_lowercase().as_str(), "" | "identity") {
        return Err(invalid(format!("in the coding {}, not as it is", quote(&coding))));
    }
    if response.content_length().is_some_and(|declared| declared > body_limit(need)) {
        return Err(too_large(need));
    }
    let html = header(response.headers(), CONTENT_TYPE).to_ascii_lowercase().starts_with("text/html");
    let mut body = Body { response, bytes: BytesMut::new(), html, ended: false };
    body.read(need, limits::SHORT_ANSWER_BYTES).await?;
    Ok(body)
}

fn body_limit(need: &Need) -> u64 {
    match need {
        Need::Crl { .. } => limits::CRL_BYTES,
        Need::Ocsp { .. } => limits::OCSP_BYTES,
    }
}

fn too_large(need: &Need) -> Trouble {
    let most = body_limit(need);
    Trouble::new(TroubleKind::AnswerTooLarge, format!("{need} answered with more than {most} bytes"))
}

impl Body {
    /// Reads on until the body ends, or has at least so many bytes.
    async fn read(&mut self, need: &Need, until: u64) -> Result<(), Trouble> {
        while (self.bytes.len() as u64) < until || until == body_limit(need) {
            let chunk = self.response.chunk().await.map_err(|error| unreachable(need, &causes(&error)))?;
            let Some(chunk) = chunk else {
                self.ended = true;
                break;
            };
            if self.bytes.len() as u64 + chunk.len() as u64 > body_limit(need) {
                return Err(too_large(need));
            }
            self.bytes.extend_from_slice(&chunk);
            // A page for people (a portal before the network, an error with a good status); servers mislabel real answers.
            if self.html && self.bytes.first() != Some(&0x30) {
                let message = format!("{need} answered with a web page; expected DER");
                return Err(Trouble::new(TroubleKind::AnswerInvalid, message));
            }
        }
        Ok(())
    }

    /// How long the body may become.
    fn most(&self) -> u64 {
        self.response.content_length().unwrap_or(limits::CRL_BYTES)
    }
}

fn header(headers: &HeaderMap, name: HeaderName) -> String {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned()).unwrap_or_default()
}

fn unreachable(need: &Need, why: &str) -> Trouble {
    Trouble::new(TroubleKind::Unreachable, format!("{need} did not answer: {}", quote(why)))
}
