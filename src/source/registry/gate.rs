//! The gate before a host, through which every request to it goes: those to a registry, to a token server and to a storage.
//!
//! Who is told to come back later (status 429, or 503 with `Retry-After`; RFC 6585, section 4, RFC 9110, section 10.2.3)
//! does not ask with the next request either. The gate closes for as long as the host says, for all requests, and opens for
//! a few at a time: as with TCP, their number grows by one with each round that goes well, and is cut when the host refuses.
//! Where the host says no time, the pause doubles with each refusal. A host that wants to be left alone for longer than
//! [`limits::LONGEST_HOLD`] is given up until then: requests fail at once, without being sent.
//!
//! An error of the server that says no time is no refusal: some are always among thousands of answers. Only when nothing but
//! errors comes are fewer requests sent at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::lateness::Lateness;
use super::rate::Rate;
use super::retry::Fault;
use crate::limits;
use crate::source::waiting::{Waiting, Waits};
use crate::trouble::TroubleKind;

/// How many errors of a server in a row, with no other answer between, say that there may be too many requests.
const OVERLOADED: u32 = 8;
/// To what part of their number requests in flight are cut.
const CUT: f64 = 0.25;

/// The gates of all hosts, shared by all registries of a run.
#[derive(Debug, Clone, Default)]
pub struct Gates(Arc<Mutex<HashMap<String, Arc<Gate>>>>);

/// The gate before one host.
#[derive(Debug)]
pub(super) struct Gate {
    host: String,
    /// Whether it is that of a registry, and not of a host that one names.
    named: bool,
    /// How many requests may be in flight when all is well.
    widest: usize,
    rate: Option<Rate>,
    /// The shortest and the longest pause where the host says no time.
    pause: (Duration, Duration),
    /// Who waits for the gate does so in the order of coming; the first looks at its state.
    first: Semaphore,
    /// For the first: something changed.
    changed: Notify,
    /// Leave not to count among the artifacts in work while the gate is closed.
    aside: Arc<Semaphore>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    in_flight: usize,
    /// How many may be in flight now.
    width: f64,
    /// When the gate was closed last, and when it opens.
    closed: Option<Instant>,
    opens: Option<Instant>,
    /// When the host may be asked again that was given up, and what is said until then.
    given_up: Option<(Instant, String)>,
    /// When the next request may go by the rate.
    next: Option<Instant>,
    /// Closings, and for how long, since the last good answer.
    refusals: u32,
    refused_for: Duration,
    /// Errors of the server in a row.
    failing: u32,
    lateness: Lateness,
    held: Held,
}

/// For how long requests waited because of the host or the user: for a time that is to pass, or for their turn since the host
/// takes few at a time. Not where others are in flight that may be.
#[derive(Debug, Default)]
struct Held {
    before: Duration,
    since: Option<Instant>,
}

/// What the first who waits is told.
enum Step {
    Go,
    /// Until this time, or something changes.
    Wait(Instant),
    /// Until something changes; whether the host takes fewer at a time than it might.
    Full {
        narrowed: bool,
    },
    GivenUp(String),
}

/// What an answer says of how much the host wants to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    /// It answers.
    Good,
    /// An error of the server that says no time.
    Failing,
    /// Later, after this time if it says one.
    Refused(Option<Duration>),
}

/// A request that waits for a closed gate and counts among those that wait, until it is dropped.
#[derive(Debug)]
pub(super) struct Aside {
    _leave: OwnedSemaphorePermit,
    _waits: Waits,
}

/// Leave to have one request in flight, until it is dropped.
#[derive(Debug)]
pub(super) struct Pass {
    gate: Arc<Gate>,
    sent: Instant,
    counts: bool,
}

impl Gates {
    /// The gate before `host`, made by `new` if there is none.
    pub(super) fn of(&self, host: &str, new: impl FnOnce() -> Gate) -> Arc<Gate> {
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(gate) = gates.get(host) {
            return Arc::clone(gate);
        }
        if gates.len() >= limits::HOSTS_REMEMBERED {
            // Where nothing is in flight, and nothing is remembered that forbids a request.
            gates.retain(|_, gate| gate.named || gate.is_in_use());
        }
        if gates.len() >= limits::HOSTS_REMEMBERED {
            // A registry that sends to ever new hosts does not have it forgotten how registries want to be asked.
            gates.retain(|_, gate| gate.named);
        }
        if gates.len() >= limits::HOSTS_REMEMBERED {
            gates.clear();
        }
        Arc::clone(gates.entry(host.to_owned()).or_insert_with(|| Arc::new(new())))
    }
}

