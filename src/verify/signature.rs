//! Judging one signature: the five validations in their order, and what the policy's actions make of them.
//!
//! Follows *signing-and-verification-workflow*, Signature Verification Steps, and *trust-store-trust-policy*, Signature
//! Verification Levels. Actions are applied here and nowhere else.

use time::OffsetDateTime;

use super::outcome::{Check, CheckResult, SignatureOutcome, Verdict};
use super::{Rules, authentic_timestamp, authenticity, expiry, integrity, revocation, user_metadata};
use crate::envelope::VerifiedEnvelope;
use crate::evidence::{Discovery, Signature};
use crate::failure::{Class, Code, Failure};
use crate::manifest::Descriptor;
use crate::policy::{Action, Statement, Validation};

/// Judges `signature` of the artifact `subject` by `statement`, which is not of level skip.
pub(super) fn judge(
    signature: &Signature,
    subject: &Descriptor,
    statement: &Statement,
    rules: &Rules<'_>,
    at: OffsetDateTime,
) -> SignatureOutcome {
    let integrity = integrity::check(signature, subject, rules.chains);
    let (envelope, integrity) = match integrity {
        Ok(envelope) => (Some(envelope), CheckResult::Pass),
        Err(failure) => (None, failure.into()),
    };

    let mut checks = vec![Check { validation: Validation::Integrity, action: Action::Enforce, result: integrity }];
    for validation in Validation::ALL.into_iter().skip(1) {
        let action = statement.action(validation);
        let result = match &envelope {
            Some(envelope) if !checks.iter().any(is_enforced_failure) => {
                run(validation, action, envelope, statement, rules, at)
            }
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
    }
}

fn run(
    validation: Validation,
    action: Action,
    envelope: &VerifiedEnvelope,
    statement: &Statement,
    rules: &Rules<'_>,
    at: OffsetDateTime,
) -> CheckResult {
    if action == Action::Skip {
        return CheckResult::Skip;
    }
    let result = match validation {
        // An envelope of this type exists only because its integrity holds.
        Validation::Integrity => Ok(()),
        Validation::Authenticity => authenticity::check(envelope, statement, rules.stores),
        Validation::Expiry => expiry::check(envelope, at),
        Validation::AuthenticTimestamp => authentic_timestamp::check(envelope, statement, at),
        Validation::Revocation => revocation::check(envelope),
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
            Code::PluginUnsupported,
            format!("the signature asks for the verification plugin {}", crate::failure::quote(&plugin.name)),
        )
    })
}

fn is_enforced_failure(check: &Check) -> bool {
    check.action == Action::Enforce && matches!(check.result, CheckResult::Fail(_))
}

/// A failure decides first, then what is undecided: an undecided check never passes, not even where it is only logged.
fn verdict(checks: &[Check], failure: Option<&Failure>) -> Verdict {
    let class = failure.map(|failure| failure.code.class());
    if checks.iter().any(is_enforced_failure) || class == Some(Class::Fail) {
        Verdict::Fail
    } else if class == Some(Class::Undecided) || checks.iter().any(|c| matches!(c.result, CheckResult::Error(_))) {
        Verdict::Error
    } else if checks.iter().any(|check| matches!(check.result, CheckResult::Fail(_))) {
        Verdict::Warn
    } else {
        Verdict::Pass
    }
}
