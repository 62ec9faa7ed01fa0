//! What a run asked of registries, in numbers: requests, bytes, tries and refusals. Reports say it, so that the owner of
//! the registry sees what an audit costs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The counters, shared by all registries of a run.
#[derive(Debug, Clone, Default)]
pub struct Traffic(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    requests: AtomicU64,
    bytes: AtomicU64,
    retries: AtomicU64,
    refusals: AtomicU64,
}

/// What was asked so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TrafficCounts {
    /// Requests that were sent, those to token servers and after redirects among them.
    pub requests: u64,
    /// Bytes of answers that were read, without their headers.
    pub bytes: u64,
    /// Requests that were sent again because a try before failed.
    pub retries: u64,
    /// Answers that told Muster to come back later (status 429).
    pub refusals: u64,
}

impl Traffic {
    /// What was asked so far.
    pub fn so_far(&self) -> TrafficCounts {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let Counters { requests, bytes, retries, refusals } = &*self.0;
        TrafficCounts {
            requests: count(requests),
            bytes: count(bytes),
            retries: count(retries),
            refusals: count(refusals),
        }
    }

    pub(super) fn count_request(&self) {
        self.0.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_bytes(&self, bytes: usize) {
        self.0.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn count_retry(&self) {
        self.0.retries.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_refusal(&self) {
        self.0.refusals.fetch_add(1, Ordering::Relaxed);
    }
}