impl Gate {
    /// The gate before `host`; `named`: it is a registry's.
    pub(super) fn new(
        host: String,
        named: bool,
        widest: usize,
        rate: Option<Rate>,
        pause: (Duration, Duration),
    ) -> Gate {
        let widest = widest.max(1);
        let state = State {
            in_flight: 0,
            width: widest as f64,
            closed: None,
            opens: None,
            given_up: None,
            next: None,
            refusals: 0,
            refused_for: Duration::ZERO,
            failing: 0,
            lateness: Lateness::default(),
            held: Held::default(),
        };
        let (first, changed) = (Semaphore::new(1), Notify::new());
        let aside = Arc::new(Semaphore::new(limits::HELD_AHEAD));
        Gate { host, named, widest, rate, pause, first, changed, aside, state: Mutex::new(state) }
    }

    /// Waits until a request may be sent.
    ///
    /// # Errors
    /// The host is given up.
    pub(super) async fn pass(self: &Arc<Gate>) -> Result<Pass, Fault> {
        // It is never closed.
        let _first = self.first.acquire().await;
        loop {
            let now = Instant::now();
            let step = self.locked().step(now, self);
            match step {
                Step::Go => return Ok(Pass { gate: Arc::clone(self), sent: now, counts: true }),
                Step::GivenUp(message) => return Err(Fault::lasting(TroubleKind::RateLimited, message)),
                Step::Full { narrowed } => {
                    let _holding = narrowed.then(|| Holding::begin(self, now));
                    self.changed.notified().await;
                }
                Step::Wait(until) => {
                    let _holding = Holding::begin(self, now);
                    tokio::select! {
                        () = tokio::time::sleep_until(until) => {}
                        () = self.changed.notified() => {}
                    }
                }
            }
        }
    }

    /// Counts the request among those that wait if the gate is closed now, so that the run goes on with other hosts. `None`: it is
    /// open, or so many of this host wait already that more are not begun.
    pub(super) fn stand_aside(&self, waiting: &Waiting) -> Option<Aside> {
        self.is_held().then(|| Arc::clone(&self.aside).try_acquire_owned().ok()).flatten().map(|leave| {
            let waits = waiting.begin();
            Aside { _leave: leave, _waits: waits }
        })
    }

    /// Whether requests have to wait now because the host says so.
    pub(super) fn is_held(&self) -> bool {
        self.locked().opens.is_some_and(|opens| Instant::now() < opens)
    }

    /// For how long all requests had to wait so far, because the host or the user says so.
    pub(super) fn held(&self) -> Duration {
        let held = &self.locked().held;
        held.before + held.since.map(|since| since.elapsed()).unwrap_or_default()
    }

    /// After how long an answer is late. `None`: requests to this host are sent once.
    pub(super) fn late(&self) -> Option<Duration> {
        let state = self.locked();
        // Who limits requests is not sent more than needed.
        state.lateness.late().filter(|_| state.closed.is_none() && self.rate.is_none())
    }

    /// Notes that a request is sent again, if it may be.
    pub(super) fn begin_again(&self) -> bool {
        self.locked().lateness.begin_again()
    }

    /// Notes whether a request that was to be sent again so often was not answered the first time.
    pub(super) fn note_again(&self, often: u32, of_use: bool) {
        self.locked().lateness.note_again(often, of_use);
    }

    /// Whether no request may be sent for a while.
    pub(super) fn is_closed(&self) -> bool {
        let given_up = |state: &State| state.given_up.as_ref().is_some_and(|(until, _)| Instant::now() < *until);
        self.is_held() || given_up(&self.locked())
    }

    fn is_in_use(&self) -> bool {
        let state = self.locked();
        state.in_flight > 0 || state.opens.is_some() || state.given_up.is_some()
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        // Nothing in between leaves it half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn step(&mut self, now: Instant, gate: &Gate) -> Step {
        if let Some((until, message)) = &self.given_up {
            if now < *until {
                return Step::GivenUp(message.clone());
            }
            self.given_up = None;
        }
        if let Some(opens) = self.opens {
            if now < opens {
                return Step::Wait(opens);
            }
            self.opens = None;
        }
        if self.in_flight >= self.width as usize {
            let narrowed = self.closed.is_some() && self.width < gate.widest as f64;
            return Step::Full { narrowed };
        }
        if let Some(rate) = gate.rate {
            if let Some(next) = self.next.filter(|next| now < *next) {
                return Step::Wait(next);
            }
            // Who was late by less than a tick of the clock may catch up.
            let due = self.next.filter(|next| now.duration_since(*next) < limits::RATE_TICK).unwrap_or(now);
            self.next = due.checked_add(rate.apart());
        }
        self.in_flight += 1;
        Step::Go
    }

