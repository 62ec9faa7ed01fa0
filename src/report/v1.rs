//! Version 1 of the report, as programs read it.
//!
//! NDJSON holds one [`Artifact`] a line and nothing else; JSON holds a [`Report`]. Members may be added within version
//! 1: a reader ignores what it does not know. No member is ever renamed, removed, or given another meaning. `null`
//! says that there is no such thing, as for the policy of an artifact that no statement applies to.
//!
//! The enumerations here say again what those of [`crate::verify`], [`crate::policy`], [`crate::revocation`] and
//! [`crate::audit`] say. They are apart on purpose: these are words of a file format and stay as they are for as long as
//! version 1 is written, while those may be renamed, split and given fields.

mod aside;
mod counts;
mod judged;
mod revocation;

use std::borrow::Cow;
use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

pub use aside::{Aside, Incomplete, IncompleteLists, Lists, PassedOver, PlatformFound};
pub(in crate::report) use counts::grouped;
pub use counts::{Effort, Exempted, RepositoryResults};
pub use judged::Subject;
pub use revocation::{CertificateStatus, RevocationMethod, RevocationStatus, ServerStatus};

/// The JSON Schema of this version: a [`Report`], with the line of NDJSON as `#/$defs/Artifact`.
pub const SCHEMA: &str = include_str!("../../schemas/report.v1.schema.json");

/// What was judged, by what, with what result.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Report<'a> {
    /// What it was judged by.
    pub header: Header,
    /// The artifacts, in the order in which they were judged.
    pub artifacts: Vec<Artifact<'a>>,
    /// The sum of it.
    pub summary: Summary,
}

/// By what and when the artifacts of a report were judged.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Header {
    /// The version of this format: always `"1"`.
    #[schemars(extend("const" = "1"))]
    pub version: &'static str,
    /// The program that judged.
    pub tool: Tool,
    /// The time as of which everything was judged, in RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    pub at: String,
    /// When the run began, by the machine's clock, in RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    pub started: String,
    /// The trust policy.
    pub policy: Input,
    /// The trust stores that the policy names.
    pub trust_store: Input,
    /// The targets as they were written, those of list files by the name of the file.
    pub targets: Vec<String>,
    /// `true` where names inside OCI layouts say which repository, and so which statement of the policy, some artifacts
    /// belong to: those whose `repositoryFrom` is `layout`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub layout_names: bool,
}

/// A program.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tool {
    /// Its name.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
}

/// A file or directory that decided results.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    /// Where it lies.
    pub path: String,
    /// The digest of what was read there: of a policy, of the file's bytes; of trust stores, of all their certificates.
    pub digest: String,
}

/// One artifact.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Artifact<'a> {
    /// The artifact by its digest, `host/repository@sha256:…`; `null` when the reference could not be resolved.
    pub artifact: Option<Cow<'a, str>>,
    /// The reference by which it was selected.
    pub reference: Cow<'a, str>,
    /// The media type of its manifest.
    pub media_type: Option<Cow<'a, str>>,
    /// The platform (`os/architecture/variant`), where the artifact was judged as part of an image index.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<Cow<'a, str>>,
    /// That image index, `host/repository@sha256:…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part_of: Option<Cow<'a, str>>,
    /// What it is attached to, `host/repository@sha256:…`, where it was judged for that reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attached_to: Option<Cow<'a, str>>,
    /// The artifact type that it states, where it was judged as attached to another artifact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<Cow<'a, str>>,
    /// Who says which repository it belongs to, where it comes from an OCI layout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository_from: Option<RepositoryFrom>,
    /// `true` where this is no artifact but a place that could not be looked at: a registry, a repository, a layout.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub place: bool,
    /// Of an image index that passes: how many manifests it covers, at every depth, each once, build attestations apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub covers: Option<u64>,
    /// The name of the statement of the trust policy that applied.
    pub policy: Option<Cow<'a, str>>,
    /// The level of that statement: `strict`, `permissive`, `audit`, `skip`, or `custom` where the statement overrides
    /// parts of a level.
    pub level: Option<Cow<'a, str>>,
    /// The result.
    pub result: Verdict,
    /// The reason why the result is not a pass: a stable word, by which `summary.codes` tells what to do.
    #[schemars(extend("pattern" = "^[a-z0-9-]+$"))]
    pub code: Option<Cow<'a, str>>,
    /// The same as a sentence.
    pub message: Option<Cow<'a, str>>,
    /// Every signature that was judged.
    pub signatures: Vec<Signature<'a>>,
}

