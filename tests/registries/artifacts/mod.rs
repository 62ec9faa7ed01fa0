//! What is an artifact, from the outside: `audit` and `verify` over registries, layouts and archives that hold everything
//! that people and tools push, and what strangers make to look like it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "tests")]

mod agreement;
mod layouts;
mod lists;
mod platforms;
pub(crate) mod shelf;
