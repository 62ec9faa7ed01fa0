//! Results in the order of selection, though artifacts are judged side by side and one may take long.
//!
//! Every artifact that is begun has a place in the queue, and its results wait there until all before it are reported. What
//! waits is bounded: in artifacts, and in bytes. The first in the queue waits for no room, so that it always gets on and
//! with it all others.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::{JoinError, JoinHandle};

use super::judged::Judged;
use crate::limits;

/// The unit in which waiting results are counted.
const UNIT: usize = 1 << 10;

/// The room for results, and whose turn it is.
pub(super) struct Order {
    room: Arc<Semaphore>,
    turn: watch::Sender<u64>,
    begun: u64,
}

/// Where the results of one artifact go.
pub(super) struct Results {
    number: u64,
    room: Arc<Semaphore>,
    turn: watch::Receiver<u64>,
    to: mpsc::Sender<Box<Waiting>>,
}

/// A result that waits, and the room that it takes.
struct Waiting {
    result: Judged,
    _room: Option<OwnedSemaphorePermit>,
}

/// An artifact that was begun.
pub(super) struct Begun {
    /// In boxes, since the channel makes room for many at once, and thousands of artifacts may be begun.
    results: mpsc::Receiver<Box<Waiting>>,
    task: Task<()>,
}

/// A task that is aborted when its handle is dropped.
pub(super) struct Task<T>(JoinHandle<T>);

impl Order {
    pub(super) fn new() -> Order {
        let room = Arc::new(Semaphore::new(limits::RESULTS_AHEAD_BYTES / UNIT));
        Order { room, turn: watch::Sender::new(0), begun: 0 }
    }

    /// Begins an artifact, behind all that were begun before.
    pub(super) fn begin<F: Future<Output = ()> + Send + 'static>(&mut self, judge: impl FnOnce(Results) -> F) -> Begun {
        let (to, results) = mpsc::channel(limits::RESULTS_OF_ONE_AHEAD);
        let (number, room, turn) = (self.begun, Arc::clone(&self.room), self.turn.subscribe());
        self.begun += 1;
        Begun { results, task: Task::spawn(judge(Results { number, room, turn, to })) }
    }

    /// The first in the queue is done: it is the next one's turn.
    pub(super) fn next(&self) {
        self.turn.send_modify(|turn| *turn += 1);
    }
}

impl Results {
    /// Hands a result over, once there is room.
    pub(super) async fn send(&mut self, result: Judged) {
        let evidence = result.evidence.as_ref().map_or(0, |kept| size_of_val(&**kept) + kept.weight());
        let weight = (size_of::<Judged>() + result.outcome.weight() + evidence).div_ceil(UNIT);
        let weight = u32::try_from(weight.min(limits::RESULTS_AHEAD_BYTES / UNIT)).unwrap_or(u32::MAX);
        let room = tokio::select! {
            biased;
            _ = self.turn.wait_for(|turn| *turn >= self.number) => None,
            room = Arc::clone(&self.room).acquire_many_owned(weight) => room.ok(),
        };
        // It fails only when the receiver is dropped: the run has ended.
        let _ = self.to.send(Box::new(Waiting { result, _room: room })).await;
    }
}

impl Begun {
    /// The next result. `None`: there are no more.
    pub(super) async fn next(&mut self) -> Option<Judged> {
        self.results.recv().await.map(|waiting| waiting.result)
    }

    /// Waits for the end of its task, which has no more results.
    ///
    /// # Errors
    /// The task did not come to its end: results of it may be missing.
    pub(super) async fn ended(self) -> Result<(), JoinError> {
        self.task.join().await
    }
}

impl<T: Send + 'static> Task<T> {
    pub(super) fn spawn(work: impl Future<Output = T> + Send + 'static) -> Task<T> {
        Task(tokio::spawn(work))
    }

    /// Waits for the end.
    ///
    /// # Errors
    /// The task panicked, or its runtime has ended.
    pub(super) async fn join(mut self) -> Result<T, JoinError> {
        self.ended().await
    }

    /// The same for a task that is to be waited for in several steps. Not to be called again once it was told the end.
    pub(super) async fn ended(&mut self) -> Result<T, JoinError> {
        (&mut self.0).await
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::FutureExt as _;
    use tokio::sync::oneshot;

    use super::*;
    use crate::audit::judged::{lost, unresolved};
    use crate::digest::Digest;
    use crate::evidence::{Evidence, Signatures};
    use crate::manifest::Descriptor;
    use crate::revocation::{Answer, Issuer, Need};

    fn result(reference: &str) -> Judged {
        unresolved("a.io/b".to_owned(), reference.to_owned(), lost())
    }

    /// A result that takes all the room.
    fn long() -> Judged {
        let mut long = result("long");
        long.outcome.failure.as_mut().unwrap().message = "x".repeat(limits::RESULTS_AHEAD_BYTES);
        long
    }

    #[tokio::test]
    async fn the_first_in_the_queue_needs_no_room() {
        let mut order = Order::new();
        let (go, told) = oneshot::channel::<()>();
        let mut first = order.begin(async move |mut results| {
            let _ = told.await;
            results.send(long()).await;
            results.send(result("first")).await;
        });
        let mut second = order.begin(async |mut results| results.send(long()).await);
        let mut third = order.begin(async |mut results| results.send(result("third")).await);
        // The second fills the room though it is not its turn; the third has to wait.
        while order.room.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        tokio::task::yield_now().await;
        assert!(third.next().now_or_never().is_none());
        go.send(()).unwrap();
        let names = async |begun: &mut Begun| begun.next().await.map(|judged| judged.reference);
        assert_eq!(names(&mut first).await.as_deref(), Some("long"));
        assert_eq!(names(&mut first).await.as_deref(), Some("first"));
        assert_eq!(names(&mut first).await, None);
        order.next();
        assert_eq!(names(&mut second).await.as_deref(), Some("long"));
        order.next();
        assert_eq!(names(&mut third).await.as_deref(), Some("third"));
    }

    #[tokio::test]
    async fn evidence_that_is_kept_takes_room_too() {
        let mut judged = result("with evidence");
        let subject = Descriptor::new("application/x", Digest::sha256(b"x"), 1);
        let mut evidence = Evidence::new("a.io/b", subject, Ok(Signatures::default()));
        let crl = Need::Crl {
            url: "http://a.io/x.crl".to_owned(),
            issuer: Issuer { name: Bytes::new(), key: Digest::sha256(b"key") },
        };
        evidence.revocation.record(crl, Ok(Answer::new(vec![0; 64 * UNIT])));
        judged.evidence = Some(Box::new(evidence));
        let mut order = Order::new();
        let _first = order.begin(async |_| std::future::pending().await);
        let mut second = order.begin(async |mut results| results.send(judged).await);
        let waiting = second.results.recv().await.unwrap();
        let taken = limits::RESULTS_AHEAD_BYTES / UNIT - order.room.available_permits();
        assert!((64..70).contains(&taken), "{taken}");
        drop(waiting);
    }

    #[tokio::test]
    async fn a_task_whose_handle_is_dropped_ends() {
        let mut order = Order::new();
        let (held, gone) = oneshot::channel::<()>();
        let begun = order.begin(async move |results| {
            let _both = (held, results);
            std::future::pending::<()>().await;
        });
        tokio::task::yield_now().await;
        drop(begun);
        assert!(gone.await.is_err());
    }
}
