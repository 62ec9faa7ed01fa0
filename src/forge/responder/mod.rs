//! What authorities publish, inside the process: CRLs, OCSP responders and time stamping authorities.
//!
//! One server on a loopback port speaks HTTP/1.1 without TLS for all of a world (RFC 5280, section 4.2.1.13; RFC 6960,
//! appendix A; RFC 3161, section 3.4). Each path is an endpoint of its own, which can be told to answer wrongly or not at
//! all ([`Responders::fail`]) and counts its requests. Its clock stands still until it is set: answers are as of the time
//! of the world, never of the wall.

mod crl;
mod faults;
mod ocsp;
mod records;
mod server;
mod timestamp;
mod untrusted;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use bytes::Bytes;
use time::OffsetDateTime;

use super::loopback::Loopback;
use super::{ForgeError, Signer};

pub use crl::{CrlDefect, CrlOptions};
pub use faults::{Delivery, EndpointFault, Fault};
pub use ocsp::OcspDefect;
pub use records::IssuerRecords;
pub use server::Received;

use crl::CrlEndpoint;
use server::Shared;

/// What answers at a path.
enum Endpoint {
    /// What is made of the request and the time.
    Made(Box<Maker>),
    /// A complete CRL, or a delta to it.
    Crl { crls: Arc<CrlEndpoint>, delta: bool },
    /// An OCSP responder.
    Ocsp(IssuerRecords),
    /// A time stamping authority, with the number of its next token.
    Tsa(Box<Signer>, AtomicU64),
}

type Maker = dyn Fn(&[u8], OffsetDateTime) -> Result<Vec<u8>, ForgeError> + Send + Sync;

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Endpoint::Made(_) => "Made",
            Endpoint::Crl { delta: false, .. } => "Crl",
            Endpoint::Crl { delta: true, .. } => "Delta",
            Endpoint::Ocsp(_) => "Ocsp",
            Endpoint::Tsa(..) => "Tsa",
        })
    }
}

/// The running server. Dropping it stops it at once, answers under way included.
#[derive(Debug)]
pub struct Responders {
    server: Loopback,
    shared: Arc<Shared>,
}

impl Responders {
    /// Starts the server on a free port of 127.0.0.1, at the time `now`. It has a thread of its own, so that it answers
    /// whatever the caller's runtime is doing.
    pub fn start(now: OffsetDateTime) -> io::Result<Responders> {
        let shared = Arc::new(Shared::new(now));
        let served = Arc::clone(&shared);
        let server =
            Loopback::start("embedded-responders", |listener, stopped| server::serve(listener, served, stopped))?;
        Ok(Responders { server, shared })
    }

    /// Where the responders listen.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The address of an endpoint, as certificates name it: `http://127.0.0.1:PORT/ca.crl` for `/ca.crl`. The endpoint
    /// may be registered later.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.address())
    }

    /// Sets the clock.
    pub fn set_now(&self, now: OffsetDateTime) {
        *self.shared.now() = now;
    }

    /// The time that it is.
    pub fn now(&self) -> OffsetDateTime {
        *self.shared.now()
    }

    /// Answers at `path` with these bytes, whatever is asked. Paths start with a slash.
    pub fn publish(&self, path: &str, bytes: impl Into<Bytes>) {
        let bytes = bytes.into();
        self.publish_with(path, move |_, _| Ok(bytes.to_vec()));
    }

    /// Answers at `path` with what `make` makes of the request (the body of a POST) and the time.
    pub fn publish_with(
        &self,
        path: &str,
        make: impl Fn(&[u8], OffsetDateTime) -> Result<Vec<u8>, ForgeError> + Send + Sync + 'static,
    ) {
        self.shared.register(path, Endpoint::Made(Box::new(make)));
    }

    /// Publishes the CRLs of an authority at `path`, and where it has deltas, these at `delta_path`. A CRL holds from the
    /// time of the clock on, unless its options say that it is made once, and again by [`Responders::renew`].
    pub fn crl(&self, path: &str, records: &IssuerRecords, options: CrlOptions, delta_path: Option<&str>) {
        let crls = Arc::new(CrlEndpoint::new(records.clone(), options, self.now()));
        if let Some(path) = delta_path {
            self.shared.register(path, Endpoint::Crl { crls: Arc::clone(&crls), delta: true });
        }
        self.shared.register(path, Endpoint::Crl { crls, delta: false });
    }

    /// Makes the complete CRL at `path` anew, if there is one.
    pub fn renew(&self, path: &str) {
        if let Some(endpoint) = self.shared.endpoint(path)
            && let Endpoint::Crl { crls, .. } = &*endpoint
        {
            crls.renew(self.now());
        }
    }

    /// Answers OCSP for an authority at `path`: by POST, and by GET with the request behind the path.
    pub fn ocsp(&self, path: &str, records: &IssuerRecords) {
        self.shared.register(path, Endpoint::Ocsp(records.clone()));
    }

    /// Stamps at `path` as `authority`.
    pub fn tsa(&self, path: &str, authority: &Signer) {
        self.shared.register(path, Endpoint::Tsa(Box::new(authority.clone()), AtomicU64::new(1)));
    }

    /// Makes the endpoint at `path` fail so from now on, in place of how it failed before. A fault of another kind of
    /// endpoint does nothing.
    pub fn fail(&self, path: &str, fault: impl Into<EndpointFault>) {
        self.shared.fail(path, fault.into(), None);
    }

    /// Makes the endpoint at `path` fail so the next `times`.
    pub fn fail_next(&self, path: &str, times: u64, fault: impl Into<EndpointFault>) {
        self.shared.fail(path, fault.into(), Some(times));
    }

    /// Redirects every request for `path` to `location`, whatever that is.
    pub fn redirect(&self, path: &str, location: &str) {
        self.shared.redirect(path, location);
    }

    /// Makes the endpoint at `path` sound again.
    pub fn mend(&self, path: &str) {
        self.shared.mend(path);
    }

    /// How many requests have come to the endpoint at `path`, or to `path` if there is none.
    pub fn requests(&self, path: &str) -> u64 {
        self.shared.requests(path)
    }

    /// How many requests have come in all.
    pub fn all_requests(&self) -> u64 {
        self.shared.all_requests()
    }

    /// The requests, the oldest first, as far as they are remembered.
    pub fn received(&self) -> Vec<Received> {
        self.shared.received()
    }
}

#[cfg(test)]
mod tests;
