//! What whole runs of the program make of CRLs and OCSP answers: older ones served after newer ones, ones made while it runs,
//! and ones of any size.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod memory;
mod on_demand;
mod rollback;
mod server;
mod world;
