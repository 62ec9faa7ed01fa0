//! Meeting a registry's challenge: user and password, or a token from a token server.
//!
//! A token is asked for once for all requests of one scope, and again when the registry refuses it. What worked for a scope is
//! shown first at the next request. Credentials that end in the middle of a run are looked up anew ([`super::login`]). The
//! server that a registry redirects to gets no credentials, but may be asked for a token without any.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use reqwest::StatusCode;
use reqwest::header::{HeaderValue, WWW_AUTHENTICATE};
use tokio::sync::OnceCell;
use url::{Origin, Url};
use zeroize::Zeroizing;

use crate::limits;
use crate::trouble::{Trouble, TroubleKind};

use super::answer::Answer;
use super::challenge::{self, Challenge, Scope};
use super::credentials::{Credentials, Identity, Server, is_within};
use super::login::{Known, Login};
use super::retry::Fault;
use super::token_server::{self, Question};
use super::transport::Transport;

/// How many scopes are remembered; with more, all are forgotten and asked for again.
const SCOPES: usize = 1024;

/// What a request shows, and which of the answers to challenges it is.
#[derive(Debug, Clone)]
pub(super) struct Ticket {
    pub(super) header: HeaderValue,
    /// The server that it is for, and no other.
    origin: Origin,
    number: u64,
    /// When it was got.
    since: Instant,
    /// Whether it is the credentials themselves, and not what a token server gave for them.
    direct: bool,
    known: Arc<Known>,
    /// The challenge that it met.
    met: Challenge,
    /// Whether it got something.
    served: Arc<AtomicBool>,
}

type Slot = Arc<tokio::sync::Mutex<Option<Ticket>>>;

/// What has the same credentials: a registry, or a namespace of it.
#[derive(Debug, Default)]
struct Part {
    login: Login,
    /// The ticket that is good for every scope: user and password.
    password: Slot,
}

/// The credentials for a registry, and the tickets got with them.
#[derive(Debug)]
pub(super) struct Auth {
    base: Url,
    server: Server,
    credentials: Credentials,
    /// The namespaces that have credentials of their own; known once credentials were asked for.
    namespaces: OnceCell<Vec<String>>,
    parts: Mutex<HashMap<String, Arc<Part>>>,
    /// By the server's origin, where it is not the registry itself, and scope.
    slots: Mutex<HashMap<(Option<String>, Scope), Slot>>,
    issued: AtomicU64,
}

impl Ticket {
    /// Says that it got something.
    pub(super) fn served(&self) {
        self.served.store(true, Ordering::Relaxed);
        self.known.served();
    }

    /// Whether an answer that names no challenge may mean that this has ended: passwords of Amazon's registry are answered with
    /// 403 then, and tokens of its public one with 400.
    fn may_have_ended(&self, answer: &Answer) -> bool {
        let status = if self.direct { StatusCode::FORBIDDEN } else { StatusCode::BAD_REQUEST };
        answer.status == status && self.served.load(Ordering::Relaxed)
    }

    /// Whether it may have ended since it was got: it was shown to the server that answered so, and is old or served others.
    pub(super) fn may_be_spent(&self, answer: &Answer) -> bool {
        let served = answer.status == StatusCode::UNAUTHORIZED && self.served.load(Ordering::Relaxed);
        // A password does not end within a request.
        !self.direct && (served || self.since.elapsed() >= limits::TICKET_AGE)
    }

    /// Whether it may be shown at this address.
    pub(super) fn is_for(&self, url: &Url) -> bool {
        url.origin() == self.origin
    }
}

impl Auth {
    pub(super) fn new(server: Server, base: Url, credentials: Credentials) -> Auth {
        Auth {
            base,
            server,
            credentials,
            namespaces: OnceCell::new(),
            parts: Mutex::default(),
            slots: Mutex::default(),
            issued: AtomicU64::default(),
        }
    }

    /// The ticket to show at first, if there is one already: what worked for the scope before.
    pub(super) async fn ticket(&self, scope: &Scope) -> Option<Ticket> {
        if let Some(ticket) = self.slot(None, scope).lock().await.clone() {
            return Some(ticket);
        }
        let (_, part) = self.part(self.namespaces.get()?, scope);
        part.password.lock().await.clone()
    }

