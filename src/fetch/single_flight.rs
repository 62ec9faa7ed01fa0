//! One fetch for all who ask, remembered for the run.
//!
//! Ten thousand artifacts of one signer need the same CRL at the same moment. The first to ask starts the fetch, all wait
//! for it, and one that gives up leaves it to the others. What came is remembered for the run; that nothing came, only for
//! a while, so that a server that was restarted is found again without being asked ten thousand times meanwhile.
//!
//! What is remembered is bounded in number and in bytes. When it is full the oldest goes, and is fetched once more when
//! it is needed again: slower, and never wrong.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared as SharedFuture, WeakShared};

use super::RevocationSource;
use crate::digest::Digest;
use crate::limits;
use crate::revocation::{Accepted, Answer, Arrival, Need};
use crate::trouble::Trouble;

/// What is remembered, and for how long.
#[derive(Debug, Clone)]
pub struct SingleFlightOptions {
    /// How many answers, failures among them.
    pub entries: usize,
    /// How many bytes in all, what was asked included.
    pub bytes: u64,
    /// How long a failure stands before one more try.
    pub failures_stand: Duration,
}

impl Default for SingleFlightOptions {
    fn default() -> SingleFlightOptions {
        SingleFlightOptions {
            entries: limits::ANSWERS_REMEMBERED,
            bytes: limits::ANSWERS_REMEMBERED_BYTES,
            failures_stand: limits::FAILURE_REMEMBERED,
        }
    }
}

/// A source whose answers are fetched once for all who ask.
pub struct SingleFlight(Arc<Inner>);

struct Inner {
    source: Arc<dyn RevocationSource>,
    options: SingleFlightOptions,
    fetches: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    kept: HashMap<Arc<Need>, Kept>,
    /// The keys of `kept`, oldest first.
    order: VecDeque<Arc<Need>>,
    /// What `kept` weighs.
    bytes: u64,
    flights: HashMap<Asked, Flight>,
}

struct Kept {
    result: Result<Answer, Trouble>,
    at: Instant,
    weight: u64,
}

/// What is asked: a need, and which answer to it was refused.
type Asked = (Arc<Need>, Option<Digest>);
type Outcome = Option<Result<Answer, Trouble>>;
/// A request under way: driven by those who wait for it, and is gone with the last of them.
type Flight = WeakShared<BoxFuture<'static, Outcome>>;
type Joined = SharedFuture<BoxFuture<'static, Outcome>>;

impl SingleFlight {
    /// Asks `source` once for all.
    pub fn new(source: Arc<dyn RevocationSource>, options: SingleFlightOptions) -> SingleFlight {
        let (fetches, state) = (AtomicU64::new(0), Mutex::default());
        SingleFlight(Arc::new(Inner { source, options, fetches, state }))
    }

    /// How often the source was asked.
    pub fn fetches(&self) -> u64 {
        self.0.fetches.load(Ordering::Relaxed)
    }

    /// What is remembered of `need`, or the flight that will tell.
    fn look(&self, need: &Need, refused: Option<&Answer>) -> Result<Result<Answer, Trouble>, Joined> {
        let mut state = self.0.state();
        match state.kept(need, self.0.options.failures_stand) {
            Some(Ok(answer)) if refused.is_some_and(|refused| refused.digest() == answer.digest()) => {}
            Some(result) => return Ok(result.clone()),
            None => {}
        }
        let asked = (Arc::new(need.clone()), refused.map(|answer| *answer.digest()));
        if let Some(flight) = state.flights.get(&asked).and_then(WeakShared::upgrade) {
            return Err(flight);
        }
        if state.flights.len() >= self.0.options.entries {
            state.flights.retain(|_, flight| flight.upgrade().is_some());
        }
        let flight = fetch(Arc::clone(&self.0), asked.clone(), refused.cloned()).boxed().shared();
        if let Some(weak) = flight.downgrade() {
            state.flights.insert(asked, weak);
        }
        Err(flight)
    }
}

#[async_trait]
impl RevocationSource for SingleFlight {
    async fn answer(&self, need: &Need) -> Result<Answer, Trouble> {
        match self.look(need, None) {
            Ok(result) => result,
            Err(flight) => match flight.await {
                Some(result) => result,
                // Only a question about a refused answer has no answer of its own.
                None => self.0.source.answer(need).await,
            },
        }
    }

    async fn refetch(&self, need: &Need, refused: &Answer) -> Option<Result<Answer, Trouble>> {
        match self.look(need, Some(refused)) {
            Ok(result) => Some(result),
            Err(flight) => flight.await,
        }
    }

    fn present(&self) -> Option<Arrival> {
        self.0.source.present()
    }

    async fn store_verified(&self, crl: &Accepted) {
        self.0.source.store_verified(crl).await;
    }
}

async fn fetch(inner: Arc<Inner>, asked: Asked, refused: Option<Answer>) -> Outcome {
    let outcome = match &refused {
        None => {
            inner.fetches.fetch_add(1, Ordering::Relaxed);
            Some(inner.source.answer(&asked.0).await)
        }
        Some(refused) => inner.source.refetch(&asked.0, refused).await,
    };
    if refused.is_some() && outcome.is_some() {
        inner.fetches.fetch_add(1, Ordering::Relaxed);
    }
    let mut state = inner.state();
    state.flights.remove(&asked);
    if let Some(result) = &outcome {
        state.keep(asked.0, result.clone(), &inner.options);
    }
    outcome
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn kept(&self, need: &Need, failures_stand: Duration) -> Option<&Result<Answer, Trouble>> {
        let kept = self.kept.get(need)?;
        (kept.result.is_ok() || kept.at.elapsed() < failures_stand).then_some(&kept.result)
    }

    fn keep(&mut self, need: Arc<Need>, result: Result<Answer, Trouble>, options: &SingleFlightOptions) {
        let weight = weight(&need, &result);
        if let Some(before) = self.kept.remove(&need) {
            self.bytes -= before.weight;
            self.order.retain(|known| *known != need);
        }
        if weight > options.bytes || options.entries == 0 {
            return;
        }
        while self.kept.len() >= options.entries || self.bytes + weight > options.bytes {
            let Some(oldest) = self.order.pop_front() else { break };
            self.bytes -= self.kept.remove(&oldest).map_or(0, |kept| kept.weight);
        }
        self.bytes += weight;
        self.order.push_back(Arc::clone(&need));
        self.kept.insert(need, Kept { result, at: Instant::now(), weight });
    }
}

fn weight(need: &Need, result: &Result<Answer, Trouble>) -> u64 {
    let answered = match result {
        Ok(answer) => answer.weight(),
        Err(trouble) => trouble.message.len(),
    };
    (need.weight() + answered) as u64
}
