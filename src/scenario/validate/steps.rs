//! Steps: artifacts are there before they are signed, keys are known, and everything is named.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use time::Duration;

use super::policy::Policies;
use super::world::World;
use super::{ARTIFACT, KEY, REGISTRY, Variant, check_name, expect, unknown, variant_or};
use crate::failure::quote;
use crate::limits;
use crate::scenario::finding::{Findings, Rule};
use crate::scenario::placed::{Entries, Placed};
use crate::scenario::plan::{Action, Anchor, Content, Signing, Step, TamperWith, Verification};
use crate::scenario::raw::{
    RawAttach, RawCopy, RawDelete, RawFault, RawPush, RawScenario, RawSign, RawStep, RawTamper, RawVerify,
};
use crate::scenario::responder_words::RevocationFrom;
use crate::scenario::scalar::ArtifactName;
use crate::scenario::words::{Format, ManifestForm, SigningScheme, With};

/// The architectures of the images of an index, in the order in which the forge writes them.
const ARCHITECTURES: [&str; 4] = ["amd64", "arm64", "s390x", "riscv64"];

/// Checks the steps, then what is verified at the end.
pub(super) fn check(
    raw: &RawScenario,
    world: &World,
    variant: Variant,
    policies: &mut Policies,
    findings: &mut Findings<'_, '_>,
) -> Vec<Step> {
    let mut reader = Reader { world, variant, policies, there: HashMap::new(), on_hold: HashSet::new(), findings };
    let mut steps = Vec::new();
    for step in &raw.steps {
        let action = reader.step(&step.value);
        steps.extend(action.map(|action| Step { line: step.line, action }));
    }
    for verify in &raw.verify {
        let action = reader.verify(&verify.value, &verify.range).map(Action::Verify);
        steps.extend(action.map(|action| Step { line: verify.line, action }));
    }
    contradictions(&steps, reader.findings);
    steps
}

pub(super) struct Reader<'r, 's, 'a> {
    pub(super) world: &'r World,
    variant: Variant,
    policies: &'r mut Policies,
    /// Artifacts that were pushed so far, with the names of their parts.
    there: HashMap<ArtifactName, HashSet<String>>,
    /// Whose certificates were put on hold so far.
    pub(super) on_hold: HashSet<Anchor>,
    pub(super) findings: &'r mut Findings<'s, 'a>,
}

