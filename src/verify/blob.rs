//! Blobs: content that lies anywhere, with a detached signature.
//!
//! Follows *signing-and-verification-workflow*, Blob verification. What differs from an artifact is how the statement is
//! chosen, by name and not by place, and what the signature must speak of; everything else is judged by the same code.

use time::OffsetDateTime;

use super::context::{Answers, Context};
use super::integrity::Subject;
use super::pending::Gathered;
use super::{Options, Outcome, artifact, signature};
use crate::digest::Algorithm;
use crate::envelope;
use crate::evidence::{BlobEvidence, Envelope, Signatures};
use crate::failure::quote;
use crate::pki::ChainCache;
use crate::policy::BlobTrustPolicy;

/// Judges a blob by the statement called `name`, or without a name by the one with `globalPolicy`, as of `at`.
///
/// The same arguments give the same outcome, always. As with [`decide`](super::decide), the outcome is not final where
/// [`Outcome::pending`] names needs.
pub fn decide_blob(
    evidence: &BlobEvidence,
    name: Option<&str>,
    policy: &BlobTrustPolicy,
    options: &Options,
    at: OffsetDateTime,
) -> Outcome {
    let Some(statement) = policy.statement(name) else {
        return artifact::unassigned(match name {
            Some(name) => format!("no statement of the trust policy for blobs has the name {}", quote(name)),
            None => "no statement is named, and none of the trust policy for blobs has globalPolicy".to_owned(),
        });
    };
    if statement.is_skip() {
        return artifact::skipped(statement);
    }
    let found = match &evidence.signature {
        Ok(signature) => signature,
        Err(trouble) => return artifact::undecided(statement, trouble.clone().into()),
    };
    let context = Context {
        subject: Subject::Blob(evidence),
        answers: Answers { revocation: &evidence.revocation, plugins: &evidence.plugins },
        statement,
        options,
        at,
    };
    let mut pending = Gathered::default();
    let judged = signature::judge(found, &context, &mut pending);
    Outcome {
        pending: pending.all(),
        ..artifact::conclude(statement, Signatures { found: vec![judged], ..Signatures::default() })
    }
}

/// The hash with which a blob is to be measured that `envelope` may speak of: the one that belongs to the signing key. An
/// envelope without integrity speaks of no blob, whatever its hash.
pub fn hash_of_blob(envelope: &Envelope, chains: &ChainCache) -> Option<Algorithm> {
    let verified = envelope::verify(&envelope.media_type, &envelope.bytes, chains).ok()?;
    Some(verified.chain.signing_key().kind().hash())
}
