//! Counting results and reasons while a report is written.

use std::collections::BTreeMap;

use super::v1::{Artifact, Aside, Reason, Results, Summary, Verdict};
use crate::failure::Code;

/// What has been reported so far; as large as the table of codes, whatever the number of artifacts.
#[derive(Debug, Default)]
pub(super) struct Tally {
    results: Results,
    codes: BTreeMap<Code, u64>,
    /// What was not judged by itself.
    pub(super) aside: Aside,
}

impl Tally {
    /// Counts one artifact.
    pub(super) fn add(&mut self, artifact: &Artifact<'_>) {
        let results = &mut self.results;
        let count = match artifact.result {
            Verdict::Pass => &mut results.pass,
            Verdict::Warn => &mut results.warn,
            Verdict::Fail => &mut results.fail,
            Verdict::Skip => &mut results.skip,
            Verdict::Error => &mut results.error,
        };
        *count += 1;
        let word = artifact.code.as_deref();
        if let Some(code) = Code::ALL.iter().find(|code| Some(code.as_str()) == word) {
            *self.codes.entry(*code).or_default() += 1;
        }
    }

    /// The summary of what was counted.
    pub(super) fn summary(&self, selected: u64, interrupted: bool) -> Summary {
        let reason = |(code, artifacts): (&Code, &u64)| Reason {
            code: code.as_str(),
            artifacts: *artifacts,
            section: code.section(),
            remedy: code.remedy(),
        };
        Summary {
            selected,
            results: self.results.clone(),
            codes: self.codes.iter().map(reason).collect(),
            partial: interrupted || self.aside.incomplete_lists.any(),
            interrupted,
            aside: self.aside.clone(),
        }
    }
}
