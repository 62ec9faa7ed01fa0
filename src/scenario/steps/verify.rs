//! `verify`: what is judged by which trust policy, and what must come out; also the list at a scenario's end.
//!
//! Judging itself is not done here: the runner collects the evidence and compares (see [`crate::scenario::judge`]).

use std::collections::BTreeMap;
use std::ops::Range;

use schemars::JsonSchema;
use serde::Deserialize;

use super::reader::{Reader, default_artifact, metadata};
use super::revocation_from::{RawRevocation, RevocationFrom};
use super::verify_file::FileToVerify;
use super::{Action, PlacedAction, Step, Written};
use crate::audit::{Platforms, Target};
use crate::limits;
use crate::plugin::PluginConfig;
use crate::scenario::expectation::{self, Expectation, RawExpect};
use crate::scenario::finding::{Findings, Rule};
use crate::scenario::policies::RawPolicy;
use crate::scenario::policy_kind::PolicyInForce;
use crate::scenario::scalar::ArtifactName;
use crate::scenario::spanned::{OrderedMap, Spanned};
use crate::scenario::words::Format;
use crate::scenario::world::{Capability, Demand, Needs, World};

/// `verify`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawVerify {
    /// What is verified; registry.wabbit-networks.io/net-monitor:v1 if left out. Of many that were pushed together, each.
    pub(super) artifact: Option<Spanned<ArtifactName>>,
    /// In its place: every tag of HOST/REPOSITORY, or of every repository of HOST, as an audit lists them.
    pub(super) all: Option<Spanned<String>>,
    /// In its place: a file that was written, by its detached signature.
    pub(super) file: Option<Spanned<String>>,
    /// Which of the signatures of the file, counted from 0; must be said where it has several.
    pub(super) signature: Option<Spanned<u32>>,
    /// The format that the signature of the file is taken for; its own if left out.
    pub(super) signature_format: Option<Spanned<Format>>,
    /// The media type as which the file must have been signed; any if left out.
    pub(super) media_type: Option<Spanned<String>>,
    /// The statement of the trust policy for blobs that judges the file; the one with globalPolicy if left out.
    pub(super) policy_name: Option<Spanned<String>>,
    /// The trust policy, for a file one for blobs: a file, from here; or a statement, or a list of statements, that say only
    /// how they depart from the sound one. If left out, the one that a step has rolled out, else the sound one.
    policy: Option<Spanned<RawPolicy>>,
    /// User metadata that must have been signed.
    #[serde(default)]
    user_metadata: OrderedMap<String>,
    /// How many signatures are judged; 100 if left out.
    pub(super) max_signatures: Option<Spanned<u32>>,
    /// Of an index, only manifests for these platforms; all if left out.
    #[serde(default)]
    pub(super) platforms: Vec<Spanned<String>>,
    /// Settings for verification plugins.
    #[serde(default)]
    plugin_config: OrderedMap<String>,
    /// Where CRLs and OCSP answers come from; network if left out.
    revocation: Option<RawRevocation>,
    /// What must come out.
    pub(super) expect: Spanned<RawExpect>,
}

/// What is verified.
#[derive(Debug, Clone)]
pub(in crate::scenario) struct Verification {
    pub(in crate::scenario) subject: Subject,
    /// Of the kind that the subject needs.
    pub(in crate::scenario) policy: PolicyInForce,
    pub(in crate::scenario) user_metadata: BTreeMap<String, String>,
    pub(in crate::scenario) max_signatures: usize,
    pub(in crate::scenario) platforms: Vec<String>,
    pub(in crate::scenario) plugin_config: PluginConfig,
    /// Where CRLs and OCSP answers come from.
    pub(in crate::scenario) revocation: RevocationFrom,
    pub(in crate::scenario) expect: Expectation,
}

/// What is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::scenario) enum Subject {
    /// The artifacts of one name.
    Artifact(ArtifactName),
    /// What a repository or a registry lists.
    All(Target),
    /// A file.
    File(FileToVerify),
}

impl Written for RawVerify {
    type Checked = Verification;

    fn check(&self, reader: &mut Reader<'_, '_, '_>) -> Option<Verification> {
        self.check_at(&self.expect.range, reader)
    }
}

