//! `expect` of a step `sign`: that artifacts are signed, or that they are not and why, and what the registry has afterwards.
//!
//! Whatever is expected, the registry must hold every signature that was handed out, whole, and nothing of any other.

use schemars::JsonSchema;
use serde::Deserialize;

use super::reader::Reader;
use super::registry_state::RegistryState;
use super::sign::Signed;
use super::signing_trouble::SigningError;
use crate::failure::quote;
use crate::forge::words::words;
use crate::scenario::expectation::{Difference, Fix};
use crate::scenario::finding::Rule;
use crate::scenario::names::unknown;
use crate::scenario::scalar::ArtifactName;
use crate::scenario::spanned::{OrderedMap, Spanned};
use crate::tsb::RequestStatus;

words! {
    /// How far a request for approvals has come.
    pub(super) RequestWord {
        /// There is none: the gateway did not take it.
        None "none"
        /// Approvals are missing.
        Pending "pending"
        /// Enough have approved, and a timelock lasts.
        Approved "approved"
        /// The key has signed.
        Executed "executed"
        /// The key was blocked when it was to sign.
        Failed "failed"
        /// The time for approvals is over.
        Expired "expired"
        /// Too many have refused.
        Rejected "rejected"
        /// The signer has taken it back.
        Cancelled "cancelled"
    }
}

words! {
    /// Why an approval or a refusal does not count.
    pub(super) RefusalWord {
        /// No policy lists them.
        NotListed "not-listed"
        /// They have approved already.
        ApprovedAlready "approved-already"
        /// They have refused already.
        RejectedAlready "rejected-already"
        /// The request has ended.
        Ended "ended"
        /// The time in which they were needed is over.
        TooLate "too-late"
        /// It is of something else.
        OtherContent "other-content"
        /// There is no request.
        NoRequest "no-request"
    }
}

/// What must come of signing.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawExpectedSigning {
    /// Why the signer does not sign, or not all; all are signed if left out.
    error: Option<Spanned<SigningError>>,
    /// How many signatures the registry lists afterwards, those of all artifacts of the name together.
    signatures: Option<Spanned<u64>>,
    /// How far the request for approvals has come; of several artifacts, the last one.
    request: Option<Spanned<RequestWord>>,
    /// Whose approvals counted, in the order of time.
    approved_by: Option<Spanned<Vec<String>>>,
    /// Whose approvals or refusals did not count, and why.
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
        let stated = [
            request.as_ref().map(|request| request.range.clone()),
            approved_by.as_ref().map(|by| by.range.clone()),
            refused.as_ref().map(|refused| refused.range.clone()),
        ];
        if let Some(range) = stated.into_iter().flatten().next().filter(|_| !reader.things.keys[key].has_policy()) {
            let message = format!("the key {} needs no approvals", quote(&reader.things.keys[key].name));
            reader.findings.error(Rule::Contradiction, &range, message, "give it a policy, or remove this");
        }
        let named = approved_by.iter().flat_map(|by| by.value.iter().map(|name| (name, &by.range)));
        let refused =
            refused.iter().flat_map(|refused| refused.value.0.iter().map(|(name, _)| (&name.value, &name.range)));
        for (name, range) in named.chain(refused).filter(|(name, _)| reader.things.approver(name).is_none()) {
            let known = reader.things.approvers.iter().map(|known| known.name.as_str());
            unknown("approver", name, range, known, reader.findings);
        }
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
        let approvals = signed.approvals.as_ref();
        let made = approvals.and_then(|approvals| approvals.request.as_ref());
        let status = made.map_or(RequestWord::None, |request| RequestWord::of(request.status));
        if let Some(wanted) = request.as_ref().filter(|wanted| wanted.value != status) {
            let (expected, found) = (wanted.value.as_str().to_owned(), status.as_str().to_owned());
            note("request", expected, found.clone(), wanted.with(()), Fix::Replace(found));
        }
        if let Some(wanted) = approved_by {
            let deeds = made.iter().flat_map(|request| &request.approved);
            let found: Vec<String> = deeds.map(|deed| deed.name.clone().unwrap_or_default()).collect();
            if found != wanted.value {
                note("approvedBy", listed(&wanted.value), listed(&found), wanted.with(()), Fix::ByHand);
            }
        }
        if let Some(wanted) = refused {
            let mut found: Vec<String> =
                approvals.iter().flat_map(|told| &told.refused).map(|(who, why)| format!("{who}: {why}")).collect();
            let mut expected: Vec<String> =
                wanted.value.0.iter().map(|(who, why)| format!("{}: {}", who.value, why.as_str())).collect();
            found.sort();
            expected.sort();
            if found != expected {
                note("refused", listed(&expected), listed(&found), wanted.with(()), Fix::ByHand);
            }
        }
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

impl RequestWord {
    fn of(status: RequestStatus) -> RequestWord {
        match status {
            RequestStatus::Pending => RequestWord::Pending,
            RequestStatus::Approved => RequestWord::Approved,
            RequestStatus::Executed => RequestWord::Executed,
            RequestStatus::Failed => RequestWord::Failed,
            RequestStatus::Expired => RequestWord::Expired,
            RequestStatus::Rejected => RequestWord::Rejected,
            RequestStatus::Cancelled => RequestWord::Cancelled,
        }
    }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
