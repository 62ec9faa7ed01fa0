//! The signatures of one artifact, fetched, judged and dropped one by one.
//!
//! Each is judged from evidence that holds it alone, by the same [`verify::decide`] that judges all at once; what they make
//! of the artifact is joined when the last is judged. So the memory of an artifact does not grow with its signatures.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use futures_util::FutureExt;
use tokio::sync::oneshot;

use super::answers::{decide_with_answers, take_verified_crls};
use super::collect::{self, Place};
use super::judged::{self, internal_fault};
use super::plan::{Deadline, Run};
use super::selected::Selected;
use crate::digest::Digest;
use crate::evidence::{Evidence, Signature, Signatures};
use crate::manifest::Descriptor;
use crate::plugin::Answers;
use crate::revocation::{Accepted, Recorded};
use crate::trouble::Trouble;
use crate::verify::{self, Outcome, SignatureOutcome};

/// A signature that was judged.
struct JudgedSignature {
    /// `None`: Muster panicked over it.
    outcome: Option<SignatureOutcome>,
    verified_crls: Vec<Accepted>,
    /// What the signature was judged from, where that is kept.
    evidence: Option<Evidence>,
}

/// Judges the artifact that `descriptor` describes; what was decided before under another name is not judged again.
pub(super) async fn judge_manifest(
    selected: &Selected,
    descriptor: &Descriptor,
    run: &Arc<Run>,
    deadline: &Deadline,
) -> judged::Judged {
    let judging = judge(selected, descriptor.clone(), run);
    let judged = async {
        if run.plan.keep_evidence {
            return judging.await;
        }
        let (outcome, _) = run.outcomes.get(selected, descriptor, judging).await;
        (outcome, None)
    };
    let name = selected.reference.repository.to_string();
    let (outcome, evidence) = match deadline.timeout(judged).await {
        Some(judged) => judged,
        None => (verify::join(&name, Err(run.too_late().into()), &run.plan.policy), None),
    };
    judged::Judged {
        repository: name,
        reference: selected.label.clone(),
        digest: Some(descriptor.digest),
        media_type: Some(descriptor.media_type.clone()),
        platform: None,
        part_of: None,
        attached_to: None,
        artifact_type: None,
        repository_from: selected.repository_from,
        lists: None,
        place: false,
        outcome,
        evidence,
    }
}

/// The outcome of the artifact `subject`, and its evidence where that is kept.
async fn judge(selected: &Selected, subject: Descriptor, run: &Arc<Run>) -> (Outcome, Option<Box<Evidence>>) {
    let repository = &selected.reference.repository;
    let name = repository.to_string();
    // Where the policy does not look at signatures, the registry is not asked for them.
    let looks = run.plan.policy.statement_for(&name).is_some_and(|statement| !statement.is_skip());
    if !looks {
        let evidence = match run.plan.keep_evidence {
            true => Some(collect::evidence(&*selected.source, repository, subject, run.plan.max_signatures).await),
            false => None,
        };
        return (verify::join(&name, Ok(Signatures::default()), &run.plan.policy), evidence.map(Box::new));
    }
    let evidence = |signatures| Evidence {
        repository: name.clone(),
        subject: subject.clone(),
        signatures,
        revocation: Recorded::default(),
        plugins: Answers::default(),
    };
    let alone = |signature| {
        judge_one(evidence(Ok(Signatures { found: vec![signature], ..Signatures::default() })), run).boxed()
    };
    let place = Place { source: &*selected.source, repository, subject: &subject };
    let judged = collect::each_signature(&place, run.plan.max_signatures, &alone, again).await;
    let Signatures { found, more, doubt, foreign } = match judged {
        Ok(judged) => judged,
        Err(trouble) => {
            let outcome = verify::join(&name, Err(trouble.clone().into()), &run.plan.policy);
            return (outcome, run.plan.keep_evidence.then(|| Box::new(evidence(Err(trouble)))));
        }
    };
    let mut all = evidence(Ok(Signatures { found: Vec::new(), more, doubt: doubt.clone(), foreign: foreign.clone() }));
    let (mut outcomes, mut verified) = (Vec::with_capacity(found.len()), Vec::new());
    for judged in found {
        outcomes.push(judged.outcome);
        verified.extend(judged.verified_crls);
        judged.evidence.into_iter().for_each(|one| merge(&mut all, one));
    }
    run.answers.store_verified(&verified).await;
    let outcome = match outcomes.into_iter().collect::<Option<Vec<_>>>() {
        Some(found) => verify::join(&name, Ok(Signatures { found, more, doubt, foreign }), &run.plan.policy),
        None => internal_fault(),
    };
    (outcome, run.plan.keep_evidence.then(|| Box::new(all)))
}

/// What a further signature with the same envelope comes to; what was not decided is looked into anew.
fn again(first: &JudgedSignature, manifest: Digest) -> Option<JudgedSignature> {
    let outcome = first.outcome.as_ref().filter(|outcome| outcome.verdict != verify::Verdict::Error)?;
    let evidence = first.evidence.clone().map(|mut evidence| {
        for signature in evidence.signatures.iter_mut().flat_map(|signatures| &mut signatures.found) {
            signature.manifest = manifest;
        }
        evidence
    });
    Some(JudgedSignature {
        outcome: Some(SignatureOutcome { manifest, ..outcome.clone() }),
        verified_crls: Vec::new(),
        evidence,
    })
}

async fn judge_one(evidence: Evidence, run: &Arc<Run>) -> JudgedSignature {
    let decide = |evidence| decide(evidence, Arc::clone(run));
    let (mut outcome, mut evidence) = decide_with_answers(evidence, &run.answers, decide).await;
    let kept = run.plan.keep_evidence.then(|| {
        for signature in evidence.signatures.iter_mut().flat_map(|signatures| &mut signatures.found) {
            *signature = collect::kept(signature);
        }
        evidence
    });
    let verified_crls = take_verified_crls(&mut outcome);
    JudgedSignature { outcome: outcome.signatures.pop(), verified_crls, evidence: kept }
}

fn merge(all: &mut Evidence, one: Evidence) {
    all.revocation.extend(one.revocation);
    all.plugins.extend(one.plugins);
    let found: Result<Vec<Signature>, Trouble> = one.signatures.map(|signatures| signatures.found);
    if let (Ok(all), Ok(found)) = (&mut all.signatures, found) {
        all.found.extend(found);
    }
}

/// Decides on a thread for computation; hands the evidence back.
async fn decide(evidence: Evidence, run: Arc<Run>) -> (Outcome, Evidence) {
    let (send, receive) = oneshot::channel();
    let evidence = Arc::new(evidence);
    let shared = Arc::clone(&evidence);
    rayon::spawn(move || {
        // A panic would be a defect of ours; it costs this artifact its verdict, and no other.
        let outcome =
            catch_unwind(AssertUnwindSafe(|| verify::decide(&shared, &run.plan.policy, &run.plan.options, run.at)));
        // When the outcome is known, nothing here holds what the run remembers any more.
        drop((shared, run));
        let _ = send.send(outcome.unwrap_or_else(|_| internal_fault()));
    });
    let outcome = receive.await.unwrap_or_else(|_| internal_fault());
    (outcome, Arc::unwrap_or_clone(evidence))
}
