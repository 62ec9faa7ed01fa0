//! The front door: trust policy, trust stores and what else counts, put together once; then artifacts, whole registries,
//! blobs and recorded evidence are verified by it.
//!
//! Follows *signing-and-verification-workflow*. What is not said is safe: revocation is looked up over HTTP, time is now, no
//! plugin is run, and every bound of [`limits`](crate::limits) holds. Nothing is written to disk.

mod builder;

use std::path::Path;
use std::sync::Arc;

use futures_util::{Stream, StreamExt, stream};
use time::OffsetDateTime;

use crate::audit::{self, AnswerSources, Audit, BlobRequest, Judged, Plan, Selected, Sources, Target};
use crate::diagnostic::Diagnostic;
use crate::evidence::{BlobEvidence, Evidence};
use crate::fetch::{RevocationSource, for_one_run};
use crate::plugin_host::{self, PluginHost};
use crate::policy::{BlobTrustPolicy, TrustPolicy};
use crate::reference::Reference;
use crate::source::ArtifactSource;
use crate::trust_store::TrustStores;
use crate::verify::{self, Outcome, Verdict};

pub use builder::VerifierBuilder;

/// Verifies artifacts by one [`TrustPolicy`], or blobs by one [`BlobTrustPolicy`].
///
/// Made by [`Verifier::builder`]. A clone is cheap and shares everything, and so do several tasks that use one. Trouble on the
/// way is never an `Err`: it is an [`Outcome`] with [`Verdict::Error`] and a [`Failure`](crate::failure::Failure) that says
/// what could not be decided. The asynchronous methods need a runtime of `tokio` with time and I/O enabled.
#[derive(Clone)]
pub struct Verifier<P = TrustPolicy> {
    plan: Arc<Plan<P>>,
    at: Option<OffsetDateTime>,
    revocation: Revocation,
    plugins: Arc<dyn PluginHost>,
}

/// Where CRLs and OCSP answers come from.
#[derive(Clone)]
enum Revocation {
    /// From here; what was fetched is remembered for one call of the verifier, so that the next one sees new CRLs.
    EachCall(Arc<dyn RevocationSource>),
    /// From a source that was put together for the one run that there will be.
    OneRun(Arc<dyn RevocationSource>),
}

/// The result of one artifact.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Verification {
    /// The artifact that was asked for.
    pub artifact: Judged,
    /// If it is an image index, those manifests inside it that [`VerifierBuilder::platforms`] asks for, and what is attached where
    /// [`VerifierBuilder::referrers`] asks for it; usually empty.
    pub manifests: Vec<Judged>,
    /// How many manifests that it lists are not in the source, as in a mirror of some platforms, and so were not judged.
    pub absent_manifests: u64,
}

impl Verification {
    /// Whether the artifact, and each of its manifests that was asked for and is there, may be used: none failed, and none is
    /// undecided. Those that are not there are counted in [`absent_manifests`](Verification::absent_manifests). That is so
    /// with warnings, and where the policy says to skip verification, too.
    pub fn passes(&self) -> bool {
        let mut all = self.manifests.iter().chain([&self.artifact]);
        all.all(|judged| matches!(judged.outcome.verdict, Verdict::Pass | Verdict::Warn | Verdict::Skip))
    }
}

/// Why a trust policy cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
#[non_exhaustive]
pub struct PolicyRefused {
    /// Everything that is wrong with it, in the order of the file.
    pub diagnostics: Vec<Diagnostic>,
}

impl<P> Verifier<P> {
    /// Begins a verifier by `policy` and the trust stores that it names.
    pub fn builder(policy: impl Into<Arc<P>>, stores: impl Into<Arc<TrustStores>>) -> VerifierBuilder<P> {
        VerifierBuilder::new(policy.into(), stores.into())
    }

    /// The time of a call that begins now, and where its answers come from.
    fn begin(&self) -> (OffsetDateTime, AnswerSources) {
        let now = OffsetDateTime::now_utc();
        let at = self.at.unwrap_or(now);
        let revocation = match &self.revocation {
            Revocation::EachCall(source) => for_one_run(Arc::clone(source), self.at.is_none().then_some(now)),
            Revocation::OneRun(source) => Arc::clone(source),
        };
        (at, AnswerSources { revocation, plugins: plugin_host::for_one_run(Arc::clone(&self.plugins)) })
    }
}