/// Who says which repository, and by that which statement of the policy, an artifact of an OCI layout belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RepositoryFrom {
    /// The user, by `--scope`.
    Scope,
    /// The user, by the full reference in the target.
    Reference,
    /// A name inside the layout, chosen by the layout's author.
    Layout,
}

/// The result of an artifact or a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// A signature passed, and nothing was logged against it.
    Pass,
    /// It passes, but only because failures are logged and not enforced.
    Warn,
    /// No signature passes, none exists, or no statement of the policy applies.
    Fail,
    /// The policy says skip.
    Skip,
    /// It could not be decided.
    Error,
}

/// One signature of an artifact.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Signature<'a> {
    /// The digest of the signature manifest.
    pub digest: Cow<'a, str>,
    /// The media type of the envelope, when one was fetched.
    pub media_type: Option<Cow<'a, str>>,
    /// The signing scheme, once the envelope could be read: `notary.x509` or `notary.x509.signingAuthority`. The envelope
    /// could be read where its signature is that of the first certificate over what it says; so also where it speaks of
    /// another artifact (`payload-mismatch`), and then the check of integrity says so.
    pub scheme: Option<Cow<'a, str>>,
    /// The subject of the signing certificate, once the envelope could be read.
    pub subject: Option<Cow<'a, str>>,
    /// When it was signed, in RFC 3339; there once the envelope could be read. Nothing but what the signer says, or under
    /// `notary.x509.signingAuthority` the signing authority; `timestamp` is what another has seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub signed_at: Option<String>,
    /// From when on it is expired, in RFC 3339, where the signer says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub expires: Option<String>,
    /// The certificates of its chain, the signing certificate first, the root last; there once the envelope could be read.
    /// Each signs the one before it. Whether they are trusted is what the check of authenticity says.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<Certificate<'a>>,
    /// The result.
    pub result: Verdict,
    /// The reason why the signature does not pass, if no validation gives it: not found, lacks user metadata, wants a plugin.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = "^[a-z0-9-]+$"))]
    pub code: Option<Cow<'a, str>>,
    /// The same as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Cow<'a, str>>,
    /// The validations, in the order in which they are made.
    pub checks: Vec<Check<'a>>,
    /// What was found of its certificates, the signing certificate first, the root last; there once revocation was checked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub revocation: Vec<CertificateStatus<'a>>,
    /// The time stamp, where the policy asks for one and it was verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp<'a>>,
}

/// A time stamp of an authority that the policy trusts.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Timestamp<'a> {
    /// When the signature was there, by the authority's clock, in RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    pub time: String,
    /// How many seconds the true time may be away from it, either way, where that is stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accuracy_seconds: Option<f64>,
    /// The subject of the authority's certificate.
    pub subject: Cow<'a, str>,
    /// The authority's certificates, its own first, a trusted root last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<Certificate<'a>>,
}

/// A certificate, as it says of itself.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Certificate<'a> {
    /// Its subject.
    pub subject: Cow<'a, str>,
    /// The first moment at which it is valid, in RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub not_before: Option<String>,
    /// The last moment at which it is valid, in RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub not_after: Option<String>,
    /// The SHA-256 digest of the certificate: `sha256:…`.
    pub fingerprint: String,
}

