//! Integrity: the envelope is whole, signed by its leaf key, and speaks of this artifact.
//!
//! Follows *signing-and-verification-workflow*, Verify integrity. What an envelope must be in itself is
//! [`envelope::verify`]'s to say; here it is held against the artifact by digest, media type and size.

use crate::envelope::{self, VerifiedEnvelope};
use crate::evidence::{EnvelopeProblem, Signature};
use crate::failure::{Code, Failure, quote};
use crate::manifest::Descriptor;
use crate::pki::ChainCache;

/// The verified envelope of `signature`, if it is one for `subject`.
pub(super) fn check(
    signature: &Signature,
    subject: &Descriptor,
    chains: &ChainCache,
) -> Result<VerifiedEnvelope, Failure> {
    let envelope = match &signature.envelope {
        Ok(envelope) => envelope,
        Err(EnvelopeProblem::Malformed(failure)) => return Err(failure.clone()),
        Err(EnvelopeProblem::Trouble(trouble)) => return Err(trouble.clone().into()),
    };
    let verified = envelope::verify(&envelope.media_type, &envelope.bytes, chains)?;
    let target = &verified.payload.target;
    let mismatch = |what, signed: &str, found: &str| {
        Err(Failure::new(
            Code::PayloadMismatch,
            format!("the {what} that was signed is {signed}, the artifact's is {found}"),
        ))
    };
    if target.digest != subject.digest {
        return mismatch("digest", &target.digest.to_string(), &subject.digest.to_string());
    }
    if target.media_type != subject.media_type {
        return mismatch("media type", &quote(&target.media_type), &quote(&subject.media_type));
    }
    if target.size != subject.size {
        return mismatch("size", &target.size.to_string(), &subject.size.to_string());
    }
    Ok(verified)
}
