//! Keys that sign only when enough people agree: the gateway of the test bench, and who asks it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "tests, some of which print what they counted"
)]

mod gateway;
mod signer;
#[path = "../skip/mod.rs"]
mod skip;
#[path = "../world/mod.rs"]
mod world;
