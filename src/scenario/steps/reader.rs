//! Reading the steps in order: artifacts are there before they are signed, keys are known, and everything is named.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use super::verify::contradictions;
use super::{Action, PlacedAction, RawStep};
use crate::failure::quote;
use crate::limits;
use crate::policy::did_you_mean;
use crate::scenario::aliases::Aliases;
use crate::scenario::finding::{Findings, Rule};
use crate::scenario::matrix::Variant;
use crate::scenario::names::{ARTIFACT, KEY, unknown};
use crate::scenario::policies::{Policies, RawPolicy};
use crate::scenario::policy_path::ProjectFiles;
use crate::scenario::scalar::ArtifactName;
use crate::scenario::spanned::{OrderedMap, Spanned};
use crate::scenario::world::{Held, Holder, Keystore, RawScenario, Things};
use crate::trust_store::StoreName;

/// Checks the steps, then what is verified at the end.
pub(in crate::scenario) fn check(
    raw: &RawScenario,
    (things, files): (&Things, &ProjectFiles),
    variant: Variant,
    policies: &mut Policies,
    findings: &mut Findings<'_, '_>,
) -> Vec<PlacedAction> {
    let troubled = raw.steps.iter().filter_map(|step| match &step.value {
        RawStep::Token(token) => things.key(token.key()),
        _ => None,
    });
    let stores = things.trust_stores.iter().map(|store| (store.name.clone(), store.held().to_vec())).collect();
    let mut reader = Reader {
        things,
        project_files: files,
        variant,
        policies,
        there: Aliases::default(),
        files: HashMap::new(),
        place: 0..0,
        on_hold: HashSet::new(),
        troubled: troubled.collect(),
        stores,
        rolled_out: None,
        rolled_out_for_blobs: None,
        findings,
    };
    let mut steps = Vec::new();
    for step in &raw.steps {
        reader.place = step.range.clone();
        let action = step.value.check(&mut reader);
        steps.extend(action.map(|action| PlacedAction { line: step.line, action }));
    }
    for verify in &raw.verify {
        reader.place = verify.range.clone();
        let action = verify.value.check_at(&verify.range, &mut reader).map(Action::Verify);
        steps.extend(action.map(|action| PlacedAction { line: verify.line, action }));
    }
    // Under one policy for all, what was expected under two may well contradict.
    if !reader.policies.are_replaced() {
        contradictions(&steps, reader.findings);
    }
    steps
}

/// What is known of the artifacts of one name.
#[derive(Debug, Clone, Default)]
pub(in crate::scenario) struct Known {
    /// How many there are; 0 where there are none.
    pub(super) count: u32,
    /// The names of the parts of each.
    pub(super) parts: HashSet<String>,
}

/// What is known at a step of the scenario: the things of the world, and what the steps before it have done.
pub(in crate::scenario) struct Reader<'r, 's, 'a> {
    pub(super) things: &'r Things,
    /// What the scenario may name of its project.
    pub(super) project_files: &'r ProjectFiles,
    pub(super) variant: Variant,
    pub(super) policies: &'r mut Policies,
    /// Artifacts that were pushed so far.
    there: Aliases<Known>,
    /// Files that were written so far, and how many signatures each has.
    pub(super) files: HashMap<String, u32>,
    /// Where the step stands.
    place: Range<usize>,
    /// The certificates that were put on hold so far.
    pub(super) on_hold: HashSet<Holder>,
    /// The keys whose tokens get into trouble somewhere in the scenario.
    troubled: HashSet<usize>,
    /// What trust stores hold at this point.
    pub(super) stores: BTreeMap<StoreName, Vec<Held>>,
    /// The policy of what names none, if a step has rolled one out.
    pub(super) rolled_out: Option<Spanned<RawPolicy>>,
    /// The same, for files.
    pub(super) rolled_out_for_blobs: Option<Spanned<RawPolicy>>,
    pub(super) findings: &'r mut Findings<'s, 'a>,
}

