//! What decides over signatures, tested through the library: chains, timestamps, untrusted addresses, foreign vectors, and
//! what holds for any input.

mod chains_in_envelopes;
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
mod made_meanwhile;
mod properties;
mod signed_by_muster;
mod timestamps;
mod untrusted_addresses;
#[path = "../world/mod.rs"]
mod world;
mod wycheproof;

// The drafts of timestamps, which unit tests share, name these as in the library.
use muster::{digest, forge, pki};
