//! Signing with keys in a token, against SoftHSM.
//!
//! SoftHSM takes its configuration from the environment, and a process cannot safely change its own: each test runs this
//! program again for itself alone, with the environment of a throw-away folder. Without SoftHSM the tests are skipped and
//! say so; with `MUSTER_TESTS_SKIP_NOTHING=1` they fail instead.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod envelopes;
mod errors;
pub(crate) mod mid_run;
mod shell;
mod sign;
