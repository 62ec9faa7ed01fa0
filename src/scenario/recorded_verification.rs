//! Recorded verifications: what each was judged by, kept so that it can be judged again, by the same trust policy or another.
//!
//! No registry and no responder is asked a second time: the evidence is decided on as it was collected. So every
//! verification is judged twice, the second time without any network, and both reports must be the same; and it can be
//! told which cases would notice a change of a policy. Another policy may want to know what the first did not ask about.
//! Where that is to be told, everything that any policy could ask is asked while the world still stands as it did.

use std::path::Path;
use std::sync::Arc;

use time::OffsetDateTime;

use super::cases::Plan;
use super::expectation::{Difference, Requests};
use super::judge::{AuditRun, Collected, Comparison, difference};
use super::play::play;
use super::policy_kind::PolicyInForce;
use super::run::{CaseStatus, Options, PhaseTimings, Selected};
use super::steps::{Subject, Verification};
use super::world::{Holders, Plugins, World};
use crate::audit::{AnswerSources, Judged, decide_with_answers};
use crate::diagnostic::Diagnostic;
use crate::evidence::{BlobEvidence, Evidence};
use crate::fetch::Offline;
use crate::forge::Containers;
use crate::limits;
use crate::policy::{BlobTrustPolicy, TrustPolicy};
use crate::report::v1;
use crate::trust_store::{StoreName, StoreType, TrustStores};
use crate::verify::{self, Caches, Options as DecisionOptions, Outcome};

/// How many artifacts of a verification are judged again by the same policy: of thousands alike, the rest says no more.
const AGAIN: usize = 100;
/// One verification of a case, with everything that it was judged by.
#[derive(Debug)]
pub struct RecordedVerification {
    verification: Verification,
    line: usize,
    at: OffsetDateTime,
    /// The stores of the scenario's own policy and those of strangers, and what else it is judged by.
    options: DecisionOptions,
    holders: Arc<Holders>,
    plugins: Arc<Plugins>,
    judged: Vec<(Judged, Option<Collected>)>,
    requests: Requests,
    /// How what came out differs from what the scenario expects.
    differences: Vec<Difference>,
    /// Whether everything passed, so that no trouble on the way can have changed what came out.
    pub(super) sound: bool,
}

/// Plays a case with the parts that it names, and what else `options` say: how it ended, and its verifications as far as it
/// came.
pub async fn run_and_record(selected: &Selected, options: &Options) -> (CaseStatus, Vec<RecordedVerification>) {
    let mut recorded = Vec::new();
    let containers = Arc::new(Containers::watched_by(options.program.as_deref()));
    let (status, _) =
        play(selected, options, &containers, None, &mut PhaseTimings::default(), Some(&mut recorded)).await;
    // What cannot be removed now is removed by the next run.
    let _ = containers.remove_all(limits::CONTAINER_REMOVAL_AT_THE_END).await;
    (status, recorded)
}

impl RecordedVerification {
    /// The name of stores that no scenario makes: in a recorded verification each holds every root and every signer that certifies
    /// itself, trusted or not. A policy that names one trusts every authority in the world.
    pub const STRANGERS: &str = "strangers";

    /// The policy that the scenario judges by.
    pub fn policy(&self) -> &PolicyInForce {
        &self.verification.policy
    }

    /// The line of the verification in the file.
    pub fn line(&self) -> usize {
        self.line
    }

    /// Judges again, by `policy`: how what comes out differs from what the scenario expects. The stores that can be used
    /// are those that the scenario's own policy names, and those of strangers. Plugins that would be told something else
    /// by this policy are run; no network is asked anything. A policy of the other kind, for blobs or for artifacts, changes
    /// nothing.
    pub fn judge_by(&self, policy: &PolicyInForce) -> Vec<Difference> {
        let again = |(judged, evidence): &(Judged, Option<Collected>)| {
            let outcome = evidence.as_ref().and_then(|evidence| self.decide(evidence, policy));
            outcome.map_or_else(|| judged.clone(), |outcome| Judged { outcome, ..judged.clone() })
        };
        let mut comparison = Comparison::new(&self.verification, &self.holders);
        self.judged.iter().map(again).for_each(|judged| comparison.add(&judged));
        comparison.end(&self.requests)
    }

    /// How what came out differs from what the scenario expects, and from what comes out again without a network.
    pub(super) fn differences(self) -> Vec<Difference> {
        let mut differences = self.unlike_again();
        differences.extend(self.differences);
        differences
    }

