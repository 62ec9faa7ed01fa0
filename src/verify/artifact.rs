//! From signatures to the artifact: one that passes is enough, and what cannot be decided is never a verdict.
//!
//! Follows *signing-and-verification-workflow*, OCI artifact verification.

use super::Pending;
use super::outcome::{CheckResult, Outcome, SignatureOutcome, Verdict};
use crate::evidence::{ForeignSignature, Signatures};
use crate::failure::{Code, Failure};
use crate::policy::Statement;

/// No statement applies, for the reason in `message`.
pub(super) fn unassigned(message: String) -> Outcome {
    Outcome {
        statement: None,
        level: None,
        verdict: Verdict::Fail,
        failure: Some(Failure::new(Code::NoApplicablePolicy, message)),
        signatures: Vec::new(),
        pending: Pending::default(),
    }
}

/// The statement says not to look.
pub(super) fn skipped(statement: &Statement) -> Outcome {
    outcome(statement, Verdict::Skip, None, Vec::new())
}

/// The signatures could not be listed.
pub(super) fn undecided(statement: &Statement, failure: Failure) -> Outcome {
    outcome(statement, Verdict::Error, Some(failure), Vec::new())
}

/// What the judged signatures make of the artifact. Where none passes and there may be others, nothing is known.
pub(super) fn conclude(statement: &Statement, judged: Signatures<SignatureOutcome>) -> Outcome {
    let Signatures { found: signatures, more, doubt, foreign } = judged;
    let best = |verdict| signatures.iter().filter(|signature| signature.verdict == verdict).max_by_key(|s| reached(s));
    let (verdict, failure) = if best(Verdict::Pass).is_some() {
        (Verdict::Pass, None)
    } else if let Some(signature) = best(Verdict::Warn) {
        (Verdict::Warn, reason(signature))
    } else if let Some(signature) = best(Verdict::Error) {
        (Verdict::Error, reason(signature))
    } else if let Some(doubt) = doubt {
        let among = match signatures.len() {
            1 => "the one signature that was found does not pass".to_owned(),
            count => format!("none of the {count} signatures that were found passes"),
        };
        let message = format!("{among}, and there may be others: {}", doubt.message);
        (Verdict::Error, Some(Failure::new(doubt.kind.into(), message)))
    } else if more {
        let message = format!("none of the first {} signatures passes, and there are more", signatures.len());
        (Verdict::Fail, Some(Failure::new(Code::SignatureLimitReached, message)))
    } else if let Some(signature) = best(Verdict::Fail) {
        (Verdict::Fail, reason(signature).map(|failure| among(failure, signatures.len())))
    } else {
        (Verdict::Fail, Some(Failure::new(Code::Unsigned, unsigned(foreign.as_ref()))))
    };
    outcome(statement, verdict, failure, signatures)
}

fn unsigned(foreign: Option<&ForeignSignature>) -> String {
    match foreign {
        None => "the artifact has no signature".to_owned(),
        Some(ForeignSignature { called, manifest }) => {
            format!("the artifact has no Notary Project signature; {called} is there ({manifest})")
        }
    }
}

fn outcome(
    statement: &Statement,
    verdict: Verdict,
    failure: Option<Failure>,
    signatures: Vec<SignatureOutcome>,
) -> Outcome {
    Outcome {
        statement: Some(statement.name.clone()),
        level: Some(statement.level_text()),
        verdict,
        failure,
        signatures,
        pending: Pending::default(),
    }
}

/// How far a signature came: of several that fail, the one that came furthest explains most.
fn reached(signature: &SignatureOutcome) -> usize {
    signature.checks.iter().filter(|check| check.result != CheckResult::NotReached).count()
}

/// Why a signature does not simply pass: an enforced failure before trouble, trouble before what was only logged.
fn reason(signature: &SignatureOutcome) -> Option<Failure> {
    let of = |wanted: fn(&CheckResult) -> bool| {
        signature.checks.iter().rfind(|c| wanted(&c.result)).and_then(|check| check.result.failure().cloned())
    };
    match signature.verdict {
        Verdict::Pass | Verdict::Skip => None,
        Verdict::Error => of(|r| matches!(r, CheckResult::Error(_))).or_else(|| signature.failure.clone()),
        Verdict::Warn => signature.checks.iter().find_map(|check| check.result.failure().cloned()),
        Verdict::Fail => signature.failure.clone().or_else(|| of(|r| matches!(r, CheckResult::Fail(_)))),
    }
}

fn among(failure: Failure, count: usize) -> Failure {
    match count {
        1 => failure,
        _ => Failure {
            message: format!("none of {count} signatures passes; the closest: {}", failure.message),
            ..failure
        },
    }
}
