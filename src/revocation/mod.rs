//! Revocation: what CRLs and OCSP responders say, as evidence.
//!
//! Follows *signing-and-verification-workflow*, Certificate Revocation Evaluation. Here is the seam only: what would have
//! to be asked ([`Need`]), where answers come from ([`RevocationSource`]), and answers that were recorded ([`Recorded`]).
//! Reading and evaluating CRLs and OCSP answers is not supported yet, so that a chain that names either is undecided.
//!
//! An address stands in a certificate that a stranger may have written. So nothing here reaches out before the rest of a
//! signature has been found good.

mod recorded;

pub use recorded::Recorded;

use async_trait::async_trait;
use bytes::Bytes;

use crate::pki::Chain;
use crate::source::Trouble;

/// One answer that the revocation check of a chain needs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Need {
    /// The CRL at this address.
    Crl(String),
    /// An OCSP answer of the responder at this address, for the certificate with this SHA-256 fingerprint.
    Ocsp {
        /// The responder's address.
        responder: String,
        /// Which certificate is asked about.
        certificate: crate::digest::Digest,
    },
}

/// Where answers come from.
#[async_trait]
pub trait RevocationSource: Send + Sync {
    /// The answer to `need`, as it came, unverified.
    async fn answer(&self, need: &Need) -> Result<Bytes, Trouble>;
}

/// What the revocation check of `chain` needs; the root is never checked. Empty: nothing can be checked.
pub fn needs(chain: &Chain) -> Vec<Need> {
    let certificates = chain.certificates();
    let below_root = &certificates[..certificates.len().saturating_sub(1)];
    let mut needs = Vec::new();
    for certificate in below_root {
        needs.extend(certificate.ocsp_urls().iter().map(|url| Need::Ocsp {
            responder: url.clone(),
            certificate: crate::digest::Digest::sha256(certificate.der()),
        }));
        needs.extend(certificate.crl_urls().iter().cloned().map(Need::Crl));
    }
    needs
}
