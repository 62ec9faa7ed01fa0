//! Revocation: what CRLs and OCSP responders say of the certificates of a chain.
//!
//! Follows *signing-and-verification-workflow*, Certificate Revocation Evaluation; RFC 5280 (CRLs) and RFC 6960 (OCSP).
//! Judging is pure: [`evaluate()`] looks at a chain and at answers that were [`Recorded`], and says what else has to be asked
//! ([`Need`]). Nothing here reaches out: answers are fetched by [`crate::fetch`], and only once the rest of a signature has
//! been found good, since an address stands in a certificate that a stranger may have written.

mod answer_cache;
mod answer_error;
mod context;
mod crl;
mod edition;
mod evaluate;
mod extension;
mod fields;
pub(crate) mod http_url;
mod need;
mod ocsp;
pub(crate) mod peek;
mod recorded;
mod signed;
mod status;

pub use answer_cache::AnswerCache;
pub(crate) use edition::Edition;
pub use evaluate::{evaluate, without_asking};
pub use need::{Issuer, Need};
pub use recorded::{Answer, Arrival, Recorded};
pub(crate) use recorded::{Kept, Known};
pub use status::{Accepted, CertificateStatus, Evaluation, Method, ServerStatus, Status};

#[cfg(test)]
mod tests;
