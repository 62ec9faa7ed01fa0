//! How much memory long answers may take together, however many are fetched, read and remembered at a time.
//!
//! Most CRLs are short, and the bounds on requests and on what is remembered hold them. A long one needs a permit before it
//! is read, and keeps it as long as it is anywhere in memory. A fetch that waits too long gets no answer: trouble that is
//! reported, and no verdict.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits;

/// What permits are counted in, in bytes.
const UNIT: u64 = 1 << 10;

/// The memory that the long answers of a run may take.
#[derive(Debug, Clone)]
pub struct Budget {
    units: Arc<Semaphore>,
    wait: Duration,
}

/// A part of it; given back when the last clone is gone.
#[derive(Debug, Clone)]
pub struct Permit {
    held: Arc<OwnedSemaphorePermit>,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget::new(limits::LONG_ANSWERS_BYTES, limits::LONG_ANSWER_WAIT)
    }
}

impl Budget {
    /// So many bytes, and how long one waits for them at most.
    pub fn new(bytes: u64, wait: Duration) -> Budget {
        let units = usize::try_from(bytes / UNIT).unwrap_or(Semaphore::MAX_PERMITS).min(Semaphore::MAX_PERMITS);
        Budget { units: Arc::new(Semaphore::new(units)), wait }
    }

    /// Whether an answer of so many bytes needs a permit.
    pub(super) fn is_long(bytes: u64) -> bool {
        bytes > limits::SHORT_ANSWER_BYTES
    }

    /// A permit for so many bytes; `None` if none came free in time.
    pub(super) async fn permit(&self, bytes: u64) -> Option<Permit> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX);
        let acquired = tokio::time::timeout(self.wait, Arc::clone(&self.units).acquire_many_owned(units)).await;
        Some(Permit { held: Arc::new(acquired.ok()?.ok()?) })
    }
}

impl Permit {
    /// Gives back what is not needed for so many bytes after all. Does nothing once it has been shared.
    pub(super) fn cut(self, bytes: u64) -> Permit {
        let units = usize::try_from(bytes.div_ceil(UNIT)).unwrap_or(usize::MAX);
        match Arc::try_unwrap(self.held) {
            Ok(mut all) => {
                let surplus = all.num_permits().saturating_sub(units);
                drop(all.split(surplus));
                Permit { held: Arc::new(all) }
            }
            Err(held) => Permit { held },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn memory_is_given_back_with_the_last_clone() {
        let budget = Budget::new(4 << 10, Duration::from_millis(10));
        let first = budget.permit(3 << 10).await.unwrap();
        let again = first.clone();
        drop(first);
        assert!(budget.permit(2 << 10).await.is_none());
        drop(again);
        assert!(budget.permit(4 << 10).await.is_some());
        assert!(budget.permit(5 << 10).await.is_none(), "there is no more than there is");
        let _one = budget.permit(4 << 10).await.unwrap().cut(1 << 10);
        assert!(budget.permit(3 << 10).await.is_some());
    }
}
