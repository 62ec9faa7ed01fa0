//! What a run remembers of what it judged: a digest under many tags, or many times in an index, is judged once.
//!
//! What was decided is remembered. Trouble passes, and is looked into again under a later name; but who waited while another met
//! with it meets with the same, and after [`limits::TROUBLE_JUDGED`] times it stays: a thousand tags of one digest whose
//! signatures cannot be fetched would wait for a thousand times all retries, as only one at a time is judged. What is remembered
//! is bounded in number and in bytes; what is forgotten is judged once more.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::selected::Selected;
use crate::digest::Digest;
use crate::limits;
use crate::manifest::Descriptor;
use crate::reference::Repository;
use crate::verify::{Outcome, Verdict};

/// One artifact where it was found: the source's address in memory, which holds as long as the run, the repository, and
/// what was served there.
type Key = (usize, Repository, Digest, String);
type Place = Arc<Judging>;

/// What is known of one artifact.
#[derive(Debug, Default)]
struct Judging {
    /// How often it was judged.
    times: AtomicUsize,
    /// The last outcome; tasks that ask for it before it is known wait.
    outcome: tokio::sync::Mutex<Option<Arc<Outcome>>>,
}

/// The outcomes of a run.
#[derive(Debug, Default)]
pub(super) struct Outcomes(Mutex<Generations>);

/// What was of use lately and what was not: the latter is forgotten when the former is full.
#[derive(Debug, Default)]
struct Generations {
    young: HashMap<Key, Place>,
    old: HashMap<Key, Place>,
    young_bytes: usize,
}

impl Outcomes {
    /// The outcome of the artifact `descriptor`, which `judge` finds out if it is not known.
    pub(super) async fn get<T>(
        &self,
        selected: &Selected,
        descriptor: &Descriptor,
        judge: impl Future<Output = (Outcome, T)>,
    ) -> (Outcome, Option<T>) {
        let source = Arc::as_ptr(&selected.source).cast::<()>() as usize;
        let place = self.place((
            source,
            selected.reference.repository.clone(),
            descriptor.digest,
            descriptor.media_type.clone(),
        ));
        let before = place.times.load(Ordering::Relaxed);
        let mut known = place.outcome.lock().await;
        let times = place.times.load(Ordering::Relaxed);
        let holds =
            |outcome: &Outcome| outcome.verdict != Verdict::Error || times != before || times >= limits::TROUBLE_JUDGED;
        if let Some(outcome) = known.as_deref().filter(|outcome| holds(outcome)) {
            return (outcome.clone(), None);
        }
        let (outcome, rest) = judge.await;
        place.times.fetch_add(1, Ordering::Relaxed);
        self.weigh(outcome.weight());
        *known = Some(Arc::new(outcome.clone()));
        (outcome, Some(rest))
    }

    fn place(&self, key: Key) -> Place {
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = generations.young.get(&key) {
            return Arc::clone(place);
        }
        if generations.young.len() >= limits::OUTCOMES_REMEMBERED / 2 {
            generations.turn();
        }
        let place = generations.old.remove(&key).unwrap_or_default();
        generations.young.insert(key, Arc::clone(&place));
        place
    }

    fn weigh(&self, bytes: usize) {
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        generations.young_bytes += bytes;
        if generations.young_bytes > limits::OUTCOMES_REMEMBERED_BYTES / 2 {
            generations.turn();
        }
    }
}

impl Generations {
    fn turn(&mut self) {
        self.old = std::mem::take(&mut self.young);
        self.young_bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::judged::undecided;
    use crate::failure::{Code, Failure};
    use crate::manifest::IMAGE_MANIFEST;
    use crate::source::registry::{Registry, RegistryOptions};

    fn outcome(verdict: Verdict, message: &str) -> Outcome {
        Outcome { verdict, ..undecided(Failure::new(Code::Unsigned, message)) }
    }

    fn selected() -> Selected {
        let reference = "a.io/b:v1".parse().unwrap();
        Selected {
            source: Arc::new(Registry::new("a.io", RegistryOptions::default()).unwrap()),
            reference,
            label: String::new(),
            repository_from: None,
            listed: false,
        }
    }

    fn artifact(number: usize) -> Descriptor {
        Descriptor::new(IMAGE_MANIFEST, Digest::sha256(&number.to_be_bytes()), 1)
    }

    #[tokio::test]
    async fn what_was_decided_is_known_and_trouble_is_looked_into_anew() {
        let (outcomes, here, elsewhere) = (Outcomes::default(), selected(), selected());
        let judged = async |selected: &Selected, descriptor: &Descriptor, verdict| {
            outcomes.get(selected, descriptor, async { (outcome(verdict, "x"), ()) }).await.1.is_some()
        };
        assert!(judged(&here, &artifact(0), Verdict::Error).await);
        assert!(judged(&here, &artifact(0), Verdict::Fail).await);
        assert!(!judged(&here, &artifact(0), Verdict::Pass).await);
        assert!(judged(&here, &artifact(1), Verdict::Pass).await);
        assert!(judged(&elsewhere, &artifact(0), Verdict::Pass).await);
        let other_type = Descriptor { media_type: "a/b".to_owned(), ..artifact(0) };
        assert!(judged(&here, &other_type, Verdict::Pass).await);
    }

    #[tokio::test]
    async fn who_waited_meets_with_the_same_trouble_and_in_the_end_it_stays() {
        let (outcomes, here, artifact) = (Outcomes::default(), selected(), artifact(0));
        let judged = AtomicUsize::new(0);
        let ask = async || {
            let judge = async {
                judged.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                (outcome(Verdict::Error, "x"), ())
            };
            outcomes.get(&here, &artifact, judge).await.0.verdict
        };
        for times in 1..=limits::TROUBLE_JUDGED + 2 {
            let verdicts = futures_util::future::join_all((0..50).map(|_| ask())).await;
            assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Error));
            assert_eq!(judged.load(Ordering::Relaxed), times.min(limits::TROUBLE_JUDGED));
        }
    }

    #[tokio::test]
    async fn it_does_not_grow_without_bound() {
        let (outcomes, here) = (Outcomes::default(), selected());
        let long = "x".repeat(limits::OUTCOMES_REMEMBERED_BYTES / 64);
        for number in 0..1000 {
            outcomes.get(&here, &artifact(number), async { (outcome(Verdict::Fail, &long), ()) }).await;
        }
        let held = |outcomes: &Outcomes| {
            let generations = outcomes.0.lock().unwrap();
            generations.young.len() + generations.old.len()
        };
        assert!(held(&outcomes) <= 66, "{}", held(&outcomes));
        for number in 0..2 * limits::OUTCOMES_REMEMBERED {
            outcomes.get(&here, &artifact(number), async { (outcome(Verdict::Fail, ""), ()) }).await;
        }
        assert!(held(&outcomes) <= limits::OUTCOMES_REMEMBERED, "{}", held(&outcomes));
    }
}
