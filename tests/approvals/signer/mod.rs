//! Who asks: `muster sign`, the plugin `notation-muster-tsb` by a host that keeps the contract, and the client alone before brokers that break it.

mod approver;
mod bench;
mod hostile;
mod kept;
mod names;
mod restarts;
mod secrets;
mod submission;
mod twelve_cases;
