//! What must come of a request for approvals: how far it has come, who approved, and who was refused.

use super::reader::Reader;
use crate::failure::quote;
use crate::forge::words::words;
use crate::scenario::expectation::Fix;
use crate::scenario::finding::Rule;
use crate::scenario::names::unknown;
use crate::scenario::spanned::{OrderedMap, Spanned};
use crate::scenario::world::Approvals;
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

/// What is expected, as far as it is stated.
pub(super) struct Wanted<'w> {
    pub(super) request: Option<&'w Spanned<RequestWord>>,
    pub(super) approved_by: Option<&'w Spanned<Vec<String>>>,
    pub(super) refused: Option<&'w Spanned<OrderedMap<RefusalWord>>>,
}

impl Wanted<'_> {
    /// Checks that one of the keys needs approvals, and that there are such people. `keys` are the one that is named, and those that
    /// may sign in its place.
    pub(super) fn check(&self, keys: &[usize], reader: &mut Reader<'_, '_, '_>) {
        let Wanted { request, approved_by, refused } = self;
        let stated = [
            request.map(|request| request.range.clone()),
            approved_by.map(|by| by.range.clone()),
            refused.map(|refused| refused.range.clone()),
        ];
        let waits = keys.iter().any(|key| reader.things.keys[*key].has_policy());
        if let (Some(range), Some(named)) = (stated.into_iter().flatten().next().filter(|_| !waits), keys.first()) {
            let message = format!("the key {} needs no approvals", quote(&reader.things.keys[*named].name));
            reader.findings.error(Rule::Contradiction, &range, message, "give it a policy, or remove this");
        }
        let named = approved_by.iter().flat_map(|by| by.value.iter().map(|name| (name, &by.range)));
        let refused =
            refused.iter().flat_map(|refused| refused.value.0.iter().map(|(name, _)| (&name.value, &name.range)));
        for (name, range) in named.chain(refused).filter(|(name, _)| reader.things.approver(name).is_none()) {
            let known = reader.things.approvers.iter().map(|known| known.name.as_str());
            unknown("approver", name, range, known, reader.findings);
        }
    }

    /// Tells `note` what came out otherwise: what, what was expected, what was found, and where it stands.
    pub(super) fn compare(
        &self,
        approvals: Option<&Approvals>,
        note: &mut impl FnMut(&str, String, String, Spanned<()>, Fix),
    ) {
        let made = approvals.and_then(|approvals| approvals.request.as_ref());
        let status = made.map_or(RequestWord::None, |request| RequestWord::of(request.status));
        if let Some(wanted) = self.request.filter(|wanted| wanted.value != status) {
            let (expected, found) = (wanted.value.as_str().to_owned(), status.as_str().to_owned());
            note("request", expected, found.clone(), wanted.with(()), Fix::Replace(found));
        }
        if let Some(wanted) = self.approved_by {
            let deeds = made.iter().flat_map(|request| &request.approved);
            let found: Vec<String> = deeds.map(|deed| deed.name.clone().unwrap_or_default()).collect();
            if found != wanted.value {
                note("approvedBy", listed(&wanted.value), listed(&found), wanted.with(()), Fix::ByHand);
            }
        }
        if let Some(wanted) = self.refused {
            let told = approvals.iter().flat_map(|told| &told.refused);
            let mut found: Vec<String> = told.map(|(who, why)| format!("{who}: {why}")).collect();
            let entries = wanted.value.0.iter();
            let mut expected: Vec<String> =
                entries.map(|(who, why)| format!("{}: {}", who.value, why.as_str())).collect();
            found.sort();
            expected.sort();
            if found != expected {
                note("refused", listed(&expected), listed(&found), wanted.with(()), Fix::ByHand);
            }
        }
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
