//! The outcome of a decision: per artifact, per signature, per validation.
//!
//! Follows *trust-store-trust-policy*, Signature Verification Levels (the five validations, their actions), and the
//! words of the Kubernetes PolicyReport for results. All signatures are judged, and each lists all five validations.

use std::sync::Arc;

use time::{Duration, OffsetDateTime};

use super::Pending;
use crate::digest::Digest;
use crate::failure::{Class, Failure};
use crate::pki::Certificate;
use crate::policy::{Action, Validation};
use crate::revocation::CertificateStatus;

/// What became of one validation of one signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckResult {
    /// The validation holds.
    Pass,
    /// The validation does not hold.
    Fail(Failure),
    /// The policy says not to look.
    Skip,
    /// An enforced validation before it failed, or the plugin that has to decide it was not asked or did not answer.
    NotReached,
    /// The validation could not be decided.
    Error(Failure),
}

/// One validation of one signature, with what the policy says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Check {
    /// Which of the five.
    pub validation: Validation,
    /// Whether its failure is enforced, logged, or not looked for.
    pub action: Action,
    /// What came out.
    pub result: CheckResult,
    /// The name and the version of the plugin that decided it, or a part of it, in Muster's place.
    pub plugin: Option<String>,
}

/// The result of a signature or an artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Everything that was asked for holds, and nothing was logged against it.
    Pass,
    /// The signature or the artifact passes, but only because failures are logged and not enforced.
    Warn,
    /// The rules say no.
    Fail,
    /// The policy says not to look.
    Skip,
    /// The result could not be decided.
    Error,
}

/// What became of one signature.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignatureOutcome {
    /// The digest of the signature manifest.
    pub manifest: Digest,
    /// The media type of the envelope, when one was fetched.
    pub media_type: Option<String>,
    /// `notary.x509` or `notary.x509.signingAuthority`, once the envelope could be read.
    pub scheme: Option<&'static str>,
    /// The subject of the signing certificate, once the envelope could be read; escaped for printing.
    pub subject: Option<String>,
    /// When it was signed: what the signer says, or under `notary.x509.signingAuthority` the authority; once the envelope
    /// could be read.
    pub signed_at: Option<OffsetDateTime>,
    /// From when on it is expired, by the same.
    pub expires: Option<OffsetDateTime>,
    /// The certificates of its chain, leaf first, once the envelope could be read. Whether they deserve trust is for
    /// [`Validation::Authenticity`] to say.
    pub certificates: Arc<[CertificateFacts]>,
    /// The result of the signature.
    pub verdict: Verdict,
    /// What was found of its certificates, once revocation was checked; leaf first.
    pub revocation: Vec<CertificateStatus>,
    /// The time stamp, if there is one that was verified.
    pub timestamp: Option<Countersignature>,
    /// Why the signature does not pass though no validation says so: it cannot be found, lacks user metadata, wants a
    /// plugin.
    pub failure: Option<Failure>,
    /// The five validations, in the order of [`Validation::ALL`].
    pub checks: Vec<Check>,
}

/// A time stamp that was verified: an authority that the policy trusts has seen the signature at this time.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Countersignature {
    /// When, by the authority's clock.
    pub at: OffsetDateTime,
    /// How far from it the true time may be, either way.
    pub accuracy: Duration,
    /// The subject of the authority's certificate; escaped for printing.
    pub subject: String,
    /// The authority's certificates, leaf first.
    pub certificates: Arc<[CertificateFacts]>,
    /// What was found of them.
    pub revocation: Vec<CertificateStatus>,
}

/// What a certificate says of itself, as far as reports tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CertificateFacts {
    /// The subject; escaped for printing.
    pub subject: String,
    /// The first moment at which it is valid.
    pub not_before: OffsetDateTime,
    /// The last moment at which it is valid.
    pub not_after: OffsetDateTime,
    /// The SHA-256 digest of the certificate.
    pub fingerprint: Digest,
}

/// What became of one artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// The name of the statement that applied.
    pub statement: Option<String>,
    /// The statement's level as reports name it: `strict`, … or `custom`.
    pub level: Option<&'static str>,
    /// The result.
    pub verdict: Verdict,
    /// Why, when it is not a pass.
    pub failure: Option<Failure>,
    /// Every signature, in the order of the evidence.
    pub signatures: Vec<SignatureOutcome>,
    /// What is missing before this is final.
    pub pending: Pending,
}

impl CertificateFacts {
    /// What each of `certificates` says of itself.
    pub(crate) fn of(certificates: &[Certificate]) -> Arc<[CertificateFacts]> {
        let facts = |certificate: &Certificate| CertificateFacts {
            subject: certificate.subject_text().to_owned(),
            not_before: certificate.not_before(),
            not_after: certificate.not_after(),
            fingerprint: *certificate.fingerprint(),
        };
        certificates.iter().map(facts).collect()
    }

    fn weight(&self) -> usize {
        size_of::<CertificateFacts>() + self.subject.len()
    }
}

impl From<Failure> for CheckResult {
    /// The class of the code decides: trouble never becomes a failed validation.
    fn from(failure: Failure) -> CheckResult {
        match failure.code.class() {
            Class::Fail => CheckResult::Fail(failure),
            Class::Undecided => CheckResult::Error(failure),
        }
    }
}

impl Outcome {
    /// About how many bytes the outcome takes in memory beside itself: most of them are messages.
    pub fn weight(&self) -> usize {
        let failure = |failure: Option<&Failure>| failure.map_or(0, |failure| failure.message.len());
        let check = |check: &Check| {
            let plugin = check.plugin.as_ref().map_or(0, String::len);
            size_of::<Check>() + failure(check.result.failure()) + plugin
        };
        let status = |status: &CertificateStatus| size_of::<CertificateStatus>() + status.weight();
        let signature = |signature: &SignatureOutcome| {
            let texts = [&signature.media_type, &signature.subject];
            let timestamp = signature.timestamp.as_ref();
            size_of::<SignatureOutcome>()
                + texts.into_iter().flatten().map(String::len).sum::<usize>()
                + failure(signature.failure.as_ref())
                + signature.checks.iter().map(check).sum::<usize>()
                + signature.revocation.iter().map(status).sum::<usize>()
                + signature.certificates.iter().map(CertificateFacts::weight).sum::<usize>()
                + timestamp.map_or(0, |stamp| {
                    stamp.subject.len()
                        + stamp.certificates.iter().map(CertificateFacts::weight).sum::<usize>()
                        + stamp.revocation.iter().map(status).sum::<usize>()
                })
        };
        failure(self.failure.as_ref()) + self.signatures.iter().map(signature).sum::<usize>()
    }
}

impl CheckResult {
    /// The word in reports.
    pub fn as_str(&self) -> &'static str {
        match self {
            CheckResult::Pass => "pass",
            CheckResult::Fail(_) => "fail",
            CheckResult::Skip => "skip",
            CheckResult::NotReached => "not-reached",
            CheckResult::Error(_) => "error",
        }
    }

    /// The reason, when there is one.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            CheckResult::Fail(failure) | CheckResult::Error(failure) => Some(failure),
            CheckResult::Pass | CheckResult::Skip | CheckResult::NotReached => None,
        }
    }
}

impl Verdict {
    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Warn => "warn",
            Verdict::Fail => "fail",
            Verdict::Skip => "skip",
            Verdict::Error => "error",
        }
    }
}
