//! The engine: selection, collection and decision joined by bounds.
//!
//! Collecting is asynchronous, one task an artifact; deciding runs on the thread pool of `rayon`, since it is nothing but
//! computation. At most [`Plan::jobs`] artifacts are in work, each no longer than [`Plan::artifact_time`]; results leave in
//! the order of selection, and a bounded number waits for its turn while an artifact before them takes long.

use std::collections::{BTreeMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use time::OffsetDateTime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Instant, timeout_at};

use super::artifact::judge_artifact;
use super::aside::Aside;
use super::filter::Filter;
use super::judged::Judged;
use super::order::{Begun, Order, Results};
use super::outcomes::Outcomes;
use super::platform::Platforms;
use super::progress::{Interrupt, Progress};
use super::selected::Selected;
use super::selection::{Item, select};
use super::settle::Answerers;
use super::signatures;
use super::sources::Sources;
use super::tally::Tally;
use super::target::Target;
use crate::evidence::Evidence;
use crate::failure::{Code, Failure};
use crate::fetch::RevocationSource;
use crate::limits;
use crate::manifest::Descriptor;
use crate::plugin::PluginConfig;
use crate::plugin_host::PluginHost;
use crate::policy::TrustPolicy;
use crate::trouble::{Trouble, TroubleKind};
use crate::trust_store::TrustStores;
use crate::verify::{self, Memory, Outcome, Verdict};

/// Everything an audit is told.
pub struct Plan {
    /// What to audit, in this order.
    pub targets: Vec<Target>,
    /// Which of it is wanted.
    pub filter: Filter,
    /// Which manifests of image indexes are judged one by one, beside the index that covers them.
    pub platforms: Platforms,
    /// How many artifacts may be in work at a time.
    pub jobs: usize,
    /// How many signatures of an artifact are judged.
    pub max_signatures: usize,
    /// How long one artifact may take, its turn in the report apart.
    pub artifact_time: Duration,
    /// The time as of which everything is judged.
    pub at: OffsetDateTime,
    /// The trust policy.
    pub policy: Arc<TrustPolicy>,
    /// The trust stores that the policy names.
    pub stores: Arc<TrustStores>,
    /// User metadata that signatures must carry.
    pub user_metadata: BTreeMap<String, String>,
    /// Settings for verification plugins.
    pub plugin_config: PluginConfig,
    /// Where artifacts come from.
    pub sources: Arc<Sources>,
    /// Where CRLs and OCSP answers come from.
    pub revocation: Arc<dyn RevocationSource>,
    /// Who runs verification plugins.
    pub plugins: Arc<dyn PluginHost>,
}

/// What every task of a run shares.
pub(super) struct Run {
    pub(super) policy: Arc<TrustPolicy>,
    pub(super) stores: Arc<TrustStores>,
    pub(super) user_metadata: BTreeMap<String, String>,
    pub(super) plugin_config: PluginConfig,
    pub(super) memory: Memory,
    outcomes: Outcomes,
    pub(super) answerers: Answerers,
    pub(super) at: OffsetDateTime,
    pub(super) max_signatures: usize,
    artifact_time: Duration,
    /// Which manifests of image indexes are judged one by one.
    pub(super) platforms: Platforms,
    /// What is seen and not judged by itself.
    pub(super) aside: Aside,
    pub(super) keep_evidence: bool,
}

impl Run {
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.artifact_time
    }

    /// Does `work` for an artifact that has to be judged by `deadline`.
    pub(super) async fn in_time<T>(
        &self,
        deadline: Instant,
        work: impl Future<Output = Result<T, Trouble>>,
    ) -> Result<T, Trouble> {
        timeout_at(deadline, work).await.unwrap_or_else(|_| Err(self.too_late()))
    }

    fn too_late(&self) -> Trouble {
        let seconds = self.artifact_time.as_secs_f32();
        let message =
            format!("the artifact was not judged within {seconds} s: --artifact-timeout says how long it may take");
        Trouble::new(TroubleKind::TimedOut, message)
    }
}

/// An artifact and what became of it; its evidence where that is kept and the artifact could be resolved.
pub(super) type Heard = (Judged, Option<Box<Evidence>>);

/// Audits by `plan`; `judged` is called for every artifact, in order, on the caller's task.
///
/// An error that `judged` returns (a report that cannot be written) ends the run and is returned. `interrupt` ends it too,
/// and the tally says that it is partial.
pub async fn run<E>(
    plan: Plan,
    mut judged: impl FnMut(Judged) -> Result<(), E>,
    progress: Arc<Progress>,
    interrupt: &Interrupt,
) -> Result<Tally, E> {
    hear(plan, false, |(result, _)| judged(result), progress, interrupt).await
}

/// The same, and `judged` is given the evidence too, so that it can be decided on again by another policy. Evidence is
/// collected even where the policy does not look at signatures, and takes memory as long as the caller holds it. It is
/// `None` for what could not be resolved: that is so under any policy.
///
/// # Errors
/// What `judged` returns.
pub async fn run_with_evidence<E>(
    plan: Plan,
    mut judged: impl FnMut(Judged, Option<Box<Evidence>>) -> Result<(), E>,
    progress: Arc<Progress>,
    interrupt: &Interrupt,
) -> Result<Tally, E> {
    hear(plan, true, |(result, evidence)| judged(result, evidence), progress, interrupt).await
}

