//! Delta CRLs: what has changed since a base.
//!
//! Follows RFC 5280, sections 5.2.4 and 6.3.3, and the reference implementation: a delta belongs to a base when it starts at
//! or before it and is newer than it, and both have the same scope. Both are signed by the same key, since both are read
//! with the certificate of the same issuer.

use std::cmp::Ordering;

use super::{Crl, Extensions, When};
use crate::revocation::answer_error::AnswerError;
use crate::revocation::edition::compare;

impl Crl {
    /// Checks that this is a delta CRL in force, and one of `base`.
    pub(super) fn check_delta_of(&self, base: &Crl, when: When) -> Result<(), AnswerError> {
        let Extensions { delta_indicator, scope, .. } = &self.extensions;
        let flaw = |text: &str| Err(AnswerError::from(text));
        let Some(starts_at) = delta_indicator else { return flaw("is not a delta CRL") };
        let Some(base_number) = &base.edition.number else { return flaw("belongs to a base CRL without a number") };
        let Some(number) = &self.edition.number else { return flaw("has no number") };
        if compare(starts_at, base_number) == Ordering::Greater {
            return flaw("starts at a later base CRL than the one that there is");
        }
        if compare(number, base_number) != Ordering::Greater {
            return flaw("is not newer than its base CRL");
        }
        if *scope != base.extensions.scope {
            return flaw("has another issuing distribution point than its base CRL");
        }
        self.check_current(when)
    }
}
