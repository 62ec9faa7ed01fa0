//! What a signer that waits for approvals has for time: the wall's clock, or one that a scenario moves.
//!
//! All times of a request that the signer itself decides (its deadline, its pauses between questions) go by this clock. How long
//! one answer of the broker may take over the network is no such time, and goes by the machine's.

use std::fmt::Debug;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use aws_lc_rs::rand;
use time::OffsetDateTime;

/// What a signer that waits for approvals has for time.
#[async_trait]
pub trait ApprovalClock: Send + Sync + Debug {
    /// Now.
    fn now(&self) -> OffsetDateTime;

    /// Comes back when about this much time has passed: never later, and a little sooner where many that wait should not wake at once.
    async fn wait(&self, time: Duration);
}

/// The time of this machine. It does not jump while one waits, whatever is done to the machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct WallClock {
    started: Instant,
    at: OffsetDateTime,
}

/// Pauses from here on are shortened by up to a tenth, at random.
const SPREAD_FROM: Duration = Duration::from_secs(1);

impl WallClock {
    /// The clock of this machine.
    pub fn new() -> WallClock {
        WallClock { started: Instant::now(), at: OffsetDateTime::now_utc() }
    }
}

impl Default for WallClock {
    fn default() -> WallClock {
        WallClock::new()
    }
}

#[async_trait]
impl ApprovalClock for WallClock {
    fn now(&self) -> OffsetDateTime {
        self.at + self.started.elapsed()
    }

    async fn wait(&self, time: Duration) {
        tokio::time::sleep(spread(time)).await;
    }
}

/// Up to a tenth less than `time`, so that signers that were started together do not ask together.
fn spread(time: Duration) -> Duration {
    let mut random = [0; 2];
    if time <= SPREAD_FROM || rand::fill(&mut random).is_err() {
        return time;
    }
    time - (time / 10).mul_f64(f64::from(u16::from_be_bytes(random)) / f64::from(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_never_longer_than_asked_and_a_tenth_shorter_at_most() {
        for seconds in [0, 1] {
            assert_eq!(spread(Duration::from_secs(seconds)), Duration::from_secs(seconds));
        }
        let spreads: Vec<Duration> = (0..100).map(|_| spread(Duration::from_secs(100))).collect();
        assert!(spreads.iter().all(|time| (90..=100).contains(&time.as_secs())), "{spreads:?}");
        assert!(spreads.iter().any(|time| *time != spreads[0]));
    }
}
