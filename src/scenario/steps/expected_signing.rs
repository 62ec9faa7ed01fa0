//! `expect` of a step `sign`: that artifacts are signed, or that they are not and why, and what the registry has afterwards.
//!
//! Whatever is expected, the registry must hold every signature that was handed out, whole, and nothing of any other.

use schemars::JsonSchema;
use serde::Deserialize;

use super::expected_approvals::{RefusalWord, RequestWord, Wanted};
use super::reader::Reader;
use super::registry_state::RegistryState;
use super::sign::Signed;
use super::signing_trouble::SigningError;
use crate::scenario::expectation::{Difference, Fix};
use crate::scenario::scalar::ArtifactName;
use crate::scenario::spanned::{OrderedMap, Spanned};

/// What must come of signing.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawExpectedSigning {
    /// Why the signer does not sign, or not all; all are signed if left out.
    error: Option<Spanned<SigningError>>,
    /// How many signatures the registry lists afterwards, those of all artifacts of the name together.
    signatures: Option<Spanned<u64>>,
    /// How far the request for approvals has come; of several artifacts or signatures, the last one.
    request: Option<Spanned<RequestWord>>,
    /// Whose approvals of that request counted, in the order of time.
    approved_by: Option<Spanned<Vec<String>>>,
    /// Whose approvals or refusals of it did not count, and why.
    refused: Option<Spanned<OrderedMap<RefusalWord>>>,
}

/// What must come of signing, with its place in the file.
#[derive(Debug, Clone)]
pub(super) struct ExpectedSigning {
    place: Spanned<()>,
    written: RawExpectedSigning,
}

impl ExpectedSigning {
    pub(super) fn check(
        raw: &Spanned<RawExpectedSigning>,
        key: usize,
        reader: &mut Reader<'_, '_, '_>,
    ) -> ExpectedSigning {
        let RawExpectedSigning { request, approved_by, refused, .. } = &raw.value;
        Wanted { request: request.as_ref(), approved_by: approved_by.as_ref(), refused: refused.as_ref() }
            .check(&reader.things.acting_keys(key), reader);
        ExpectedSigning { place: raw.with(()), written: raw.value.clone() }
    }

    /// How it differs from what came of it, where the registry was in the state `before`, and is in the state `after`.
    pub(super) fn differences(
        &self,
        artifact: &ArtifactName,
        signed: &Signed,
        before: RegistryState,
        after: RegistryState,
    ) -> Vec<Difference> {
        let mut differences = Vec::new();
        let mut note = |what: &str, expected: String, found: String, place: Spanned<()>, fix: Fix| {
            let (artifact, what) = (artifact.to_string(), what.to_owned());
            differences.push(Difference { artifact, what, expected, found, line: place.line, range: place.range, fix });
        };
        let RawExpectedSigning { error, signatures, request, approved_by, refused } = &self.written;
        let wanted = error.as_ref().map(|error| error.value);
        let word = signed.trouble.as_ref().map(|trouble| trouble.word);
        if word != wanted.map(Some) {
            let found = signed.trouble.as_ref().map_or("signed".to_owned(), |trouble| {
                let word = trouble.word.map_or("another", SigningError::as_str);
                format!("{word} ({})", trouble.message)
            });
            let place = error.as_ref().map_or_else(|| self.place.clone(), |error| error.with(()));
            let fix = match (error, word.flatten()) {
                (Some(_), Some(word)) => Fix::Replace(word.as_str().to_owned()),
                _ => Fix::ByHand,
            };
            note("error", wanted.map_or("signed", SigningError::as_str).to_owned(), found, place, fix);
        }
        if let Some(count) = signatures.as_ref().filter(|count| count.value != after.listed) {
            let fix = Fix::Replace(after.listed.to_string());
            note("signatures", count.value.to_string(), after.listed.to_string(), count.with(()), fix);
        }
        Wanted { request: request.as_ref(), approved_by: approved_by.as_ref(), refused: refused.as_ref() }
            .compare(signed.approvals.as_ref(), &mut note);
        let whole = before.listed.saturating_add(signed.count);
        if after.listed != whole {
            let expected = format!("{} before and {} new ones", before.listed, signed.count);
            note("registry", expected, format!("{} signatures", after.listed), self.place.clone(), Fix::ByHand);
        }
        for broken in after.broken.iter().filter(|broken| !before.broken.contains(broken)) {
            note("registry", "whole signatures".to_owned(), broken.clone(), self.place.clone(), Fix::ByHand);
        }
        differences
    }
}