/// One validation of a signature.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Check<'a> {
    /// Which.
    #[serde(rename = "type")]
    pub validation: Validation,
    /// What the policy wants done when it fails.
    pub action: Action,
    /// What came out.
    pub result: CheckResult,
    /// The name and the version of the verification plugin that decided it, or a part of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin: Option<Cow<'a, str>>,
    /// The reason why the validation fails or could not be decided: a stable word.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = "^[a-z0-9-]+$"))]
    pub code: Option<Cow<'a, str>>,
    /// The same as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Cow<'a, str>>,
}

/// The validations, by the specification's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Validation {
    /// The envelope is whole, signed by its key, and speaks of this artifact.
    Integrity,
    /// The signer is trusted.
    Authenticity,
    /// The signature has not expired.
    Expiry,
    /// It was made while the certificates were valid.
    AuthenticTimestamp,
    /// No certificate is revoked.
    Revocation,
}

/// What is done about a validation, by the specification's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Its failure fails the signature.
    Enforce,
    /// Its failure is reported, and the signature may pass.
    Log,
    /// It is not looked at.
    Skip,
}

/// What came out of a validation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CheckResult {
    /// It holds.
    Pass,
    /// It does not hold.
    Fail,
    /// The policy says not to look.
    Skip,
    /// An enforced validation before it failed.
    NotReached,
    /// It could not be decided.
    Error,
}

/// The sum of a report.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// How many artifacts were selected. Where the run was interrupted, something was passed over, or manifests of image
    /// indexes were judged one by one, this differs from the sum of `results`.
    pub selected: u64,
    /// How many artifacts have which result, and places that could not be looked at, which are errors.
    pub results: Results,
    /// How many tags, or names in layouts, were judged or were to be: several may name one artifact.
    pub tags: u64,
    /// How many different digests were judged.
    pub digests: u64,
    /// `true` where there may be more of them: after so many they are not counted any more.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub more_digests: bool,
    /// How many of the errors are places that could not be looked at: registries, repositories, layouts.
    pub places: u64,
    /// The reasons that occur, the most frequent first; those that come as often, by their names.
    pub codes: Vec<Reason>,
    /// The repositories and what became of their artifacts: first those with the most failures and errors, then those with
    /// the most warnings, then by name.
    pub repositories: Vec<RepositoryResults>,
    /// The artifacts of more repositories than are listed.
    #[serde(skip_serializing_if = "Results::is_empty")]
    pub other_repositories: Results,
    /// Whether something was not judged that should have been: the run was `interrupted`, or there are `incompleteLists`.
    pub partial: bool,
    /// Whether the run ended before everything was judged.
    pub interrupted: bool,
    /// When the run was, how long it took, and what it asked of registries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effort: Option<Effort>,
    /// What did not count for the exit code, as the user wished.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<Exempted>,
    /// What counted for the exit code as a failure does, as the user wished.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub denied: Vec<Exempted>,
    /// What was seen, and not judged by itself.
    #[serde(flatten)]
    pub aside: Aside,
}

/// How many artifacts have which result.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Results {
    /// Passed.
    pub pass: u64,
    /// Passed with failures logged.
    pub warn: u64,
    /// Failed.
    pub fail: u64,
    /// Skipped by the policy.
    pub skip: u64,
    /// Not decided.
    pub error: u64,
}

/// A reason, how often it occurs, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reason {
    /// The stable word.
    pub code: &'static str,
    /// How many artifacts have it as their reason.
    pub artifacts: u64,
    /// The same by their results: a failure that is only logged is a warning.
    pub results: Results,
    /// The section of the specification it comes from.
    pub section: &'static str,
    /// What can be done about it.
    pub remedy: &'static str,
}

impl Artifact<'_> {
    /// The repository that it belongs to: its name without tag and digest.
    pub fn repository(&self) -> &str {
        let name = self.artifact.as_deref().unwrap_or(&self.reference);
        if self.place {
            return name;
        }
        let name = name.rsplit_once('@').map_or(name, |(repository, _)| repository);
        // A colon before the first slash divides host and port.
        let tag = name.rfind(':').filter(|colon| name.find('/').is_some_and(|slash| slash < *colon));
        tag.filter(|_| self.artifact.is_none()).map_or(name, |colon| &name[..colon])
    }

    /// Whether it was named by a tag, or by a name in a layout.
    pub fn is_named_by_tag(&self) -> bool {
        !self.place && self.part_of.is_none() && !self.reference.contains('@')
    }
}

