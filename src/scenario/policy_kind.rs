//! The two kinds of trust policies that scenarios judge by: of artifacts, and of blobs.
//!
//! Both are read by the parsers that production uses. What is verified says which kind is needed, and neither stands in for the
//! other.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::json;

use super::policies::{Policies, RawStatement};
use crate::diagnostic::Diagnostic;
use crate::policy::{BlobTrustPolicy, Statement, TrustPolicy};

/// The trust policy of a verification.
#[derive(Debug, Clone)]
pub enum PolicyInForce {
    /// Of artifacts.
    Artifacts(Arc<TrustPolicy>),
    /// Of files with detached signatures.
    Blobs(Arc<BlobTrustPolicy>),
}

impl PolicyInForce {
    /// Its statements, in the order of the document.
    pub fn statements(&self) -> &[Statement] {
        match self {
            PolicyInForce::Artifacts(policy) => policy.statements(),
            PolicyInForce::Blobs(policy) => policy.statements(),
        }
    }

    /// Whether both are one and the same, not only alike.
    pub(super) fn is_same(&self, other: &PolicyInForce) -> bool {
        match (self, other) {
            (PolicyInForce::Artifacts(one), PolicyInForce::Artifacts(other)) => Arc::ptr_eq(one, other),
            (PolicyInForce::Blobs(one), PolicyInForce::Blobs(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}

/// A kind of trust policy: for artifacts, or for blobs.
pub(super) trait Kind: Sized {
    /// What a message adds on policies that lie elsewhere.
    const ELSEWHERE: &str;

    /// What a statement is of unless the scenario says so: the member, and its value in the statement of this number.
    fn place(statements: &[RawStatement], number: usize) -> (&'static str, serde_json::Value);
    fn parse(document: &str) -> Result<Self, Vec<Diagnostic>>;
    fn load(path: &Path) -> Result<Self, Vec<Diagnostic>>;
    /// Those that were read already, by path or document.
    fn read(policies: &mut Policies) -> &mut HashMap<String, Arc<Self>>;
}

/// What messages call a policy that stands in a scenario.
const INLINE: &str = "the policy of the scenario";

impl Kind for TrustPolicy {
    const ELSEWHERE: &str = ", and --policy FILE takes any policy in the place of this one";

    fn place(_: &[RawStatement], _: usize) -> (&'static str, serde_json::Value) {
        ("registryScopes", json!(["*"]))
    }

    fn parse(document: &str) -> Result<TrustPolicy, Vec<Diagnostic>> {
        TrustPolicy::parse(document.as_bytes(), INLINE)
    }

    fn load(path: &Path) -> Result<TrustPolicy, Vec<Diagnostic>> {
        TrustPolicy::load(path)
    }

    fn read(policies: &mut Policies) -> &mut HashMap<String, Arc<TrustPolicy>> {
        &mut policies.of_artifacts
    }
}

impl Kind for BlobTrustPolicy {
    const ELSEWHERE: &str = "";

    fn place(statements: &[RawStatement], number: usize) -> (&'static str, serde_json::Value) {
        let skips = |statement: &RawStatement| {
            statement.signature_verification.as_ref().is_some_and(|told| told.level.as_deref() == Some("skip"))
        };
        let told = statements.iter().any(|statement| statement.global_policy.is_some());
        // One that skips may not be the global one.
        ("globalPolicy", json!(number == 0 && !told && !statements.first().is_some_and(skips)))
    }

    fn parse(document: &str) -> Result<BlobTrustPolicy, Vec<Diagnostic>> {
        BlobTrustPolicy::parse(document.as_bytes(), INLINE)
    }

    fn load(path: &Path) -> Result<BlobTrustPolicy, Vec<Diagnostic>> {
        BlobTrustPolicy::load(path)
    }

    fn read(policies: &mut Policies) -> &mut HashMap<String, Arc<BlobTrustPolicy>> {
        &mut policies.of_blobs
    }
}
