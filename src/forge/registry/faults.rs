//! Faults on demand: which requests they hit. What happens to those is an [`Effect`].

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::effects::Effect;
use super::route::RouteKind;
use crate::digest::Digest;

/// A fault: which requests it hits, and what it does to them.
#[derive(Debug, Clone)]
pub struct Fault {
    /// Requests of this kind only; `None` is all.
    pub route: Option<RouteKind>,
    /// Every how many of these requests: 1 is each, 20 is one of twenty.
    pub every: usize,
    /// How many requests it hits; then it is over.
    pub times: usize,
    /// What happens to them.
    pub effect: Effect,
}

impl Fault {
    /// A fault that hits the next `times` requests of a kind.
    pub fn next(times: usize, route: RouteKind, effect: Effect) -> Fault {
        Fault { route: Some(route), every: 1, times, effect }
    }
}

/// A fault that hits requests by chance. Which ones depends on the seed, the address and how often that was asked for, not
/// on the order in which requests come.
#[derive(Debug, Clone)]
pub struct Chance {
    /// Requests of this kind only; `None` is all.
    pub route: Option<RouteKind>,
    /// How many of a thousand.
    pub per_mille: u32,
    /// What the choice depends on.
    pub seed: u64,
    /// What happens to them.
    pub effect: Effect,
}

/// A fault at work.
#[derive(Debug)]
struct Active {
    fault: Fault,
    /// Matching requests so far.
    seen: usize,
}

/// The faults of a registry.
#[derive(Debug, Default)]
pub(super) struct Faults(Mutex<AtWork>);

#[derive(Debug, Default)]
struct AtWork {
    counted: Vec<Active>,
    by_chance: Vec<Chance>,
    /// How often each address was asked for.
    asked: HashMap<String, u64>,
}

impl Faults {
    pub(super) fn add(&self, fault: Fault) {
        self.locked().counted.push(Active { fault, seen: 0 });
    }

    pub(super) fn add_by_chance(&self, chance: Chance) {
        self.locked().by_chance.push(chance);
    }

    pub(super) fn end(&self) {
        *self.locked() = AtWork::default();
    }

    /// What is to happen to a request of this kind for `address`.
    pub(super) fn for_request(&self, kind: RouteKind, address: &str) -> Option<Effect> {
        let mut at_work = self.locked();
        let AtWork { counted, by_chance, asked } = &mut *at_work;
        let mut effect = None;
        for active in counted.iter_mut().filter(|active| active.fault.route.is_none_or(|route| route == kind)) {
            active.seen += 1;
            if active.fault.times > 0 && active.seen.is_multiple_of(active.fault.every.max(1)) {
                active.fault.times -= 1;
                effect = Some(active.fault.effect.clone());
                break;
            }
        }
        counted.retain(|active| active.fault.times > 0);
        if effect.is_some() || by_chance.is_empty() {
            return effect;
        }
        let nth = asked.entry(address.to_owned()).or_default();
        *nth += 1;
        let mut hit = by_chance.iter().filter(|chance| chance.route.is_none_or(|route| route == kind));
        hit.find(|chance| chance.hits(address, *nth)).map(|chance| chance.effect.clone())
    }

    fn locked(&self) -> MutexGuard<'_, AtWork> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Chance {
    /// Whether this fault hits the `nth` request for `address`.
    fn hits(&self, address: &str, nth: u64) -> bool {
        let drawn = Digest::sha256(format!("{} {nth} {address}", self.seed).as_bytes());
        let number = drawn.bytes().iter().take(4).fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        u64::from(number) * 1000 < u64::from(self.per_mille) << 32
    }
}
