//! What a decision lacks: answers that have to be fetched and added to the evidence before it can be final.
//!
//! Deciding never reaches out. It says what is missing for a signature that is good otherwise; whoever decides fetches
//! that, records it in the evidence, and decides again. Nothing that an untrusted certificate names is ever in here.

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

/// What a decision lacks, and what it found to be worth keeping.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lacking {
    /// Everything that is missing, each once, in the order in which it was noticed. Empty: the outcome is final.
    pub needs: Vec<Need>,
    /// CRLs of the evidence that were verified, each once.
    pub accepted: Vec<Accepted>,
}

impl Lacking {
    pub(super) fn need(&mut self, need: Need) {
        if !self.needs.contains(&need) {
            self.needs.push(need);
        }
    }

    /// Takes over what another one names.
    pub(super) fn take(&mut self, other: Lacking) {
        other.needs.into_iter().for_each(|need| self.need(need));
        for crl in other.accepted {
            if !self.accepted.contains(&crl) {
                self.accepted.push(crl);
            }
        }
    }

    /// Takes over what the evaluation of a chain lacks and found.
    pub(super) fn add(&mut self, evaluation: &revocation::Evaluation) {
        evaluation.needs.iter().for_each(|need| self.need(Need::Revocation(need.clone())));
        for crl in &evaluation.accepted {
            if !self.accepted.contains(crl) {
                self.accepted.push(crl.clone());
            }
        }
    }
}
