//! The cases that are running: a task each, their results in the order in which they were begun, and breaking them off.
//!
//! A case that is broken off ends where it waits the next time. What it has begun on other threads (keys, signatures) looks
//! from time to time whether it is still wanted.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use tokio::task::JoinSet;
use tokio::time::timeout;

use super::run::{CaseResult, CaseStatus, PhaseTimings, Selected};
use crate::limits;

/// The cases of a run that have begun and are not told of yet.
#[derive(Debug, Default)]
pub(super) struct Running {
    tasks: JoinSet<(usize, CaseResult)>,
    /// Those that are running, by their position.
    begun: BTreeMap<usize, Begun>,
    /// Those that have ended while one before them is running.
    ended: BTreeMap<usize, CaseResult>,
}

/// A case that has begun.
#[derive(Debug, Clone)]
pub(super) struct Begun {
    pub(super) id: String,
    title: String,
    file: PathBuf,
    since: Instant,
}

impl Begun {
    pub(super) fn new(selected: &Selected) -> Begun {
        Begun {
            id: selected.case.id.clone(),
            title: selected.title.clone(),
            file: selected.file.clone(),
            since: Instant::now(),
        }
    }

    /// Its result, where it is nothing but this.
    pub(super) fn ended(self, status: CaseStatus) -> CaseResult {
        let times = PhaseTimings::default();
        CaseResult { id: self.id, title: self.title, file: self.file, status, times, world: None }
    }
}

impl Running {
    /// How many are running.
    pub(super) fn count(&self) -> usize {
        self.begun.len()
    }

    /// Begins a case.
    pub(super) fn begin(
        &mut self,
        position: usize,
        case: Begun,
        run: impl Future<Output = CaseResult> + Send + 'static,
    ) {
        self.begun.insert(position, case);
        self.tasks.spawn(async move { (position, run.await) });
    }

    /// How the next one that ends has ended; `None` if none is running.
    pub(super) async fn next(&mut self) -> Option<CaseStatus> {
        // An error is a case that broke down outside of what catches that: it stays among those that have begun.
        while let Some(task) = self.tasks.join_next().await {
            if let Ok((position, result)) = task {
                let status = result.status.clone();
                self.begun.remove(&position);
                self.ended.insert(position, result);
                return Some(status);
            }
        }
        None
    }

    /// Those that have ended before any that is running.
    pub(super) fn in_order(&mut self) -> impl Iterator<Item = CaseResult> {
        let later = match self.begun.keys().next() {
            Some(first) => self.ended.split_off(first),
            None => BTreeMap::new(),
        };
        std::mem::replace(&mut self.ended, later).into_values()
    }

    /// Breaks off those that are running, without waiting for them: all that were not told of yet, in their order.
    pub(super) fn break_off(&mut self, reason: &str) -> impl Iterator<Item = CaseResult> + use<> {
        // What has ended meanwhile has a result.
        while let Some(task) = self.tasks.try_join_next() {
            if let Ok((position, result)) = task {
                self.begun.remove(&position);
                self.ended.insert(position, result);
            }
        }
        self.tasks.abort_all();
        for (position, case) in std::mem::take(&mut self.begun) {
            let reason = format!("not finished after {} s: {reason}", case.since.elapsed().as_secs());
            self.ended.insert(position, case.ended(CaseStatus::Unfinished(reason)));
        }
        std::mem::take(&mut self.ended).into_values()
    }

    /// Waits for those that were broken off. Worlds go with their tasks; one that is late goes by itself.
    pub(super) async fn wait(mut self) {
        let _ = timeout(limits::SCENARIO_BROKEN_OFF, self.tasks.shutdown()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(id: &str) -> Begun {
        Begun { id: id.to_owned(), title: String::new(), file: PathBuf::new(), since: Instant::now() }
    }

    #[tokio::test]
    async fn what_has_ended_is_told_in_order_and_what_runs_is_not_finished() {
        let mut running = Running::default();
        for (position, id) in ["first", "slow", "third"].into_iter().enumerate() {
            let case = begun(id);
            running.begin(position, case.clone(), async move {
                if case.id == "slow" {
                    std::future::pending::<()>().await;
                }
                case.ended(CaseStatus::Pass)
            });
        }
        let ids = |results: &mut dyn Iterator<Item = CaseResult>| {
            results.map(|result| (result.id, matches!(result.status, CaseStatus::Pass))).collect::<Vec<_>>()
        };
        assert_eq!(running.next().await, Some(CaseStatus::Pass));
        assert_eq!(running.next().await, Some(CaseStatus::Pass));
        assert_eq!(ids(&mut running.in_order()), [("first".to_owned(), true)]);
        assert_eq!((running.count(), ids(&mut running.in_order()).len()), (1, 0));
        let left = ids(&mut running.break_off("it is time"));
        assert_eq!(left, [("slow".to_owned(), false), ("third".to_owned(), true)]);
        running.wait().await;
    }
}