    /// How the report differs when the evidence is judged again, with caches of its own and without network.
    pub(super) fn unlike_again(&self) -> Vec<Difference> {
        let mut options = self.options.clone();
        options.caches = Arc::new(Caches::default());
        let mut differences = Vec::new();
        for (judged, evidence) in &self.judged {
            let Some(evidence) = evidence else { continue };
            let Some(again) = self.decide_once(evidence, &self.verification.policy, &options) else { continue };
            let (first, second) = (report(judged, &judged.outcome), report(judged, &again));
            if first != second || !again.pending.needs.is_empty() {
                let expect = &self.verification.expect;
                differences.push(difference(&judged.reference, "the report without network", &first, &second, expect));
            }
        }
        differences
    }

    /// What `world` judges `verification`, which stands on `line`, by.
    pub(super) async fn record(
        world: &World,
        verification: &Verification,
        line: usize,
    ) -> Result<RecordedVerification, String> {
        let run = world.audit(verification, AGAIN).await?;
        Ok(RecordedVerification::of(world, verification, line, run, &[]))
    }

    /// The same, with everything that any policy could ask about.
    pub(super) async fn record_for_any_policy(
        world: &World,
        plan: &Plan,
        verification: &Verification,
        line: usize,
    ) -> Result<RecordedVerification, String> {
        let run = world.audit(verification, usize::MAX).await?;
        let strangers = strangers(world, plan).map_err(|error| format!("the stores of strangers: {error}"))?;
        let mut record = RecordedVerification::of(world, verification, line, run, &strangers);
        let everything =
            everything(&record.verification).map_err(|_| "the policy that asks everything is refused".to_owned())?;
        let sources = AnswerSources { revocation: world.revocation(verification)?, plugins: record.plugins.host() };
        for number in 0..record.judged.len() {
            let Some(evidence) = record.judged[number].1.take() else { continue };
            record.judged[number].1 =
                record.settle(evidence, &everything, &sources).await.map(|(_, evidence)| evidence);
        }
        Ok(record)
    }

    fn of(
        world: &World,
        verification: &Verification,
        line: usize,
        run: AuditRun,
        strangers: &[StoreName],
    ) -> RecordedVerification {
        let named = verification.policy.statements().iter().flat_map(|statement| &statement.trust_stores);
        let mut options = DecisionOptions::new(TrustStores::load(world.stores.path(), named.chain(strangers)));
        options.user_metadata = verification.user_metadata.clone();
        options.plugin_config = verification.plugin_config.clone();
        RecordedVerification {
            verification: verification.clone(),
            line,
            at: world.clock,
            options,
            holders: Arc::clone(&world.holders),
            plugins: Arc::clone(&world.plugins),
            judged: run.judged,
            requests: run.requests,
            differences: run.differences,
            sound: run.sound,
        }
    }

    /// Decides by `policy`, running plugins that were not told so before; `None` if the policy is of the other kind.
    fn decide(&self, evidence: &Collected, policy: &PolicyInForce) -> Option<Outcome> {
        let outcome = self.decide_once(evidence, policy, &self.options)?;
        if outcome.pending.needs.is_empty() {
            return Some(outcome);
        }
        let sources = AnswerSources { revocation: Arc::new(Offline), plugins: self.plugins.host() };
        // The caller may be on a thread of a runtime, which cannot wait; a thread of its own can.
        let settled = std::thread::scope(|scope| {
            let settled = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
                runtime.block_on(self.settle(evidence.clone(), policy, &sources))
            });
            settled.join().ok().flatten()
        });
        Some(settled.map_or(outcome, |(outcome, _)| outcome))
    }

    /// Decides by `policy` on what the evidence holds; `None` if the policy is of the other kind.
    fn decide_once(&self, evidence: &Collected, policy: &PolicyInForce, options: &DecisionOptions) -> Option<Outcome> {
        match (evidence, policy) {
            (Collected::Artifact(evidence), PolicyInForce::Artifacts(policy)) => {
                Some(verify::decide(evidence, policy, options, self.at))
            }
            (Collected::File(evidence), PolicyInForce::Blobs(policy)) => {
                Some(verify::decide_blob(evidence, self.statement(), policy, options, self.at))
            }
            _ => None,
        }
    }

    /// Decides by `policy`, and asks `sources` for what the evidence does not hold; `None` if the policy is of the other kind.
    async fn settle(
        &self,
        evidence: Collected,
        policy: &PolicyInForce,
        sources: &AnswerSources,
    ) -> Option<(Outcome, Collected)> {
        let (options, at) = (&self.options, self.at);
        match (evidence, policy) {
            (Collected::Artifact(evidence), PolicyInForce::Artifacts(policy)) => {
                let decide = async |evidence: Evidence| (verify::decide(&evidence, policy, options, at), evidence);
                let (outcome, evidence) = decide_with_answers(*evidence, sources, decide).await;
                Some((outcome, Collected::Artifact(Box::new(evidence))))
            }
            (Collected::File(evidence), PolicyInForce::Blobs(policy)) => {
                let name = self.statement();
                let decide = async |evidence: BlobEvidence| {
                    (verify::decide_blob(&evidence, name, policy, options, at), evidence)
                };
                let (outcome, evidence) = decide_with_answers(*evidence, sources, decide).await;
                Some((outcome, Collected::File(Box::new(evidence))))
            }
            _ => None,
        }
    }

    /// The name of the statement by which a file is judged.
    fn statement(&self) -> Option<&str> {
        match &self.verification.subject {
            Subject::File(file) => file.statement.as_deref(),
            _ => None,
        }
    }
}

