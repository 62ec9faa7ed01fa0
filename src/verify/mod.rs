//! Deciding: evidence, trust policy, trust store and time in, outcome out.
//!
//! Follows *signing-and-verification-workflow*, OCI artifact verification. [`decide`] reaches for nothing outside its
//! arguments: no network, no file, no clock. It refuses to stop early: every signature is judged and every validation
//! listed, so that a report can say why the others do not count.

mod artifact;
mod authentic_timestamp;
mod authenticity;
mod expiry;
mod integrity;
mod outcome;
mod revocation;
mod signature;
mod user_metadata;

use std::collections::BTreeMap;

use time::OffsetDateTime;

use crate::evidence::Evidence;
use crate::pki::ChainCache;
use crate::policy::TrustPolicy;
use crate::trust_store::TrustStores;

pub use outcome::{Check, CheckResult, Outcome, SignatureOutcome, Verdict};

/// What evidence is judged by. Loaded once, shared by every decision of a run.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// The trust policy in force.
    pub policy: &'a TrustPolicy,
    /// The named stores of trusted certificates.
    pub stores: &'a TrustStores,
    /// User metadata that a signature must carry, each key with exactly this value; usually none.
    pub user_metadata: &'a BTreeMap<String, String>,
    /// Chains that were checked before. It makes decisions faster and never changes one.
    pub chains: &'a ChainCache,
}

/// Judges an artifact by `rules` as of `at`.
///
/// The same arguments give the same outcome, always.
pub fn decide(evidence: &Evidence, rules: &Rules<'_>, at: OffsetDateTime) -> Outcome {
    let Some(statement) = rules.policy.statement_for(&evidence.repository) else {
        return artifact::without_statement(&evidence.repository);
    };
    if statement.is_skip() {
        return artifact::skipped(statement);
    }
    let signatures = match &evidence.signatures {
        Ok(signatures) => signatures,
        Err(trouble) => return artifact::undecided(statement, trouble.clone().into()),
    };
    let judged =
        signatures.found.iter().map(|found| signature::judge(found, &evidence.subject, statement, rules, at)).collect();
    artifact::conclude(statement, judged, signatures.more)
}
