//! Putting a verifier together: policy and stores are a must, everything else has a safe default.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;

use super::{Revocation, Verifier};
use crate::audit::{Also, Filter, Plan, Platforms};
use crate::fetch::{Http, HttpOptions, Offline, RevocationSource};
use crate::plugin::PluginConfig;
use crate::plugin_host::{NoPlugins, PluginHost};
use crate::policy::TrustPolicy;
use crate::trust_store::TrustStores;
use crate::verify::Caches;

/// A [`Verifier`] in the making.
#[must_use]
pub struct VerifierBuilder<P = TrustPolicy> {
    plan: Plan<P>,
    at: Option<OffsetDateTime>,
    revocation: Option<Revocation>,
    plugins: Arc<dyn PluginHost>,
}

impl<P> VerifierBuilder<P> {
    pub(super) fn new(policy: Arc<P>, stores: Arc<TrustStores>) -> VerifierBuilder<P> {
        VerifierBuilder { plan: Plan::new(policy, stores), at: None, revocation: None, plugins: Arc::new(NoPlugins) }
    }

    /// Judges as of `time`. Default: the moment at which each call begins.
    pub fn at(mut self, time: OffsetDateTime) -> Self {
        self.at = Some(time);
        self
    }

    /// Where CRLs and OCSP answers come from; each is asked for once in a call, and remembered as long as it lasts. Default: they
    /// are fetched over HTTP, within bounds.
    pub fn revocation(mut self, source: Arc<dyn RevocationSource>) -> Self {
        self.revocation = Some(Revocation::EachCall(source));
        self
    }

    /// The same, for a source that was put together for one run and the only call that there will be.
    #[cfg(any(feature = "cli", feature = "testbench"))]
    pub(crate) fn revocation_of_one_run(mut self, source: Arc<dyn RevocationSource>) -> Self {
        self.revocation = Some(Revocation::OneRun(source));
        self
    }

    /// Fetches no CRLs and no OCSP answers. A certificate whose revocation would have to be looked up is undecided then, and
    /// its signature does not pass where the policy enforces revocation.
    pub fn offline(self) -> Self {
        self.revocation(Arc::new(Offline))
    }

    /// What runs the plugins that signatures of trusted signers ask for. Default: nothing; such signatures do not pass.
    pub fn plugins(mut self, host: Arc<dyn PluginHost>) -> Self {
        self.plugins = host;
        self
    }

    /// Settings that plugins are given. Default: empty.
    pub fn plugin_config(mut self, config: PluginConfig) -> Self {
        self.plan.options.plugin_config = config;
        self
    }

    /// User metadata that a signature must carry, each key with exactly this value. Default: empty.
    pub fn user_metadata(mut self, metadata: BTreeMap<String, String>) -> Self {
        self.plan.options.user_metadata = metadata;
        self
    }

    /// What earlier decisions found, shared with other verifiers: faster, and the same outcomes. Default: empty.
    pub fn caches(mut self, caches: Arc<Caches>) -> Self {
        self.plan.options.caches = caches;
        self
    }

    /// The verifier.
    pub fn build(self) -> Verifier<P> {
        let http = || Revocation::EachCall(Arc::new(Http::new(HttpOptions::default())));
        let revocation = self.revocation.unwrap_or_else(http);
        Verifier { plan: Arc::new(self.plan), at: self.at, revocation, plugins: self.plugins }
    }
}

/// What only artifacts have, and blobs have not.
impl VerifierBuilder<TrustPolicy> {
    /// Which artifacts of registries, repositories and layouts are wanted. Default: all.
    pub fn filter(mut self, filter: Filter) -> Self {
        self.plan.filter = filter;
        self
    }

    /// Which manifests of image indexes are judged one by one, beside the index. Default: none, since the signature of an
    /// index covers what it lists.
    pub fn platforms(mut self, platforms: Platforms) -> Self {
        self.plan.platforms = platforms;
        self
    }

    /// What is judged though a list of tags or an image index names it and it is no artifact by itself. Default: nothing; it is
    /// counted.
    pub fn also(mut self, also: Also) -> Self {
        self.plan.also = also;
        self
    }

    /// Judges what is attached to an artifact as well, by its own signatures: SBoMs, attestations, scan results. Default: no.
    pub fn referrers(mut self) -> Self {
        self.plan.referrers = true;
        self
    }

    /// How many artifacts are in work at a time, at least one. Default:
    /// [`REQUESTS_PER_HOST`](crate::limits::REQUESTS_PER_HOST).
    pub fn jobs(mut self, jobs: usize) -> Self {
        self.plan.jobs = jobs;
        self
    }

    /// How many signatures of one artifact are judged. Default: [`MAX_SIGNATURES`](crate::limits::MAX_SIGNATURES).
    pub fn max_signatures(mut self, count: usize) -> Self {
        self.plan.max_signatures = count;
        self
    }

    /// How long one artifact may take before it is undecided. Default: [`ARTIFACT_TIMEOUT`](crate::limits::ARTIFACT_TIMEOUT).
    pub fn artifact_timeout(mut self, timeout: Duration) -> Self {
        self.plan.artifact_timeout = timeout;
        self
    }

    /// Results carry their evidence ([`Judged::evidence`](crate::audit::Judged::evidence)), so that it can be decided on again
    /// by another policy; it is collected even where the policy does not look at signatures. Default: not kept, since it takes
    /// memory as long as the result is held.
    pub fn keep_evidence(mut self) -> Self {
        self.plan.keep_evidence = true;
        self
    }
}
