//! Revocation: no certificate of the chain, the root aside, has been revoked.
//!
//! Follows *signing-and-verification-workflow*, Certificate Revocation Evaluation. A certificate that names neither a CRL
//! nor an OCSP responder cannot be checked, and counts as good. CRLs and OCSP answers are not read yet: where a
//! certificate names one, the answer is that it cannot be decided.

use crate::envelope::VerifiedEnvelope;
use crate::failure::{Code, Failure};
use crate::revocation::{Need, needs};

/// Checks the certificates of `envelope` below the root.
pub(super) fn check(envelope: &VerifiedEnvelope) -> Result<(), Failure> {
    let asked = match needs(&envelope.chain).into_iter().next() {
        None => return Ok(()),
        Some(Need::Crl(_)) => "a CRL",
        Some(Need::Ocsp { .. }) => "an OCSP responder",
    };
    Err(Failure::new(
        Code::RevocationUnsupported,
        format!("a certificate of the chain names {asked}, and neither CRLs nor OCSP are supported yet"),
    ))
}