impl Reader<'_, '_, '_> {
    /// An artifact that is there; the usual one where no name is given.
    pub(super) fn existing(&mut self, name: Option<&Spanned<ArtifactName>>) -> Option<ArtifactName> {
        let (name, range) = self.named(name)?;
        self.registry(name.reference.repository.host(), &range)?;
        let whole = ArtifactName { part: None, ..name.clone() };
        let Some(Known { parts, .. }) = self.there.get(&whole) else {
            let known: Vec<String> = self.there.names().map(ArtifactName::to_string).collect();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let help = match known.is_empty() {
                true => "push it in a step before".to_owned(),
                false => did_you_mean(&whole.to_string(), &known),
            };
            let message = format!("nothing was pushed as {whole} before this step");
            self.findings.error(Rule::Artifact, &range, message, help);
            return None;
        };
        if let Some(part) = name.part.as_ref().filter(|part| !parts.contains(*part)) {
            let mut known: Vec<&str> = parts.iter().map(String::as_str).collect();
            known.sort_unstable();
            let help = match known.is_empty() {
                true => "attach something, or push an index".to_owned(),
                false => did_you_mean(part, &known),
            };
            let message = format!("{whole} has no part {}", quote(part));
            self.findings.error(Rule::Artifact, &range, message, help);
            return None;
        }
        Some(name)
    }

    /// The name of an artifact that is not there yet; the usual one where no name is given.
    pub(super) fn new_artifact(&mut self, name: Option<&Spanned<ArtifactName>>) -> Option<ArtifactName> {
        let (name, range) = self.named(name)?;
        self.registry(name.reference.repository.host(), &range)?;
        if name.part.is_some() {
            let message = "a part is not pushed by itself".to_owned();
            self.findings.error(Rule::Artifact, &range, message, "name HOST/REPOSITORY:TAG; attach makes parts");
            return None;
        }
        if self.there.get(&name).is_some() {
            let message = format!("{name} is there already");
            self.findings.error(Rule::ArtifactRepeated, &range, message, "choose another tag");
            return None;
        }
        Some(name)
    }

    /// Notes that artifacts are there from now on.
    pub(super) fn add(&mut self, artifact: &ArtifactName, known: Known) {
        self.there.put(artifact, known);
    }

    /// Notes that `to`, in the same repository, names from now on what `artifact` does.
    pub(super) fn alias(&mut self, artifact: &ArtifactName, to: &ArtifactName) {
        self.there.add(artifact, to);
    }

    /// Notes a part of an artifact; false where it has one of this name already.
    pub(super) fn add_part(&mut self, artifact: &ArtifactName, part: &str) -> bool {
        self.there.get_mut(artifact).is_none_or(|known| known.parts.insert(part.to_owned()))
    }

    /// Notes that the artifact is gone, and with it every name of it.
    pub(super) fn remove(&mut self, artifact: &ArtifactName) {
        self.there.remove(artifact);
    }

    /// What is known of the artifacts of this name.
    pub(super) fn known(&self, artifact: &ArtifactName) -> Known {
        self.there.get(artifact).cloned().unwrap_or_default()
    }

    /// Where a member stands, or the step, where it is left out.
    pub(super) fn place_of<T>(&self, member: Option<&Spanned<T>>) -> Range<usize> {
        member.map_or_else(|| self.place.clone(), |member| member.range.clone())
    }

    /// The artifact that is meant, and its place; the usual one, and the place of the step, if it is left out.
    fn named(&self, name: Option<&Spanned<ArtifactName>>) -> Option<(ArtifactName, Range<usize>)> {
        let artifact = match name {
            Some(name) => name.value.clone(),
            None => default_artifact()?,
        };
        Some((artifact, self.place_of(name)))
    }

    /// Checks that the world has a registry at `host`.
    pub(super) fn registry(&mut self, host: &str, range: &Range<usize>) -> Option<()> {
        if self.things.registries.iter().any(|registry| registry.host == host) {
            return Some(());
        }
        let known = self.things.registries.iter().map(|registry| registry.host.as_str());
        unknown("registry", host, range, known, self.findings);
        None
    }

    /// The key of this name.
    pub(super) fn key(&mut self, name: &str, range: &Range<usize>) -> Option<usize> {
        let found = self.things.key(name);
        if found.is_none() {
            let known = self.things.keys.iter().map(|key| key.name.as_str());
            unknown("key", name, range, known, self.findings);
        }
        found
    }

    /// The key of a step about its gateway: the one that is written, or builder.
    pub(super) fn key_behind_gateway(&mut self, written: Option<&Spanned<String>>) -> Option<usize> {
        let place = self.place_of(written);
        let name = written.map_or(KEY, |key| key.value.as_str());
        let key = self.key(name, &place)?;
        if !self.things.keys[key].has_policy() {
            let message = format!("the key {} is behind no gateway", quote(name));
            self.findings.error(Rule::Contradiction, &place, message, "give it a policy");
        }
        Some(key)
    }

    /// Whether the key signs as it does for `muster sign`, and not for the forge.
    pub(super) fn has_custodian(&self, key: usize) -> bool {
        let plan = &self.things.keys[key];
        self.troubled.contains(&key) || plan.keystore == Keystore::Plugin || plan.has_policy()
    }

    /// The name of a file that was written.
    pub(super) fn file(&mut self, name: &Spanned<String>) -> Option<String> {
        if self.files.contains_key(&name.value) {
            return Some(name.value.clone());
        }
        let mut known: Vec<&str> = self.files.keys().map(String::as_str).collect();
        known.sort_unstable();
        let help = match known.is_empty() {
            true => "write it in a step before, as write: { file: net-monitor.tar.gz, content: … }".to_owned(),
            false => did_you_mean(&name.value, &known),
        };
        let message = format!("no file {} was written before this step", quote(&name.value));
        self.findings.error(Rule::FileUnknown, &name.range, message, help);
        None
    }

    /// Which signature of a file is meant, counted from 0: of several, one must be named.
    pub(super) fn signature_of(&mut self, file: &Spanned<String>, number: Option<&Spanned<u32>>) -> Option<usize> {
        let name = self.file(file)?;
        let count = self.files.get(&name).copied().unwrap_or(0);
        match number {
            Some(number) if number.value < count => Some(number.value as usize),
            Some(number) => {
                let message = format!("{} has {count} signatures, counted from 0", quote(&file.value));
                self.findings.error(
                    Rule::FileUnknown,
                    &number.range,
                    message,
                    "sign it in a step before, or name another",
                );
                None
            }
            None if count > 1 => {
                let message =
                    format!("{} has {count} signatures, and each lies in a file of its own", quote(&file.value));
                self.findings.error(Rule::FileUnknown, &file.range, message, "say which, as signature: 0");
                None
            }
            None => Some(0),
        }
    }

    /// Notes that a file has more signatures from now on.
    pub(super) fn add_signatures(&mut self, file: &str, more: u32) {
        if let Some(count) = self.files.get_mut(file) {
            *count = count.saturating_add(more);
        }
    }

    /// A number of artifacts or signatures; 1 where it is left out.
    pub(super) fn count(&mut self, raw: Option<&Spanned<u32>>) -> u32 {
        let Some(count) = raw else { return 1 };
        if !(1..=limits::SCENARIO_COUNT).contains(&count.value) {
            let message = format!("the number is not between 1 and {}", limits::SCENARIO_COUNT);
            self.findings.error(Rule::Count, &count.range, message, "write another number");
        }
        count.value
    }
}

/// The artifact that is meant where none is named.
pub(super) fn default_artifact() -> Option<ArtifactName> {
    ARTIFACT.parse().ok()
}

/// Names and values, without their places.
pub(super) fn metadata(entries: &OrderedMap<String>) -> BTreeMap<String, String> {
    entries.0.iter().map(|(key, value)| (key.value.clone(), value.clone())).collect()
}
