//! Plugins as programs: found, run within bounds, believed no further than the contract goes. The rows J of
//! `docs/bad-inputs.md` are named tests; each asserts the code, that it ended in time, and that no process was left.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod processes;
mod signing;
mod verdicts;
mod workshop;
