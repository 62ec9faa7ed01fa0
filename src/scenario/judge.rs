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

/// How many artifacts are judged at a time.
const AT_A_TIME: usize = 16;

/// What an audit of a world came to.
pub(super) struct AuditRun {
    /// Each artifact, and its evidence: of the first ones, as many as were wanted. Or one file with its own.
    pub(super) judged: Vec<(Judged, Option<Collected>)>,
    /// What responders were asked meanwhile.
    pub(super) requests: Requests,
}

/// What something was judged from.
#[derive(Debug, Clone)]
pub(super) enum Collected {
    Artifact(Box<Evidence>),
    File(Box<BlobEvidence>),
}

impl World {
    /// Judges, and keeps the evidence of the first `kept` artifacts.
    pub(super) async fn audit(&self, verification: &Verification, kept: usize) -> Result<AuditRun, String> {
        let before = self.responders.requests();
        let mut judged = Vec::new();
        match (&verification.subject, &verification.policy) {
            (Subject::File(file), PolicyInForce::Blobs(policy)) => {
                let verifier = self.verifier(policy, policy.statements(), verification)?.build();
                let (outcome, evidence) = verifier.verify_blob(file.request(&self.files)).await;
                let evidence = evidence.map(|evidence| Collected::File(Box::new(evidence)));
                judged.push((Judged::of_blob(file.name.clone(), outcome), evidence.filter(|_| kept > 0)));
            }
            (subject, PolicyInForce::Artifacts(policy)) => {
                let verifier = self
                    .verifier(policy, policy.statements(), verification)?
                    .platforms(platforms(verification)?)
                    .jobs(AT_A_TIME)
                    .max_signatures(verification.max_signatures)
                    .keep_evidence()
                    .build();
                let targets = match subject {
                    Subject::All(all) => vec![all.clone()],
                    Subject::Artifact(name) => self.targets(name)?.into_iter().map(Target::Artifact).collect(),
                    Subject::File(_) => Vec::new(),
                };
                let mut audit = verifier.audit(Arc::clone(&self.sources), targets);
                while let Some(mut result) = audit.next().await {
                    let evidence = result.evidence.take().filter(|_| judged.len() < kept);
                    judged.push((result, evidence.map(Collected::Artifact)));
                }
            }
            // What is verified and its policy are checked together.
            (_, PolicyInForce::Blobs(_)) => return Err("a policy for blobs judges no artifact".to_owned()),
        }
        let mut requests = self.responders.requests();
        for (server, count) in &mut requests {
            *count -= before.get(server).copied().unwrap_or(0);
        }
        Ok(AuditRun { judged, requests })
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

    /// The artifacts of a verification: each of those that were pushed together, or what is named where nothing was.
    fn targets(&self, name: &ArtifactName) -> Result<Vec<Reference>, String> {
        let repository = &name.reference.repository;
        let items = self.inventory.get(name);
        if items.is_empty() {
            return Ok(vec![name.reference.clone()]);
        }
        let reference = |item: &super::inventory::Item| match &name.part {
            None => repository.tagged(&item.tag(name)).map_err(|error| error.to_string()),
            Some(part) => {
                let part = item.part(Some(part)).ok_or_else(|| format!("there is no {name}"))?;
                Ok(repository.at(part.descriptor().digest))
            }
        };
        items.iter().map(reference).collect()
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

/// How what was judged, while responders were asked so much, differs from what is expected.
pub(super) fn compare(
    judged: &[Judged],
    requests: &Requests,
    verification: &Verification,
    holders: &Holders,
) -> Vec<Difference> {
    let expect = &verification.expect;
    let mut differences = Vec::new();
    if judged.is_empty() {
        differences.push(difference(&verification.name(), "artifact", "one", "nothing was judged", expect));
    }
    let wholes: Vec<&Judged> = judged.iter().filter(|judged| judged.part_of.is_none()).collect();
    for whole in &wholes {
        note(&mut differences, whole, expect, holders, &whole.reference);
    }
    let name = verification.name();
    expect.compare_artifacts(wholes.len() as u64, &mut |noted| differences.push(placed(noted, &name)));
    expect.compare_requests(requests, &mut |noted| differences.push(placed(noted, &name)));
    for (platform, expected) in &expect.manifests {
        let parts = judged.iter().filter(|part| part.platform.as_ref() == Some(&platform.value));
        let mut any = false;
        for part in parts {
            any = true;
            note(&mut differences, part, expected, holders, &format!("{} ({})", part.reference, platform.value));
        }
        if !any {
            let name = verification.name();
            let what = format!("manifests.{}", platform.value);
            differences.push(difference(&name, &what, "one", "no such manifest was judged", expected));
        }
    }
    for part in judged.iter().filter(|part| part.part_of.is_some()) {
        let expected = expect.manifests.iter().any(|(platform, _)| Some(&platform.value) == part.platform.as_ref());
        if !expected {
            let platform = part.platform.as_deref().unwrap_or("no platform");
            let found = format!("{} ({platform})", part.outcome.verdict.as_str());
            differences.push(difference(&part.reference, "manifests", "nothing more", &found, expect));
        }
    }
    differences
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
