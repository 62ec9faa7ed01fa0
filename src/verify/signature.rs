//! Judging one signature: the five validations in their order, and what the policy's actions make of them.
//!
//! Follows *signing-and-verification-workflow*, Signature Verification Steps, and *trust-store-trust-policy*, Signature
//! Verification Levels. Actions are applied here and nowhere else.

use super::case::Case;
use super::outcome::{Check, CheckResult, Countersignature, SignatureOutcome, Verdict};
use super::{Lacking, Rules, authentic_timestamp, authenticity, expiry, integrity, revocation, user_metadata};
use crate::envelope::VerifiedEnvelope;
use crate::evidence::{Discovery, Signature};
use crate::failure::{Class, Code, Failure};
use crate::policy::{Action, Validation};
use crate::revocation::CertificateStatus;

/// Judges `signature`, by a statement that is not of level skip.
pub(super) fn judge(signature: &Signature, case: &Case<'_>, lacking: &mut Lacking) -> SignatureOutcome {
    let Case { evidence, statement, rules, .. } = *case;
    let integrity = integrity::check(signature, &evidence.subject, &rules.memory.chains);
    let (envelope, integrity) = match integrity {
        Ok(envelope) => (Some(envelope), CheckResult::Pass),
        Err(failure) => (None, failure.into()),
    };

    let mut found = Found::default();
    let mut checks = vec![Check { validation: Validation::Integrity, action: Action::Enforce, result: integrity }];
    for validation in Validation::ALL.into_iter().skip(1) {
        let action = statement.action(validation);
        let result = match &envelope {
            Some(envelope) if !checks.iter().any(is_enforced_failure) => match action {
                Action::Skip => CheckResult::Skip,
                Action::Enforce | Action::Log => {
                    let trusted = checks
                        .iter()
                        .any(|check| check.validation == Validation::Authenticity && check.result == CheckResult::Pass);
                    run(validation, envelope, case, trusted, &mut found, lacking)
                }
            },
            _ => CheckResult::NotReached,
        };
        checks.push(Check { validation, action, result });
    }

    let failure = beyond_validations(signature, envelope.as_ref(), &checks, rules);
    SignatureOutcome {
        manifest: signature.manifest,
        media_type: signature.envelope.as_ref().ok().map(|envelope| envelope.media_type.clone()),
        scheme: envelope.as_ref().map(|envelope| envelope.signer.scheme.as_str()),
        subject: envelope.as_ref().map(|envelope| envelope.chain.leaf().subject_text().to_owned()),
        verdict: verdict(&checks, failure.as_ref()),
        failure,
        checks,
        revocation: found.revocation,
        timestamp: found.timestamp,
    }
}

/// What validations found beside their results.
#[derive(Debug, Default)]
struct Found {
    revocation: Vec<CertificateStatus>,
    timestamp: Option<Countersignature>,
}

/// Runs one validation; `trusted` says that authenticity holds.
fn run(
    validation: Validation,
    envelope: &VerifiedEnvelope,
    case: &Case<'_>,
    trusted: bool,
    found: &mut Found,
    lacking: &mut Lacking,
) -> CheckResult {
    let result = match validation {
        // An envelope of this type exists only because its integrity holds.
        Validation::Integrity => Ok(()),
        Validation::Authenticity => authenticity::check(envelope, case.statement, case.rules.stores),
        Validation::Expiry => expiry::check(envelope, case.at),
        Validation::AuthenticTimestamp => {
            let (result, timestamp) = authentic_timestamp::check(envelope, case, trusted, lacking);
            found.timestamp = timestamp;
            result
        }
        Validation::Revocation => {
            let (result, certificates) = revocation::check(envelope, case, trusted, lacking);
            found.revocation = certificates;
            result
        }
    };
    result.map_or_else(CheckResult::from, |()| CheckResult::Pass)
}

/// What can keep a signature from passing beside the five validations, in the specification's order: a plugin that it
/// names, user metadata that is asked for, and being found at all.
fn beyond_validations(
    signature: &Signature,
    envelope: Option<&VerifiedEnvelope>,
    checks: &[Check],
    rules: &Rules<'_>,
) -> Option<Failure> {
    let envelope = envelope?;
    if checks.iter().any(is_enforced_failure) {
        return None;
    }
    if signature.discovery == Discovery::Hidden {
        return Some(Failure::new(
            Code::SignatureNotDiscoverable,
            "the registry holds this signature but does not list it among the artifact's signatures",
        ));
    }
    if let Err(failure) = user_metadata::check(envelope, rules.user_metadata) {
        return Some(failure);
    }
    envelope.signer.verification_plugin.as_ref().map(|plugin| {
        Failure::new(
            Code::PluginUnsuitable,
            format!("the signature asks for the verification plugin {}", crate::failure::quote(&plugin.name)),
        )
    })
}

fn is_enforced_failure(check: &Check) -> bool {
    check.action == Action::Enforce && matches!(check.result, CheckResult::Fail(_))
}

/// A failure decides first, then what is undecided. What is only logged decides nothing, whatever came out: at most it keeps
/// the signature from passing without a warning.
fn verdict(checks: &[Check], failure: Option<&Failure>) -> Verdict {
    let class = failure.map(|failure| failure.code.class());
    let enforced_error =
        checks.iter().any(|check| check.action == Action::Enforce && matches!(check.result, CheckResult::Error(_)));
    if checks.iter().any(is_enforced_failure) || class == Some(Class::Fail) {
        Verdict::Fail
    } else if class == Some(Class::Undecided) || enforced_error {
        Verdict::Error
    } else if checks.iter().any(|check| check.result.failure().is_some()) {
        Verdict::Warn
    } else {
        Verdict::Pass
    }
}
