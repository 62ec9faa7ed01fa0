//! What is known of the referrers API of each repository (OCI distribution specification, *Listing Referrers*).
//!
//! A registry without the API answers 404, and so may one that has it, while it is failing. Once a repository has been
//! answered for with a list, a 404 is trouble. The other way round, a list from a repository that was found to have no API
//! says that artifacts were decided on too few signatures: that is told, and never passed over.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::limits;

/// What is known of the API of one repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Api {
    /// Nothing yet.
    #[default]
    Unknown,
    /// The API has answered with a list.
    There,
    /// The API was answered with 404 time and again.
    Absent,
}

/// What is known of the API of all repositories of a registry, as far as they are remembered.
#[derive(Debug, Default)]
pub(super) struct Apis(Mutex<HashMap<String, Api>>);

impl Apis {
    /// What is known of the repository at `path`.
    pub(super) fn of(&self, path: &str) -> Api {
        self.locked().get(path).copied().unwrap_or_default()
    }

    /// Whether anything is known of any repository.
    pub(super) fn is_any_known(&self) -> bool {
        !self.locked().is_empty()
    }

    /// Notes that there was a list, or that there is no API; returns what was known before. A list once seen is not
    /// forgotten for a 404.
    pub(super) fn note(&self, path: &str, api: Api) -> Api {
        let mut apis = self.locked();
        let before = apis.get(path).copied().unwrap_or_default();
        if before == api || (before, api) == (Api::There, Api::Absent) {
            return before;
        }
        if apis.len() >= limits::REPOSITORIES_REMEMBERED {
            apis.clear();
        }
        apis.insert(path.to_owned(), api);
        before
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<String, Api>> {
        // The map is whole even if a thread died while it held the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_once_seen_is_not_forgotten_for_a_404() {
        let apis = Apis::default();
        assert_eq!((apis.of("a"), apis.is_any_known()), (Api::Unknown, false));
        assert_eq!((apis.note("a", Api::Absent), apis.of("a")), (Api::Unknown, Api::Absent));
        assert_eq!((apis.note("a", Api::There), apis.of("a")), (Api::Absent, Api::There));
        assert_eq!((apis.note("a", Api::Absent), apis.of("a")), (Api::There, Api::There));
        assert_eq!((apis.of("b"), apis.is_any_known()), (Api::Unknown, true));
    }

    #[test]
    fn no_more_repositories_are_remembered_than_allowed() {
        let apis = Apis::default();
        for number in 0..limits::REPOSITORIES_REMEMBERED {
            apis.note(&number.to_string(), Api::There);
        }
        assert_eq!(apis.of("0"), Api::There);
        apis.note("one more", Api::There);
        assert_eq!((apis.of("0"), apis.of("one more")), (Api::Unknown, Api::There));
    }
}