/// The trust policy that wants to know everything, of every signer in the world, of the kind and by the name that judge this.
fn everything(verification: &Verification) -> Result<PolicyInForce, Vec<Diagnostic>> {
    let document = |name: &str, place: &str| {
        let policy = serde_json::json!({ "version": "1.0", "trustPolicies": [{
            "name": name,
            place: if place == "globalPolicy" { serde_json::json!(true) } else { serde_json::json!(["*"]) },
            "signatureVerification": { "level": "audit" },
            "trustedIdentities": ["*"],
            "trustStores": StoreType::ALL.map(|kind| format!("{}:{}", kind.as_str(), RecordedVerification::STRANGERS)),
        }] });
        policy.to_string()
    };
    match &verification.subject {
        Subject::File(file) => {
            let name = file.statement.as_deref().unwrap_or("everything");
            let policy = BlobTrustPolicy::parse(document(name, "globalPolicy").as_bytes(), "everything")?;
            Ok(PolicyInForce::Blobs(Arc::new(policy)))
        }
        Subject::Artifact(_) | Subject::All(_) => {
            let policy = TrustPolicy::parse(document("everything", "registryScopes").as_bytes(), "everything")?;
            Ok(PolicyInForce::Artifacts(Arc::new(policy)))
        }
    }
}

/// What a report says of it.
fn report(judged: &Judged, outcome: &Outcome) -> String {
    let subject = v1::Subject {
        media_type: judged.media_type.as_deref().map(Into::into),
        platform: judged.platform.as_deref().map(Into::into),
        ..v1::Subject::called(judged.reference.as_str())
    };
    serde_json::to_string(&v1::Artifact::new(subject, outcome)).unwrap_or_default()
}

/// Writes the stores of strangers.
fn strangers(world: &World, plan: &Plan) -> std::io::Result<Vec<StoreName>> {
    let roots =
        plan.things.authorities.iter().zip(&world.holders.authorities).filter(|(plan, _)| plan.issuer.is_none());
    let roots = roots.map(|(_, authority)| authority.certificate());
    let signers = plan.things.keys.iter().zip(&world.holders.signers).filter(|(plan, _)| plan.issuer.is_none());
    let signers = signers.filter_map(|(_, signer)| signer.chain.first().map(Vec::as_slice));
    let certificates: Vec<&[u8]> = roots.chain(signers).collect();
    let mut names = Vec::new();
    for kind in StoreType::ALL {
        let name = StoreName::new(kind, RecordedVerification::STRANGERS).map_err(std::io::Error::other)?;
        let directory = world.stores.make(&Path::new("x509").join(kind.as_str()).join(name.name()))?;
        for (number, certificate) in certificates.iter().enumerate() {
            std::fs::write(directory.join(format!("{number}.crt")), certificate)?;
        }
        names.push(name);
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::revocation::Recorded;
    use crate::scenario::{parse, select};

    const REVOKED: &str = "title: x\nauthorities: { wabbit: { crl: true } }\nsteps:\n  - push: {}\n  - sign: {}\n  - write: { file: a, content: a }\n  - sign: { file: a }\n  - revoke: { certificate: builder }\nverify:\n  - expect: { result: fail, code: revoked }\n  - file: a\n    expect: { result: fail, code: revoked }\n";

    #[tokio::test(flavor = "multi_thread")]
    async fn what_was_judged_by_more_than_its_evidence_is_noticed() {
        let scenario = parse(REVOKED.as_bytes(), Path::new("scenarios/x.yaml")).unwrap();
        let cases = select(&[scenario], None).unwrap();
        let (status, recorded) = run_and_record(&cases[0], &Options::default()).await;
        assert_eq!(status, CaseStatus::Pass);
        assert_eq!(recorded.len(), 2, "of an artifact and of a file");
        for mut record in recorded {
            assert!(record.unlike_again().is_empty());
            for evidence in record.judged.iter_mut().filter_map(|(_, evidence)| evidence.as_mut()) {
                match evidence {
                    Collected::Artifact(evidence) => evidence.revocation = Recorded::default(),
                    Collected::File(evidence) => evidence.revocation = Recorded::default(),
                }
            }
            let unlike = record.unlike_again();
            assert_eq!(unlike.len(), 1, "{unlike:?}");
            assert_eq!(unlike[0].what, "the report without network");
        }
    }
}
