//! From a scenario file to its cases: one for each variant of its matrix, with every name resolved and every default filled
//! in.
//!
//! Everything that is wrong is reported in one go. A case cannot be wrong any more, only impossible here (a registry that
//! cannot be started, a keystore that is not there).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::finding::{Findings, Rule};
use super::matrix;
use super::policies::Policies;
use super::policy_path::ProjectFiles;
use super::project::Project;
use super::spanned::Spanned;
use super::steps::{self, Action, PlacedAction, RawStep, Verification};
use super::world::{RawScenario, Things};

/// A scenario file that has been read.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The file, as it was found.
    pub file: PathBuf,
    /// What it is called: the path below `scenarios/`, without the ending.
    pub name: String,
    /// What it shows.
    pub title: String,
    /// The section of the specification that says so.
    pub spec: Option<String>,
    /// Whether it takes so long that it is run only for those who ask for it.
    pub slow: bool,
    /// Its cases, at least one.
    pub cases: Vec<Case>,
    /// The files of the trust policies that it names.
    pub(super) policies: Vec<PathBuf>,
}

/// One case.
#[derive(Debug, Clone)]
pub struct Case {
    /// The name of the scenario, and in brackets what the matrix chose.
    pub id: String,
    pub(super) plan: Arc<Plan>,
}

impl Case {
    /// The codes that it expects somewhere.
    pub fn expected_codes(&self) -> impl Iterator<Item = crate::failure::Code> + '_ {
        self.plan.verifications().flat_map(|verify| verify.expect.codes())
    }
}

/// Everything that a case does.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) things: Things,
    pub(super) steps: Vec<PlacedAction>,
}

impl Plan {
    fn verifications(&self) -> impl Iterator<Item = &Verification> {
        self.steps.iter().filter_map(|step| match &step.action {
            Action::Verify(verify) => Some(verify),
            _ => None,
        })
    }
}

/// The cases of the scenario called `name` in `file`, and the files of the trust policies that it names. Where something is wrong, `findings` has been told.
pub(super) fn cases(
    raw: &RawScenario,
    (file, project): (&Path, &Project),
    name: &str,
    findings: &mut Findings<'_, '_>,
) -> (Vec<Case>, Vec<PathBuf>) {
    check_title(&raw.title, findings);
    if raw.verify.is_empty() && !raw.steps.iter().any(|step| matches!(step.value, RawStep::Verify(_))) {
        let help = "add verify with at least one expect; a scenario that expects nothing can show nothing";
        findings.error(Rule::NoExpectations, &raw.title.range, "the scenario expects nothing".to_owned(), help);
    }
    let variants = matrix::variants(raw.matrix.as_ref(), findings);
    let files = ProjectFiles::new(file, project.root.as_ref());
    let mut policies = Policies::new(&files, project);
    let mut cases = Vec::new();
    for variant in variants {
        let things = Things::check(raw, variant, &files, findings);
        let steps = steps::check(raw, (&things, &files), variant, &mut policies, findings);
        if !findings.is_empty() {
            // Another variant would show the same.
            return (Vec::new(), Vec::new());
        }
        let plan = Plan { things, steps };
        cases.push(Case { id: format!("{name}{}", matrix::label(variant)), plan: Arc::new(plan) });
    }
    (cases, policies.into_named())
}

fn check_title(title: &Spanned<String>, findings: &mut Findings<'_, '_>) {
    if title.value.trim().is_empty() {
        findings.error(Rule::Title, &title.range, "the title is empty".to_owned(), "say what the scenario shows");
    }
}
