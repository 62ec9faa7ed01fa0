//! The program as its users run it: every command, blobs with detached signatures, and plugins as processes.

mod blobs;
mod cli;
mod forged_plugin;
mod plugins;
#[path = "../skip/mod.rs"]
mod skip;
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "tests; the authority is shared"
)]
#[path = "../../src/timestamp/tests/timekeeper.rs"]
mod timekeeper;

// The time stamping authority that unit tests share names these as in the library.
use muster::{forge, pki};
