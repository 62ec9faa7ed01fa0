//! `notation-muster-pkcs11`, asked as a host asks it, with keys in SoftHSM.
//!
//! The tests play the host by the words of *plugin-extensibility*, with JSON of their own: they share nothing with the code
//! that answers. How tests come to a SoftHSM, and what happens without one, is told in `tests/tokens/hsm`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod by_hand;
mod certificates;
mod envelopes;
pub(crate) mod host;
mod refusals;
#[cfg(unix)]
mod through_muster;
