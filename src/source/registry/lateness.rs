//! When an answer is so late that its request is better sent once more.
//!
//! Of thousands of requests a few are lost in a queue somewhere while others are answered at once. Such a request is sent
//! again beside the first, and the answer that comes first counts. Late is what takes many times as long as half of the
//! answers, so that a host whose answers are all slow is not asked twice. Nor is one that is slow for some questions, or dead:
//! each second request has to be paid for by answers that came, and dearly where it was of no use.

use std::time::Duration;

use crate::limits;

/// How many answers tell how fast a host is.
const ENOUGH: usize = 16;
/// How many second requests may wait for their answers, or have been of no use, with no answer between.
const CREDIT: f64 = 128.0;
/// What an answer pays of a second request.
const ANSWER_PAYS: f64 = 0.4;
/// What a second request costs more where the first was answered first.
const USELESS_COSTS: f64 = 6.0;
/// How much each answer moves the estimate of the median.
const STEP: f64 = 1.05;

/// How fast a host answers.
#[derive(Debug)]
pub(super) struct Lateness {
    /// How long the first answers took, in seconds: their own median is where the estimate begins.
    first: Vec<f64>,
    /// An estimate of the median, in seconds: few very late answers do not change it, as they would a mean.
    median: f64,
    credit: f64,
}

impl Default for Lateness {
    fn default() -> Lateness {
        Lateness { first: Vec::new(), median: 0.0, credit: CREDIT }
    }
}

impl Lateness {
    /// Notes how long an answer took.
    pub(super) fn note(&mut self, took: Duration) {
        let took = took.as_secs_f64();
        if self.first.len() < ENOUGH {
            self.first.push(took);
            self.first.sort_by(f64::total_cmp);
            self.median = self.first[self.first.len() / 2];
        } else {
            self.median *= if took > self.median { STEP } else { 1.0 / STEP };
        }
        self.credit = (self.credit + ANSWER_PAYS).min(CREDIT);
    }

    /// Notes that a request is sent again, if it may be.
    pub(super) fn begin_again(&mut self) -> bool {
        let may = self.credit >= 1.0;
        self.credit -= if may { 1.0 } else { 0.0 };
        may
    }

    /// Notes whether a request that was to be sent again so often was not answered the first time.
    pub(super) fn note_again(&mut self, often: u32, of_use: bool) {
        self.credit += if of_use { f64::from(often) } else { -USELESS_COSTS };
        self.credit = self.credit.clamp(-CREDIT, CREDIT);
    }

    /// After how long an answer is late. `None`: that is not known yet.
    pub(super) fn late(&self) -> Option<Duration> {
        let late = Duration::try_from_secs_f64(self.median * limits::LATE_TIMES).unwrap_or(Duration::MAX);
        (self.first.len() >= ENOUGH).then(|| late.max(limits::LATE_LEAST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_is_many_times_what_half_of_the_answers_take() {
        let mut fast = Lateness::default();
        for number in 0..1000 {
            assert_eq!(fast.late().is_some(), number >= ENOUGH);
            // One in five takes five seconds.
            fast.note(Duration::from_millis(if number % 5 == 4 { 5000 } else { 2 }));
        }
        assert_eq!(fast.late(), Some(limits::LATE_LEAST));
        let mut slow = Lateness::default();
        // What came first, from another place perhaps, says nothing of the others.
        slow.note(Duration::from_millis(2));
        (1..ENOUGH).for_each(|_| slow.note(Duration::from_secs(4)));
        assert!(slow.late().unwrap() > Duration::from_secs(20), "{slow:?}");
    }

    #[test]
    fn a_host_where_sending_again_is_of_no_use_is_seldom_asked_twice() {
        let mut slow_for_some = Lateness::default();
        let mut again = 0;
        for number in 0..10_000 {
            // One of four questions takes long, and the first request for it is answered first.
            slow_for_some.note(Duration::from_millis(2));
            if number % 4 == 0 && slow_for_some.begin_again() {
                slow_for_some.note_again(1, false);
                again += 1;
            }
        }
        assert!((100..700).contains(&again), "{again}");
        // Nothing is answered any more.
        let mut dead = Lateness::default();
        assert_eq!((0..1000).filter(|_| dead.begin_again()).count(), 128);
        // One answer of five is lost, of second requests too.
        let mut lossy = Lateness::default();
        for number in 0..10_000 {
            lossy.note(Duration::from_millis(2));
            if number % 4 == 0 {
                assert!(lossy.begin_again(), "{number}");
                lossy.note_again(1, number % 20 != 0);
            }
        }
    }
}
