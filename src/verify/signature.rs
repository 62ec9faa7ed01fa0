//! Judging one signature: the five validations in their order, and what the policy's actions make of them.
//!
//! Follows *signing-and-verification-workflow*, Signature Verification Steps, and *trust-store-trust-policy*, Signature
//! Verification Levels. Actions are applied here and nowhere else.

use super::context::Context;
use super::outcome::{CertificateFacts, Check, CheckResult, Countersignature, SignatureOutcome, Verdict};
use super::pending::Gathered;
use super::plugin::PluginRole;
use super::{Options, authentic_timestamp, authenticity, expiry, integrity, revocation, user_metadata};
use crate::envelope::VerifiedEnvelope;
use crate::evidence::{Discovery, Signature};
use crate::failure::{Class, Code, Failure};
use crate::policy::{Action, Validation};
use crate::revocation::CertificateStatus;

/// Judges `signature`, by a statement that is not of level skip.
pub(super) fn judge(signature: &Signature, context: &Context<'_>, of_all: &mut Gathered) -> SignatureOutcome {
    let Context { subject, statement, options, .. } = *context;
    let read = integrity::read(signature, &options.caches.chains);
    let checked = read.as_ref().map_err(Failure::clone).and_then(|envelope| integrity::check(envelope, subject));
    // What the signature says is told even where it is of another artifact; only one of this artifact is judged further.
    let read = read.ok();
    let envelope = read.as_ref().filter(|_| checked.is_ok());
    let integrity = checked.map_or_else(CheckResult::from, |()| CheckResult::Pass);

    // Of this signature alone, so that its plugin is asked when nothing else of it is open.
    let mut pending = Gathered::default();
    let mut found = Found::default();
    let check = |validation, action, result| Check { validation, action, result, plugin: None };
    let mut checks = vec![check(Validation::Integrity, Action::Enforce, integrity)];
    let mut failure = None;
    if let Some(envelope) = envelope {
        let chain = authenticity::check_chain(envelope, statement, &options.stores);
        let mut metadata = Gathered::default();
        let role = PluginRole::of(envelope, context, chain.is_ok(), &mut metadata);
        let signer = Signed { envelope, chain, role: &role };
        for validation in Validation::ALL.into_iter().skip(1) {
            let action = statement.action(validation);
            let result = match action {
                _ if checks.iter().any(|check| is_enforced_failure(check) || is_trust_undecided(check)) => {
                    CheckResult::NotReached
                }
                Action::Skip => CheckResult::Skip,
                Action::Enforce | Action::Log => run(validation, &signer, context, &mut found, &mut pending),
            };
            checks.push(check(validation, action, result));
        }
        // What fails anyhow has no plugin looked for.
        if !checks.iter().any(is_enforced_failure) {
            pending.take(metadata.all());
            let beyond = beyond_validations(signature, envelope, options);
            // Nor is anything asked about a signer of whom it is not known whether he is trusted.
            let undecided = checks.iter().any(is_trust_undecided);
            let concluded = beyond.and_then(|()| match undecided {
                true => Ok(()),
                false => role.conclude(envelope, context, &mut checks, &mut pending),
            });
            failure = concluded.err();
        }
    } else {
        let rest = Validation::ALL.into_iter().skip(1);
        checks.extend(rest.map(|other| check(other, statement.action(other), CheckResult::NotReached)));
    }
    of_all.take(pending.all());
    SignatureOutcome {
        manifest: signature.manifest,
        media_type: signature.envelope.as_ref().ok().map(|envelope| envelope.media_type.clone()),
        scheme: read.as_ref().map(|envelope| envelope.signer.scheme.as_str()),
        subject: read.as_ref().map(|envelope| envelope.chain.leaf().subject_text().to_owned()),
        signed_at: read.as_ref().map(|envelope| envelope.signer.signing_time),
        expires: read.as_ref().and_then(|envelope| envelope.signer.expiry),
        certificates: read
            .as_ref()
            .map(|envelope| CertificateFacts::of(envelope.chain.certificates()))
            .unwrap_or_default(),
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

/// A signature whose integrity holds, on its way through the other validations.
struct Signed<'a> {
    envelope: &'a VerifiedEnvelope,
    /// Whether its chain leads to a trust store.
    chain: Result<(), Failure>,
    /// What the plugin that it names has to do with it.
    role: &'a PluginRole,
}

/// Runs one validation. What a plugin has to decide is not reached until it has.
fn run(
    validation: Validation,
    signed: &Signed<'_>,
    context: &Context<'_>,
    found: &mut Found,
    pending: &mut Gathered,
) -> CheckResult {
    let Signed { envelope, chain, role } = signed;
    let result = match validation {
        // An envelope of this type exists only because its integrity holds.
        Validation::Integrity => Ok(()),
        Validation::Authenticity => match chain {
            Err(failure) => Err(failure.clone()),
            Ok(()) if role.takes(validation) => return CheckResult::NotReached,
            Ok(()) => authenticity::check_identity(envelope, context.statement),
        },
        Validation::Expiry => expiry::check(envelope, context.at),
        Validation::AuthenticTimestamp => {
            let (result, timestamp) = authentic_timestamp::check(envelope, context, chain.is_ok(), pending);
            found.timestamp = timestamp;
            result
        }
        Validation::Revocation if role.takes(validation) => return CheckResult::NotReached,
        Validation::Revocation => {
            let (result, certificates) = revocation::check(envelope, context, chain.is_ok(), pending);
            found.revocation = certificates;
            result
        }
    };
    result.map_or_else(CheckResult::from, |()| CheckResult::Pass)
}

/// What can keep a signature from passing beside the five validations and a plugin: user metadata that is asked for, and
/// being found at all.
fn beyond_validations(signature: &Signature, envelope: &VerifiedEnvelope, options: &Options) -> Result<(), Failure> {
    if signature.discovery == Discovery::Hidden {
        return Err(Failure::new(
            Code::SignatureNotDiscoverable,
            "the registry holds this signature but does not list it among the artifact's signatures",
        ));
    }
    user_metadata::check(envelope, &options.user_metadata)
}

fn is_enforced_failure(check: &Check) -> bool {
    check.action == Action::Enforce && matches!(check.result, CheckResult::Fail(_))
}

/// Whether a trust store that is needed is broken: nothing can be said of this signature.
fn is_trust_undecided(check: &Check) -> bool {
    let authenticity = check.validation == Validation::Authenticity && check.action == Action::Enforce;
    authenticity && matches!(check.result, CheckResult::Error(_))
}

/// A failure decides first, then what is undecided. What is only logged decides nothing, whatever came out: at most it keeps
/// the signature from passing without a warning.
fn verdict(checks: &[Check], failure: Option<&Failure>) -> Verdict {
    let class = failure.map(|failure| failure.code.class());
    let enforced_error =
        checks.iter().any(|check| check.action == Action::Enforce && matches!(check.result, CheckResult::Error(_)));
    // Only behind a failure or a broken store; a signature of which something was left out never passes.
    let not_reached = checks.iter().any(|check| check.result == CheckResult::NotReached);
    if checks.iter().any(is_enforced_failure) || class == Some(Class::Fail) {
        Verdict::Fail
    } else if class == Some(Class::Undecided) || enforced_error || not_reached {
        Verdict::Error
    } else if checks.iter().any(|check| check.result.failure().is_some()) {
        Verdict::Warn
    } else {
        Verdict::Pass
    }
}