impl Signature<'_> {
    /// Every reason against it, as code and sentence: those of the validations in their order, its own last.
    pub fn reasons(&self) -> impl Iterator<Item = (&str, &str)> {
        let own = self.code.as_deref().zip(self.message.as_deref());
        self.checks.iter().filter_map(|check| check.code.as_deref().zip(check.message.as_deref())).chain(own)
    }
}

impl Results {
    /// All of them, with their names, in the order of reports.
    pub fn each(&self) -> [(Verdict, u64); 5] {
        [
            (Verdict::Pass, self.pass),
            (Verdict::Warn, self.warn),
            (Verdict::Fail, self.fail),
            (Verdict::Skip, self.skip),
            (Verdict::Error, self.error),
        ]
    }

    /// Counts one more.
    pub(super) fn add(&mut self, result: Verdict) {
        *match result {
            Verdict::Pass => &mut self.pass,
            Verdict::Warn => &mut self.warn,
            Verdict::Fail => &mut self.fail,
            Verdict::Skip => &mut self.skip,
            Verdict::Error => &mut self.error,
        } += 1;
    }

    fn is_empty(&self) -> bool {
        self.sum() == 0
    }

    /// How many artifacts there are in all.
    pub fn sum(&self) -> u64 {
        self.each().iter().map(|(_, count)| count).sum()
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

impl Summary {
    /// How many artifacts were judged: places that could not be looked at are none.
    pub fn judged(&self) -> u64 {
        self.results.sum().saturating_sub(self.places)
    }

    /// What else there is to say, as sentences without a full stop: what one artifact is, what was not judged by itself, what
    /// the exit code leaves out or adds.
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if self.tags > 0 && self.digests > 0 && (self.tags != self.digests || self.more_digests) {
            let tags = if self.tags == 1 { "tag" } else { "tags" };
            let digests = if self.digests == 1 { "digest" } else { "digests" };
            let more = if self.more_digests { " or more" } else { "" };
            remarks.push(format!("{} {tags}, {} {digests}{more}", grouped(self.tags), grouped(self.digests)));
        }
        remarks.extend(self.aside.remarks());
        for (word, exempted) in [("allowed", &self.allowed), ("denied", &self.denied)] {
            if !exempted.is_empty() {
                let counts: Vec<_> = exempted.iter().map(|one| format!("{} {}", one.artifacts, one.what)).collect();
                remarks.push(format!("{word}: {}", counts.join(", ")));
            }
        }
        remarks
    }

    /// Why the report is partial, as a sentence without a full stop, if it is.
    pub fn partial_because(&self) -> Option<String> {
        let ended = self.interrupted.then(|| "the run ended before everything was judged".to_owned());
        let reasons: Vec<_> = ended.into_iter().chain(self.aside.incomplete_lists.sentence()).collect();
        (!reasons.is_empty()).then(|| reasons.join("; "))
    }
}

impl fmt::Display for Summary {
    /// `12 artifacts judged: 10 pass, 2 fail; 1 place could not be looked at`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let judged = self.judged();
        write!(f, "{judged} {} judged", if judged == 1 { "artifact" } else { "artifacts" })?;
        let mut joint = ": ";
        let artifacts = Results { error: self.results.error.saturating_sub(self.places), ..self.results.clone() };
        for (verdict, count) in artifacts.each().into_iter().filter(|(_, count)| *count > 0) {
            write!(f, "{joint}{count} {}", verdict.as_str())?;
            joint = ", ";
        }
        match self.places {
            0 => Ok(()),
            1 => write!(f, "; 1 place could not be looked at"),
            places => write!(f, "; {places} places could not be looked at"),
        }
    }
}
