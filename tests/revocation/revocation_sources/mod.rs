//! Where CRLs and OCSP answers come from: servers, the cache on disk, a folder; and that each is asked once.
//!
//! Nothing here verifies an answer: the sources hand on what came, as it came.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod answers;
mod cache;
mod cache_trouble;
mod folder;
mod http;
mod server;
mod shared;
