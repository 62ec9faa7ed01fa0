//! What a decision lacks: answers that have to be fetched and added to the evidence before it can be final.
//!
//! Deciding never fetches. It names what is missing for a signature that is good otherwise; the caller fetches that, records
//! it in the evidence, and decides again. Nothing that an untrusted certificate names is ever in here.

use std::collections::HashSet;

use crate::digest::Digest;
use crate::plugin::Question;
use crate::revocation::{self, Accepted};

/// One thing that is missing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Need {
    /// An answer about a certificate, to be recorded in [`Evidence::revocation`](crate::evidence::Evidence::revocation).
    Revocation(revocation::Need),
    /// An answer of a plugin, to be recorded in [`Evidence::plugins`](crate::evidence::Evidence::plugins).
    Plugin(Question),
}

/// What a decision needs before it is final, and the CRLs that it verified.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pending {
    /// Everything that is missing, each once, in the order in which it was noticed. Empty: the outcome is final.
    pub needs: Vec<Need>,
    /// CRLs of the evidence that were verified, each once: a cache may keep them.
    pub verified_crls: Vec<Accepted>,
}

/// What is pending, while it is brought together. Its size is up to untrusted input: a set beside each list keeps adding cheap.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pending: Pending,
    needs: HashSet<Need>,
    accepted: HashSet<(revocation::Need, Digest, Option<Digest>)>,
}

impl Gathered {
    pub(super) fn need(&mut self, need: Need) {
        if self.needs.insert(need.clone()) {
            self.pending.needs.push(need);
        }
    }

    fn accept(&mut self, accepted: Accepted) {
        let delta = accepted.delta.as_ref().map(|delta| *delta.digest());
        if self.accepted.insert((accepted.need.clone(), *accepted.answer.digest(), delta)) {
            self.pending.verified_crls.push(accepted);
        }
    }

    /// Takes over what another one names.
    pub(super) fn take(&mut self, other: Pending) {
        other.needs.into_iter().for_each(|need| self.need(need));
        other.verified_crls.into_iter().for_each(|accepted| self.accept(accepted));
    }

    /// Takes over what the evaluation of a chain lacks and found.
    pub(super) fn add(&mut self, evaluation: &revocation::Evaluation) {
        evaluation.needs.iter().for_each(|need| self.need(Need::Revocation(need.clone())));
        evaluation.accepted.iter().for_each(|accepted| self.accept(accepted.clone()));
    }

    /// Whether nothing is missing.
    pub(super) fn is_empty(&self) -> bool {
        self.pending.needs.is_empty()
    }

    /// All of it.
    pub(super) fn all(self) -> Pending {
        self.pending
    }
}
