//! Where a gateway's time comes from.
//!
//! Time counts in whole seconds, as that of an HSM does.

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