async fn hear<E>(
    plan: Plan,
    keep_evidence: bool,
    mut judged: impl FnMut(Heard) -> Result<(), E>,
    progress: Arc<Progress>,
    interrupt: &Interrupt,
) -> Result<Tally, E> {
    let run = Arc::new(Run {
        policy: plan.policy,
        stores: plan.stores,
        user_metadata: plan.user_metadata,
        plugin_config: plan.plugin_config,
        memory: Memory::default(),
        outcomes: Outcomes::default(),
        answerers: Answerers { revocation: plan.revocation, plugins: plan.plugins },
        at: plan.at,
        max_signatures: plan.max_signatures,
        artifact_time: plan.artifact_time,
        aside: Aside::new(&plan.platforms),
        platforms: plan.platforms,
        keep_evidence,
    });
    let mut items = select(plan.targets, plan.sources, plan.filter);
    let (slots, mut order) = (Arc::new(Semaphore::new(plan.jobs.clamp(1, Semaphore::MAX_PERMITS))), Order::new());
    let mut queue: VecDeque<Begun> = VecDeque::new();
    let (mut tally, mut not_passed, mut selected_all) = (Tally::default(), 0, false);
    loop {
        let (room, waits) = (!selected_all && queue.len() < limits::ARTIFACTS_AHEAD, !queue.is_empty());
        let event = tokio::select! {
            biased;
            () = interrupt.raised() => {
                tally.partial = true;
                break;
            }
            event = async {
                tokio::select! {
                    result = first(&mut queue), if waits => Event::Result(result),
                    (slot, item) = item(&slots, &mut items), if room => Event::Item(slot, item),
                    else => Event::End,
                }
            } => event,
        };
        let result = match event {
            Event::End => break,
            Event::Item(_, None) => {
                selected_all = true;
                progress.finish_selection();
                continue;
            }
            Event::Item(slot, Some(item)) => {
                if !matches!(item, Item::PassedOver { .. }) {
                    progress.count_selected();
                }
                let run = Arc::clone(&run);
                queue.push_back(order.begin(async move |results| {
                    judge(item, run, results).await;
                    drop(slot);
                }));
                continue;
            }
            Event::Result(Some(result)) => result,
            Event::Result(None) => {
                let begun = queue.pop_front();
                order.next();
                if let Some(begun) = begun {
                    begun.ended().await;
                }
                progress.count_judged(std::mem::take(&mut not_passed));
                continue;
            }
        };
        let verdict = result.0.outcome.verdict;
        not_passed += u64::from(matches!(verdict, Verdict::Fail | Verdict::Error));
        tally.count(&result.0);
        judged(result)?;
    }
    tally.aside = run.aside.so_far();
    Ok(tally)
}

/// What a run waits for.
enum Event {
    /// A result of the first artifact in the queue. `None`: that was all.
    Result(Option<Heard>),
    /// Something to judge, and leave to begin. `None`: everything has been selected.
    Item(Option<OwnedSemaphorePermit>, Option<Item>),
    /// Everything is judged.
    End,
}

async fn first(queue: &mut VecDeque<Begun>) -> Option<Heard> {
    queue.front_mut()?.next().await
}

async fn item(
    slots: &Arc<Semaphore>,
    items: &mut mpsc::Receiver<Item>,
) -> (Option<OwnedSemaphorePermit>, Option<Item>) {
    // It is never closed.
    let slot = Arc::clone(slots).acquire_owned().await.ok();
    (slot, items.recv().await)
}

async fn judge(item: Item, run: Arc<Run>, mut results: Results) {
    match item {
        Item::PassedOver { kind, count } => run.aside.pass_over(kind, count),
        Item::Trouble { place, trouble } => results.send((unresolved(place.clone(), place, trouble), None)).await,
        Item::Artifact(selected) => {
            let (repository, label) = (selected.reference.repository.to_string(), selected.label.clone());
            if AssertUnwindSafe(judge_artifact(selected, run, &mut results)).catch_unwind().await.is_err() {
                let judged = Judged { outcome: broken_down(), ..unresolved(repository, label, lost()) };
                results.send((judged, None)).await;
            }
        }
    }
}

pub(super) async fn judge_manifest(
    selected: &Selected,
    descriptor: &Descriptor,
    run: &Arc<Run>,
    deadline: Instant,
) -> Heard {
    let judge = signatures::judge(selected, descriptor.clone(), run);
    let judged = async {
        if run.keep_evidence {
            return judge.await;
        }
        let (outcome, _) = run.outcomes.get(selected, descriptor, judge).await;
        (outcome, None)
    };
    let name = selected.reference.repository.to_string();
    let (outcome, evidence) = match timeout_at(deadline, judged).await {
        Ok(judged) => judged,
        Err(_) => (verify::join(&name, Err(run.too_late().into()), &run.policy), None),
    };
    let judged = Judged {
        repository: name,
        reference: selected.label.clone(),
        digest: Some(descriptor.digest),
        media_type: Some(descriptor.media_type.clone()),
        platform: None,
        part_of: None,
        repository_from: selected.repository_from,
        lists: None,
        outcome,
    };
    (judged, evidence)
}

pub(super) fn unresolved(repository: String, reference: String, trouble: Trouble) -> Judged {
    Judged {
        repository,
        reference,
        digest: None,
        media_type: None,
        platform: None,
        part_of: None,
        repository_from: None,
        lists: None,
        outcome: undecided(trouble.into()),
    }
}

pub(super) fn lost() -> Trouble {
    Trouble::new(TroubleKind::NotFound, "the artifact was lost on the way")
}

pub(super) fn broken_down() -> Outcome {
    undecided(Failure::new(Code::InternalFault, "internal error while this artifact was judged"))
}

pub(super) fn undecided(failure: Failure) -> Outcome {
    Outcome {
        statement: None,
        level: None,
        verdict: Verdict::Error,
        failure: Some(failure),
        signatures: Vec::new(),
        lacking: verify::Lacking::default(),
    }
}
