//! Counting results and reasons while a report is written.

use std::collections::BTreeMap;

use super::digest_count::DigestCount;
use super::v1::{Artifact, Aside, Effort, Exempted, Reason, RepositoryResults, Results, Summary};
use crate::failure::Code;
use crate::limits;

/// What has been reported so far: bounded, whatever the number of artifacts and repositories.
#[derive(Debug, Default)]
pub(super) struct Tally {
    results: Results,
    tags: u64,
    places: u64,
    digests: DigestCount,
    codes: BTreeMap<Code, Results>,
    repositories: BTreeMap<Box<str>, Results>,
    /// The artifacts of those that are not counted one by one any more.
    other_repositories: Results,
    /// What was not judged by itself.
    pub(super) aside: Aside,
    /// How long the run took, and what it asked.
    pub(super) effort: Option<Effort>,
    /// What did not count for the exit code.
    pub(super) allowed: Vec<Exempted>,
    /// What counted for it by the user's wish.
    pub(super) denied: Vec<Exempted>,
}

impl Tally {
    /// Counts one artifact.
    pub(super) fn add(&mut self, artifact: &Artifact<'_>) {
        self.results.add(artifact.result);
        self.places += u64::from(artifact.place);
        self.tags += u64::from(artifact.is_named_by_tag());
        if let Some((_, digest)) = artifact.artifact.as_deref().and_then(|name| name.rsplit_once('@')) {
            self.digests.add(digest);
        }
        if let Some(code) = artifact.code.as_deref().and_then(Code::named) {
            self.codes.entry(code).or_default().add(artifact.result);
        }
        let repository = artifact.repository();
        let room = self.repositories.len() < limits::REPORT_REPOSITORIES;
        match self.repositories.get_mut(repository) {
            Some(results) => results.add(artifact.result),
            None if room => {
                self.repositories.entry(repository.into()).or_default().add(artifact.result);
            }
            None => self.other_repositories.add(artifact.result),
        }
    }

    /// The summary of what was counted.
    pub(super) fn summary(&mut self, selected: u64, interrupted: bool) -> Summary {
        let reason = |(code, results): (&Code, &Results)| Reason {
            code: code.as_str(),
            artifacts: results.sum(),
            results: results.clone(),
            section: code.section(),
            remedy: code.remedy(),
        };
        let mut codes: Vec<Reason> = self.codes.iter().map(reason).collect();
        codes.sort_by_key(|reason| (u64::MAX - reason.artifacts, reason.code));
        let mut repositories = Vec::with_capacity(self.repositories.len());
        for (repository, results) in &self.repositories {
            repositories.push(RepositoryResults { repository: repository.to_string(), results: results.clone() });
        }
        // Stable: those with as much trouble stay in the order of their names.
        repositories.sort_by_key(|one| {
            let Results { warn, fail, error, .. } = one.results;
            (u64::MAX - fail - error, u64::MAX - warn)
        });
        let (digests, more_digests) = self.digests.count();
        Summary {
            selected,
            results: self.results.clone(),
            tags: self.tags,
            digests,
            more_digests,
            places: self.places,
            codes,
            repositories,
            other_repositories: self.other_repositories.clone(),
            partial: interrupted || self.aside.incomplete_lists.any(),
            interrupted,
            effort: self.effort.clone(),
            allowed: self.allowed.clone(),
            denied: self.denied.clone(),
            aside: self.aside.clone(),
        }
    }
}
