//! The approval gateway: a broker of keys that sign only when enough people agree, on a loopback port of its own.
//!
//! Follows Securosys' public documentation of the Transaction Security Broker as [`crate::tsb`] has it; what that leaves open
//! stands in [`crate::tsb::undocumented`]. Keys are in memory or held elsewhere ([`super::Key::held_by`]), and nothing but the
//! gateway signs with them. Its clock is the wall's, or stands still until it is moved ([`Gateway::set_time`]); time counts in
//! whole seconds, and what falls due in between happens at its exact second, whether a client asks meanwhile or not.
//!
//! It never signs without its rule being met, never counts an approval that is not signed over exactly what was asked, by a key
//! that the rule lists, and holds no more than [`crate::limits`] lets it, whatever is sent.

mod access;
mod answer;
mod approver;
mod approver_calls;
mod clock;
mod connections;
mod error;
mod fault;
mod held_request;
mod key_rules;
mod ledger;
mod record;
mod rule;
mod server;
mod signer_calls;
mod signing;

use std::fmt;
use std::io;
use std::sync::Arc;

use time::OffsetDateTime;

use super::Key;
use super::loopback::Loopback;
use crate::tsb::KeyPolicy;

use clock::Clock;
use ledger::Ledger;
use server::Shared;

pub use access::{Access, Role};
pub use clock::GatewayClock;
pub use error::GatewayError;
pub use fault::{GatewayCall, GatewayFault};
pub use record::{Deed, GatewayEvent, Operation, RefusedDeed, RequestRecord};
pub use rule::{ApproverId, Course, Deeds, Group, Refused, Rule, Standing, Token};

/// What is told of everything that happens.
pub type Watcher = Box<dyn Fn(&GatewayEvent) + Send>;

/// How a gateway is set up.
#[derive(Default)]
pub struct GatewaySetup {
    /// Where the time comes from.
    pub clock: GatewayClock,
    /// Who may ask for what.
    pub access: Access,
    /// Whether timelocks and timeouts may be other than whole minutes, which the vendor does not take.
    pub short_times: bool,
    /// The port of 127.0.0.1 to listen at; any free one if it is 0.
    pub port: u16,
    /// Who is told of everything that happens, in the order in which it does. They keep the gateway waiting.
    pub watcher: Option<Watcher>,
}

impl fmt::Debug for GatewaySetup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GatewaySetup({:?}, {:?}, port {})", self.clock, self.access, self.port)
    }
}

/// A running gateway. Copies are the same one; it stops when the last goes.
#[derive(Clone)]
pub struct Gateway {
    inner: Arc<Inner>,
}

struct Inner {
    url: String,
    shared: Arc<Shared>,
    _server: Loopback,
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gateway({})", self.inner.url)
    }
}

impl Gateway {
    /// Starts a gateway without keys. It has a thread of its own, so that it answers whatever the caller's runtime is doing.
    ///
    /// # Errors
    ///
    /// If it cannot listen at its port.
    pub fn start(setup: GatewaySetup) -> io::Result<Gateway> {
        let ledger = Ledger::new(Clock::new(setup.clock), setup.short_times, setup.watcher);
        let shared = Arc::new(Shared::new(setup.access, ledger));
        let served = Arc::clone(&shared);
        let serve = |listener, stopped| server::serve(listener, served, stopped);
        let server = Loopback::start_at(setup.port, "approval-gateway", serve)?;
        let url = format!("http://{}", server.address());
        Ok(Gateway { inner: Arc::new(Inner { url, shared, _server: server }) })
    }

    /// Its address: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.inner.url
    }

    /// The time that it is for the gateway.
    pub fn now(&self) -> OffsetDateTime {
        clock::point(self.ledger().now())
    }

    /// Moves a clock that is moved; it never goes back. Whatever falls due on the way happens, each at its second.
    pub fn set_time(&self, now: OffsetDateTime) {
        self.ledger().set_time(now);
    }

    /// Holds a key under a label, with the chain that `GET /v1/certificate` answers with (DER, the leaf first).
    ///
    /// # Errors
    ///
    /// If there is a key of that label, or the policy cannot be kept, and why.
    pub fn add_key(
        &self,
        label: &str,
        key: Key,
        chain: Option<Vec<Vec<u8>>>,
        policy: Option<KeyPolicy>,
    ) -> Result<(), GatewayError> {
        self.ledger().add_key(label, key, chain, policy.as_ref())
    }

    /// Makes the certificate (DER) known by which policies mean an onboarded approver of that name.
    ///
    /// # Errors
    ///
    /// If it is no certificate with a key that approves.
    pub fn onboard(&self, name: &str, certificate: &[u8]) -> Result<(), GatewayError> {
        self.ledger().onboard(name, certificate)
    }

    /// Blocks or unblocks a key at once, whatever its rules say: as its administrator would.
    ///
    /// # Errors
    ///
    /// If there is no such key.
    pub fn set_blocked(&self, label: &str, blocked: bool) -> Result<(), GatewayError> {
        self.ledger().set_blocked(label, blocked)
    }

    /// Whether the key of that label is blocked; none if there is no such key.
    pub fn is_blocked(&self, label: &str) -> Option<bool> {
        let mut ledger = self.ledger();
        ledger.now();
        ledger.is_blocked(label)
    }

    /// Every request, the oldest first, as it stands now.
    pub fn requests(&self) -> Vec<RequestRecord> {
        let mut ledger = self.ledger();
        ledger.now();
        ledger.records()
    }

    /// One request, as it stands now.
    pub fn request(&self, id: &str) -> Option<RequestRecord> {
        let mut ledger = self.ledger();
        ledger.now();
        let place = ledger.find(id).ok()?;
        Some(ledger.record(place))
    }

    /// Answers signers wrongly from now on, or the next `times`, in place of how it did before. It concerns every call that the
    /// fault can happen to.
    pub fn misbehave(&self, fault: GatewayFault, times: Option<u32>) {
        self.ledger().faults.set(fault, None, times);
    }

    /// The same for one call alone.
    pub fn misbehave_at(&self, call: GatewayCall, fault: GatewayFault, times: Option<u32>) {
        self.ledger().faults.set(fault, Some(call), times);
    }

    /// Answers soundly again.
    pub fn behave(&self) {
        self.ledger().faults.clear();
    }

    fn ledger(&self) -> std::sync::MutexGuard<'_, Ledger> {
        self.inner.shared.ledger()
    }
}
