//! Steps: what happens in the world, one after the other.

use schemars::JsonSchema;
use serde::Deserialize;

use super::expect::RawVerify;
use super::responder::{RawRespond, RawRestore, RawRevoke, RawTimestamp};
use crate::scenario::placed::{Entries, Placed};
use crate::scenario::scalar::{ArtifactName, Span};
use crate::scenario::words::{Answer, Format, ManifestForm, Route, SigningDefect, SigningScheme, Tampering};

/// One step.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::scenario) enum RawStep {
    /// Pushes artifacts.
    Push(RawPush),
    /// Signs artifacts and pushes the signatures.
    Sign(RawSign),
    /// Attaches something to artifacts, as an SBoM.
    Attach(RawAttach),
    /// Copies artifacts, with what refers to them or without.
    Copy(RawCopy),
    /// Changes a signature in the registry.
    Tamper(RawTamper),
    /// Deletes artifacts or a signature of theirs.
    Delete(RawDelete),
    /// Makes a registry answer as on a bad day from now on.
    Fault(RawFault),
    /// Revokes a certificate, as its issuer does.
    Revoke(RawRevoke),
    /// Lifts the hold of a certificate.
    Restore(RawRestore),
    /// Makes the responders of an authority answer otherwise from now on.
    Respond(RawRespond),
    /// Lets time pass.
    Advance(Placed<Span>),
    /// Verifies in between.
    Verify(RawVerify),
}

/// `push`
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawPush {
    /// Where to; registry.wabbit-networks.io/net-monitor:v1 if left out.
    #[serde(default)]
    pub(in crate::scenario) to: Option<Placed<ArtifactName>>,
    /// How many, all different; with more than one, the tags are TAG-1, TAG-2 …
    #[serde(default)]
    pub(in crate::scenario) count: Option<Placed<u32>>,
    /// An image index of this many images, `#linux/amd64`, `#linux/arm64`, `#linux/s390x`, `#linux/riscv64`.
    #[serde(default)]
    pub(in crate::scenario) images: Option<Placed<u32>>,
    /// Makes the manifest longer by this many bytes.
    #[serde(default)]
    pub(in crate::scenario) padding: Option<Placed<u32>>,
}

/// `sign`
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawSign {
    /// What is signed; registry.wabbit-networks.io/net-monitor:v1 if left out.
    #[serde(default)]
    pub(in crate::scenario) artifact: Option<Placed<ArtifactName>>,
    /// The key; builder if left out.
    #[serde(default)]
    pub(in crate::scenario) key: Option<Placed<String>>,
    /// How many signatures; one if left out.
    #[serde(default)]
    pub(in crate::scenario) count: Option<Placed<u32>>,
    /// The format of the envelope; jws if left out.
    #[serde(default)]
    pub(in crate::scenario) format: Option<Format>,
    /// The signing scheme; notary.x509 if left out.
    #[serde(default)]
    pub(in crate::scenario) scheme: Option<SigningScheme>,
    /// How long after the signing time it expires; never if left out.
    #[serde(default)]
    pub(in crate::scenario) expires: Option<Span>,
    /// The signing time that it states, from the time of the step.
    #[serde(default)]
    pub(in crate::scenario) signed_at: Option<Span>,
    /// User metadata.
    #[serde(default)]
    pub(in crate::scenario) user_metadata: Entries<String>,
    /// The form of the signature manifest; config-media-type if left out.
    #[serde(default)]
    pub(in crate::scenario) manifest: Option<ManifestForm>,
    /// The time stamp that it gets.
    #[serde(default)]
    pub(in crate::scenario) timestamp: Option<Placed<RawTimestamp>>,
    /// A verification plugin that the signature asks for.
    #[serde(default)]
    pub(in crate::scenario) plugin: Option<String>,
    /// The version that the plugin must have at least.
    #[serde(default)]
    pub(in crate::scenario) plugin_min_version: Option<Placed<String>>,
    /// Further attributes that are signed, all of them critical.
    #[serde(default)]
    pub(in crate::scenario) attributes: Entries<String>,
    /// How the signer departs from the rules.
    #[serde(default)]
    pub(in crate::scenario) defects: Vec<SigningDefect>,
}

/// `attach`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawAttach {
    /// What it is attached to; registry.wabbit-networks.io/net-monitor:v1 if left out.
    #[serde(default)]
    pub(in crate::scenario) to: Option<Placed<ArtifactName>>,
    /// What it is called: `#NAME` behind the artifact.
    pub(in crate::scenario) name: Placed<String>,
    /// What it is: `application/spdx+json`.
    pub(in crate::scenario) artifact_type: Placed<String>,
    /// What it holds.
    #[serde(default)]
    pub(in crate::scenario) content: Option<String>,
    /// Signs it too.
    #[serde(default)]
    pub(in crate::scenario) sign: Option<RawSign>,
}

/// `copy`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawCopy {
    /// What is copied; registry.wabbit-networks.io/net-monitor:v1 if left out.
    #[serde(default)]
    pub(in crate::scenario) from: Option<Placed<ArtifactName>>,
    /// Where to.
    pub(in crate::scenario) to: Placed<ArtifactName>,
    /// Whether what refers to it comes along: signatures, SBoMs, and their signatures; true if left out.
    #[serde(default)]
    pub(in crate::scenario) referrers: Option<bool>,
}

/// `tamper`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawTamper {
    /// Whose signature; registry.wabbit-networks.io/net-monitor:v1 if left out.
    #[serde(default)]
    pub(in crate::scenario) artifact: Option<Placed<ArtifactName>>,
    /// Which of its signatures, counted from 0.
    #[serde(default)]
    pub(in crate::scenario) signature: Option<Placed<u32>>,
    /// What is done.
    #[serde(rename = "do")]
    pub(in crate::scenario) operator: Placed<Tampering>,
    /// The key or the artifact that some need.
    #[serde(default)]
    pub(in crate::scenario) with: Option<Placed<String>>,
}

/// `delete`
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawDelete {
    /// What; registry.wabbit-networks.io/net-monitor:v1 if left out.
    #[serde(default)]
    pub(in crate::scenario) artifact: Option<Placed<ArtifactName>>,
    /// Only this of its signatures, counted from 0.
    #[serde(default)]
    pub(in crate::scenario) signature: Option<Placed<u32>>,
}

/// `fault`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawFault {
    /// The registry; registry.wabbit-networks.io if left out.
    #[serde(default)]
    pub(in crate::scenario) registry: Option<Placed<String>>,
    /// Which requests.
    pub(in crate::scenario) on: Route,
    /// What it answers.
    pub(in crate::scenario) answer: Answer,
    /// How many requests it befalls; all if left out.
    #[serde(default)]
    pub(in crate::scenario) times: Option<Placed<u32>>,
}