impl Verifier {
    /// Begins a verifier by the trust policy in the file `policy` and the stores that it names, which lie in the folder `stores`
    /// as notation keeps them (`x509/ca/NAME/…`). A store that is missing or invalid is an outcome where it is needed.
    ///
    /// # Errors
    /// The trust policy cannot be read, or is not valid.
    pub fn load(policy: &Path, stores: &Path) -> Result<VerifierBuilder, PolicyRefused> {
        let policy = TrustPolicy::load(policy).map_err(|diagnostics| PolicyRefused { diagnostics })?;
        let stores = TrustStores::load(stores, policy.statements().iter().flat_map(|named| &named.trust_stores));
        Ok(Verifier::builder(policy, stores))
    }

    /// Verifies the artifact that `reference` names in `source`: fetches its signatures and what revocation needs, and decides.
    /// A [`Layout`](crate::source::layout::Layout) holds what it held when it was opened; open it anew to see what was signed
    /// since.
    pub async fn verify(&self, source: Arc<dyn ArtifactSource>, reference: &Reference) -> Verification {
        let mut audit = self.verify_all(source, stream::iter([reference.clone()]));
        let artifact = match audit.next().await {
            Some(judged) => judged,
            // What is named is always judged: this cannot be reached.
            None => Judged::lost(reference),
        };
        let mut manifests = Vec::new();
        while let Some(judged) = audit.next().await {
            manifests.push(judged);
        }
        let absent_manifests = audit.tally().aside.passed_over.absent_manifests;
        Verification { artifact, manifests, absent_manifests }
    }

    /// Verifies every artifact that `references` name in `source`, several at a time; results come in the same order.
    /// Should `references` panic, the last result is an error that says so.
    ///
    /// # Panics
    /// Outside a runtime of `tokio`.
    pub fn verify_all(
        &self,
        source: Arc<dyn ArtifactSource>,
        references: impl Stream<Item = Reference> + Send + 'static,
    ) -> Audit {
        let selected = references.map(move |reference| Selected::named(Arc::clone(&source), reference));
        let (at, answers) = self.begin();
        audit::audit_selected(Arc::clone(&self.plan), at, answers, selected)
    }

    /// Verifies every artifact that `targets` hold: registries, repositories, layouts, single artifacts. Layouts are opened anew
    /// by each audit.
    ///
    /// # Panics
    /// Outside a runtime of `tokio`.
    pub fn audit(&self, sources: Arc<Sources>, targets: Vec<Target>) -> Audit {
        let (at, answers) = self.begin();
        audit::audit_targets(Arc::clone(&self.plan), at, answers, targets, Arc::new(sources.for_one_audit()))
    }

    /// Decides on recorded evidence, without any network, file or plugin. What the evidence does not hold and the policy asks
    /// for is named in [`Outcome::pending`]. A signature that lacks it does not pass: it is undecided, or passes with a warning
    /// where the policy only logs what is missing. One signature that passes is enough for the artifact, though, so that an
    /// outcome may be a pass and still name what the other signatures lack. What a plugin said when the evidence was collected
    /// holds at any other time too: unlike a CRL, its answer does not say until when.
    pub fn verify_evidence(&self, evidence: &Evidence) -> Outcome {
        let at = self.at.unwrap_or_else(OffsetDateTime::now_utc);
        verify::decide(evidence, &self.plan.policy, &self.plan.options, at)
    }
}

impl Verifier<BlobTrustPolicy> {
    /// Verifies a file by the detached signature beside it. The evidence is `None` if the file could not be read.
    pub async fn verify_blob(&self, request: BlobRequest) -> (Outcome, Option<BlobEvidence>) {
        let (at, answers) = self.begin();
        audit::judge_blob(request, &self.plan, at, &answers).await
    }
}

#[cfg(test)]
#[cfg(feature = "testbench")]
mod tests;
