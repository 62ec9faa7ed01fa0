//! The signatures of one artifact, fetched, judged and dropped one by one.
//!
//! Each is judged from evidence that holds it alone, by the same [`verify::decide`] that judges all at once; what they make
//! of the artifact is joined when the last is judged. So the memory of an artifact does not grow with its signatures.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use futures_util::FutureExt;
use tokio::sync::oneshot;

use super::collect::{self, Place};
use super::engine::{Run, broken_down};
use super::selected::Selected;
use super::settle::{accepted, keep, settle};
use crate::digest::Digest;
use crate::evidence::{Evidence, Signature, Signatures};
use crate::manifest::Descriptor;
use crate::plugin::Answers;
use crate::revocation::{Accepted, Recorded};
use crate::trouble::Trouble;
use crate::verify::{self, Outcome, Rules, SignatureOutcome};

/// A signature that was judged.
struct Judged {
    /// `None`: Muster broke down over it.
    outcome: Option<SignatureOutcome>,
    accepted: Vec<Accepted>,
    /// What it was judged from, where that is kept.
    evidence: Option<Evidence>,
}

/// The outcome of the artifact `subject`, and its evidence where that is kept.
pub(super) async fn judge(
    selected: &Selected,
    subject: Descriptor,
    run: &Arc<Run>,
) -> (Outcome, Option<Box<Evidence>>) {
    let repository = &selected.reference.repository;
    let name = repository.to_string();
    // Where the policy does not look at signatures, the registry is not asked for them.
    let looks = run.policy.statement_for(&name).is_some_and(|statement| !statement.is_skip());
    if !looks {
        let evidence = match run.keep_evidence {
            true => Some(collect::evidence(&*selected.source, repository, subject, run.max_signatures).await),
            false => None,
        };
        return (verify::join(&name, Ok(Signatures::default()), &run.policy), evidence.map(Box::new));
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
    let judged = collect::each_signature(&place, run.max_signatures, &alone, again).await;
    let Signatures { found, more, doubt } = match judged {
        Ok(judged) => judged,
        Err(trouble) => {
            let outcome = verify::join(&name, Err(trouble.clone().into()), &run.policy);
            return (outcome, run.keep_evidence.then(|| Box::new(evidence(Err(trouble)))));
        }
    };
    let mut all = evidence(Ok(Signatures { found: Vec::new(), more, doubt: doubt.clone() }));
    let (mut outcomes, mut accepted) = (Vec::with_capacity(found.len()), Vec::new());
    for judged in found {
        outcomes.push(judged.outcome);
        accepted.extend(judged.accepted);
        judged.evidence.into_iter().for_each(|one| merge(&mut all, one));
    }
    keep(&accepted, &*run.answerers.revocation).await;
    let outcome = match outcomes.into_iter().collect::<Option<Vec<_>>>() {
        Some(found) => verify::join(&name, Ok(Signatures { found, more, doubt }), &run.policy),
        None => broken_down(),
    };
    (outcome, run.keep_evidence.then(|| Box::new(all)))
}

/// What a further signature with the same envelope comes to; what was not decided is looked into anew.
fn again(first: &Judged, manifest: Digest) -> Option<Judged> {
    let outcome = first.outcome.as_ref().filter(|outcome| outcome.verdict != verify::Verdict::Error)?;
    let evidence = first.evidence.clone().map(|mut evidence| {
        for signature in evidence.signatures.iter_mut().flat_map(|signatures| &mut signatures.found) {
            signature.manifest = manifest;
        }
        evidence
    });
    Some(Judged { outcome: Some(SignatureOutcome { manifest, ..outcome.clone() }), accepted: Vec::new(), evidence })
}

async fn judge_one(evidence: Evidence, run: &Arc<Run>) -> Judged {
    let decide = |evidence| decide(evidence, Arc::clone(run));
    let (mut outcome, mut evidence) = settle(evidence, &run.answerers, decide).await;
    let kept = run.keep_evidence.then(|| {
        for signature in evidence.signatures.iter_mut().flat_map(|signatures| &mut signatures.found) {
            *signature = collect::kept(signature);
        }
        evidence
    });
    let accepted = accepted(&mut outcome);
    Judged { outcome: outcome.signatures.pop(), accepted, evidence: kept }
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
        let rules = Rules {
            policy: &*run.policy,
            stores: &run.stores,
            user_metadata: &run.user_metadata,
            plugin_config: &run.plugin_config,
            memory: &run.memory,
        };
        // A panic would be a defect of ours; it costs this artifact its verdict, and no other.
        let outcome = catch_unwind(AssertUnwindSafe(|| verify::decide(&shared, &rules, run.at)));
        drop(shared);
        let _ = send.send(outcome.unwrap_or_else(|_| broken_down()));
    });
    let outcome = receive.await.unwrap_or_else(|_| broken_down());
    (outcome, Arc::unwrap_or_clone(evidence))
}
