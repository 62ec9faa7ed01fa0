//! CRLs that were kept for an address, before any of them is verified: which to try first, and which are worth knowing
//! beside an answer.

use std::cmp::Ordering;
use std::sync::Arc;

use time::OffsetDateTime;

use super::Permit;
use super::cache_file::{CacheFile, CacheProblem};
use crate::revocation::Kept;
use crate::revocation::peek::CrlOutline;
use crate::revocation::{Accepted, Answer};

/// A CRL, perhaps with its delta, and what their outlines say.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) base: Answer,
    pub(super) outline: CrlOutline,
    pub(super) delta: Option<(Answer, CrlOutline)>,
}

impl Candidate {
    /// What a file of the cache holds; `permit` is for its memory.
    pub(super) fn of_file(file: CacheFile, permit: Option<Permit>) -> Result<Candidate, CacheProblem> {
        let answer = |bytes| match permit.clone() {
            Some(permit) => Answer::new(bytes).holding(Arc::new(permit)),
            None => Answer::new(bytes),
        };
        let (base, delta) = (answer(file.base), file.delta.map(answer));
        Candidate::new(base, delta).ok_or_else(|| CacheProblem::Malformed("not a CRL".to_owned()))
    }

    /// An answer that was verified.
    pub(super) fn of_accepted(accepted: &Accepted) -> Option<Candidate> {
        Candidate::new(accepted.answer.clone(), accepted.delta.clone())
    }

    /// `None` if one of them has not the outline of a CRL.
    pub(super) fn new(base: Answer, delta: Option<Answer>) -> Option<Candidate> {
        let outline = CrlOutline::read(base.bytes())?;
        let delta = match delta {
            Some(delta) => Some((CrlOutline::read(delta.bytes())?, delta)),
            None => None,
        };
        Some(Candidate { base, outline, delta: delta.map(|(outline, delta)| (delta, outline)) })
    }

    /// Whether this can stand for what the server would say `at` this time: both CRLs still current, and the delta there if
    /// the base names one.
    pub(super) fn is_usable(&self, at: OffsetDateTime) -> bool {
        let is_current = |crl: &CrlOutline| crl.next_update.is_some_and(|next| at <= next);
        let whole = self.outline.freshest.is_empty() || self.delta.is_some();
        whole && is_current(&self.outline) && self.delta.as_ref().is_none_or(|(_, delta)| is_current(delta))
    }

    /// Whether `answer`, of the same issuer and from the same address, may be older than this.
    pub(super) fn may_outdate(&self, answer: &Answer) -> bool {
        let answered = CrlOutline::read(answer.bytes());
        answered.is_some_and(|answered| answered.edition.is_before(&self.outline.edition) || self.delta.is_some())
    }

    /// What is kept of it.
    pub(super) fn kept(&self) -> Kept {
        Kept { base: self.base.clone(), delta: self.delta.as_ref().map(|(delta, _)| delta.clone()) }
    }
}

/// The newer one first: by its base, and of two with the same by its delta.
pub(super) fn by_age(one: &Candidate, other: &Candidate) -> Ordering {
    let delta = |candidate: &Candidate| candidate.delta.as_ref().map(|(_, delta)| delta.edition.clone());
    other.outline.edition.cmp(&one.outline.edition).then_with(|| delta(other).cmp(&delta(one)))
}
