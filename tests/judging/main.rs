//! What decides over signatures, tested through the library: trust policies and trust stores, envelopes, chains, timestamps,
//! untrusted addresses, foreign vectors and foreign signatures, and what holds for any input.

mod certificate_chains;
mod chains_in_envelopes;
mod decide;
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
mod timestamps;
mod trust_policy;
mod trust_store;
mod untrusted_addresses;
#[path = "../world/mod.rs"]
mod world;
mod wycheproof;

// The drafts of timestamps, which unit tests share, name these as in the library.
use muster::{digest, forge, pki};