    /// Meets the challenge of an answer that `shown` got. `None`: there is none, or nothing else to show.
    pub(super) async fn renew(
        &self,
        transport: &Transport,
        scope: &Scope,
        refused: &Answer,
        shown: Option<&Ticket>,
    ) -> Result<Option<Ticket>, Fault> {
        let challenged = refused.status == StatusCode::UNAUTHORIZED && refused.headers.contains_key(WWW_AUTHENTICATE);
        let ended = shown.filter(|shown| shown.may_have_ended(refused));
        let challenge = match ended {
            Some(ended) => ended.met.clone(),
            None if challenged => {
                challenge::read(&refused.headers, &self.base, scope).map_err(|why| refused.invalid(why))?
            }
            None => return Ok(None),
        };
        // One request asks; those that wait here meanwhile take what it got.
        let slot = self.slot(None, scope);
        let mut slot = slot.lock().await;
        match &*slot {
            Some(ticket) if Some(ticket.number) != shown.map(|shown| shown.number) => return Ok(Some(ticket.clone())),
            _ => {}
        }
        let time = transport.timings.idle;
        let namespaces = self.namespaces.get_or_init(|| self.credentials.namespaces(&self.server, time)).await;
        let (namespace, part) = self.part(namespaces, scope);
        let path = Some(namespace).filter(|namespace| !namespace.is_empty());
        let known = async |refused: Option<&Arc<Known>>| {
            let look_up = || self.credentials.find(&self.server, path, time);
            part.login.known(refused, transport.timings.login, look_up).await
        };
        let spent = shown.filter(|shown| shown.direct).map(|shown| &shown.known);
        let now = known(spent).await?;
        let same = spent.is_some_and(|spent| Arc::ptr_eq(spent, &now));
        // The same password again would be refused again, and lock an account.
        if same && (ended.is_some() || challenge == Challenge::Basic || !now.has_served()) {
            return Ok(None);
        }
        *slot = None;
        let ticket = match &challenge {
            Challenge::Basic => {
                let ticket = self.issue(&self.base, basic(&now, refused)?, true, now, &challenge);
                *part.password.lock().await = Some(ticket.clone());
                ticket
            }
            Challenge::Bearer { realm, service, scopes } => {
                let question = Question { realm, service: service.as_deref(), scopes, named: true };
                let first = token_server::token(transport, &now.found.identity, question).await;
                let (header, now) = match first {
                    Ok(header) => (header, now),
                    Err(none) if none.refused && now.is_named() => {
                        let other = known(Some(&now)).await?;
                        let told = |fault, known: &Known| explained(without_secrets(fault, known, None), known);
                        if Arc::ptr_eq(&other, &now) {
                            return Err(told(none.fault, &now));
                        }
                        let second = token_server::token(transport, &other.found.identity, question).await;
                        (second.map_err(|none| told(none.fault, &other))?, other)
                    }
                    Err(none) => return Err(without_secrets(none.fault, &now, None)),
                };
                let direct = matches!(now.found.identity, Identity::Ticket(_));
                if !direct {
                    now.served();
                }
                self.issue(&self.base, header, direct, now, &challenge)
            }
        };
        *slot = Some(ticket.clone());
        Ok(Some(ticket))
    }

    /// The ticket to show to the server that the registry sent the request to, if there is one already.
    pub(super) async fn guest_ticket(&self, scope: &Scope, url: &Url) -> Option<Ticket> {
        let key = (Some(url.origin().ascii_serialization()), scope.clone());
        let slot = self.slots.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        slot?.lock().await.clone()
    }

    /// Meets the challenge of a server that the registry sent the request to, without credentials: a registry may pass what is
    /// public on to another. `None`: it wants credentials.
    pub(super) async fn guest(&self, transport: &Transport, scope: &Scope, refused: &Answer) -> Option<Ticket> {
        if refused.status != StatusCode::UNAUTHORIZED || matches!(scope, Scope::Push(_)) {
            return None;
        }
        let challenge = challenge::read(&refused.headers, &refused.url, scope).ok()?;
        let Challenge::Bearer { realm, service, scopes } = &challenge else { return None };
        let slot = self.slot(Some(refused.url.origin().ascii_serialization()), scope);
        let mut slot = slot.lock().await;
        let question = Question { realm, service: service.as_deref(), scopes, named: false };
        let header = token_server::token(transport, &Identity::Anonymous, question).await.ok()?;
        let ticket = self.issue(&refused.url, header, false, Arc::new(Known::anonymous()), &challenge);
        *slot = Some(ticket.clone());
        Some(ticket)
    }