impl RawVerify {
    /// Checks what is verified; `place` is where findings point that concern a member which was left out.
    pub(super) fn check_at(&self, place: &Range<usize>, reader: &mut Reader<'_, '_, '_>) -> Option<Verification> {
        if let (None, Some(count)) = (&self.all, &self.expect.value.artifacts) {
            let message = "artifacts are counted where all of a repository or a registry are verified".to_owned();
            reader.findings.error(Rule::Contradiction, &count.range, message, "add all, or remove artifacts");
        }
        let (subject, policy) = match &self.file {
            Some(file) => {
                let file = self.file_to_verify(file, reader)?;
                let raw = self.policy.clone().or_else(|| reader.rolled_out_for_blobs.clone());
                let policy = reader.policies.get_for_blobs(raw.as_ref(), reader.things, place, reader.findings);
                (Subject::File(file), policy.map(PolicyInForce::Blobs))
            }
            None => {
                let subject = self.artifacts(place, reader)?;
                let raw = self.policy.clone().or_else(|| reader.rolled_out.clone());
                let policy = reader.policies.get(raw.as_ref(), reader.things, place, reader.findings);
                (subject, policy.map(PolicyInForce::Artifacts))
            }
        };
        let expect = expectation::check(&self.expect.value, reader.things, reader.findings);
        let max_signatures =
            self.max_signatures.as_ref().map_or(limits::MAX_SIGNATURES, |number| number.value as usize);
        if let Some(number) = self.max_signatures.as_ref().filter(|number| number.value == 0) {
            let message = "no signature would be judged".to_owned();
            reader.findings.error(Rule::Count, &number.range, message, "write 1 or more");
        }
        self.check_platforms(reader);
        let revocation = match &self.revocation {
            Some(raw) => raw.check(reader)?,
            None => RevocationFrom::Network,
        };
        Some(Verification {
            subject,
            policy: policy?,
            user_metadata: metadata(&self.user_metadata),
            max_signatures,
            platforms: self.platforms.iter().map(|platform| platform.value.clone()).collect(),
            plugin_config: metadata(&self.plugin_config),
            revocation,
            expect,
        })
    }
}

impl RawVerify {
    /// The artifacts that are judged.
    fn artifacts(&self, place: &Range<usize>, reader: &mut Reader<'_, '_, '_>) -> Option<Subject> {
        self.check_members_of_files(reader)?;
        if let Some(all) = &self.all {
            return self.listed(all, reader).map(Subject::All);
        }
        let artifact = match &self.artifact {
            Some(name) => name.value.clone(),
            None => default_artifact()?,
        };
        let range = self.artifact.as_ref().map_or(place.clone(), |name| name.range.clone());
        reader.registry(artifact.reference.repository.host(), &range)?;
        // What was never pushed may be asked for; a part that nothing has is a slip.
        if artifact.part.is_some() {
            reader.existing(self.artifact.as_ref())?;
        }
        Some(Subject::Artifact(artifact))
    }

    /// What `all` lists.
    fn listed(&self, all: &Spanned<String>, reader: &mut Reader<'_, '_, '_>) -> Option<Target> {
        if let Some(artifact) = &self.artifact {
            let message = "one artifact is verified, or all of a repository or a registry".to_owned();
            reader.findings.error(Rule::Contradiction, &artifact.range, message, "remove artifact or all");
        }
        let target = match all.value.contains('/') {
            true => all.value.parse().map(Target::Repository).map_err(|error| error.to_string()),
            false => Ok(Target::Registry(all.value.clone())),
        };
        match target {
            Ok(target) => {
                reader.registry(target.host().unwrap_or_default(), &all.range)?;
                Some(target)
            }
            Err(message) => {
                reader.findings.error(Rule::Artifact, &all.range, message, "write HOST/REPOSITORY or HOST");
                None
            }
        }
    }

    /// Platforms must be such, and choose among manifests that are expected.
    fn check_platforms(&self, reader: &mut Reader<'_, '_, '_>) {
        for platform in &self.platforms {
            if let Err(error) = Platforms::read(std::slice::from_ref(&platform.value)) {
                reader.findings.error(Rule::Value, &platform.range, error.to_string(), "write linux/amd64");
            }
        }
        if let (Some(platform), true) = (self.platforms.first(), self.expect.value.manifests.0.is_empty()) {
            let message = "platforms choose among the manifests of an index, and none is expected".to_owned();
            let help = "add manifests to expect, or remove platforms";
            reader.findings.error(Rule::Contradiction, &platform.range, message, help);
        }
    }
}

impl Verification {
    /// What is verified, as messages call it.
    pub(in crate::scenario) fn name(&self) -> String {
        match &self.subject {
            Subject::Artifact(name) => name.to_string(),
            Subject::All(target) => target.to_string(),
            Subject::File(file) => file.name.clone(),
        }
    }
}

impl Step for Verification {
    fn prepare<'s>(&'s self, needs: &mut Needs<'s>) {
        if let Subject::All(Target::Registry(host)) = &self.subject {
            needs.demands.push(Demand { host, what: Capability::Catalog });
        }
    }

    async fn act(&self, _: &mut World) -> Result<(), String> {
        Ok(())
    }
}

/// Two verifications of the same, with nothing in between, that cannot both come out so.
pub(super) fn contradictions(steps: &[PlacedAction], findings: &mut Findings<'_, '_>) {
    let mut since: Vec<&Verification> = Vec::new();
    for step in steps {
        let Action::Verify(verify) = &step.action else {
            since.clear();
            continue;
        };
        let same = |other: &&&Verification| {
            other.subject == verify.subject
                && other.policy.is_same(&verify.policy)
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
