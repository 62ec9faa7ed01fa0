//! Verifying in a scenario: the engine of audits over HTTP, or for a file that of `muster blob verify`, with the scenario's
//! clock.

use std::sync::Arc;

use super::expectation::{Difference, Expectation, Fix, Noted, Requests};
use super::policy_kind::PolicyInForce;
use super::scalar::ArtifactName;
use super::steps::{RevocationFrom, Subject, Verification};
use super::world::{Holders, World};
use crate::audit::{Judged, Platforms, Target};
use crate::evidence::{BlobEvidence, Evidence};
use crate::fetch::{Folder, Offline, RevocationSource, for_one_run};
use crate::policy::Statement;
use crate::reference::Reference;
use crate::trust_store::TrustStores;
use crate::verifier::{Verifier, VerifierBuilder};
use crate::verify::Verdict;

/// How many artifacts are judged at a time.
const AT_A_TIME: usize = 16;
/// How many artifacts are named to an audit at a time.
const TARGETS_AT_A_TIME: usize = 10_000;

/// What an audit of a world came to.
pub(super) struct AuditRun {
    /// The first artifacts with their evidence, as many as were wanted. Or one file with its own.
    pub(super) judged: Vec<(Judged, Option<Collected>)>,
    /// What responders were asked meanwhile.
    pub(super) requests: Requests,
    /// How what came out differs from what is expected.
    pub(super) differences: Vec<Difference>,
    /// Whether every artifact passed by every signature, so that no trouble on the way can have changed what came out.
    pub(super) sound: bool,
}

/// What something was judged from.
#[derive(Debug, Clone)]
pub(super) enum Collected {
    Artifact(Box<Evidence>),
    File(Box<BlobEvidence>),
}

impl World {
    /// Judges, compares one by one, and keeps the first `kept` artifacts with their evidence.
    pub(super) async fn audit(&self, verification: &Verification, kept: usize) -> Result<AuditRun, String> {
        let before = self.responders.requests();
        let mut judged = Vec::new();
        let mut comparison = Comparison::new(verification, &self.holders);
        let mut sound = true;
        match (&verification.subject, &verification.policy) {
            (Subject::File(file), PolicyInForce::Blobs(policy)) => {
                let verifier = self.verifier(policy, policy.statements(), verification)?.build();
                let (outcome, evidence) = verifier.verify_blob(file.request(&self.files)).await;
                let evidence = evidence.map(|evidence| Collected::File(Box::new(evidence)));
                let result = Judged::of_blob(file.name.clone(), outcome);
                sound &= is_sound(&result);
                comparison.add(&result);
                judged.push((result, evidence.filter(|_| kept > 0)));
            }
            (subject, PolicyInForce::Artifacts(policy)) => {
                let verifier = self
                    .verifier(policy, policy.statements(), verification)?
                    .platforms(platforms(verification)?)
                    .jobs(AT_A_TIME)
                    .max_signatures(verification.max_signatures)
                    .keep_evidence()
                    .build();
                // Of many, some at a time: the names of all would take more memory than the rest of the verification.
                let mut first = 0;
                loop {
                    let (targets, count) = match subject {
                        Subject::All(all) => (vec![all.clone()], 1),
                        Subject::Artifact(name) => {
                            let targets = self.targets(name, first)?.into_iter().map(Target::Artifact).collect();
                            (targets, self.inventory.get(name).len())
                        }
                        Subject::File(_) => (Vec::new(), 0),
                    };
                    first += TARGETS_AT_A_TIME;
                    let mut audit = verifier.audit(Arc::clone(&self.sources), targets);
                    while let Some(mut result) = audit.next().await {
                        sound &= is_sound(&result);
                        comparison.add(&result);
                        if judged.len() < kept {
                            let evidence = result.evidence.take();
                            judged.push((result, evidence.map(Collected::Artifact)));
                        }
                    }
                    if first >= count {
                        break;
                    }
                }
            }
            // What is verified and its policy are checked together.
            (_, PolicyInForce::Blobs(_)) => return Err("a policy for blobs judges no artifact".to_owned()),
        }
        let mut requests = self.responders.requests();
        for (server, count) in &mut requests {
            *count -= before.get(server).copied().unwrap_or(0);
        }
        let differences = comparison.end(&requests);
        Ok(AuditRun { judged, requests, differences, sound })
    }

    /// What judges by `policy`, which has these statements, with the stores as they are now.
    fn verifier<P>(
        &self,
        policy: &Arc<P>,
        statements: &[Statement],
        verification: &Verification,
    ) -> Result<VerifierBuilder<P>, String> {
        let stores = TrustStores::load(self.stores.path(), statements.iter().flat_map(|named| &named.trust_stores));
        Ok(Verifier::builder(Arc::clone(policy), stores)
            .at(self.clock)
            .revocation_of_one_run(self.revocation(verification)?)
            .plugins(self.plugins.host())
            .plugin_config(verification.plugin_config.clone())
            .user_metadata(verification.user_metadata.clone()))
    }

    /// Where a verification has its CRLs and OCSP answers from: a new source for each, so that it remembers nothing.
    pub(super) fn revocation(&self, verification: &Verification) -> Result<Arc<dyn RevocationSource>, String> {
        match &verification.revocation {
            RevocationFrom::Network => Ok(self.responders.source()),
            RevocationFrom::Offline => Ok(Arc::new(Offline)),
            RevocationFrom::Folder(folder) => {
                let recorded = Folder::read(folder).map_err(|error| error.to_string())?;
                Ok(for_one_run(Arc::new(recorded), None))
            }
        }
    }

