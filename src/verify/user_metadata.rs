//! User metadata: what the verifier asks for must have been signed, each key with exactly that value.
//!
//! Follows *signing-and-verification-workflow*, OCI artifact verification, its last step. More metadata than asked for is
//! no fault.

use std::collections::BTreeMap;

use crate::envelope::VerifiedEnvelope;
use crate::failure::{Code, Failure, quote};

/// Checks that the signed annotations of `envelope` hold every pair of `wanted`.
pub(super) fn check(envelope: &VerifiedEnvelope, wanted: &BTreeMap<String, String>) -> Result<(), Failure> {
    for (key, value) in wanted {
        let signed = envelope.payload.target.annotations.get(key);
        if signed != Some(value) {
            let signed =
                signed.map_or("was not signed".to_owned(), |signed| format!("was signed as {}", quote(signed)));
            return Err(Failure::new(
                Code::UserMetadataMismatch,
                format!("user metadata {} is asked for as {} and {signed}", quote(key), quote(value)),
            ));
        }
    }
    Ok(())
}
