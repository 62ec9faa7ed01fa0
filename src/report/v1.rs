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
mod summary;

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Serialize;

pub use aside::{Aside, Incomplete, IncompleteLists, Lists, PassedOver, PlatformFound};
pub(in crate::report) use counts::grouped;
pub use counts::{Effort, Exempted, RepositoryResults};
pub use judged::Subject;
pub use revocation::{CertificateStatus, RevocationMethod, RevocationStatus, ServerStatus};
pub use summary::{Reason, Results, Summary};

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
    /// `true` where this is no artifact but a place that could not be looked at in full: a registry, a repository, a layout.
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
        !self.place && self.part_of.is_none() && self.attached_to.is_none() && !self.reference.contains('@')
    }
}

impl Signature<'_> {
    /// Every reason against it, as code and sentence: those of the validations in their order, its own last.
    pub fn reasons(&self) -> impl Iterator<Item = (&str, &str)> {
        let own = self.code.as_deref().zip(self.message.as_deref());
        self.checks.iter().filter_map(|check| check.code.as_deref().zip(check.message.as_deref())).chain(own)
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
