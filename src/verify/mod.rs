//! Deciding: evidence, trust policy, trust store and time in, outcome out.
//!
//! Follows *signing-and-verification-workflow*, OCI artifact verification, and for blobs Blob verification.
//! [`decide`] and [`decide_blob`] reach for nothing outside their arguments: no network, no file, no clock. They refuse to
//! stop early: every signature is judged and every validation listed, so that a report can say why the others do not count.

mod artifact;
mod authentic_timestamp;
mod authenticity;
mod blob;
mod context;
mod expiry;
mod integrity;
mod options;
mod outcome;
mod pending;
mod plugin;
mod revocation;
mod signature;
mod user_metadata;

use time::OffsetDateTime;

use crate::evidence::{Evidence, Signatures};
use crate::failure::Failure;
use crate::policy::TrustPolicy;

use context::{Answers, Context};
use integrity::Subject;

pub use blob::{decide_blob, hash_of_blob};
pub use options::{Caches, Options};
pub use outcome::{CertificateFacts, Check, CheckResult, Countersignature, Outcome, SignatureOutcome, Verdict};
pub use pending::{Need, Pending};

/// What signatures make of an artifact that were judged one by one, each by [`decide`] from evidence that holds it alone;
/// without signatures, why they could not be judged.
pub fn join(
    repository: &str,
    signatures: Result<Signatures<SignatureOutcome>, Failure>,
    policy: &TrustPolicy,
) -> Outcome {
    let Some(statement) = policy.statement_for(repository) else {
        return artifact::unassigned(policy.why_none_for(repository));
    };
    match signatures {
        _ if statement.is_skip() => artifact::skipped(statement),
        Ok(judged) => artifact::conclude(statement, judged),
        Err(failure) => artifact::undecided(statement, failure),
    }
}

/// Judges an artifact by `policy` as of `at`.
///
/// The same arguments give the same outcome, always. Where [`Outcome::pending`] names needs, the outcome is not final: they
/// are to be fetched and recorded in the evidence.
pub fn decide(evidence: &Evidence, policy: &TrustPolicy, options: &Options, at: OffsetDateTime) -> Outcome {
    let Some(statement) = policy.statement_for(&evidence.repository) else {
        return artifact::unassigned(policy.why_none_for(&evidence.repository));
    };
    if statement.is_skip() {
        return artifact::skipped(statement);
    }
    let signatures = match &evidence.signatures {
        Ok(signatures) => signatures,
        Err(trouble) => return artifact::undecided(statement, trouble.clone().into()),
    };
    let context = Context {
        subject: Subject::Artifact(&evidence.subject),
        answers: Answers { revocation: &evidence.revocation, plugins: &evidence.plugins },
        statement,
        options,
        at,
    };
    let mut pending = pending::Gathered::default();
    let found = signatures.found.iter().map(|found| signature::judge(found, &context, &mut pending)).collect();
    let judged = Signatures {
        found,
        more: signatures.more,
        doubt: signatures.doubt.clone(),
        foreign: signatures.foreign.clone(),
    };
    Outcome { pending: pending.all(), ..artifact::conclude(statement, judged) }
}
