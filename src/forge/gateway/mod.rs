//! The approval gateway: a broker of keys that sign only when enough people agree, on a loopback port of its own.
//!
//! Follows Securosys' public documentation of the Transaction Security Broker as [`crate::tsb`] has it; what that leaves open
//! stands in [`crate::tsb::undocumented`]. Keys are in memory or held elsewhere ([`super::Key::held_by`]), and nobody but the
//! gateway signs with them. Its clock is the wall's, or stands still until it is moved ([`Gateway::set_time`]); time counts in
//! whole seconds, and what falls due in between happens at its exact second, whether anybody asks meanwhile or not.
//!
//! It never signs without its rule being met, never counts an approval that is not signed over exactly what was asked, by a key
//! that the rule lists, and holds no more than [`crate::limits`] lets it, whatever is sent.

mod access;
mod clock;
mod error;
mod fault;
mod record;
mod rule;

use std::fmt;
use std::io;
use std::sync::Arc;

use time::OffsetDateTime;

use super::Key;
use crate::tsb::KeyPolicy;

pub use access::{Access, Role};
pub use clock::GatewayClock;
pub use error::GatewayError;
pub use fault::{GatewayCall, GatewayFault};
pub use record::{Deed, GatewayEvent, Operation, RefusedDeed, RequestRecord};
pub use rule::{ApproverId, Course, Group, Refused, Rule, Standing, Token};

/// How a gateway is set up.
#[derive(Debug, Default)]
pub struct GatewaySetup {
    /// Where the time comes from.
    pub clock: GatewayClock,
    /// Who may ask for what.
    pub access: Access,
    /// Whether timelocks and timeouts may be other than whole minutes, which the vendor does not take.
    pub short_times: bool,
    /// The port of 127.0.0.1 to listen at; any free one if it is 0.
    pub port: u16,
}

/// A running gateway. Copies are the same one; it stops when the last goes.
#[derive(Clone)]
pub struct Gateway {
    inner: Arc<Inner>,
}

struct Inner {
    url: String,
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gateway({})", self.inner.url)
    }
}

impl Gateway {
    /// Starts a gateway without keys. It has a thread of its own, so that it answers whatever the caller's runtime is doing.
    pub fn start(_setup: GatewaySetup) -> io::Result<Gateway> {
        Ok(Gateway { inner: Arc::new(Inner { url: "http://127.0.0.1:1".to_owned() }) })
    }

    /// Its address: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.inner.url
    }

    /// The time that it is for the gateway.
    pub fn now(&self) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH
    }

    /// Moves a clock that is moved; it never goes back. Whatever falls due on the way happens, each at its second.
    pub fn set_time(&self, _now: OffsetDateTime) {}

    /// Holds a key under a label, with the chain that `GET /v1/certificate` answers with (DER, the leaf first).
    ///
    /// # Errors
    ///
    /// If there is a key of that label, or the policy cannot be kept, and why.
    pub fn add_key(
        &self,
        _label: &str,
        _key: Key,
        _chain: Option<Vec<Vec<u8>>>,
        _policy: Option<KeyPolicy>,
    ) -> Result<(), GatewayError> {
        Ok(())
    }

    /// Makes the certificate (DER) known by which policies mean an onboarded approver of that name.
    ///
    /// # Errors
    ///
    /// If it is no certificate with a key that approves.
    pub fn onboard(&self, _name: &str, _certificate: &[u8]) -> Result<(), GatewayError> {
        Ok(())
    }

    /// Blocks or unblocks a key at once, whatever its rules say: as its administrator would.
    ///
    /// # Errors
    ///
    /// If there is no such key.
    pub fn set_blocked(&self, _label: &str, _blocked: bool) -> Result<(), GatewayError> {
        Ok(())
    }

    /// Whether the key of that label is blocked; none if there is no such key.
    pub fn is_blocked(&self, _label: &str) -> Option<bool> {
        None
    }

    /// Every request, the oldest first, as it stands now.
    pub fn requests(&self) -> Vec<RequestRecord> {
        Vec::new()
    }

    /// One request, as it stands now.
    pub fn request(&self, _id: &str) -> Option<RequestRecord> {
        None
    }

    /// Answers signers wrongly from now on, or the next `times`, in place of how it did before. It concerns every call that the
    /// fault can happen to.
    pub fn misbehave(&self, _fault: GatewayFault, _times: Option<u32>) {}

    /// The same for one call alone.
    pub fn misbehave_at(&self, _call: GatewayCall, _fault: GatewayFault, _times: Option<u32>) {}

    /// Answers soundly again.
    pub fn behave(&self) {}
}
