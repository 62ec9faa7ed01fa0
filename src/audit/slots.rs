//! How many artifacts are in work at a time. One whose request waits, for a pause to end or for an answer that is late, is not
//! in work: another one is begun meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

use crate::limits;
use crate::source::Waiting;

/// Leave to have artifacts in work.
pub(super) struct Slots {
    jobs: usize,
    waiting: Waiting,
    taken: Arc<Taken>,
}

#[derive(Default)]
struct Taken {
    slots: AtomicUsize,
    fewer: Notify,
}

/// Leave to have one artifact in work, until it is dropped.
pub(super) struct Slot(Arc<Taken>);

impl Slots {
    /// Leave for `jobs` artifacts, and for one more for each of the requests that are `waiting`.
    pub(super) fn new(jobs: usize, waiting: Waiting) -> Slots {
        Slots { jobs: jobs.max(1), waiting, taken: Arc::default() }
    }

    /// Waits for leave. For one who waits.
    pub(super) async fn take(&self) -> Slot {
        let Slots { jobs, waiting, taken } = self;
        loop {
            if taken.slots.load(Ordering::Relaxed) < jobs + waiting.requests().min(limits::ARTIFACTS_AHEAD) {
                taken.slots.fetch_add(1, Ordering::Relaxed);
                return Slot(Arc::clone(taken));
            }
            tokio::select! {
                () = taken.fewer.notified() => {}
                () = waiting.more() => {}
            }
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.slots.fetch_sub(1, Ordering::Relaxed);
        self.0.fewer.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn for_each_request_that_waits_one_more_artifact_is_in_work() {
        let waiting = Waiting::default();
        let slots = Slots::new(2, waiting.clone());
        let take = || slots.take().now_or_never();
        let taken = [take(), take()];
        assert!(taken.iter().all(Option::is_some));
        assert!(take().is_none());
        let waits = waiting.begin();
        let third = take();
        assert!(third.is_some());
        assert!(take().is_none());
        // It waits no longer: one has to end first, and another.
        drop(waits);
        drop(third);
        assert!(take().is_none());
        drop(taken);
        assert!(take().is_some());
    }

    #[tokio::test]
    async fn who_waits_for_leave_is_told_of_it() {
        let waiting = Waiting::default();
        let slots = Slots::new(1, waiting.clone());
        let first = slots.take().await;
        let (_, second) = tokio::join!(async { drop(first) }, slots.take());
        let (_waits, _third) = tokio::join!(async { waiting.begin() }, slots.take());
        drop(second);
    }
}
