//! How often a time stamping authority is asked, and how long it is waited for.
//!
//! A request costs nothing, and a release that fails for want of a time stamp does: an authority that is busy, or whose
//! connection breaks, is asked again. One time bounds everything, tries and pauses; what an authority asks for by `Retry-After`
//! (RFC 9110, section 10.2.3) is kept to, or if there is not so much time, it is not waited for at all. The error tells how often it was asked, and
//! what came of it.

use std::time::{Duration, Instant};

use backon::{BackoffBuilder as _, ExponentialBuilder};

use super::exchange::Miss;
use crate::limits;

/// Asks until there is an answer, or it is no use any more; takes `time` at most. The error is the end of a sentence.
pub(super) async fn until<T>(time: Duration, ask: impl AsyncFn() -> Result<T, Miss>) -> Result<T, String> {
    let (shortest, longest) = limits::TIMESTAMP_PAUSE;
    let pauses = ExponentialBuilder::default().with_min_delay(shortest).with_max_delay(longest).with_jitter();
    let mut pauses = pauses.with_max_times(limits::TIMESTAMP_TRIES - 1).build();
    // So that one connection that hangs leaves time for another.
    let most = time / 2;
    let started = Instant::now();
    let mut reasons = Vec::new();
    loop {
        let within = most.min(time.saturating_sub(started.elapsed()));
        let miss = match tokio::time::timeout(within, ask()).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(miss)) => miss,
            Err(_) => Miss::Passing(format!("no answer in {:.1} s", within.as_secs_f32()), None),
        };
        let (reason, asked) = match miss {
            Miss::Passing(reason, asked) => (reason, asked),
            Miss::Lasting(reason) => {
                reasons.push(reason);
                return Err(told(&reasons));
            }
        };
        reasons.push(reason);
        let left = time.saturating_sub(started.elapsed());
        let Some(pause) = pauses.next() else { return Err(told(&reasons)) };
        if let Some(asked) = asked.filter(|asked| *asked >= left) {
            let told = told(&reasons);
            return Err(format!(
                "{told}; it wants to be asked again in {} s, and {} s are left: give it more time by --timestamp-timeout",
                asked.as_secs(),
                left.as_secs()
            ));
        }
        let pause = pause.min(longest).max(asked.unwrap_or_default());
        if pause >= left {
            return Err(told(&reasons));
        }
        tokio::time::sleep(pause).await;
    }
}

/// What came of the tries: the last reason, how many there were, and the others before it, each once.
fn told(reasons: &[String]) -> String {
    let Some((last, before)) = reasons.split_last() else { return String::new() };
    let tries = reasons.len();
    let mut others: Vec<&str> = Vec::new();
    for reason in before.iter().filter(|reason| *reason != last) {
        if !others.contains(&reason.as_str()) {
            others.push(reason);
        }
    }
    match (tries, others.as_slice()) {
        (1, _) => last.clone(),
        (_, []) => format!("{last}; it was asked {tries} times"),
        (_, others) => format!("{last}; it was asked {tries} times, and before that {}", others.join(", then ")),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn passing(reason: &str) -> Miss {
        Miss::Passing(reason.to_owned(), None)
    }

    /// What comes of these answers within `time`, and how many were asked for.
    fn ask(time: Duration, mut answers: Vec<Result<u8, Miss>>) -> (Result<u8, String>, usize) {
        answers.reverse();
        let (count, answers) = (answers.len(), RefCell::new(answers));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let answer = runtime.block_on(until(time, async || answers.borrow_mut().pop().unwrap()));
        (answer, count - answers.borrow().len())
    }

    #[test]
    fn s51_what_may_pass_is_asked_again_a_bounded_number_of_times() {
        let minute = Duration::from_secs(60);
        let busy = || Err(passing("it is busy"));
        assert_eq!(ask(minute, vec![Ok(1), Ok(2)]), (Ok(1), 1));
        assert_eq!(ask(minute, vec![busy(), Err(passing("it broke")), Ok(3)]), (Ok(3), 3));
        let (answer, asked) = ask(minute, (0..10).map(|_| busy()).collect());
        assert_eq!(
            (answer.unwrap_err().as_str(), asked),
            ("it is busy; it was asked 4 times", limits::TIMESTAMP_TRIES)
        );
        let (answer, asked) = ask(minute, vec![busy(), busy(), Err(Miss::Lasting("it refuses".to_owned())), Ok(4)]);
        let words = "it refuses; it was asked 3 times, and before that it is busy";
        assert_eq!((answer.unwrap_err().as_str(), asked), (words, 3));
    }

    #[test]
    fn s51_a_pause_that_is_asked_for_is_kept_to_or_not_waited_for() {
        let asked = |seconds| Err(Miss::Passing("it is busy".to_owned(), Some(Duration::from_secs(seconds))));
        let started = Instant::now();
        assert_eq!(ask(Duration::from_secs(60), vec![asked(1), Ok(1)]), (Ok(1), 2));
        assert!(started.elapsed() >= Duration::from_secs(1));
        for seconds in [120, u64::MAX] {
            let (answer, count) = ask(Duration::from_secs(60), vec![asked(seconds), Ok(1)]);
            let reason = answer.unwrap_err();
            assert!(
                reason.contains(&format!("asked again in {seconds} s")) && reason.contains("--timestamp-timeout"),
                "{reason}"
            );
            assert_eq!(count, 1);
        }
    }

    #[test]
    fn silence_leaves_time_for_another_try_and_ends_in_time() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let asked = RefCell::new(0);
        let silent = async || {
            *asked.borrow_mut() += 1;
            std::future::pending::<Result<(), Miss>>().await
        };
        let reason = runtime.block_on(until(Duration::from_millis(2000), silent)).unwrap_err();
        assert!(reason.contains("no answer in 1.0 s") && reason.contains("asked 2 times"), "{reason}");
        assert_eq!(*asked.borrow(), 2);
    }
}
