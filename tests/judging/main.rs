//! What decides over signatures, tested through the library: trust policies and trust stores, envelopes, chains, timestamps,
//! untrusted addresses, foreign vectors and foreign signatures, and what holds for any input.

mod certificate_chains;
mod chains_in_envelopes;
mod decide;
mod envelope_cose;
mod envelope_jws;
mod forged_for_openssl;
mod interop;
mod made_meanwhile;
#[path = "../processor_time/mod.rs"]
mod processor_time;
mod properties;
mod signed_by_muster;
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
mod timestamps;
mod trust_policy;
mod trust_store;
mod untrusted_addresses;
#[path = "../world/mod.rs"]
mod world;
mod wycheproof;

// The time stamping authority that unit tests share names these as in the library.
use muster::{forge, pki};
