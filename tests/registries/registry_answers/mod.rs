//! What registries may answer, and what becomes of it: one test for every row of section A of `docs/bad-inputs.md`.
//! Trouble on the way must never look like "there is none", and never like a bad signature.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, unreachable_pub, reason = "tests")]

mod absence;
mod access;
mod content;
mod honest;
mod lists;
pub(crate) mod mock;
mod push;
mod referrers;
mod rubbish;
mod transfer;
pub(crate) mod transport_security;
mod verdicts;