impl Reader<'_, '_, '_> {
    fn step(&mut self, raw: &RawStep) -> Option<Action> {
        match raw {
            RawStep::Push(push) => self.push(push),
            RawStep::Sign(sign) => {
                let artifact = self.existing(sign.artifact.as_ref())?;
                Some(Action::Sign { artifact, signing: self.signing(sign)? })
            }
            RawStep::Attach(attach) => self.attach(attach),
            RawStep::Copy(copy) => self.copy(copy),
            RawStep::Tamper(tamper) => self.tamper(tamper),
            RawStep::Delete(delete) => self.delete(delete),
            RawStep::Fault(fault) => self.fault(fault),
            RawStep::Revoke(revoke) => self.revoke(revoke),
            RawStep::Restore(restore) => self.restore(restore),
            RawStep::Respond(respond) => self.respond(respond),
            RawStep::Advance(span) => {
                if span.value.0 < Duration::ZERO {
                    let message = "time does not go backwards".to_owned();
                    self.findings.error(Rule::Value, &span.range, message, "advance by a length of time without -");
                }
                Some(Action::Advance(span.value.0))
            }
            RawStep::Verify(verify) => self.verify(verify, &verify.expect.range).map(Action::Verify),
        }
    }

    fn push(&mut self, raw: &RawPush) -> Option<Action> {
        let to = self.new_artifact(raw.to.as_ref())?;
        let count = self.count(raw.count.as_ref());
        let images = raw.images.as_ref().map(|images| (images.value as usize, &images.range));
        if let Some((number, range)) = images
            && !(1..=ARCHITECTURES.len()).contains(&number)
        {
            let message = format!("an index has 1 to {} images here", ARCHITECTURES.len());
            self.findings.error(Rule::Count, range, message, "write a smaller number");
        }
        if let (Some(_), Some(padding)) = (images, &raw.padding) {
            let message = "an index is not padded".to_owned();
            self.findings.error(Rule::Count, &padding.range, message, "remove padding or images");
        }
        if let Some(padding) = raw.padding.as_ref().filter(|padding| padding.value > 64 << 20) {
            self.findings.error(Rule::Count, &padding.range, "this is more than 64 MiB".to_owned(), "write less");
        }
        let content = match images {
            Some((number, _)) => Content::Index(number),
            None => Content::Image { padding: raw.padding.as_ref().map_or(0, |padding| padding.value as usize) },
        };
        let parts = ARCHITECTURES.iter().take(images.map_or(0, |(number, _)| number));
        self.there.insert(to.clone(), parts.map(|architecture| format!("linux/{architecture}")).collect());
        Some(Action::Push { to, count, content })
    }

    fn signing(&mut self, raw: &RawSign) -> Option<Signing> {
        let key = match &raw.key {
            Some(name) => self.key(&name.value, &name.range)?,
            None => self.key(KEY, &(0..0))?,
        };
        Some(Signing {
            key,
            count: self.count(raw.count.as_ref()),
            format: variant_or(raw.format, self.variant.format, Format::Jws),
            scheme: raw.scheme.unwrap_or(SigningScheme::X509),
            expires: raw.expires.map(|span| span.0),
            signed_at: raw.signed_at.map_or(Duration::ZERO, |span| span.0),
            user_metadata: metadata(&raw.user_metadata),
            manifest: raw.manifest.unwrap_or(ManifestForm::ConfigMediaType),
            timestamp: match &raw.timestamp {
                Some(timestamp) => Some(self.stamping(timestamp)?),
                None => None,
            },
            plugin: raw.plugin.clone(),
            plugin_min_version: raw.plugin_min_version.as_ref().map(|version| version.value.clone()),
            attributes: metadata(&raw.attributes),
            defects: raw.defects.clone(),
        })
    }

    fn attach(&mut self, raw: &RawAttach) -> Option<Action> {
        let to = self.existing(raw.to.as_ref())?;
        check_name(&raw.name, "an attachment", self.findings);
        if raw.artifact_type.value.is_empty() {
            let message = "the artifact type is empty".to_owned();
            self.findings.error(Rule::Value, &raw.artifact_type.range, message, "write application/spdx+json");
        }
        if to.part.is_some() {
            let message = format!("something is attached to {} already by name", quote(&to.to_string()));
            let help = "attach it to the artifact itself";
            self.findings.error(Rule::Artifact, &raw.name.range, message, help);
        }
        if !self.there.get_mut(&to).is_none_or(|parts| parts.insert(raw.name.value.clone())) {
            let message = format!("{} has a part called {} already", to, quote(&raw.name.value));
            self.findings.error(Rule::ArtifactRepeated, &raw.name.range, message, "choose another name");
        }
        if let Some(artifact) = raw.sign.as_ref().and_then(|sign| sign.artifact.as_ref()) {
            let message = "what is attached is what is signed here".to_owned();
            self.findings.error(Rule::Artifact, &artifact.range, message, "remove artifact, or make it a step sign");
        }
        let sign = match &raw.sign {
            Some(sign) => Some(self.signing(sign)?),
            None => None,
        };
        let content = raw.content.clone().unwrap_or_else(|| format!("{} of {to}", raw.name.value));
        Some(Action::Attach {
            to,
            name: raw.name.value.clone(),
            artifact_type: raw.artifact_type.value.clone(),
            content,
            sign,
        })
    }

    fn copy(&mut self, raw: &RawCopy) -> Option<Action> {
        let from = self.existing(raw.from.as_ref())?;
        if let (Some(_), Some(named)) = (&from.part, &raw.from) {
            let message = "only whole artifacts are copied".to_owned();
            self.findings.error(Rule::Artifact, &named.range, message, "name HOST/REPOSITORY:TAG");
        }
        let parts = self.there.get(&from).cloned().unwrap_or_default();
        let to = self.new_artifact(Some(&raw.to))?;
        let referrers = raw.referrers.unwrap_or(true);
        let platform = |part: &String| part.starts_with("linux/");
        self.there.insert(to.clone(), parts.into_iter().filter(|part| referrers || platform(part)).collect());
        Some(Action::Copy { from, to, referrers })
    }

    fn tamper(&mut self, raw: &RawTamper) -> Option<Action> {
        let artifact = self.existing(raw.artifact.as_ref())?;
        let operator = raw.operator.value;
        let with = match (operator.needs(), &raw.with) {
            (None, None) => TamperWith::Nothing,
            (None, Some(with)) => {
                let message = format!("{} needs nothing else", operator.as_str());
                self.findings.error(Rule::Tampering, &with.range, message, "remove with");
                return None;
            }
            (Some(needs), None) => {
                let what = if needs == With::Key { "a key" } else { "an artifact" };
                let message = format!("{} needs {what}", operator.as_str());
                self.findings.error(Rule::Tampering, &raw.operator.range, message, "add with");
                return None;
            }
            (Some(With::Key), Some(with)) => TamperWith::Key(self.key(&with.value, &with.range)?),
            (Some(With::Artifact), Some(with)) => match with.value.parse::<ArtifactName>() {
                Ok(name) => {
                    let name = with.with(name);
                    TamperWith::Artifact(self.existing(Some(&name))?)
                }
                Err(message) => {
                    self.findings.error(Rule::Artifact, &with.range, message, "write HOST/REPOSITORY:TAG");
                    return None;
                }
            },
        };
        let signature = raw.signature.as_ref().map_or(0, |number| number.value as usize);
        Some(Action::Tamper { artifact, signature, operator, with })
    }

    fn delete(&mut self, raw: &RawDelete) -> Option<Action> {
        let artifact = self.existing(raw.artifact.as_ref())?;
        let signature = raw.signature.as_ref().map(|number| number.value as usize);
        if signature.is_none() && artifact.part.is_none() {
            self.there.remove(&artifact);
        }
        Some(Action::Delete { artifact, signature })
    }

    fn fault(&mut self, raw: &RawFault) -> Option<Action> {
        let (registry, range) = match &raw.registry {
            Some(host) => (host.value.as_str(), host.range.clone()),
            None => (REGISTRY, 0..0),
        };
        self.registry(registry, &range)?;
        let times = raw.times.as_ref().map_or(usize::MAX, |times| times.value as usize);
        Some(Action::Fault { registry: registry.to_owned(), route: raw.on, answer: raw.answer, times })
    }

    fn verify(&mut self, raw: &RawVerify, place: &Range<usize>) -> Option<Verification> {
        let artifact = match &raw.artifact {
            Some(name) => name.value.clone(),
            None => default_artifact()?,
        };
        let range = raw.artifact.as_ref().map_or(place.clone(), |name| name.range.clone());
        self.registry(artifact.reference.repository.host(), &range)?;
        // What was never pushed may be asked for; a part that nothing has is a slip.
        if artifact.part.is_some() {
            self.existing(raw.artifact.as_ref())?;
        }
        let policy = self.policies.get(raw.policy.as_ref(), self.world, place, self.findings);
        let expect = expect::check(&raw.expect.value, self.world, self.findings);
        let max_signatures = raw.max_signatures.as_ref().map_or(limits::MAX_SIGNATURES, |number| number.value as usize);
        if let Some(number) = raw.max_signatures.as_ref().filter(|number| number.value == 0) {
            let message = "no signature would be judged".to_owned();
            self.findings.error(Rule::Count, &number.range, message, "write 1 or more");
        }
        Some(Verification {
            artifact,
            policy: policy?,
            user_metadata: metadata(&raw.user_metadata),
            max_signatures,
            platforms: raw.platforms.clone(),
            plugin_config: metadata(&raw.plugin_config),
            revocation: raw.revocation.unwrap_or(RevocationFrom::Network),
            expect,
        })
    }

    /// An artifact that is there; the usual one where none is named.
    fn existing(&mut self, name: Option<&Placed<ArtifactName>>) -> Option<ArtifactName> {
        let (name, range) = match name {
            Some(name) => (name.value.clone(), name.range.clone()),
            None => (default_artifact()?, 0..0),
        };
        self.registry(name.reference.repository.host(), &range)?;
        let whole = ArtifactName { part: None, ..name.clone() };
        let Some(parts) = self.there.get(&whole) else {
            let known: Vec<String> = self.there.keys().map(ArtifactName::to_string).collect();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let help = match known.is_empty() {
                true => "push it in a step before".to_owned(),
                false => crate::policy::did_you_mean(&whole.to_string(), &known),
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
                false => crate::policy::did_you_mean(part, &known),
            };
            let message = format!("{whole} has no part {}", quote(part));
            self.findings.error(Rule::Artifact, &range, message, help);
            return None;
        }
        Some(name)
    }

    /// An artifact that is not there yet.
    fn new_artifact(&mut self, name: Option<&Placed<ArtifactName>>) -> Option<ArtifactName> {
        let (name, range) = match name {
            Some(name) => (name.value.clone(), name.range.clone()),
            None => (default_artifact()?, 0..0),
        };
        self.registry(name.reference.repository.host(), &range)?;
        if name.part.is_some() {
            let message = "a part is not pushed by itself".to_owned();
            self.findings.error(Rule::Artifact, &range, message, "name HOST/REPOSITORY:TAG; attach makes parts");
            return None;
        }
        if self.there.contains_key(&name) {
            let message = format!("{name} is there already");
            self.findings.error(Rule::ArtifactRepeated, &range, message, "choose another tag");
            return None;
        }
        Some(name)
    }

    fn registry(&mut self, host: &str, range: &Range<usize>) -> Option<()> {
        if self.world.registries.iter().any(|registry| registry.host == host) {
            return Some(());
        }
        let known = self.world.registries.iter().map(|registry| registry.host.as_str());
        unknown("registry", host, range, known, self.findings);
        None
    }

    fn key(&mut self, name: &str, range: &Range<usize>) -> Option<usize> {
        let found = self.world.key(name);
        if found.is_none() {
            let known = self.world.keys.iter().map(|key| key.name.as_str());
            unknown("key", name, range, known, self.findings);
        }
        found
    }

    fn count(&mut self, raw: Option<&Placed<u32>>) -> u32 {
        let Some(count) = raw else { return 1 };
        if !(1..=limits::SCENARIO_COUNT).contains(&count.value) {
            let message = format!("the number is not between 1 and {}", limits::SCENARIO_COUNT);
            self.findings.error(Rule::Count, &count.range, message, "write another number");
        }
        count.value
    }
}

