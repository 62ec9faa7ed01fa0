//! What a report of version 1 comes to: the results in numbers, the reasons, and what there is to say beside them.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Aside, Effort, Exempted, RepositoryResults, Verdict, grouped};

/// The sum of a report.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// How many artifacts were selected. Where the run was interrupted, something was passed over, or manifests of image
    /// indexes were judged one by one, this differs from the sum of `results`.
    pub selected: u64,
    /// How many artifacts have which result; the errors of `places` are among them.
    pub results: Results,
    /// How many tags, or names in layouts, were judged or were to be: several may name one artifact.
    pub tags: u64,
    /// How many different digests were judged.
    pub digests: u64,
    /// `true` where there may be more of them: after so many they are not counted any more.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub more_digests: bool,
    /// How many of the errors are of no artifact but of a place that could not be looked at in full, a registry, a repository
    /// or a layout: one for each list that is not to be had, and one for each entry of a list that is no name.
    pub places: u64,
    /// The reasons that occur, the most frequent first; those that come as often, by their names.
    pub codes: Vec<Reason>,
    /// The repositories and what became of their artifacts: first those with the most failures and errors, then those with
    /// the most warnings, then by name.
    pub repositories: Vec<RepositoryResults>,
    /// The artifacts of more repositories than are listed.
    #[serde(skip_serializing_if = "Results::is_empty")]
    pub other_repositories: Results,
    /// Whether something was not judged that should have been: the run was `interrupted`, or there are `incompleteLists`.
    pub partial: bool,
    /// Whether the run ended before everything was judged.
    pub interrupted: bool,
    /// When the run was, how long it took, and what it asked of registries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effort: Option<Effort>,
    /// What did not count for the exit code, as the user wished.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<Exempted>,
    /// What counted for the exit code as a failure does, as the user wished.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub denied: Vec<Exempted>,
    /// What was seen, and not judged by itself.
    #[serde(flatten)]
    pub aside: Aside,
}

/// How many artifacts have which result.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Results {
    /// Passed.
    pub pass: u64,
    /// Passed with failures logged.
    pub warn: u64,
    /// Failed.
    pub fail: u64,
    /// Skipped by the policy.
    pub skip: u64,
    /// Not decided.
    pub error: u64,
}

/// A reason, how often it occurs, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reason {
    /// The stable word.
    pub code: &'static str,
    /// How many artifacts have it as their reason.
    pub artifacts: u64,
    /// The same by their results: a failure that is only logged is a warning.
    pub results: Results,
    /// The section of the specification it comes from.
    pub section: &'static str,
    /// What can be done about it.
    pub remedy: &'static str,
}

impl Results {
    /// All of them, with their names, in the order of reports.
    pub fn each(&self) -> [(Verdict, u64); 5] {
        [
            (Verdict::Pass, self.pass),
            (Verdict::Warn, self.warn),
            (Verdict::Fail, self.fail),
            (Verdict::Skip, self.skip),
            (Verdict::Error, self.error),
        ]
    }

    /// Counts one more.
    pub(in crate::report) fn add(&mut self, result: Verdict) {
        *match result {
            Verdict::Pass => &mut self.pass,
            Verdict::Warn => &mut self.warn,
            Verdict::Fail => &mut self.fail,
            Verdict::Skip => &mut self.skip,
            Verdict::Error => &mut self.error,
        } += 1;
    }

    fn is_empty(&self) -> bool {
        self.sum() == 0
    }

    /// How many artifacts there are in all.
    pub fn sum(&self) -> u64 {
        self.each().iter().map(|(_, count)| count).sum()
    }
}

impl Summary {
    /// How many artifacts were judged: errors of places are none.
    pub fn judged(&self) -> u64 {
        self.results.sum().saturating_sub(self.places)
    }

    /// What else there is to say, as sentences without a full stop: what one artifact is, what was not judged by itself, what
    /// the exit code leaves out or adds.
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if self.tags > 0 && self.digests > 0 && (self.tags != self.digests || self.more_digests) {
            let tags = if self.tags == 1 { "tag" } else { "tags" };
            let digests = if self.digests == 1 { "digest" } else { "digests" };
            let more = if self.more_digests { " or more" } else { "" };
            remarks.push(format!("{} {tags}, {} {digests}{more}", grouped(self.tags), grouped(self.digests)));
        }
        remarks.extend(self.aside.remarks());
        remarks.extend(self.exemptions());
        remarks
    }

    /// What the exit code leaves out, and what it adds, as sentences without a full stop.
    pub fn exemptions(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        for (word, exempted) in [("allowed", &self.allowed), ("denied", &self.denied)] {
            if !exempted.is_empty() {
                let counts: Vec<_> = exempted.iter().map(|one| format!("{} {}", one.artifacts, one.what)).collect();
                remarks.push(format!("{word}: {}", counts.join(", ")));
            }
        }
        remarks
    }

    /// Why the report is partial, as a sentence without a full stop, if it is.
    pub fn partial_because(&self) -> Option<String> {
        let ended = self.interrupted.then(|| "the run ended before everything was judged".to_owned());
        let reasons: Vec<_> = ended.into_iter().chain(self.aside.incomplete_lists.sentence()).collect();
        (!reasons.is_empty()).then(|| reasons.join("; "))
    }
}

impl fmt::Display for Summary {
    /// `12 artifacts judged: 10 pass, 2 fail; 1 error of a place that could not be looked at in full`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let judged = self.judged();
        write!(f, "{judged} {} judged", if judged == 1 { "artifact" } else { "artifacts" })?;
        let mut joint = ": ";
        let artifacts = Results { error: self.results.error.saturating_sub(self.places), ..self.results.clone() };
        for (verdict, count) in artifacts.each().into_iter().filter(|(_, count)| *count > 0) {
            write!(f, "{joint}{count} {}", verdict.as_str())?;
            joint = ", ";
        }
        match self.places {
            0 => Ok(()),
            1 => write!(f, "; 1 error of a place that could not be looked at in full"),
            places => write!(f, "; {places} errors of places that could not be looked at in full"),
        }
    }
}