    /// The fault of an answer that refuses what `shown` asked for, with who asked.
    pub(super) fn explained(&self, fault: Fault, shown: Option<&Ticket>) -> Fault {
        match shown {
            Some(ticket) => explained(without_secrets(fault, &ticket.known, Some(&ticket.header)), &ticket.known),
            None => fault,
        }
    }

    fn issue(&self, server: &Url, mut header: HeaderValue, direct: bool, known: Arc<Known>, met: &Challenge) -> Ticket {
        header.set_sensitive(true);
        let number = self.issued.fetch_add(1, Ordering::Relaxed);
        let (origin, since) = (server.origin(), Instant::now());
        Ticket { header, origin, number, since, direct, known, met: met.clone(), served: Arc::default() }
    }

    /// What shares credentials with a scope, with the namespace that it is: empty for the registry.
    fn part<'a>(&self, namespaces: &'a [String], scope: &Scope) -> (&'a str, Arc<Part>) {
        let path = match scope {
            Scope::Catalog => "",
            Scope::Repository(path) | Scope::Push(path) | Scope::Delete(path) => path,
        };
        let within = namespaces.iter().map(String::as_str).filter(|namespace| is_within(path, namespace));
        let namespace = within.max_by_key(|namespace| namespace.len()).unwrap_or_default();
        // The map is whole even if a thread died while it held the lock.
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        (namespace, Arc::clone(parts.entry(namespace.to_owned()).or_default()))
    }

    fn slot(&self, origin: Option<String>, scope: &Scope) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (origin, scope.clone());
        if let Some(slot) = slots.get(&key) {
            return slot.clone();
        }
        if slots.len() >= SCOPES {
            slots.clear();
        }
        slots.entry(key).or_default().clone()
    }
}

/// User and password as a header.
fn basic(known: &Known, refused: &Answer) -> Result<HeaderValue, Fault> {
    let denied = |why: &str| Fault::lasting(TroubleKind::AccessDenied, format!("{}; {why}", refused.sentence()));
    match &known.found.identity {
        Identity::Password { user, password } => token_server::basic(user, password),
        Identity::Anonymous => Err(denied(
            "no credentials are known for this registry: log in to it with docker, podman or notation, or give --username",
        )),
        Identity::Token(_) | Identity::Ticket(_) => {
            Err(denied(&format!("the registry wants a user and a password, and {} are a token", known.found.name())))
        }
    }
}

/// A fault without what the server may have repeated of what it was shown: some put that into their messages.
fn without_secrets(mut fault: Fault, known: &Known, header: Option<&HeaderValue>) -> Fault {
    let words = |header: &HeaderValue| Some(Zeroizing::new(header.to_str().ok()?.split_once(' ')?.1.to_owned()));
    let mut secrets: Vec<Zeroizing<String>> = header.and_then(words).into_iter().collect();
    match &known.found.identity {
        Identity::Anonymous => {}
        Identity::Token(secret) | Identity::Ticket(secret) => secrets.push(Zeroizing::new(secret.expose().to_owned())),
        Identity::Password { user, password } => {
            secrets.extend(token_server::basic(user, password).ok().as_ref().and_then(words));
            secrets.push(Zeroizing::new(password.expose().to_owned()));
        }
    }
    fault.trouble.message =
        crate::echo::concealed(&fault.trouble.message, secrets.iter().map(|secret| secret.as_str()));
    fault
}

/// A refusal, with who asked.
fn explained(mut fault: Fault, known: &Known) -> Fault {
    let Trouble { kind: TroubleKind::AccessDenied, message } = &mut fault.trouble else { return fault };
    let who = if known.is_named() {
        let name = known.found.name();
        match known.found.origin.as_str() {
            "" => format!("it was asked with {name}"),
            _ => format!("it was asked with {name}: log in again if they are old, or log out where all is public"),
        }
    } else {
        "it was asked without credentials, as none are known for this registry".to_owned()
    };
    message.push_str("; ");
    message.push_str(&who);
    fault
}