fn default_artifact() -> Option<ArtifactName> {
    ARTIFACT.parse().ok()
}

fn metadata(entries: &Entries<String>) -> BTreeMap<String, String> {
    entries.0.iter().map(|(key, value)| (key.value.clone(), value.clone())).collect()
}

/// Two verifications of the same, with nothing in between, that cannot both come out so.
fn contradictions(steps: &[Step], findings: &mut Findings<'_, '_>) {
    let mut since: Vec<&Verification> = Vec::new();
    for step in steps {
        let Action::Verify(verify) = &step.action else {
            since.clear();
            continue;
        };
        let same = |other: &&&Verification| {
            other.artifact == verify.artifact
                && Arc::ptr_eq(&other.policy, &verify.policy)
                && other.user_metadata == verify.user_metadata
                && other.max_signatures == verify.max_signatures
                && other.platforms == verify.platforms
                && other.plugin_config == verify.plugin_config
                && other.revocation == verify.revocation
        };
        let code = |verify: &Verification| verify.expect.code.as_ref().map(|code| code.value);
        if let Some(other) = since.iter().find(same)
            && (other.expect.result.value != verify.expect.result.value || code(other) != code(verify))
        {
            let line = findings.line(&other.expect.result.range);
            let message = format!("the same was expected otherwise on line {line}, and nothing happens in between");
            findings.error(Rule::Contradiction, &verify.expect.result.range, message, "correct one of them");
        }
        since.push(verify);
    }
}
