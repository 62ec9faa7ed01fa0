//! The payload: which artifact the signature speaks of.
//!
//! Follows *signature-specification*, Payload: a JSON object whose `targetArtifact` is an OCI descriptor, read as those of
//! manifests are. What it does not know is accepted and noted, unless two readers could read two things: a member given
//! twice or in another case, at any depth. Whether the artifact is the one at hand is for the verifier to compare.

use serde_json::value::RawValue;

use super::unknown::Unknown;
use crate::failure::{Code, Failure, quote};
use crate::json::{self, JsonError, Members};
use crate::manifest::Descriptor;

/// The content type that a signature's payload must state.
pub const PAYLOAD_MEDIA_TYPE: &str = "application/vnd.cncf.notary.payload.v1+json";

/// The members of a descriptor that the specification signs. The others that OCI has are read by their type and noted.
const TARGET_MEMBERS: [&str; 5] = ["mediaType", "digest", "size", "annotations", "artifactType"];

/// A verified payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// The artifact that was signed. Its annotations are the user metadata of the signature; all of it is untrusted text.
    pub target: Descriptor,
    /// The members that the specification does not know, in it or in its descriptor; quoted.
    pub unknown: Vec<String>,
}

impl Payload {
    /// Reads the payload's bytes; adds to `notes` what was accepted but is not known. Errors are
    /// [`Code::PayloadMalformed`].
    pub(super) fn parse(bytes: &[u8], notes: &mut Vec<String>) -> Result<Payload, Failure> {
        let fault = |error: JsonError| malformed(format!("the payload is malformed: {error}"));
        let payload = json::text(bytes).and_then(json::members).map_err(fault)?;
        refuse_variants("the payload", &payload, &["targetArtifact"])?;
        for (name, value) in payload.iter().filter(|(name, _)| *name != "targetArtifact") {
            json::check(value.get())
                .map_err(|error| malformed(format!("the payload's {} is malformed: {error}", quote(name))))?;
        }
        let mut unknown = note_others("the payload has members that are", &payload, &["targetArtifact"], notes);
        let target = required("the payload", &payload, "targetArtifact")?;
        let members =
            json::object(target).map_err(|error| malformed(format!("targetArtifact is malformed: {error}")))?;
        refuse_variants("targetArtifact", &members, Descriptor::members())?;
        // The names of annotations are data, and may differ in case.
        for (name, value) in members.iter().filter(|(name, _)| *name != "annotations") {
            json::check(value.get())
                .map_err(|error| malformed(format!("{} of targetArtifact is malformed: {error}", quote(name))))?;
        }
        let what = "targetArtifact has members that are";
        unknown.extend(note_others(what, &members, &TARGET_MEMBERS, notes));
        let target = Descriptor::read("targetArtifact", target)
            .map_err(|error| malformed(format!("the payload is malformed: {error}")))?;
        Ok(Payload { target, unknown })
    }
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

/// Notes the members that are not `known`, and hands out their names, quoted.
fn note_others(what: &str, members: &Members<'_>, known: &[&str], notes: &mut Vec<String>) -> Vec<String> {
    let mut unknown = Unknown::default();
    let others = members.iter().filter(|(name, _)| !known.contains(name)).map(|(name, _)| name);
    let others = others.inspect(|name| unknown.add(name)).map(quote).collect();
    notes.extend(unknown.note(what));
    others
}

fn malformed(message: impl Into<String>) -> Failure {
    Failure::new(Code::PayloadMalformed, message)
}

#[cfg(test)]
mod tests;
