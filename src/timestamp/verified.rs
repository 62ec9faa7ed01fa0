//! A time stamp that was verified, and what it says of a signer's certificates.
//!
//! Follows *signing-and-verification-workflow*, Verify authentic timestamp: the whole range in which the true time may be
//! lies in the validity of every certificate, both ends included, to the nanosecond.

use time::{Duration, OffsetDateTime};

use crate::failure::{Code, Failure, quote};
use crate::pki::Certificate;
use crate::rfc3339::instant;

/// A time stamp of a trusted authority over a known message. Whether its certificates are revoked is not said.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifiedTimestamp {
    /// When, by the authority's clock.
    pub gen_time: OffsetDateTime,
    /// How far from it the true time may be, either way; never negative.
    pub accuracy: Duration,
    /// The nonce of the request, as the contents of an INTEGER.
    pub nonce: Option<Vec<u8>>,
    /// The certificates of the authority, its own first, a trusted root last.
    pub chain: Vec<Certificate>,
}

impl VerifiedTimestamp {
    /// The authority's own certificate.
    pub fn authority(&self) -> &Certificate {
        // A chain starts with the certificate that signed.
        &self.chain[0]
    }

    /// Checks that each of `certificates` was valid whenever the true time was.
    ///
    /// # Errors
    ///
    /// [`Code::CertificateNotYetValid`] or [`Code::CertificateExpired`].
    pub fn check_within(&self, certificates: &[Certificate]) -> Result<(), Failure> {
        let (time, accuracy) = (self.gen_time, self.accuracy);
        for certificate in certificates {
            let (from, until) = (certificate.not_before(), certificate.not_after());
            // A time before or after all times is outside of everything.
            let starts = time.checked_sub(accuracy).is_some_and(|earliest| earliest >= from);
            let ends = time.checked_add(accuracy).is_some_and(|latest| latest <= until);
            let (code, bound) = match (starts, ends) {
                (true, true) => continue,
                (false, _) => (Code::CertificateNotYetValid, format!("is valid from {}", instant(from))),
                (true, false) => (Code::CertificateExpired, format!("was valid until {}", instant(until))),
            };
            let seconds = accuracy.as_seconds_f64();
            let exact = if accuracy.is_zero() { String::new() } else { format!(" ± {seconds} s") };
            let (subject, time) = (quote(certificate.subject_text()), instant(time));
            let message = format!("certificate {subject} {bound}, and the time stamp is of {time}{exact}");
            return Err(Failure::new(code, message));
        }
        Ok(())
    }
}
