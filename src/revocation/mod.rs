//! Revocation: what CRLs and OCSP responders say of the certificates of a chain.
//!
//! Follows *signing-and-verification-workflow*, Certificate Revocation Evaluation; RFC 5280 (CRLs) and RFC 6960 (OCSP).
//! Judging is pure: [`evaluate()`] looks at a chain and at answers that were [`Recorded`], and says what else has to be asked
//! ([`Need`]). Where answers come from is a [`RevocationSource`].
//!
//! An address stands in a certificate that a stranger may have written. So nothing here reaches out before the rest of a
//! signature has been found good.

mod address;
mod budget;
mod cache;
mod cache_file;
mod candidate;
mod copy;
mod crl;
mod dated;
mod edition;
mod editions;
mod evaluate;
mod extension;
mod fields;
mod flaw;
mod folder;
mod http;
mod inquiry;
mod memo;
mod need;
mod ocsp;
mod outline;
mod place;
mod recorded;
mod request;
mod scan;
mod shared;
mod signed;
mod status;

pub use budget::{Budget, Permit};
pub use cache::Cache;
pub use copy::Copying;
pub use dated::Dated;
pub use editions::Editions;
pub use evaluate::{evaluate, without_asking};
pub use folder::{Folder, FolderError};
pub use http::{Http, HttpOptions};
pub use memo::AnswerMemo;
pub use need::{Issuer, Need};
pub use recorded::{Answer, Arrival, Recorded};
pub use shared::{Shared, SharedOptions};
pub use status::{Accepted, CertificateStatus, Evaluation, Method, ServerStatus, Status};

use std::sync::Arc;

use async_trait::async_trait;

use crate::source::{Trouble, TroubleKind};

/// Where answers come from.
#[async_trait]
pub trait RevocationSource: Send + Sync {
    /// The answer to `need`, as it came, unverified. However many ask, the same need is asked of the network once.
    async fn answer(&self, need: &Need) -> Result<Answer, Trouble>;

    /// Told of an answer that was not accepted. A source that did not have it from the server itself, but had kept it
    /// from before, asks the server now; so a cache that somebody spoilt costs one more request and never a verdict.
    /// `None`: there is nothing else to be had.
    async fn again(&self, need: &Need, refused: &Answer) -> Option<Result<Answer, Trouble>> {
        let _ = (need, refused);
        None
    }

    /// The present, for a run that judges as of its own beginning; `None` for one that judges as of another time.
    fn present(&self) -> Option<Arrival> {
        None
    }

    /// Told of an answer that was verified, so that it may be kept. Never fails: what cannot be kept is fetched again.
    async fn keep(&self, accepted: &Accepted) {
        let _ = accepted;
    }
}

/// Where a source says what its user should know, and what changes no verdict: one sentence without a full stop.
pub type Warn = Arc<dyn Fn(String) + Send + Sync>;

/// A source for those who never ask: nothing is recorded, and nothing is fetched.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nowhere;

#[async_trait]
impl RevocationSource for Nowhere {
    async fn answer(&self, need: &Need) -> Result<Answer, Trouble> {
        Err(Trouble::new(TroubleKind::Unreachable, format!("{need} is not asked")))
    }
}

#[cfg(test)]
mod tests;
