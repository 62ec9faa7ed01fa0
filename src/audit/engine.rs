//! The engine: selection, collection and decision joined by bounds.
//!
//! Collecting is asynchronous, one task an artifact; deciding runs on the thread pool of `rayon`, since it is nothing but
//! computation. At most [`Plan::jobs`] artifacts are in work, those apart whose registry lets them wait, each no longer than
//! [`Plan::artifact_timeout`]; results leave in the order of selection, and a bounded number waits for its turn while an
//! artifact before them takes long.

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;

use futures_util::{FutureExt, Stream, StreamExt};
use time::OffsetDateTime;

use super::answers::AnswerSources;
use super::artifact::judge_artifact;
use super::judged::{Judged, internal_fault, lost, not_all_selected, unlisted, unresolved};
use super::order::{Begun, Order, Results};
use super::passed_over::PassedOver;
use super::plan::{Plan, Run};
use super::progress::{Interrupt, Progress};
use super::selected::Selected;
use super::selection::{Item, Selection, select};
use super::slots::{Slot, Slots};
use super::sources::Sources;
use super::tally::Tally;
use super::target::Target;
use crate::limits;
use crate::source::Waiting;
use crate::verify::Verdict;

/// An audit that goes on: its results come one by one, in the order in which artifacts were selected. Artifacts are judged
/// ahead of being asked for, within bounds. Dropping it ends it.
pub struct Audit {
    run: Arc<Run>,
    items: Selection,
    slots: Slots,
    order: Order,
    queue: VecDeque<Begun>,
    tally: Tally,
    /// Results of the artifact that is being reported which did not pass.
    not_passed: u64,
    selected_all: bool,
    ended: bool,
    progress: Arc<Progress>,
    interrupt: Arc<Interrupt>,
}

/// What an audit waits for.
enum Event {
    /// A result of the first artifact in the queue. `None`: that was all.
    Result(Option<Box<Judged>>),
    /// Something to judge, and leave to begin. `None`: everything has been selected.
    Item(Slot, Option<Item>),
    /// Everything is judged.
    End,
}

impl Audit {
    /// Judges `items` by `plan` as of `at`.
    fn new(plan: Arc<Plan>, at: OffsetDateTime, answers: AnswerSources, items: Selection, waiting: Waiting) -> Audit {
        Audit {
            items,
            slots: Slots::new(plan.jobs, waiting),
            order: Order::new(),
            queue: VecDeque::new(),
            tally: Tally::default(),
            not_passed: 0,
            selected_all: false,
            ended: false,
            progress: Arc::default(),
            interrupt: Arc::default(),
            run: Arc::new(Run::new(plan, at, answers)),
        }
    }

    /// Counts in `progress`, and ends when `interrupt` is raised.
    #[must_use]
    pub fn watched(self, progress: Arc<Progress>, interrupt: Arc<Interrupt>) -> Audit {
        Audit { progress, interrupt, ..self }
    }

    /// The next result; `None` when everything is judged, or when the audit was interrupted.
    pub async fn next(&mut self) -> Option<Judged> {
        while !self.ended {
            match self.event().await {
                None => {
                    self.tally.partial = true;
                    self.ended = true;
                    // What is in work ends with it.
                    self.queue.clear();
                }
                Some(Event::End) => self.ended = true,
                Some(Event::Item(_, None)) => {
                    self.selected_all = true;
                    self.progress.finish_selection();
                }
                Some(Event::Item(slot, Some(item))) => {
                    if !matches!(item, Item::PassedOver { .. } | Item::Noted(_)) {
                        self.progress.count_selected();
                    }
                    let run = Arc::clone(&self.run);
                    self.queue.push_back(self.order.begin(async move |results| {
                        judge(item, run, results).await;
                        drop(slot);
                    }));
                }
                Some(Event::Result(Some(result))) => {
                    self.not_passed += u64::from(matches!(result.outcome.verdict, Verdict::Fail | Verdict::Error));
                    self.tally.count(&result);
                    return Some(*result);
                }
                Some(Event::Result(None)) => {
                    let begun = self.queue.pop_front();
                    self.order.next();
                    // A panic of judging is a result; what else ends a task before its time leaves some out.
                    if let Some(begun) = begun
                        && begun.ended().await.is_err()
                    {
                        self.tally.partial = true;
                    }
                    self.progress.count_judged(std::mem::take(&mut self.not_passed));
                }
            }
        }
        None
    }

    /// What was judged so far, in numbers.
    pub fn tally(&self) -> Tally {
        Tally { aside: self.run.aside.so_far(), ..self.tally.clone() }
    }

    /// What comes next; `None` if the audit is interrupted.
    async fn event(&mut self) -> Option<Event> {
        let room = !self.selected_all && self.queue.len() < limits::ARTIFACTS_AHEAD;
        let Audit { queue, slots, items, interrupt, .. } = self;
        let waits = !queue.is_empty();
        tokio::select! {
            biased;
            () = interrupt.raised() => None,
            event = async {
                tokio::select! {
                    // What is judged is reported before more is begun, or results would pile up.
                    biased;
                    result = first(queue), if waits => Event::Result(result),
                    (slot, item) = item(slots, items), if room => Event::Item(slot, item),
                    else => Event::End,
                }
            } => Some(event),
        }
    }
}

/// Judges every artifact that `targets` hold, by `plan` as of `at`.
pub(crate) fn audit_targets(
    plan: Arc<Plan>,
    at: OffsetDateTime,
    answers: AnswerSources,
    targets: Vec<Target>,
    sources: Arc<Sources>,
) -> Audit {
    let waiting = sources.waiting();
    let items = select(targets, sources, plan.filter.clone());
    Audit::new(plan, at, answers, items, waiting)
}

/// Judges what comes out of `selected`, by `plan` as of `at`.
pub(crate) fn audit_selected(
    plan: Arc<Plan>,
    at: OffsetDateTime,
    answers: AnswerSources,
    selected: impl Stream<Item = Selected> + Send + 'static,
) -> Audit {
    let items = Selection::start("the stream of references", 1, async |items| {
        let mut selected = pin!(selected);
        while let Some(one) = selected.next().await {
            if items.send(Item::Artifact(one)).await.is_err() {
                return;
            }
        }
    });
    Audit::new(plan, at, answers, items, Waiting::default())
}

async fn first(queue: &mut VecDeque<Begun>) -> Option<Box<Judged>> {
    queue.front_mut()?.next().await.map(Box::new)
}

async fn item(slots: &Slots, items: &mut Selection) -> (Slot, Option<Item>) {
    let slot = slots.take().await;
    (slot, items.next().await)
}

async fn judge(item: Item, run: Arc<Run>, mut results: Results) {
    match item {
        // What refers to something in the layout is looked at there.
        Item::PassedOver { kind: PassedOver::Referrer, .. } if run.plan.referrers => {}
        Item::PassedOver { kind, count } => run.aside.pass_over(kind, count),
        Item::Noted(noted) => run.aside.note(noted),
        Item::Trouble { place, trouble, missing } => {
            if let Some((kind, at_least)) = missing {
                run.aside.miss(kind, at_least);
            }
            results.send(unlisted(place, trouble)).await;
        }
        Item::Fault { place } => results.send(not_all_selected(place)).await,
        Item::Artifact(selected) => {
            let (repository, label) = (selected.reference.repository.to_string(), selected.label.clone());
            if AssertUnwindSafe(judge_artifact(selected, run, &mut results)).catch_unwind().await.is_err() {
                results.send(Judged { outcome: internal_fault(), ..unresolved(repository, label, lost()) }).await;
            }
        }
    }
}
