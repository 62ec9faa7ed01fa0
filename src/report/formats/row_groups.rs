//! Which rows of a table are left out, since there are many of one kind: of one repository, one result and one code.
//!
//! The first are shown; how many more there are is said when the next repository begins. What is held is one number a kind
//! of the repository that is being reported.

use std::collections::BTreeMap;

use crate::report::v1::{Artifact, Verdict};

/// How many rows of one kind are shown.
const SHOWN: u64 = 20;

/// The kinds of rows of the repository that is being reported.
#[derive(Default)]
pub(super) struct RowGroups {
    repository: String,
    kinds: BTreeMap<(/* place in the order of results */ u8, String), u64>,
    /// How many rows were left out in all.
    left_out: u64,
}

/// Rows that were left out.
pub(super) struct LeftOut {
    pub(super) result: Verdict,
    pub(super) code: String,
    pub(super) rows: u64,
    pub(super) repository: String,
}

/// What does not pass, in the order in which it is said how many more there are.
const COUNTED: [Verdict; 3] = [Verdict::Warn, Verdict::Fail, Verdict::Error];

impl RowGroups {
    /// What was left out of the repository before, if `artifact` is of another one.
    pub(super) fn turn_to(&mut self, artifact: &Artifact<'_>) -> Vec<LeftOut> {
        let repository = artifact.repository();
        if repository == self.repository {
            return Vec::new();
        }
        let left_out = self.close();
        repository.clone_into(&mut self.repository);
        left_out
    }

    /// Whether the row of `artifact` is shown.
    pub(super) fn shows(&mut self, artifact: &Artifact<'_>) -> bool {
        let Some(place) = COUNTED.iter().position(|result| *result == artifact.result) else { return true };
        let code = artifact.code.as_deref().unwrap_or_default().to_owned();
        let rows = self.kinds.entry((place as u8, code)).or_default();
        *rows += 1;
        *rows <= SHOWN
    }

    /// What was left out of the last repository.
    pub(super) fn close(&mut self) -> Vec<LeftOut> {
        let left_out: Vec<_> = std::mem::take(&mut self.kinds)
            .into_iter()
            .filter(|(_, rows)| *rows > SHOWN)
            .map(|((place, code), rows)| LeftOut {
                result: COUNTED[usize::from(place)],
                code,
                rows: rows - SHOWN,
                repository: self.repository.clone(),
            })
            .collect();
        self.left_out += left_out.iter().map(|one| one.rows).sum::<u64>();
        left_out
    }

    /// How many rows were left out in all.
    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }
}
