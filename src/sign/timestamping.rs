//! Time stamps for new signatures: the request to an authority over HTTP, and what is made of its answer.
//!
//! Follows RFC 3161, section 3.4, and *signature-specification*, Unsigned Attributes. What comes back is verified as it
//! will be by every verifier: a time stamp that would fail verification is not put into an envelope, and no other is asked
//! for. An authority that is busy or breaks off is asked again ([`patience`]); redirects that keep the request what it is
//! are followed ([`exchange`]).

mod exchange;
mod patience;

use std::path::Path;
use std::time::Duration;

use aws_lc_rs::rand;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use url::Url;

use self::exchange::Clients;
use crate::address::without_secrets;
use crate::failure::{Failure, quote};
use crate::limits;
use crate::pki::{Certificate, Chain};
use crate::timestamp::{self, Request, RequestRefused, Token, VerifiedTimestamp};
use crate::trust_store::{NamedStore, StoreProblem, StoreType};

/// A time stamping authority, and the roots by which its time stamps are verified.
#[derive(Debug)]
pub struct TimestampAuthority {
    url: Url,
    roots: NamedStore,
    clients: Clients,
    deadline: Duration,
}

/// Why there is no time stamp.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimestampingError {
    /// The address is not an absolute http or https URL.
    #[error("{} is not the address of a time stamping authority: expected http:// or https:// and a host", quote(.0))]
    Address(String),
    /// The file with its roots cannot be used.
    #[error("no time stamp could be verified: {0}")]
    Roots(StoreProblem),
    /// The connection, TLS, HTTP.
    #[error("the time stamping authority {url} gave no time stamp: {reason}")]
    Exchange {
        /// Where; safe to print.
        url: String,
        /// What happened.
        reason: String,
    },
    /// The authority refused, or answered with something else.
    #[error("the time stamping authority {url} gave no time stamp: {reason}")]
    Refused {
        /// Where; safe to print.
        url: String,
        /// What the authority said.
        reason: RequestRefused,
    },
    /// The authority's time stamp is not good.
    #[error("the time stamp of {url} is thrown away: {reason}")]
    Unsound {
        /// Where; safe to print.
        url: String,
        /// Why.
        reason: Failure,
    },
    /// The authority's time stamp is good, and not what was asked for.
    #[error("the time stamp of {url} is thrown away: {reason}")]
    Other {
        /// Where; safe to print.
        url: String,
        /// Why.
        reason: String,
    },
}

impl TimestampAuthority {
    /// The authority at `url`, whose time stamps lead to a root in the file `roots`. Nothing is asked of it yet.
    ///
    /// # Errors
    ///
    /// [`TimestampingError::Address`] and [`TimestampingError::Roots`].
    pub fn open(url: &str, roots: &Path) -> Result<TimestampAuthority, TimestampingError> {
        let parsed = Url::parse(url).ok().filter(|parsed| matches!(parsed.scheme(), "http" | "https"));
        let url = parsed.ok_or_else(|| TimestampingError::Address(without_credentials(url)))?;
        let roots = NamedStore::from_file(StoreType::Tsa, roots).map_err(TimestampingError::Roots)?;
        let clients = Clients::new(&url).map_err(|reason| TimestampingError::Exchange { url: shown(&url), reason })?;
        Ok(TimestampAuthority { url, roots, clients, deadline: limits::TIMESTAMP_TIMEOUT })
    }

    /// With another time in which there has to be a time stamp, however often it is asked for.
    pub fn within(self, deadline: Duration) -> TimestampAuthority {
        TimestampAuthority { deadline, ..self }
    }

    /// Has `signature` stamped, the primitive signature of an envelope by the key of `chain`.
    ///
    /// # Errors
    ///
    /// Why there is no time stamp, or none that would be accepted.
    pub async fn stamp(
        &self,
        signature: &[u8],
        chain: &Chain,
    ) -> Result<(Token, VerifiedTimestamp), TimestampingError> {
        let exchange = |reason| TimestampingError::Exchange { url: shown(&self.url), reason };
        let mut random = [0; 16];
        rand::fill(&mut random).map_err(|_| exchange("there are no random numbers for the request".to_owned()))?;
        let request = Request::new(signature, chain.signing_key().kind().hash(), random);
        let body = request.to_der();
        // The same request each time: it is the signature that is stamped, whichever answer comes through.
        let ask = || self.clients.exchange(&self.url, &body);
        let answer = patience::until(self.deadline, ask).await.map_err(exchange)?;
        let token = timestamp::read_response(&answer)
            .map_err(|reason| TimestampingError::Refused { url: shown(&self.url), reason })?;
        let stamp = self.check(&token, signature, &request, chain)?;
        Ok((token, stamp))
    }

    fn check(
        &self,
        token: &Token,
        signature: &[u8],
        request: &Request,
        chain: &Chain,
    ) -> Result<VerifiedTimestamp, TimestampingError> {
        let unsound = |reason| TimestampingError::Unsound { url: shown(&self.url), reason };
        let other = |reason| Err(TimestampingError::Other { url: shown(&self.url), reason });
        let roots: Vec<&Certificate> = self.roots.certificates().iter().collect();
        let stamp = timestamp::verify(token, signature, &roots).map_err(unsound)?;
        if stamp.nonce.as_deref() != Some(request.nonce()) {
            return other("it does not repeat the nonce of the request, so that it may be an old one".to_owned());
        }
        let now = OffsetDateTime::now_utc();
        if (stamp.gen_time - now).unsigned_abs() > limits::TIMESTAMP_SKEW {
            let [time, now] = [stamp.gen_time, now].map(|time| time.format(&Rfc3339).unwrap_or_default());
            return other(format!("it is of {time}, and it is {now} by the clock of this machine"));
        }
        stamp.check_within(chain.certificates()).map_err(unsound)?;
        Ok(stamp)
    }
}

/// What was to be an address and is none, without what may be secret in it.
fn without_credentials(text: &str) -> String {
    let shown = without_secrets(text);
    shown.rsplit('@').next().unwrap_or_default().to_owned()
}

/// An address without what may be secret in it.
fn shown(url: &Url) -> String {
    let mut shown = url.clone();
    shown.set_query(None);
    shown.set_fragment(None);
    // Neither fails for an address with a host.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    quote(shown.as_str())
}
