//! How new the answers of a run were that have been verified, so that none of them can be followed by an older one.
//!
//! An answer is forgotten when memory runs out, and asked for once more. An attacker in the network may then serve one from
//! before a revocation, which is still in its period. So what is remembered for the whole run is small: the number and time of
//! the newest verified answer, by address *and* issuer. Only what was verified is remembered; nothing else can get in
//! here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{RevocationSource, file_name};
use crate::limits;
use crate::revocation::Edition;
use crate::revocation::Known;
use crate::revocation::peek::{CrlOutline, OcspOutline};
use crate::revocation::{Accepted, Answer, Arrival, Need};
use crate::trouble::Trouble;

/// A source whose answers say what was known before them.
pub struct Editions {
    source: Arc<dyn RevocationSource>,
    /// By the name of the need's file, which is made of hashes.
    known: Mutex<HashMap<String, Arc<Known>>>,
}

impl Editions {
    /// Watches over the answers of `source`.
    pub fn new(source: Arc<dyn RevocationSource>) -> Editions {
        Editions { source, known: Mutex::default() }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Arc<Known>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn compared(&self, need: &Need, answer: Answer) -> Answer {
        let (_, name, _) = file_name::of(need);
        match self.known().get(&name) {
            Some(known) => answer.after(Arc::clone(known)),
            None => answer,
        }
    }
}

#[async_trait]
impl RevocationSource for Editions {
    async fn answer(&self, need: &Need) -> Result<Answer, Trouble> {
        self.source.answer(need).await.map(|answer| self.compared(need, answer))
    }

    async fn refetch(&self, need: &Need, refused: &Answer) -> Option<Result<Answer, Trouble>> {
        let anew = self.source.refetch(need, refused).await?;
        Some(anew.map(|answer| self.compared(need, answer)))
    }

    fn present(&self) -> Option<Arrival> {
        self.source.present()
    }

    async fn store_verified(&self, accepted: &Accepted) {
        if let Some(new) = known(accepted) {
            let (_, name, _) = file_name::of(&accepted.need);
            let mut all = self.known();
            let newer = match all.get(&name) {
                Some(before) => Some(before.with(new)),
                // One who can have so many answers verified has more than one run to himself.
                None => (all.len() < limits::EDITIONS_REMEMBERED).then_some(new),
            };
            if let Some(newer) = newer {
                all.insert(name, Arc::new(newer));
            }
        }
        self.source.store_verified(accepted).await;
    }
}

/// How new an answer is that has been verified.
fn known(accepted: &Accepted) -> Option<Known> {
    let crl = |answer: &Answer| CrlOutline::read(answer.bytes()).map(|outline| outline.edition);
    match accepted.need {
        Need::Crl { .. } => Some(Known { base: crl(&accepted.answer)?, delta: accepted.delta.as_ref().and_then(crl) }),
        Need::Ocsp { .. } => {
            let made = OcspOutline::read(accepted.answer.bytes())?.produced?;
            Some(Known { base: Edition { number: None, made }, delta: None })
        }
    }
}

impl Known {
    /// The newer of this and `other`.
    fn with(&self, other: Known) -> Known {
        let newer = |one: Edition, other: Edition| if one.is_before(&other) { other } else { one };
        let delta = match (self.delta.clone(), other.delta) {
            (Some(one), Some(other)) => Some(newer(one, other)),
            (one, other) => one.or(other),
        };
        Known { base: newer(self.base.clone(), other.base), delta }
    }
}
