//! Verifying in a scenario: the engine of audits, over HTTP, with the scenario's clock.

use std::convert::Infallible;
use std::sync::Arc;

use super::expectation::{Difference, Expectation, Fix, Noted};
use super::hearing::Heard;
use super::plan::Verification;
use super::world::World;
use crate::audit::{self, Filter, Interrupt, Judged, Platforms, Progress, Target};
use crate::plugin::{NoPlugins, PluginConfig};
use crate::reference::Reference;
use crate::revocation::Nowhere;
use crate::trust_store::TrustStores;

/// How many artifacts are judged at a time.
const AT_A_TIME: usize = 16;

impl World {
    /// Judges: how what comes out differs from what is expected.
    pub(super) async fn judge(&self, verification: &Verification) -> Result<Vec<Difference>, String> {
        let mut judged = Vec::new();
        let keep = |result: Judged| {
            judged.push(result);
            Ok::<(), Infallible>(())
        };
        let plan = self.audit(verification)?;
        let Ok(_) = audit::run(plan, keep, Arc::new(Progress::default()), &Interrupt::default()).await;
        Ok(compare(&judged, verification))
    }

    /// Judges, and keeps the evidence.
    pub(super) async fn hear(&self, verification: &Verification) -> Result<Vec<Heard>, String> {
        let mut heard = Vec::new();
        let keep = |judged: Judged, evidence| {
            heard.push((judged, evidence));
            Ok::<(), Infallible>(())
        };
        let plan = self.audit(verification)?;
        let Ok(_) = audit::run_with_evidence(plan, keep, Arc::new(Progress::default()), &Interrupt::default()).await;
        Ok(heard)
    }

    fn audit(&self, verification: &Verification) -> Result<audit::Plan, String> {
        let stores = verification.policy.statements().iter().flat_map(|statement| &statement.trust_stores);
        let stores = TrustStores::load(self.stores.path(), stores);
        Ok(audit::Plan {
            targets: self.targets(verification)?.into_iter().map(Target::Artifact).collect(),
            filter: Filter::default(),
            platforms: Platforms(verification.platforms.clone()),
            index_manifests: !verification.expect.manifests.is_empty(),
            jobs: AT_A_TIME,
            max_signatures: verification.max_signatures,
            at: self.clock,
            policy: Arc::clone(&verification.policy),
            stores: Arc::new(stores),
            user_metadata: verification.user_metadata.clone(),
            sources: Arc::clone(&self.sources),
            plugin_config: PluginConfig::default(),
            revocation: Arc::new(Nowhere),
            plugins: Arc::new(NoPlugins),
        })
    }

    /// The artifacts of a verification: each of those that were pushed together, or what is named where nothing was.
    fn targets(&self, verification: &Verification) -> Result<Vec<Reference>, String> {
        let name = &verification.artifact;
        let repository = &name.reference.repository;
        let items = self.inventory.get(name);
        if items.is_empty() {
            return Ok(vec![name.reference.clone()]);
        }
        let reference = |item: &super::inventory::Item| match &name.part {
            None => repository.tagged(&item.tag).map_err(|error| error.to_string()),
            Some(part) => {
                let part = item.part(Some(part)).ok_or_else(|| format!("there is no {name}"))?;
                Ok(repository.at(part.descriptor().digest))
            }
        };
        items.iter().map(reference).collect()
    }
}

/// How what was judged differs from what is expected.
pub(super) fn compare(judged: &[Judged], verification: &Verification) -> Vec<Difference> {
    let expect = &verification.expect;
    let mut differences = Vec::new();
    if judged.is_empty() {
        differences.push(difference(
            &verification.artifact.to_string(),
            "artifact",
            "one",
            "nothing was judged",
            expect,
        ));
    }
    let wholes = judged.iter().filter(|judged| judged.part_of.is_none());
    for whole in wholes {
        note(&mut differences, whole, expect, &whole.reference);
    }
    for (platform, expected) in &expect.manifests {
        let parts = judged.iter().filter(|part| part.platform.as_ref() == Some(&platform.value));
        let mut any = false;
        for part in parts {
            any = true;
            note(&mut differences, part, expected, &format!("{} ({})", part.reference, platform.value));
        }
        if !any {
            let name = verification.artifact.to_string();
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

fn note(differences: &mut Vec<Difference>, judged: &Judged, expect: &Expectation, artifact: &str) {
    expect.compare(&judged.outcome, &mut |noted: Noted| {
        let Noted { what, expected, found, place, fix } = noted;
        let (line, range) = (place.line, place.range);
        differences.push(Difference { artifact: artifact.to_owned(), what, expected, found, line, range, fix });
    });
}

fn difference(artifact: &str, what: &str, expected: &str, found: &str, expect: &Expectation) -> Difference {
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
