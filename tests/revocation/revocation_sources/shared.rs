//! One fetch for all who ask.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future;
use muster::fetch::{Http, HttpOptions, RevocationSource, SingleFlight, SingleFlightOptions};
use muster::revocation::{Answer, Need};
use muster::trouble::Trouble;

use super::answers::{NOW, Script, crl, need, ocsp_need};
use super::server::{Server, reply};

fn shared(source: Arc<dyn RevocationSource>, change: impl FnOnce(&mut SingleFlightOptions)) -> SingleFlight {
    let mut options = SingleFlightOptions::default();
    change(&mut options);
    SingleFlight::new(source, options)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f26_ten_thousand_ask_and_one_fetches() {
    let server = Server::start(|_, _| reply(200, "", &crl(1, NOW, &[]))).await;
    let source = Arc::new(shared(Arc::new(Http::new(HttpOptions::default())), |_| {}));
    let url = server.url("/a.crl");
    let asked = (0..10_000).map(|_| {
        let (source, need) = (Arc::clone(&source), need(&url));
        tokio::spawn(async move { source.answer(&need).await.unwrap() })
    });
    let answers = future::join_all(asked).await;
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap().bytes() == &crl(1, NOW, &[])));
    assert_eq!((server.seen().len(), source.fetches()), (1, 1));
}

#[tokio::test]
async fn f26_different_needs_are_fetched_each() {
    let script = Script::with([(ocsp_need("http://a.io", 1), vec![1]), (ocsp_need("http://a.io", 2), vec![2])]);
    let source = shared(script.clone(), |_| {});
    for (need, expected) in [(ocsp_need("http://a.io", 1), [1]), (ocsp_need("http://a.io", 2), [2])] {
        for _ in 0..3 {
            assert_eq!(&source.answer(&need).await.unwrap().bytes()[..], expected);
        }
    }
    assert_eq!(script.asked(), 2);
}

#[tokio::test]
async fn failures_are_remembered_for_a_while() {
    let (script, asked) = (Script::with([]), need("http://a.io/a.crl"));
    let source = shared(script.clone(), |options| options.failures_stand = Duration::from_secs(3600));
    for _ in 0..5 {
        assert_eq!(source.answer(&asked).await.unwrap_err().message, "nobody is there");
    }
    assert_eq!(script.asked(), 1);
    // Once the while is over there is a new try, and its success stays.
    let source = shared(script.clone(), |options| options.failures_stand = Duration::ZERO);
    source.answer(&asked).await.unwrap_err();
    script.answers.lock().unwrap().insert(asked.clone(), vec![1]);
    for _ in 0..5 {
        assert_eq!(&source.answer(&asked).await.unwrap().bytes()[..], [1]);
    }
    assert_eq!(script.asked(), 3);
}

#[tokio::test]
async fn when_it_is_full_the_oldest_goes() {
    let urls: Vec<_> = (0..4).map(|number| need(&format!("http://a.io/{number}"))).collect();
    let script = Script::with(urls.iter().map(|need| (need.clone(), vec![0; 100])));
    // An address has 13 bytes and an issuer 8: three answers fit, by number or by bytes.
    for change in [(|options| options.entries = 3) as fn(&mut SingleFlightOptions), |options| options.bytes = 380] {
        let source = shared(script.clone(), change);
        for (asked, fetches) in [(0, 1), (1, 2), (2, 3), (0, 3), (3, 4), (2, 4), (1, 4), (0, 5), (3, 5)] {
            source.answer(&urls[asked]).await.unwrap();
            assert_eq!(source.fetches(), fetches, "{asked}");
        }
    }
    // What does not fit at all is handed on, and drives nothing out.
    let source = shared(script.clone(), |options| options.bytes = 50);
    source.answer(&urls[0]).await.unwrap();
    source.answer(&urls[0]).await.unwrap();
    assert_eq!(source.fetches(), 2);
}

/// Answers after it was let go.
struct Slow {
    gate: tokio::sync::Semaphore,
    asked: AtomicUsize,
}

#[async_trait]
impl RevocationSource for Slow {
    async fn answer(&self, _: &Need) -> Result<Answer, Trouble> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let _permit = self.gate.acquire().await.unwrap();
        Ok(Answer::new(vec![1]))
    }
}

#[tokio::test]
async fn who_gives_up_leaves_the_fetch_to_the_others() {
    let slow = Arc::new(Slow { gate: tokio::sync::Semaphore::new(0), asked: AtomicUsize::new(0) });
    let source = Arc::new(shared(slow.clone(), |_| {}));
    let ask = || {
        let source = Arc::clone(&source);
        tokio::spawn(async move { source.answer(&need("http://a.io")).await })
    };
    let first = ask();
    while slow.asked.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let second = ask();
    tokio::task::yield_now().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    slow.gate.add_permits(1);
    assert!(second.await.unwrap().is_ok());
    assert_eq!(slow.asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn when_all_give_up_the_next_starts_anew() {
    let slow = Arc::new(Slow { gate: tokio::sync::Semaphore::new(0), asked: AtomicUsize::new(0) });
    let source = shared(slow.clone(), |_| {});
    let asked = need("http://a.io");
    tokio::time::timeout(Duration::from_millis(10), source.answer(&asked)).await.unwrap_err();
    slow.gate.add_permits(1);
    assert!(source.answer(&asked).await.is_ok());
    assert_eq!(slow.asked.load(Ordering::SeqCst), 2);
}
