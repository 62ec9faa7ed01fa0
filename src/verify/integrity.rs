//! Integrity: the envelope is whole, signed by its leaf key, and speaks of this artifact or blob.
//!
//! Follows *signing-and-verification-workflow*, Verify integrity. What an envelope must be in itself is
//! [`envelope::verify`]'s to say; here it is held against the artifact by digest, media type and size. A blob has no media
//! type of its own: it is compared only where the caller expects one. Its digest must be of the hash that belongs to the
//! signing key, so that the signer cannot choose a weaker one.

use crate::envelope::{self, VerifiedEnvelope};
use crate::evidence::{BlobEvidence, EnvelopeProblem, Signature};
use crate::failure::{Code, Failure, quote};
use crate::manifest::Descriptor;
use crate::pki::ChainCache;

/// What a signature must speak of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Subject<'a> {
    Artifact(&'a Descriptor),
    Blob(&'a BlobEvidence),
}

/// The verified envelope of `signature`, whatever it is of.
pub(super) fn read(signature: &Signature, chains: &ChainCache) -> Result<VerifiedEnvelope, Failure> {
    match &signature.envelope {
        Ok(envelope) => envelope::verify(&envelope.media_type, &envelope.bytes, chains),
        Err(EnvelopeProblem::Malformed(failure)) => Err(failure.clone()),
        Err(EnvelopeProblem::Trouble(trouble)) => Err(trouble.clone().into()),
    }
}

/// Whether what was signed is `subject`.
pub(super) fn check(verified: &VerifiedEnvelope, subject: Subject<'_>) -> Result<(), Failure> {
    match subject {
        Subject::Artifact(artifact) => check_artifact(&verified.payload.target, artifact),
        Subject::Blob(blob) => check_blob(verified, blob),
    }
}

fn check_artifact(target: &Descriptor, artifact: &Descriptor) -> Result<(), Failure> {
    let differs = |what, signed: &str, found: &str| {
        Err(mismatch(format!("the {what} that was signed is {signed}, the artifact's is {found}")))
    };
    if target.digest != artifact.digest {
        return differs("digest", &target.digest.to_string(), &artifact.digest.to_string());
    }
    if target.media_type != artifact.media_type {
        return differs("media type", &quote(&target.media_type), &quote(&artifact.media_type));
    }
    if target.size != artifact.size {
        return differs("size", &target.size.to_string(), &artifact.size.to_string());
    }
    Ok(())
}

fn check_blob(verified: &VerifiedEnvelope, blob: &BlobEvidence) -> Result<(), Failure> {
    let target = &verified.payload.target;
    let key = verified.chain.signing_key().kind();
    let (signed, measured) = (target.digest.algorithm(), blob.digest.algorithm());
    if signed != key.hash() {
        return Err(mismatch(format!(
            "the digest that was signed is of {}, where a key of the kind {} needs {}",
            signed.name(),
            key.as_str(),
            key.hash().name()
        )));
    }
    if measured != key.hash() {
        let message = format!("the blob was hashed with {}, not with {}", measured.name(), key.hash().name());
        return Err(Failure::new(Code::InternalFault, message));
    }
    if target.digest != blob.digest {
        return Err(mismatch(format!(
            "the digest that was signed is {}, the blob's is {}",
            target.digest, blob.digest
        )));
    }
    if target.size != blob.size {
        return Err(mismatch(format!("the size that was signed is {}, the blob's is {}", target.size, blob.size)));
    }
    if let Some(expected) = blob.media_type.as_ref().filter(|expected| **expected != target.media_type) {
        let (signed, expected) = (quote(&target.media_type), quote(expected));
        return Err(mismatch(format!("the media type that was signed is {signed}, and {expected} is asked for")));
    }
    Ok(())
}

fn mismatch(message: String) -> Failure {
    Failure::new(Code::PayloadMismatch, message)
}
