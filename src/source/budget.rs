//! How many bytes from registries and layouts a run holds at a time.
//!
//! Before a manifest, a list or an envelope is read, its share is taken, and the bytes themselves carry it: it is given
//! back when the last of them is dropped. A share is larger than the bytes, since reading them makes trees and decoded
//! copies. No task may wait for a share while it holds one, or two that do would wait for each other: a manifest is read
//! and dropped before anything else is asked for, and an envelope is the last thing that is fetched.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::limits;

/// The unit of a share.
const UNIT: u64 = 1 << 10;

/// What is read, by how much memory its reading takes for every byte of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// A manifest or a list of manifests: read into a tree.
    Document,
    /// A list of names: read in one pass, and kept nowhere.
    Names,
    /// An envelope: decoded into copies.
    Envelope,
}

/// The bytes that may be held at a time, shared by all who read for one run.
#[derive(Debug, Clone)]
pub struct Budget {
    bytes: Arc<Semaphore>,
    units: u32,
    long_lists: Arc<Semaphore>,
    /// Room for names of lists, [`limits::LIST_NAMES_AT_A_TIME`] each.
    names: Arc<Semaphore>,
    queue: Queue,
}

/// A queue of readers, and for how long there was any in it.
#[derive(Debug, Clone, Default)]
pub struct Queue(Arc<Mutex<Waited>>);

#[derive(Debug, Default)]
struct Waited {
    waiting: usize,
    since: Option<Instant>,
    before: Duration,
}

/// A reader that waits, until this is dropped.
struct Waits(Queue);

/// A share of a budget, until it is dropped.
#[derive(Debug)]
pub struct Share {
    _permit: Option<OwnedSemaphorePermit>,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget::new(limits::BYTES_IN_FLIGHT)
    }
}

impl Budget {
    /// A budget of so many bytes.
    pub fn new(bytes: u64) -> Budget {
        let units = u32::try_from(bytes / UNIT).unwrap_or(u32::MAX).max(1);
        let bytes = Arc::new(Semaphore::new(usize::try_from(units).unwrap_or(Semaphore::MAX_PERMITS)));
        let names = Arc::new(Semaphore::new(limits::LIST_NAMES / limits::LIST_NAMES_AT_A_TIME));
        Budget { bytes, units, long_lists: Arc::new(Semaphore::new(1)), names, queue: Queue::default() }
    }

    /// Waits for what reading `length` bytes of `content` takes. What takes more than there is waits for all of it.
    pub async fn share(&self, content: Content, length: u64) -> Share {
        let times = match content {
            Content::Document => limits::MEMORY_PER_DOCUMENT_BYTE,
            Content::Names => limits::MEMORY_PER_LISTED_BYTE,
            Content::Envelope => limits::MEMORY_PER_ENVELOPE_BYTE,
        };
        let units = length.saturating_mul(times).div_ceil(UNIT);
        let units = u32::try_from(units).unwrap_or(u32::MAX).min(self.units);
        if let Ok(permit) = Arc::clone(&self.bytes).try_acquire_many_owned(units) {
            return Share { _permit: Some(permit) };
        }
        let _waits = self.queue.begin();
        // It is never closed.
        Share { _permit: Arc::clone(&self.bytes).acquire_many_owned(units).await.ok() }
    }

    /// The same, where the wait counts in `own` as well.
    pub async fn share_in(&self, own: &Queue, content: Content, length: u64) -> Share {
        let _waits = own.begin();
        self.share(content, length).await
    }

    /// For how long so far readers waited for shares. No request is to blame for that.
    pub fn waited(&self) -> Duration {
        self.queue.waited()
    }

    /// Room to remember [`limits::LIST_NAMES_AT_A_TIME`] names of a list. `None`: other lists have taken all of it.
    pub fn room_for_names(&self) -> Option<Share> {
        Arc::clone(&self.names).try_acquire_owned().ok().map(|permit| Share { _permit: Some(permit) })
    }

    /// Waits until no other list of many pages is held. To be asked for while nothing else is held.
    pub async fn long_list(&self) -> Share {
        Share { _permit: Arc::clone(&self.long_lists).acquire_owned().await.ok() }
    }
}

impl Queue {
    /// For how long so far there were readers in it.
    pub fn waited(&self) -> Duration {
        let waited = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waited.before + waited.since.map(|since| since.elapsed()).unwrap_or_default()
    }

    fn begin(&self) -> Waits {
        let mut waited = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waited.waiting += 1;
        waited.since.get_or_insert_with(Instant::now);
        Waits(self.clone())
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        let mut waited = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        waited.waiting = waited.waiting.saturating_sub(1);
        if waited.waiting == 0
            && let Some(since) = waited.since.take()
        {
            waited.before += since.elapsed();
        }
    }
}

impl Share {
    /// The same bytes, which hold the share as long as there are any of them.
    pub fn bytes(self, bytes: impl AsRef<[u8]> + Send + 'static) -> Bytes {
        Bytes::from_owner(Held { bytes, _share: self })
    }
}

struct Held<T> {
    bytes: T,
    _share: Share,
}

impl<T: AsRef<[u8]>> AsRef<[u8]> for Held<T> {
    fn as_ref(&self) -> &[u8] {
        self.bytes.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn bytes_hold_their_share_until_the_last_of_them_is_dropped() {
        let budget = Budget::new(limits::MEMORY_PER_ENVELOPE_BYTE * 4 * UNIT);
        let held = budget.share(Content::Envelope, 3 * UNIT).await.bytes(vec![7; 3]);
        assert_eq!(&held[..], [7; 3]);
        assert!(budget.share(Content::Envelope, 2 * UNIT).now_or_never().is_none());
        assert!(budget.share(Content::Envelope, UNIT).now_or_never().is_some());
        let part = held.slice(1..);
        drop(held);
        assert!(budget.share(Content::Envelope, 2 * UNIT).now_or_never().is_none());
        drop(part);
        assert!(budget.share(Content::Envelope, 4 * UNIT).now_or_never().is_some());
    }

    #[tokio::test]
    async fn the_time_in_which_somebody_waits_is_counted_once() {
        let budget = Budget::new(UNIT);
        let all = budget.share(Content::Names, UNIT).await;
        assert_eq!(budget.waited(), Duration::ZERO);
        let (own, others, began) = (Queue::default(), Queue::default(), Instant::now());
        let mut waiting = Box::pin(budget.share_in(&own, Content::Names, 1));
        let mut also = Box::pin(budget.share(Content::Names, 1));
        assert!((&mut waiting).now_or_never().is_none() && (&mut also).now_or_never().is_none());
        let pause = Duration::from_millis(50);
        tokio::time::sleep(pause).await;
        drop(all);
        drop(waiting.await);
        drop(also.await);
        let (most, waited) = (began.elapsed(), budget.waited());
        assert!((pause..=most).contains(&waited) && (pause..=most).contains(&own.waited()), "{waited:?} of {most:?}");
        tokio::time::sleep(pause).await;
        assert_eq!((budget.waited(), others.waited()), (waited, Duration::ZERO));
    }

    #[tokio::test]
    async fn what_is_larger_than_the_budget_gets_all_of_it() {
        let budget = Budget::new(UNIT);
        let all = budget.share(Content::Document, u64::MAX).now_or_never();
        assert!(all.is_some());
        assert!(budget.share(Content::Document, 1).now_or_never().is_none());
        drop(all);
        assert!(budget.share(Content::Document, 1).now_or_never().is_some());
    }
}
