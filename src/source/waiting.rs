//! How many requests of a run wait: for a pause to end before they are tried again, or for an answer that is far later than
//! others. What waits does no work, and an audit goes on with other artifacts meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// The requests that wait, counted for all registries of a run.
#[derive(Debug, Clone, Default)]
pub struct Waiting(Arc<Count>);

#[derive(Debug, Default)]
struct Count {
    requests: AtomicUsize,
    more: Notify,
}

/// One request that waits, until this is dropped.
#[derive(Debug)]
pub(crate) struct Waits(Waiting);

impl Waiting {
    /// How many there are now.
    pub(crate) fn requests(&self) -> usize {
        self.0.requests.load(Ordering::Relaxed)
    }

    /// Returns when there may be more than there were. For one who waits; it may return without need.
    pub(crate) async fn more(&self) {
        self.0.more.notified().await;
    }

    /// Counts one more.
    pub(crate) fn begin(&self) -> Waits {
        self.0.requests.fetch_add(1, Ordering::Relaxed);
        self.0.more.notify_one();
        Waits(self.clone())
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.0.requests.fetch_sub(1, Ordering::Relaxed);
    }
}
