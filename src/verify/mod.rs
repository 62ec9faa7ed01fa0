//! Deciding: evidence, trust policy, trust store and time in, outcome out.
//!
//! Follows *signing-and-verification-workflow*, OCI artifact verification, and for blobs Blob verification.
//! [`decide`] and [`decide_blob`] reach for nothing outside their arguments: no network, no file, no clock. They refuse to
//! stop early: every signature is judged and every validation listed, so that a report can say why the others do not count.

mod artifact;
mod authentic_timestamp;
mod authenticity;
mod blob;
mod case;
mod expiry;
mod integrity;
mod memory;
mod needs;
mod outcome;
mod plugin;
mod revocation;
mod signature;
mod user_metadata;

use std::collections::BTreeMap;

use time::OffsetDateTime;

use crate::evidence::{Evidence, Signatures};
use crate::failure::Failure;
use crate::plugin::PluginConfig;
use crate::policy::TrustPolicy;
use crate::trust_store::TrustStores;

use case::{Answered, Case};
use integrity::Subject;

pub use blob::{decide_blob, hash_of_blob};
pub use memory::Memory;
pub use needs::{Lacking, Need};
pub use outcome::{Check, CheckResult, Countersignature, Outcome, SignatureOutcome, Verdict};

/// What evidence is judged by. Loaded once, shared by every decision of a run.
#[derive(Debug)]
pub struct Rules<'a, P = TrustPolicy> {
    /// The trust policy in force: a [`TrustPolicy`] for artifacts, a [`BlobTrustPolicy`](crate::policy::BlobTrustPolicy)
    /// for blobs.
    pub policy: &'a P,
    /// The named stores of trusted certificates.
    pub stores: &'a TrustStores,
    /// User metadata that a signature must carry, each key with exactly this value; usually none.
    pub user_metadata: &'a BTreeMap<String, String>,
    /// Settings for verification plugins; usually none.
    pub plugin_config: &'a PluginConfig,
    /// What earlier decisions of the run found. It makes decisions faster and never changes one.
    pub memory: &'a Memory,
}

impl<P> Clone for Rules<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P> Copy for Rules<'_, P> {}

impl<'a, P> Rules<'a, P> {
    /// What is left once a statement of the policy has been chosen.
    fn without_policy(&self) -> Rules<'a, ()> {
        let Rules { stores, user_metadata, plugin_config, memory, .. } = *self;
        Rules { policy: &(), stores, user_metadata, plugin_config, memory }
    }
}

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

/// Judges an artifact by `rules` as of `at`.
///
/// The same arguments give the same outcome, always. Where [`Outcome::lacking`] names needs, the outcome is not final: they
/// are to be fetched and recorded in the evidence.
pub fn decide(evidence: &Evidence, rules: &Rules<'_>, at: OffsetDateTime) -> Outcome {
    let Some(statement) = rules.policy.statement_for(&evidence.repository) else {
        return artifact::unassigned(rules.policy.why_none_for(&evidence.repository));
    };
    if statement.is_skip() {
        return artifact::skipped(statement);
    }
    let signatures = match &evidence.signatures {
        Ok(signatures) => signatures,
        Err(trouble) => return artifact::undecided(statement, trouble.clone().into()),
    };
    let case = Case {
        subject: Subject::Artifact(&evidence.subject),
        evidence: Answered { revocation: &evidence.revocation, plugins: &evidence.plugins },
        statement,
        rules: rules.without_policy(),
        at,
    };
    let mut lacking = needs::Gathered::default();
    let found = signatures.found.iter().map(|found| signature::judge(found, &case, &mut lacking)).collect();
    let judged = Signatures { found, more: signatures.more, doubt: signatures.doubt.clone() };
    Outcome { lacking: lacking.all(), ..artifact::conclude(statement, judged) }
}
