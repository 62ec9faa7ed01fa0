//! Whatever a registry, a layout or a responder sends: an audit stays under 256 MiB, every artifact ends, and the run goes
//! on. Each test prints rows of the table *input, peak memory, time*; memory is asserted, time is not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "tests")]

mod inputs;
mod interrupts;
mod lists;
mod run;
mod server;
mod signatures;
#[path = "../skip/mod.rs"]
mod skip;
