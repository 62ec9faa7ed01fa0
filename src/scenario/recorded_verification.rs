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
use super::judge::{AuditRun, compare, difference};
use super::run::{CaseStatus, Options, PhaseTimings, Selected, play};
use super::steps::Verification;
use super::world::{Holders, Plugins, World};
use crate::audit::{AnswerSources, Judged, decide_with_answers};
use crate::evidence::Evidence;
use crate::fetch::Offline;
use crate::forge::Containers;
use crate::policy::TrustPolicy;
use crate::report::v1;
use crate::trust_store::{StoreName, StoreType, TrustStores};
use crate::verify::{self, Caches, Options as DecisionOptions, Outcome};

/// How many artifacts of a verification are judged again by the same policy: of thousands alike, the rest says no more.
const AGAIN: usize = 100;
/// The trust policy that wants to know everything, of every signer in the world.
const EVERYTHING: &str = r#"{"version":"1.0","trustPolicies":[{"name":"everything","registryScopes":["*"],
    "signatureVerification":{"level":"audit"},"trustedIdentities":["*"],
    "trustStores":["ca:strangers","signingAuthority:strangers","tsa:strangers"]}]}"#;

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
    judged: Vec<(Judged, Option<Box<Evidence>>)>,
    requests: Requests,
}

/// Plays a case with the parts that it names, and what else `options` say: how it ended, and its verifications as far as it
/// came.
pub async fn run_and_record(selected: &Selected, options: &Options) -> (CaseStatus, Vec<RecordedVerification>) {
    let mut recorded = Vec::new();
    let containers = Arc::new(Containers::watched_by(options.program.as_deref()));
    let (status, _) =
        play(selected, options, &containers, None, &mut PhaseTimings::default(), Some(&mut recorded)).await;
    // What cannot be removed now is removed by the next run.
    let _ = containers.remove_all().await;
    (status, recorded)
}

impl RecordedVerification {
    /// The name of stores that no scenario makes: in a recorded verification each holds every root and every signer that certifies
    /// itself, trusted or not. A policy that names one trusts every authority in the world.
    pub const STRANGERS: &str = "strangers";

    /// The policy that the scenario judges by.
    pub fn policy(&self) -> &Arc<TrustPolicy> {
        &self.verification.policy
    }

    /// The line of the verification in the file.
    pub fn line(&self) -> usize {
        self.line
    }

    /// Judges again, by `policy`: how what comes out differs from what the scenario expects. The stores that can be used
    /// are those that the scenario's own policy names, and those of strangers. Plugins that would be told something else
    /// by this policy are run; no network is asked anything.
    pub fn judge_by(&self, policy: &TrustPolicy) -> Vec<Difference> {
        let again = |(judged, evidence): &(Judged, Option<Box<Evidence>>)| match evidence {
            Some(evidence) => Judged { outcome: self.decide(evidence, policy), ..judged.clone() },
            None => judged.clone(),
        };
        let judged: Vec<Judged> = self.judged.iter().map(again).collect();
        compare(&judged, &self.requests, &self.verification, &self.holders)
    }

    /// How what came out differs from what the scenario expects, and from what comes out again without a network.
    pub(super) fn differences(self) -> Vec<Difference> {
        let mut differences = self.unlike_again();
        let RecordedVerification { judged, requests, verification, holders, .. } = self;
        let judged: Vec<Judged> = judged.into_iter().map(|(judged, _)| judged).collect();
        differences.extend(compare(&judged, &requests, &verification, &holders));
        differences
    }

    /// How the report differs when the evidence is judged again, with caches of its own and without network.
    pub(super) fn unlike_again(&self) -> Vec<Difference> {
        let mut options = self.options.clone();
        options.caches = Arc::new(Caches::default());
        let mut differences = Vec::new();
        for (judged, evidence) in &self.judged {
            let Some(evidence) = evidence else { continue };
            let again = verify::decide(evidence, &self.verification.policy, &options, self.at);
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
        let everything = TrustPolicy::parse(EVERYTHING.as_bytes(), "everything")
            .map_err(|_| "the policy that asks everything is refused".to_owned())?;
        let sources = AnswerSources { revocation: world.revocation(verification), plugins: record.plugins.host() };
        for number in 0..record.judged.len() {
            let Some(evidence) = record.judged[number].1.take() else { continue };
            let (_, evidence) = record.settle(*evidence, &everything, &sources).await;
            record.judged[number].1 = Some(Box::new(evidence));
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
        }
    }

    /// Decides by `policy`, running plugins that were not told so before.
    fn decide(&self, evidence: &Evidence, policy: &TrustPolicy) -> Outcome {
        let outcome = verify::decide(evidence, policy, &self.options, self.at);
        if outcome.pending.needs.is_empty() {
            return outcome;
        }
        let sources = AnswerSources { revocation: Arc::new(Offline), plugins: self.plugins.host() };
        // The caller may be on a thread of a runtime, which cannot wait; a thread of its own can.
        std::thread::scope(|scope| {
            let settled = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
                Some(runtime.block_on(self.settle(evidence.clone(), policy, &sources)).0)
            });
            settled.join().ok().flatten().unwrap_or(outcome)
        })
    }

    /// Decides by `policy`, and asks `sources` for what the evidence does not hold.
    async fn settle(&self, evidence: Evidence, policy: &TrustPolicy, sources: &AnswerSources) -> (Outcome, Evidence) {
        let decide = async |evidence: Evidence| (verify::decide(&evidence, policy, &self.options, self.at), evidence);
        decide_with_answers(evidence, sources, decide).await
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

    const REVOKED: &str = "title: x\nauthorities: { wabbit: { crl: true } }\nsteps:\n  - push: {}\n  - sign: {}\n  - revoke: { certificate: builder }\nverify:\n  - expect: { result: fail, code: revoked }\n";

    #[tokio::test(flavor = "multi_thread")]
    async fn what_was_judged_by_more_than_its_evidence_is_noticed() {
        let scenario = parse(REVOKED.as_bytes(), Path::new("scenarios/x.yaml")).unwrap();
        let cases = select(&[scenario], None).unwrap();
        let (status, mut recorded) = run_and_record(&cases[0], &Options::default()).await;
        assert_eq!(status, CaseStatus::Pass);
        let mut record = recorded.remove(0);
        assert!(record.unlike_again().is_empty());
        for evidence in record.judged.iter_mut().filter_map(|(_, evidence)| evidence.as_mut()) {
            evidence.revocation = Recorded::default();
        }
        let unlike = record.unlike_again();
        assert_eq!(unlike.len(), 1, "{unlike:?}");
        assert_eq!(unlike[0].what, "the report without network");
    }
}