    /// Notes an answer to a request that was `sent` then; `what` says it in words. Returns why the host is given up.
    fn note(&mut self, gate: &Gate, sent: Instant, mood: Mood, what: &dyn Fn() -> String) -> Option<String> {
        let now = Instant::now();
        // What was sent before the gate closed says nothing new.
        let new = self.closed.is_none_or(|closed| sent >= closed);
        match mood {
            Mood::Good => {
                self.failing = 0;
                self.lateness.note(now.duration_since(sent));
                if new {
                    (self.refusals, self.refused_for) = (0, Duration::ZERO);
                    self.width = (self.width + 1.0 / self.width).min(gate.widest as f64);
                }
                None
            }
            Mood::Failing => {
                self.failing += 1;
                if self.failing >= OVERLOADED {
                    self.failing = 0;
                    self.width = (self.width * CUT).max(1.0);
                }
                None
            }
            Mood::Refused(asked) => {
                if new {
                    self.closed = Some(now);
                    self.refusals = self.refusals.saturating_add(1);
                    self.width = (self.width * CUT).max(1.0);
                }
                let (shortest, longest) = gate.pause;
                let doubled = || shortest.saturating_mul(1 << (self.refusals.saturating_sub(1)).min(16)).min(longest);
                let pause = asked.unwrap_or_else(doubled);
                if new {
                    self.refused_for = self.refused_for.saturating_add(pause);
                }
                // For long, or shortly but again and again.
                if self.refused_for.max(pause) > limits::LONGEST_HOLD {
                    let pause = pause.clamp(limits::LONGEST_HOLD, limits::LONGEST_GIVEN_UP);
                    let message = given_up(gate, pause, &what());
                    self.given_up = now.checked_add(pause).map(|until| (until, message.clone()));
                    (self.refusals, self.refused_for) = (0, Duration::ZERO);
                    return Some(message);
                }
                let opens = now.checked_add(pause);
                self.opens = self.opens.max(opens);
                None
            }
        }
    }
}

/// What is said of a host that is given up.
fn given_up(gate: &Gate, pause: Duration, what: &str) -> String {
    let until = time::Duration::try_from(pause).ok().and_then(|pause| OffsetDateTime::now_utc().checked_add(pause));
    let until = until.and_then(|until| until.replace_nanosecond(0).ok()?.format(&Rfc3339).ok());
    let until = until.map(|until| format!(" until {until}")).unwrap_or_default();
    format!("{} limits how often it may be asked, and is asked no more{until}: {what}", gate.host)
}

/// That the first in the queue waits for the time.
struct Holding<'a>(&'a Gate);

impl<'a> Holding<'a> {
    fn begin(gate: &'a Gate, now: Instant) -> Holding<'a> {
        gate.locked().held.since = Some(now);
        Holding(gate)
    }
}

impl Drop for Holding<'_> {
    fn drop(&mut self) {
        let held = &mut self.0.locked().held;
        if let Some(since) = held.since.take() {
            held.before += since.elapsed();
        }
    }
}

impl Pass {
    /// Notes what came of the request; `what` says it in words.
    ///
    /// # Errors
    /// The host is given up because of this answer.
    pub(super) fn note(&self, mood: Mood, what: impl Fn() -> String) -> Result<(), Fault> {
        let given_up = self.gate.locked().note(&self.gate, self.sent, mood, &what);
        self.gate.changed.notify_one();
        given_up.map_or(Ok(()), |message| Err(Fault::lasting(TroubleKind::RateLimited, message)))
    }

    /// The request is sent again, and the one before no longer counts.
    pub(super) fn send_again(&mut self) {
        self.sent = Instant::now();
    }

    /// The request waits for an answer that is late, and counts no longer among those in flight.
    pub(super) fn step_aside(&mut self) {
        if std::mem::take(&mut self.counts) {
            self.gate.locked().in_flight -= 1;
            self.gate.changed.notify_one();
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.step_aside();
    }
}

#[cfg(test)]
mod tests;
