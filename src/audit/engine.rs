//! The engine: selection, collection and decision joined by bounds.
//!
//! Collecting is asynchronous, one task an artifact; deciding runs on the thread pool of `rayon`, since it is nothing but
//! computation. At most [`Plan::jobs`] artifacts are in between, and results leave in the order of selection.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use futures_util::{Stream, StreamExt, stream};
use time::OffsetDateTime;
use tokio::sync::{mpsc, oneshot};

use super::artifact::judge_artifact;
use super::aside::Aside;
use super::collect;
use super::filter::Filter;
use super::judged::Judged;
use super::platform::Platforms;
use super::progress::{Interrupt, Progress};
use super::selected::Selected;
use super::selection::{Item, select};
use super::settle::{Answerers, settle};
use super::sources::Sources;
use super::tally::Tally;
use super::target::Target;
use crate::evidence::{Evidence, Signatures};
use crate::failure::{Code, Failure};
use crate::manifest::Descriptor;
use crate::plugin::{Answers, PluginConfig, PluginHost};
use crate::policy::TrustPolicy;
use crate::revocation::{Recorded, RevocationSource};
use crate::source::{Trouble, TroubleKind};
use crate::trust_store::TrustStores;
use crate::verify::{self, Memory, Outcome, Rules, Verdict};

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
    policy: Arc<TrustPolicy>,
    stores: Arc<TrustStores>,
    user_metadata: BTreeMap<String, String>,
    plugin_config: PluginConfig,
    memory: Memory,
    answerers: Answerers,
    at: OffsetDateTime,
    max_signatures: usize,
    /// Which manifests of image indexes are judged one by one.
    pub(super) platforms: Platforms,
    /// What is seen and not judged by itself.
    pub(super) aside: Aside,
    keep_evidence: bool,
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
        answerers: Answerers { revocation: plan.revocation, plugins: plan.plugins },
        at: plan.at,
        max_signatures: plan.max_signatures,
        aside: Aside::new(&plan.platforms),
        platforms: plan.platforms,
        keep_evidence,
    });
    let items = received(select(plan.targets, plan.sources, plan.filter), Arc::clone(&progress));
    let results = items.map(|item| judge(item, Arc::clone(&run))).buffered(plan.jobs.max(1));
    let mut results = std::pin::pin!(results);

    let mut tally = Tally::default();
    loop {
        let results = tokio::select! {
            biased;
            () = interrupt.raised() => None,
            results = results.next() => match results {
                Some(results) => Some(results),
                None => break,
            },
        };
        let Some(results) = results else {
            tally.partial = true;
            break;
        };
        let mut not_passed = 0;
        for result in results {
            let verdict = result.0.outcome.verdict;
            not_passed += u64::from(matches!(verdict, Verdict::Fail | Verdict::Error));
            tally.count(&result.0);
            judged(result)?;
        }
        progress.count_judged(not_passed);
    }
    tally.aside = run.aside.so_far();
    Ok(tally)
}

fn received(items: mpsc::Receiver<Item>, progress: Arc<Progress>) -> impl Stream<Item = Item> {
    stream::unfold((items, progress), |(mut items, progress)| async move {
        let item = items.recv().await;
        match item {
            Some(Item::PassedOver { .. }) => {}
            Some(_) => progress.count_selected(),
            None => progress.finish_selection(),
        }
        item.map(|item| (item, (items, progress)))
    })
}

async fn judge(item: Item, run: Arc<Run>) -> Vec<Heard> {
    match item {
        Item::PassedOver { kind, count } => {
            run.aside.pass_over(kind, count);
            Vec::new()
        }
        Item::Trouble { place, trouble } => vec![(unresolved(place.clone(), place, trouble), None)],
        Item::Artifact(selected) => {
            let (repository, label) = (selected.reference.repository.to_string(), selected.label.clone());
            match tokio::spawn(judge_artifact(selected, run)).await {
                Ok(judged) => judged,
                Err(_) => vec![(Judged { outcome: broken_down(), ..unresolved(repository, label, lost()) }, None)],
            }
        }
    }
}

pub(super) async fn judge_manifest(selected: &Selected, descriptor: &Descriptor, run: &Arc<Run>) -> Heard {
    let repository = &selected.reference.repository;
    let name = repository.to_string();
    // Where the policy does not look at signatures, the registry is not asked for them.
    let looks = run.policy.statement_for(&name).is_some_and(|statement| !statement.is_skip());
    let evidence = if looks || run.keep_evidence {
        collect::evidence(&*selected.source, repository, descriptor.clone(), run.max_signatures).await
    } else {
        Evidence {
            repository: name.clone(),
            subject: descriptor.clone(),
            signatures: Ok(Signatures::default()),
            revocation: Recorded::default(),
            plugins: Answers::default(),
        }
    };
    let decide = |evidence| decide(evidence, Arc::clone(run));
    let (outcome, evidence) = settle(evidence, &run.answerers, decide).await;
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
    (judged, run.keep_evidence.then(|| Box::new(evidence)))
}

/// Decides on a thread for computation; hands the evidence back.
async fn decide(evidence: Evidence, run: Arc<Run>) -> (Outcome, Evidence) {
    let (send, receive) = oneshot::channel();
    let evidence = Arc::new(evidence);
    let shared = Arc::clone(&evidence);
    rayon::spawn(move || {
        let rules = Rules {
            policy: &*run.policy,
            stores: &run.stores,
            user_metadata: &run.user_metadata,
            plugin_config: &run.plugin_config,
            memory: &run.memory,
        };
        // A panic would be a defect of ours; it costs this artifact its verdict, and no other.
        let outcome = catch_unwind(AssertUnwindSafe(|| verify::decide(&shared, &rules, run.at)));
        drop(shared);
        let _ = send.send(outcome.unwrap_or_else(|_| broken_down()));
    });
    let outcome = receive.await.unwrap_or_else(|_| broken_down());
    (outcome, Arc::unwrap_or_clone(evidence))
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

fn lost() -> Trouble {
    Trouble::new(TroubleKind::NotFound, "the artifact was lost on the way")
}

pub(super) fn broken_down() -> Outcome {
    undecided(Failure::new(Code::InternalFault, "Muster broke down over this artifact"))
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
