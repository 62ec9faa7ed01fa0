//! How many names of a list are asked for at a time, and when a page may have been cut though it names no next one.
//!
//! The OCI distribution specification (*Listing Tags*) has registries send a `Link` where there is more. Some refuse a size
//! that they do not like; some cut a list at a size of their own and send none.

use std::sync::atomic::{AtomicUsize, Ordering};

/// How many names are asked for at a time, the next where that is refused: the most that registries allow, what all of them
/// do, and as many as the registry likes.
pub(super) const PAGE_NAMES: [Option<u64>; 3] = [Some(1000), Some(100), None];
/// So few names are asked for to see whether a registry heeds the number at all.
pub(super) const FEW_NAMES: u64 = 10;
/// From this length on it costs little to ask whether a page was the last.
pub(super) const LONG_PAGE: u64 = 100;

/// Which page size a registry takes for a kind of list, as far as it is known: an index of [`PAGE_NAMES`].
#[derive(Debug, Default)]
pub(super) struct PageSize(AtomicUsize);

impl PageSize {
    /// The sizes that may be asked for, with their index.
    pub(super) fn to_try(&self) -> impl Iterator<Item = (usize, Option<u64>)> + use<> {
        PAGE_NAMES.into_iter().enumerate().skip(self.0.load(Ordering::Relaxed))
    }

    /// Remembers that the size of this index was taken, and those before it were not.
    pub(super) fn note(&self, index: usize) {
        self.0.fetch_max(index, Ordering::Relaxed);
    }
}

/// Whether a page of `count` names without a link to the next may have been cut, when so many were `asked` for. Registries
/// cut at round numbers (20, 50, 100, 1000) or near the number that was asked for, and one more question is little for a long
/// page. A small list of any other length costs none; nor does one that is far longer than was asked for, whose registry
/// heeds no number.
pub(super) fn may_be_cut(count: u64, asked: Option<u64>) -> bool {
    let is_round = count >= 20 && (count.is_multiple_of(10) || count.is_multiple_of(25) || count.is_power_of_two());
    is_round || (count >= LONG_PAGE && asked.is_none_or(|asked| count <= asked || is_full(count, Some(asked))))
}

/// Whether a page has as many names as were `asked` for. Google's registry gives some more than that.
pub(super) fn is_full(count: u64, asked: Option<u64>) -> bool {
    asked.is_some_and(|asked| (asked..=asked + asked / 10).contains(&count))
}

/// Whether `count` is a number at which registries cut lists of their own accord, when no more than so many were `asked` for.
pub(super) fn is_usual_limit(count: u64, asked: Option<u64>) -> bool {
    count > 0
        && asked.is_none_or(|asked| count <= asked)
        && (count.is_multiple_of(50) || (count >= 32 && count.is_power_of_two()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_lists_are_taken_for_whole_and_round_or_long_ones_are_not() {
        for count in [0, 1, 9, 10, 12, 16, 19, 21, 37, 55, 99] {
            assert!(!may_be_cut(count, Some(1000)), "{count}");
        }
        for count in [20, 25, 30, 32, 50, 64, 100, 101, 250, 999, 1000, 1005, 1500] {
            assert!(may_be_cut(count, Some(1000)), "{count}");
        }
        // More than was asked for: the registry heeds no number.
        assert!(!may_be_cut(1101, Some(1000)) && !may_be_cut(100_001, Some(1000)) && !may_be_cut(111, Some(100)));
        assert!(may_be_cut(50, None) && !may_be_cut(51, None));
        for count in [32, 50, 64, 100, 128, 250, 1000] {
            assert!(is_usual_limit(count, Some(1000)) && is_usual_limit(count, None), "{count}");
        }
        assert!(![0, 16, 20, 33, 101, 1050].iter().any(|count| is_usual_limit(*count, Some(1000))));
    }
}