    /// The artifacts of a verification from the one at `first` on, some at a time: those that were pushed together, or what is
    /// named where nothing was.
    fn targets(&self, name: &ArtifactName, first: usize) -> Result<Vec<Reference>, String> {
        let repository = &name.reference.repository;
        let items = self.inventory.get(name);
        if items.is_empty() {
            return Ok(vec![name.reference.clone()]);
        }
        let reference = |item: &super::inventory::Item| match &name.part {
            None => repository.tagged(&item.tag(name)).map_err(|error| error.to_string()),
            Some(part) => {
                let part = item.part(Some(part)).ok_or_else(|| format!("there is no {name}"))?;
                Ok(repository.at(part.digest()))
            }
        };
        items.iter().skip(first).take(TARGETS_AT_A_TIME).map(reference).collect()
    }
}

/// The manifests of an index are judged one by one where something is expected of them.
fn platforms(verification: &Verification) -> Result<Platforms, String> {
    match (verification.expect.manifests.is_empty(), verification.platforms.is_empty()) {
        (true, _) => Ok(Platforms::Covered),
        (false, true) => Ok(Platforms::All),
        (false, false) => Platforms::read(&verification.platforms).map_err(|error| error.to_string()),
    }
}

/// Whether an artifact passed, and each of its signatures.
fn is_sound(judged: &Judged) -> bool {
    let outcome = &judged.outcome;
    outcome.verdict == Verdict::Pass && outcome.signatures.iter().all(|signature| signature.verdict == Verdict::Pass)
}

/// What came out, compared one by one with what is expected.
pub(super) struct Comparison<'c> {
    verification: &'c Verification,
    holders: &'c Holders,
    /// How many artifacts were judged as such.
    wholes: u64,
    any: bool,
    differences: Vec<Difference>,
    /// Of each platform that something is expected of: how its manifests differ; `None` if there was none.
    manifests: Vec<Option<Vec<Difference>>>,
    /// Manifests of which nothing is expected.
    more: Vec<Difference>,
}

impl<'c> Comparison<'c> {
    pub(super) fn new(verification: &'c Verification, holders: &'c Holders) -> Comparison<'c> {
        let manifests = verification.expect.manifests.iter().map(|_| None).collect();
        let (differences, more) = (Vec::new(), Vec::new());
        Comparison { verification, holders, wholes: 0, any: false, differences, manifests, more }
    }

    /// Compares a judged artifact.
    pub(super) fn add(&mut self, judged: &Judged) {
        let expect = &self.verification.expect;
        self.any = true;
        if judged.part_of.is_none() {
            self.wholes += 1;
            note(&mut self.differences, judged, expect, self.holders, &judged.reference);
        }
        let mut is_expected = false;
        for ((platform, expected), found) in expect.manifests.iter().zip(&mut self.manifests) {
            if judged.platform.as_ref() == Some(&platform.value) {
                is_expected = true;
                let name = format!("{} ({})", judged.reference, platform.value);
                note(found.get_or_insert_default(), judged, expected, self.holders, &name);
            }
        }
        if judged.part_of.is_some() && !is_expected {
            let platform = judged.platform.as_deref().unwrap_or("no platform");
            let found = format!("{} ({platform})", judged.outcome.verdict.as_str());
            self.more.push(difference(&judged.reference, "manifests", "nothing more", &found, expect));
        }
    }

    /// How what was judged, while responders were asked so much, differs from what is expected.
    pub(super) fn end(self, requests: &Requests) -> Vec<Difference> {
        let expect = &self.verification.expect;
        let name = self.verification.name();
        let mut differences = Vec::new();
        if !self.any {
            differences.push(difference(&name, "artifact", "one", "nothing was judged", expect));
        }
        differences.extend(self.differences);
        expect.compare_artifacts(self.wholes, &mut |noted| differences.push(placed(noted, &name)));
        expect.compare_requests(requests, &mut |noted| differences.push(placed(noted, &name)));
        for ((platform, expected), found) in expect.manifests.iter().zip(self.manifests) {
            differences.extend(found.unwrap_or_else(|| {
                let what = format!("manifests.{}", platform.value);
                vec![difference(&name, &what, "one", "no such manifest was judged", expected)]
            }));
        }
        differences.extend(self.more);
        differences
    }
}

fn note(differences: &mut Vec<Difference>, judged: &Judged, expect: &Expectation, holders: &Holders, artifact: &str) {
    expect.compare(&judged.outcome, holders, &mut |noted| differences.push(placed(noted, artifact)));
}

fn placed(noted: Noted, artifact: &str) -> Difference {
    let Noted { what, expected, found, place, fix } = noted;
    let (line, range) = (place.line, place.range);
    Difference { artifact: artifact.to_owned(), what, expected, found, line, range, fix }
}

/// A difference that stands at the expectation as a whole, and that only its author can mend.
pub(super) fn difference(artifact: &str, what: &str, expected: &str, found: &str, expect: &Expectation) -> Difference {
    Difference {
        artifact: artifact.to_owned(),
        what: what.to_owned(),
        expected: expected.to_owned(),
        found: found.to_owned(),
        line: expect.result.line,
        range: expect.result.range.clone(),
        fix: Fix::ByHand,
    }
}
