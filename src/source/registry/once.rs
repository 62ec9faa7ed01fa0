//! Which names of a list were there before, so that each is given out once.
//!
//! While a list is in order that needs no memory; the names seen are remembered (by hash) up to a bound, and what is out of
//! order after that is not known.

use std::collections::HashSet;

use crate::digest::Digest;
use crate::limits;

/// The beginning of a name's hash; two names do not share it.
type NameHash = [u8; 16];

/// Which names were there before.
#[derive(Debug)]
pub(super) struct Once {
    /// The greatest name so far: whatever is greater is new.
    greatest: Option<String>,
    /// All names so far. `None`: there were too many.
    seen: Option<HashSet<NameHash>>,
}

impl Default for Once {
    fn default() -> Once {
        Once { greatest: None, seen: Some(HashSet::new()) }
    }
}

impl Once {
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
        let is_new = seen.insert(hash(name));
        if seen.len() > limits::LIST_NAMES {
            self.seen = None;
        }
        Some(is_new)
    }
}

fn hash(name: &str) -> NameHash {
    let digest = Digest::sha256(name.as_bytes());
    let mut hash = NameHash::default();
    hash.copy_from_slice(&digest.bytes()[..size_of::<NameHash>()]);
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a34_every_name_is_new_once_in_any_order() {
        let mut once = Once::default();
        let new = ["b", "b", "c", "a", "c", "a", "d", "b"].map(|name| once.is_new(name));
        let expected = [true, false, true, true, false, false, true, false].map(Some);
        assert_eq!(new, expected);
    }

    #[test]
    fn a34_a_long_list_needs_no_memory_in_order_and_is_refused_out_of_order() {
        let mut once = Once { greatest: Some("m".to_owned()), seen: None };
        assert_eq!(
            ["m", "n", "n", "o", "a"].map(|name| once.is_new(name)),
            [Some(false), Some(true), Some(false), Some(true), None]
        );
    }
}
