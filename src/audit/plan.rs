//! What an audit is told, and what its tasks share.

use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::{Instant, timeout_at};

use super::also::Also;
use super::answers::AnswerSources;
use super::aside::Aside;
use super::filter::Filter;
use super::outcomes::Outcomes;
use super::platform::Platforms;
use crate::limits;
use crate::policy::TrustPolicy;
use crate::trouble::{Trouble, TroubleKind};
use crate::trust_store::TrustStores;
use crate::verify;

/// How far off a deadline is whose time a clock cannot tell.
const FAR: Duration = Duration::from_secs(30 * 365 * 86_400);

/// By what is judged, and how: put together once, and shared from there to the decision. `P` is the kind of trust policy.
#[derive(Debug, Clone)]
pub(crate) struct Plan<P = TrustPolicy> {
    /// The trust policy.
    pub(crate) policy: Arc<P>,
    /// Trust stores, user metadata, settings for plugins, caches.
    pub(crate) options: verify::Options,
    /// Which of the targets' artifacts are wanted.
    pub(crate) filter: Filter,
    /// Which manifests of image indexes are judged one by one, beside the index that covers them.
    pub(crate) platforms: Platforms,
    /// Whether what is attached to an artifact is judged as well.
    pub(crate) referrers: bool,
    /// What is judged though it is passed over unless asked for.
    pub(crate) also: Also,
    /// How many artifacts may be in work at a time.
    pub(crate) jobs: usize,
    /// How many signatures of an artifact are judged.
    pub(crate) max_signatures: usize,
    /// How long one artifact may take, its turn in the report apart.
    pub(crate) artifact_timeout: Duration,
    /// Whether results carry the evidence that they were judged from.
    pub(crate) keep_evidence: bool,
}

impl<P> Plan<P> {
    /// Judges by `policy` and `stores`, within the usual limits.
    pub(crate) fn new(policy: Arc<P>, stores: Arc<TrustStores>) -> Plan<P> {
        Plan {
            policy,
            options: verify::Options::new(stores),
            filter: Filter::default(),
            platforms: Platforms::Covered,
            referrers: false,
            also: Also::default(),
            jobs: limits::REQUESTS_PER_HOST,
            max_signatures: limits::MAX_SIGNATURES,
            artifact_timeout: limits::ARTIFACT_TIMEOUT,
            keep_evidence: false,
        }
    }
}

/// What every task of an audit shares.
pub(super) struct Run {
    pub(super) plan: Arc<Plan>,
    /// The time as of which everything is judged.
    pub(super) at: OffsetDateTime,
    pub(super) answers: AnswerSources,
    pub(super) outcomes: Outcomes,
    /// What is seen and not judged by itself.
    pub(super) aside: Aside,
}

impl Run {
    pub(super) fn new(plan: Arc<Plan>, at: OffsetDateTime, answers: AnswerSources) -> Run {
        let aside = Aside::new(&plan.platforms);
        Run { plan, at, answers, outcomes: Outcomes::default(), aside }
    }

    pub(super) fn deadline(&self) -> Instant {
        let now = Instant::now();
        now.checked_add(self.plan.artifact_timeout).unwrap_or(now + FAR)
    }

    /// Does `work` for an artifact that has to be judged by `deadline`.
    pub(super) async fn in_time<T>(
        &self,
        deadline: Instant,
        work: impl Future<Output = Result<T, Trouble>>,
    ) -> Result<T, Trouble> {
        timeout_at(deadline, work).await.unwrap_or_else(|_| Err(self.too_late()))
    }

    pub(super) fn too_late(&self) -> Trouble {
        let seconds = self.plan.artifact_timeout.as_secs_f32();
        let message =
            format!("the artifact was not judged within {seconds} s: --artifact-timeout says how long it may take");
        Trouble::new(TroubleKind::TimedOut, message)
    }
}
