//! The payload: which artifact the signature speaks of.
//!
//! Follows *signature-specification*, Payload: a JSON object whose `targetArtifact` is an OCI descriptor. What it does
//! not know is accepted and noted. Whether the artifact is the one at hand is for the verifier to compare.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::note_unknown;
use crate::digest::Digest;
use crate::failure::{Code, Failure, quote};
use crate::json::{self, JsonError, Members};

/// The content type that a signature's payload must state.
pub const PAYLOAD_MEDIA_TYPE: &str = "application/vnd.cncf.notary.payload.v1+json";

/// A verified payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// The artifact that was signed.
    pub target: TargetArtifact,
    /// The members that the specification does not know, in it or in its descriptor; quoted.
    pub unknown: Vec<String>,
}

/// The descriptor of the artifact that was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetArtifact {
    /// Its media type; untrusted text.
    pub media_type: String,
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Its annotations, the user metadata of the signature; untrusted text.
    pub annotations: BTreeMap<String, String>,
    /// Its artifact type, when one was signed; untrusted text.
    pub artifact_type: Option<String>,
}

impl Payload {
    /// Reads the payload's bytes; adds to `notes` what was accepted but is not known. Errors are
    /// [`Code::PayloadMalformed`].
    pub(super) fn parse(bytes: &[u8], notes: &mut Vec<String>) -> Result<Payload, Failure> {
        let fault = |error: JsonError| malformed(format!("the payload is malformed: {error}"));
        let payload = json::text(bytes).and_then(json::members).map_err(fault)?;
        refuse_variants("the payload", &payload, &["targetArtifact"])?;
        let mut unknown = note_others("the payload has members that are", &payload, &["targetArtifact"], notes)?;
        let target = required("the payload", &payload, "targetArtifact")?;
        let target =
            json::object(target).map_err(|error| malformed(format!("targetArtifact is malformed: {error}")))?;
        let target = TargetArtifact::read(&target, &mut unknown, notes)?;
        Ok(Payload { target, unknown })
    }
}

impl TargetArtifact {
    const MEMBERS: [&str; 5] = ["mediaType", "digest", "size", "annotations", "artifactType"];

    fn read(
        target: &Members<'_>,
        unknown: &mut Vec<String>,
        notes: &mut Vec<String>,
    ) -> Result<TargetArtifact, Failure> {
        refuse_variants("targetArtifact", target, &TargetArtifact::MEMBERS)?;
        unknown.extend(note_others("targetArtifact has members that are", target, &TargetArtifact::MEMBERS, notes)?);
        let required = |name| required("targetArtifact", target, name);

        let media_type = text("mediaType", required("mediaType")?)?;
        if media_type.is_empty() {
            return Err(malformed("the mediaType of targetArtifact is empty"));
        }
        let digest = text("digest", required("digest")?)?;
        let digest = digest.parse::<Digest>().map_err(|error| {
            malformed(format!("the digest {} of targetArtifact is malformed: {error}", quote(&digest)))
        })?;
        let size = json::unsigned(required("size")?).map_err(|error| in_member("size", &error))?;
        if i64::try_from(size).is_err() {
            return Err(malformed(format!("the size {size} of targetArtifact is larger than any content")));
        }
        let annotations = match target.get("annotations") {
            None => BTreeMap::new(),
            Some(value) => annotations(value)?,
        };
        let artifact_type = target.get("artifactType").map(|value| text("artifactType", value)).transpose()?;
        Ok(TargetArtifact { media_type, digest, size, annotations, artifact_type })
    }
}

fn annotations(value: &RawValue) -> Result<BTreeMap<String, String>, Failure> {
    let entries = json::entries(value).map_err(|error| in_member("annotations", &error))?;
    entries.iter().map(|(name, value)| Ok((name.to_owned(), text("annotations", value)?))).collect()
}

fn text(member: &str, value: &RawValue) -> Result<String, Failure> {
    json::string(value).map(String::from).map_err(|error| in_member(member, &error))
}

fn required<'a>(object: &str, members: &Members<'a>, name: &str) -> Result<&'a RawValue, Failure> {
    members.get(name).ok_or_else(|| malformed(format!("{object} has no {name}")))
}

fn refuse_variants(object: &str, members: &Members<'_>, known: &[&str]) -> Result<(), Failure> {
    match members.case_variant_of(known) {
        Some(variant) => Err(malformed(format!("{object} has the misspelt member {}", quote(variant)))),
        None => Ok(()),
    }
}

fn note_others(
    what: &str,
    members: &Members<'_>,
    known: &[&str],
    notes: &mut Vec<String>,
) -> Result<Vec<String>, Failure> {
    let mut unknown = Vec::new();
    for (name, value) in members.iter().filter(|(name, _)| !known.contains(name)) {
        json::check(value)
            .map_err(|error| malformed(format!("the payload's {} is malformed: {error}", quote(name))))?;
        unknown.push(quote(name));
    }
    notes.extend(note_unknown(what, &unknown));
    Ok(unknown)
}

fn in_member(member: &str, error: &JsonError) -> Failure {
    malformed(format!("the {member} of targetArtifact is malformed: {error}"))
}

fn malformed(message: impl Into<String>) -> Failure {
    Failure::new(Code::PayloadMalformed, message)
}

#[cfg(test)]
mod tests;
