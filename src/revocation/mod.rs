//! Revocation: what CRLs and OCSP responders say of the certificates of a chain.
//!
//! Follows *signing-and-verification-workflow*, Certificate Revocation Evaluation; RFC 5280 (CRLs) and RFC 6960 (OCSP).
//! Judging is pure: [`evaluate()`] looks at a chain and at answers that were [`Recorded`], and says what else has to be asked
//! ([`Need`]). Where answers come from is a [`RevocationSource`].
//!
//! An address stands in a certificate that a stranger may have written. So nothing here reaches out before the rest of a
//! signature has been found good.

mod evaluate;
mod memo;
mod need;
mod recorded;
mod status;

pub use evaluate::evaluate;
pub use memo::AnswerMemo;
pub use need::Need;
pub use recorded::{Answer, Recorded};
pub use status::{AcceptedCrl, CertificateStatus, Evaluation, Method, ServerStatus, Status};

use async_trait::async_trait;

use crate::source::{Trouble, TroubleKind};

/// Where answers come from.
#[async_trait]
pub trait RevocationSource: Send + Sync {
    /// The answer to `need`, as it came, unverified. However many ask, the same need is asked of the network once.
    async fn answer(&self, need: &Need) -> Result<Answer, Trouble>;

    /// Told of a CRL that was verified, so that it may be kept. Never fails: what cannot be kept is fetched again.
    fn keep(&self, crl: &AcceptedCrl) {
        let _ = crl;
    }
}

/// A source for those who never ask: nothing is recorded, and nothing is fetched.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nowhere;

#[async_trait]
impl RevocationSource for Nowhere {
    async fn answer(&self, need: &Need) -> Result<Answer, Trouble> {
        Err(Trouble::new(TroubleKind::NotFound, format!("{need} is not asked")))
    }
}
