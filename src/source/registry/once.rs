//! Which names of a list were there before, so that each is given out once.
//!
//! The names seen are remembered (by hash) as long as there is room, which all lists of a run share but for the first names of
//! each. A list that goes on after that has to be in order, which needs no memory; what is out of order then is not known.

use std::collections::HashSet;

use crate::digest::Digest;
use crate::limits;
use crate::source::budget::{Budget, Share};

/// Which names were there before.
#[derive(Debug)]
pub(super) struct Once {
    /// The greatest name so far: whatever is greater is new.
    greatest: Option<String>,
    /// All names so far, by the beginning of their hashes. `None`: there were too many.
    seen: Option<HashSet<[u8; 16]>>,
    /// Room for names, so many each, that is taken while they are remembered.
    room: Vec<Share>,
    budget: Budget,
}

impl Once {
    /// No names yet; room for many is taken from `budget`.
    pub(super) fn new(budget: &Budget) -> Once {
        Once { greatest: None, seen: Some(HashSet::new()), room: Vec::new(), budget: budget.clone() }
    }

    /// Whether the name was not there before. `None`: that is not known any more.
    pub(super) fn is_new(&mut self, name: &str) -> Option<bool> {
        let greater = self.greatest.as_deref().is_none_or(|greatest| name > greatest);
        if self.greatest.as_deref() == Some(name) {
            return Some(false);
        }
        if greater {
            self.greatest = Some(name.to_owned());
        }
        let Some(seen) = &mut self.seen else { return greater.then_some(true) };
        let is_new = seen.insert(Digest::sha256(name.as_bytes()).beginning());
        if seen.len() > limits::LIST_NAMES_AT_A_TIME * (self.room.len() + 1) {
            match self.budget.room_for_names() {
                Some(room) => self.room.push(room),
                None => (self.seen, self.room) = (None, Vec::new()),
            }
        }
        Some(is_new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a34_every_name_is_new_once_in_any_order() {
        let mut once = Once::new(&Budget::default());
        let new = ["b", "b", "c", "a", "c", "a", "d", "b"].map(|name| once.is_new(name));
        let expected = [true, false, true, true, false, false, true, false].map(Some);
        assert_eq!(new, expected);
    }

    #[test]
    fn a34_a_long_list_needs_no_memory_in_order_and_is_refused_out_of_order() {
        let none = Budget::default();
        let mut once = Once { greatest: Some("m".to_owned()), seen: None, ..Once::new(&none) };
        assert_eq!(
            ["m", "n", "n", "o", "a"].map(|name| once.is_new(name)),
            [Some(false), Some(true), Some(false), Some(true), None]
        );
    }

    #[test]
    fn a34_all_lists_of_a_run_remember_no_more_than_there_is_room_for() {
        let budget = Budget::default();
        let remembers = |lists: &[Once]| -> usize { lists.iter().flat_map(|list| &list.seen).map(HashSet::len).sum() };
        let long = |budget: &Budget| {
            let mut once = Once::new(budget);
            (0..limits::LIST_NAMES).for_each(|number| assert_eq!(once.is_new(&format!("{number:08}")), Some(true)));
            once
        };
        let lists = [long(&budget), long(&budget)];
        assert!(remembers(&lists) <= limits::LIST_NAMES + limits::LIST_NAMES_AT_A_TIME, "{}", remembers(&lists));
        // A short list has room of its own, and what a list has taken it gives back.
        let mut short = Once::new(&budget);
        assert_eq!(["b", "a", "b"].map(|name| short.is_new(name)), [Some(true), Some(true), Some(false)]);
        drop(lists);
        assert!(budget.room_for_names().is_some());
    }
}
