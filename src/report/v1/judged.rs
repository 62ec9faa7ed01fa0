//! From what was decided to what a report says of it: the only place where the two meet.

use std::borrow::Cow;

use super::{
    Action, Artifact, Certificate, CertificateStatus, Check, CheckResult, RepositoryFrom, Signature, Timestamp,
    Validation, Verdict,
};
use crate::rfc3339::{instant, written_in_utc};
use crate::{audit, policy, verify};

/// Which artifact an outcome belongs to.
#[derive(Debug, Clone)]
pub struct Subject<'a> {
    /// `host/repository@sha256:…`; `None` when the reference could not be resolved.
    pub artifact: Option<Cow<'a, str>>,
    /// The reference by which it was selected.
    pub reference: Cow<'a, str>,
    /// The media type of its manifest.
    pub media_type: Option<Cow<'a, str>>,
    /// The platform, as part of an image index.
    pub platform: Option<Cow<'a, str>>,
    /// The image index it was judged as part of.
    pub part_of: Option<Cow<'a, str>>,
    /// What it is attached to.
    pub attached_to: Option<Cow<'a, str>>,
    /// The artifact type of what is attached.
    pub artifact_type: Option<Cow<'a, str>>,
    /// Who says which repository an artifact of a layout belongs to.
    pub repository_from: Option<RepositoryFrom>,
    /// Of an image index, how many manifests it lists.
    pub lists: Option<u64>,
    /// Whether it is no artifact but a place that could not be looked at in full.
    pub place: bool,
}

impl<'a> Subject<'a> {
    /// What is called `reference`, and of which nothing else is known.
    pub fn called(reference: impl Into<Cow<'a, str>>) -> Subject<'a> {
        Subject {
            artifact: None,
            reference: reference.into(),
            media_type: None,
            platform: None,
            part_of: None,
            attached_to: None,
            artifact_type: None,
            repository_from: None,
            lists: None,
            place: false,
        }
    }
}

impl<'a> Artifact<'a> {
    /// What a report says of `subject`, given its outcome.
    pub fn new(subject: Subject<'a>, outcome: &'a verify::Outcome) -> Artifact<'a> {
        let Subject { artifact, reference, media_type, platform, part_of, .. } = subject;
        let Subject { attached_to, artifact_type, repository_from, lists, place, .. } = subject;
        let failure = outcome.failure.as_ref();
        Artifact {
            artifact,
            reference,
            media_type,
            platform,
            part_of,
            attached_to,
            artifact_type,
            repository_from,
            place,
            covers: lists.filter(|_| matches!(outcome.verdict, verify::Verdict::Pass | verify::Verdict::Warn)),
            policy: outcome.statement.as_deref().map(Cow::Borrowed),
            level: outcome.level.map(Cow::Borrowed),
            result: outcome.verdict.into(),
            code: failure.map(|failure| Cow::Borrowed(failure.code.as_str())),
            message: failure.map(|failure| Cow::Borrowed(failure.message.as_str())),
            signatures: outcome.signatures.iter().map(Signature::from).collect(),
        }
    }
}

impl<'a> From<&'a verify::SignatureOutcome> for Signature<'a> {
    fn from(signature: &'a verify::SignatureOutcome) -> Signature<'a> {
        let failure = signature.failure.as_ref();
        Signature {
            digest: Cow::Owned(signature.manifest.to_string()),
            media_type: signature.media_type.as_deref().map(Cow::Borrowed),
            scheme: signature.scheme.map(Cow::Borrowed),
            subject: signature.subject.as_deref().map(Cow::Borrowed),
            signed_at: signature.signed_at.and_then(written_in_utc),
            expires: signature.expires.and_then(written_in_utc),
            certificates: signature.certificates.iter().map(Certificate::from).collect(),
            result: signature.verdict.into(),
            code: failure.map(|failure| Cow::Borrowed(failure.code.as_str())),
            message: failure.map(|failure| Cow::Borrowed(failure.message.as_str())),
            checks: signature.checks.iter().map(Check::from).collect(),
            revocation: signature.revocation.iter().map(CertificateStatus::from).collect(),
            timestamp: signature.timestamp.as_ref().map(Timestamp::from),
        }
    }
}

impl<'a> From<&'a verify::Countersignature> for Timestamp<'a> {
    fn from(stamp: &'a verify::Countersignature) -> Timestamp<'a> {
        Timestamp {
            time: instant(stamp.at),
            accuracy_seconds: (!stamp.accuracy.is_zero()).then(|| stamp.accuracy.as_seconds_f64()),
            subject: Cow::Borrowed(&stamp.subject),
            certificates: stamp.certificates.iter().map(Certificate::from).collect(),
        }
    }
}

impl<'a> From<&'a verify::CertificateFacts> for Certificate<'a> {
    fn from(facts: &'a verify::CertificateFacts) -> Certificate<'a> {
        Certificate {
            subject: Cow::Borrowed(&facts.subject),
            not_before: written_in_utc(facts.not_before),
            not_after: written_in_utc(facts.not_after),
            fingerprint: facts.fingerprint.to_string(),
        }
    }
}

impl<'a> From<&'a verify::Check> for Check<'a> {
    fn from(check: &'a verify::Check) -> Check<'a> {
        let failure = check.result.failure();
        Check {
            validation: check.validation.into(),
            action: check.action.into(),
            result: CheckResult::from(&check.result),
            plugin: check.plugin.as_deref().map(Cow::Borrowed),
            code: failure.map(|failure| Cow::Borrowed(failure.code.as_str())),
            message: failure.map(|failure| Cow::Borrowed(failure.message.as_str())),
        }
    }
}

impl From<audit::RepositoryFrom> for RepositoryFrom {
    fn from(from: audit::RepositoryFrom) -> RepositoryFrom {
        match from {
            audit::RepositoryFrom::Scope => RepositoryFrom::Scope,
            audit::RepositoryFrom::Reference => RepositoryFrom::Reference,
            audit::RepositoryFrom::Layout => RepositoryFrom::Layout,
        }
    }
}

impl From<verify::Verdict> for Verdict {
    fn from(verdict: verify::Verdict) -> Verdict {
        match verdict {
            verify::Verdict::Pass => Verdict::Pass,
            verify::Verdict::Warn => Verdict::Warn,
            verify::Verdict::Fail => Verdict::Fail,
            verify::Verdict::Skip => Verdict::Skip,
            verify::Verdict::Error => Verdict::Error,
        }
    }
}

impl From<&verify::CheckResult> for CheckResult {
    fn from(result: &verify::CheckResult) -> CheckResult {
        match result {
            verify::CheckResult::Pass => CheckResult::Pass,
            verify::CheckResult::Fail(_) => CheckResult::Fail,
            verify::CheckResult::Skip => CheckResult::Skip,
            verify::CheckResult::NotReached => CheckResult::NotReached,
            verify::CheckResult::Error(_) => CheckResult::Error,
        }
    }
}

impl From<policy::Validation> for Validation {
    fn from(validation: policy::Validation) -> Validation {
        match validation {
            policy::Validation::Integrity => Validation::Integrity,
            policy::Validation::Authenticity => Validation::Authenticity,
            policy::Validation::Expiry => Validation::Expiry,
            policy::Validation::AuthenticTimestamp => Validation::AuthenticTimestamp,
            policy::Validation::Revocation => Validation::Revocation,
        }
    }
}

impl From<policy::Action> for Action {
    fn from(action: policy::Action) -> Action {
        match action {
            policy::Action::Enforce => Action::Enforce,
            policy::Action::Log => Action::Log,
            policy::Action::Skip => Action::Skip,
        }
    }
}
