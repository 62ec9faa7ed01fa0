//! The program as its users run it: every command, blobs with detached signatures, and plugins as processes.

mod blobs;
mod cli;
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "tests; the drafts are shared"
)]
#[path = "../../src/timestamp/tests/draft.rs"]
mod draft;
mod forged_plugin;
mod plugins;

// The drafts of timestamps, which unit tests share, name these as in the library.
use muster::{digest, forge, pki};
