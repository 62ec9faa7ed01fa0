//! Expiry: the signature's own expiry, where it has one, lies ahead.
//!
//! Follows *signing-and-verification-workflow*, Verify expiry. The moment of expiry itself is too late.

use time::OffsetDateTime;

use crate::envelope::VerifiedEnvelope;
use crate::failure::{Code, Failure};
use crate::rfc3339::instant;

/// Checks that `at` is before the expiry.
pub(super) fn check(envelope: &VerifiedEnvelope, at: OffsetDateTime) -> Result<(), Failure> {
    match envelope.signer.expiry {
        Some(expiry) if at >= expiry => {
            Err(Failure::new(Code::SignatureExpired, format!("the signature expired at {}", instant(expiry))))
        }
        _ => Ok(()),
    }
}
