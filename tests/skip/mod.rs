//! Tests that cannot do their work where they run: they say so on a line that `tests/all` counts, and fail where nothing may be
//! skipped.

#![allow(clippy::unwrap_used, dead_code, reason = "shared by tests, none of which uses all of it")]

use std::env;
use std::io::{self, Write as _};

/// Says that `test` is skipped, for the reason `why`.
///
/// # Panics
/// Where `MUSTER_TESTS_SKIP_NOTHING` is 1.
#[track_caller]
pub(crate) fn skip(test: &str, why: &str) {
    assert!(env::var_os("MUSTER_TESTS_SKIP_NOTHING").is_none_or(|value| value != "1"), "{test} cannot run: {why}");
    say(test, why);
}

/// The same of a test that no user could run together with the others: it never fails.
pub(crate) fn say(test: &str, why: &str) {
    // What is printed would be shown only if the test failed.
    io::stderr().write_all(format!("\nskipped: {test}: {why}\n").as_bytes()).unwrap();
}
