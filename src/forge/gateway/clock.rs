//! Where a gateway's time comes from.
//!
//! Time counts in whole seconds, as that of an HSM does, and never goes back.

use time::OffsetDateTime;

/// The clock of a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GatewayClock {
    /// The time of the machine.
    #[default]
    Wall,
    /// It stands at this time until it is moved.
    Moved(OffsetDateTime),
}

/// A clock at work.
#[derive(Debug)]
pub(super) struct Clock {
    wall: bool,
    /// The latest second that was told.
    told: i64,
}

impl Clock {
    pub(super) fn new(clock: GatewayClock) -> Clock {
        match clock {
            GatewayClock::Wall => Clock { wall: true, told: i64::MIN },
            GatewayClock::Moved(start) => Clock { wall: false, told: start.unix_timestamp() },
        }
    }

    /// The second that it is.
    pub(super) fn now(&mut self) -> i64 {
        if self.wall {
            self.told = self.told.max(OffsetDateTime::now_utc().unix_timestamp());
        }
        self.told
    }

    /// Moves the clock, if it can be moved; gives the second that it is then.
    pub(super) fn set(&mut self, time: OffsetDateTime) -> i64 {
        if !self.wall {
            self.told = self.told.max(time.unix_timestamp());
        }
        self.now()
    }
}

/// The point in time of a second since 1970.
pub(super) fn point(second: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(second).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}
