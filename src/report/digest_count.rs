//! How many different digests a run has seen, in little memory: sixteen bytes a digest, and no more than a bound.
//!
//! Beyond the bound the number is at least what was counted. Digests are held in order, and new ones come in heaps that are
//! sorted in when they have grown to a part of the whole, so that a million of them cost a few sorts.

use crate::digest::Digest;
use crate::limits;

/// The least heap that is worth sorting in.
const HEAP: usize = 1 << 10;

/// Digests that were counted.
#[derive(Debug, Default)]
pub(super) struct DigestCount {
    /// The first sixteen bytes of each, in order, each once.
    known: Vec<u128>,
    /// Those that came since, in any order.
    heap: Vec<u128>,
    /// Whether some were not counted any more.
    more: bool,
}

impl DigestCount {
    /// Counts a digest, if it is one and was not counted before.
    pub(super) fn add(&mut self, digest: &str) {
        // What is no digest in its plain form was never written by Muster.
        let Ok(digest) = digest.parse::<Digest>() else { return };
        self.heap.push(u128::from_be_bytes(digest.beginning()));
        if self.heap.len() >= HEAP.max(self.known.len() / 4) {
            self.sort_in();
        }
    }

    /// How many different ones were counted, and whether there may be more.
    pub(super) fn count(&mut self) -> (u64, bool) {
        self.sort_in();
        (self.known.len() as u64, self.more)
    }

    fn sort_in(&mut self) {
        self.heap.sort_unstable();
        self.heap.dedup();
        self.heap.retain(|digest| self.known.binary_search(digest).is_err());
        let room = limits::REPORT_DIGESTS - self.known.len();
        self.more |= self.heap.len() > room;
        self.heap.truncate(room);
        self.known.append(&mut self.heap);
        self.known.sort_unstable();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(number: usize) -> String {
        Digest::sha256(&number.to_be_bytes()).to_string()
    }

    #[test]
    fn each_is_counted_once_in_whichever_order_they_come() {
        let mut count = DigestCount::default();
        for round in 0..3 {
            for number in 0..5000 {
                count.add(&digest((number * 7 + round) % 5000));
            }
        }
        assert_eq!(count.count(), (5000, false));
        count.add("sha256:none");
        count.add(&digest(4999));
        count.add(&digest(5000));
        assert_eq!(count.count(), (5001, false));
    }

    #[test]
    fn beyond_the_bound_it_is_at_least_so_many() {
        let mut count = DigestCount { known: (1..=limits::REPORT_DIGESTS as u128).collect(), ..DigestCount::default() };
        assert_eq!(count.count(), (limits::REPORT_DIGESTS as u64, false));
        count.add(&digest(1));
        assert_eq!(count.count(), (limits::REPORT_DIGESTS as u64, true));
        assert!(count.known.len() + count.heap.len() <= limits::REPORT_DIGESTS);
    }
}
