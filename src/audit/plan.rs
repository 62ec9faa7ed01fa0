//! What an audit is told, and what its tasks share.

use std::pin::pin;
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
use crate::source::ArtifactSource;
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

/// When an artifact has to be judged. It is put off for as long as requests have to wait because a host says so: all artifacts
/// of a registry that takes so many requests a minute would run out of time otherwise.
#[derive(Clone)]
pub(super) struct Deadline {
    at: Instant,
    source: Arc<dyn ArtifactSource>,
    /// For how long requests had to wait before.
    held: Duration,
}

impl Deadline {
    /// Does `work` in time. `None`: it is not done.
    pub(super) async fn timeout<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        loop {
            if let Ok(done) = timeout_at(self.now_at(), &mut work).await {
                return Some(done);
            }
            if self.now_at() <= Instant::now() {
                return None;
            }
        }
    }

    fn now_at(&self) -> Instant {
        let held = self.source.held().saturating_sub(self.held);
        self.at + held.min(limits::HELD_TIMEOUT)
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

    /// When an artifact of `source` has to be judged that is begun now.
    pub(super) fn deadline(&self, source: &Arc<dyn ArtifactSource>) -> Deadline {
        let now = Instant::now();
        let at = now.checked_add(self.plan.artifact_timeout).unwrap_or(now + FAR);
        Deadline { at, held: source.held(), source: Arc::clone(source) }
    }

    /// Does `work` for an artifact that has to be judged by `deadline`.
    pub(super) async fn in_time<T>(
        &self,
        deadline: &Deadline,
        work: impl Future<Output = Result<T, Trouble>>,
    ) -> Result<T, Trouble> {
        deadline.timeout(work).await.unwrap_or_else(|| Err(self.too_late()))
    }

    pub(super) fn too_late(&self) -> Trouble {
        let seconds = self.plan.artifact_timeout.as_secs_f32();
        let message =
            format!("the artifact was not judged within {seconds} s: --artifact-timeout says how long it may take");
        Trouble::new(TroubleKind::TimedOut, message)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use async_trait::async_trait;
    use bytes::Bytes;
    use futures_util::StreamExt as _;
    use futures_util::stream::{self, BoxStream};

    use super::*;
    use crate::digest::Digest;
    use crate::manifest::Descriptor;
    use crate::reference::{Reference, Repository};
    use crate::source::{ListTrouble, Manifest, Referrers, TagEntry};

    /// A registry whose requests had to wait for so many milliseconds.
    #[derive(Default)]
    struct Holding(AtomicU64);

    #[async_trait]
    impl ArtifactSource for Holding {
        fn repositories(&self) -> BoxStream<'_, Result<Repository, ListTrouble>> {
            stream::empty().boxed()
        }

        fn tags<'a>(&'a self, _: &'a Repository) -> BoxStream<'a, Result<TagEntry, ListTrouble>> {
            stream::empty().boxed()
        }

        async fn manifest(&self, _: &Reference) -> Result<Option<Manifest>, Trouble> {
            Ok(None)
        }

        fn held(&self) -> Duration {
            Duration::from_millis(self.0.load(Ordering::Relaxed))
        }

        async fn referrers(&self, _: &Repository, _: &Digest) -> Result<Referrers, Trouble> {
            Ok(Referrers::default())
        }

        async fn blob(&self, _: &Repository, _: &Descriptor, _: u64) -> Result<Option<Bytes>, Trouble> {
            Ok(None)
        }
    }

    #[tokio::test]
    async fn time_for_which_a_host_wants_to_be_left_alone_does_not_count() {
        let registry = Arc::new(Holding::default());
        // What was before the artifact was begun is no matter.
        registry.0.store(1_000_000, Ordering::Relaxed);
        let source = Arc::clone(&registry) as Arc<dyn ArtifactSource>;
        let deadline = || Deadline {
            at: Instant::now() + Duration::from_millis(20),
            held: source.held(),
            source: Arc::clone(&source),
        };
        assert_eq!(deadline().timeout(tokio::time::sleep(Duration::from_secs(60))).await, None);
        let held = async {
            registry.0.fetch_add(60_000, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        assert_eq!(deadline().timeout(held).await, Some(()));
        // The bound on it holds.
        let ended = deadline();
        registry.0.fetch_add(1_000_000_000, Ordering::Relaxed);
        assert!(ended.now_at() <= ended.at + limits::HELD_TIMEOUT);
    }
}
