//! Blobs and their detached signatures: signed, verified and shown by the program as its users run it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod decide;
mod inspect;
mod policy;
mod sign;
mod verify;
mod world;
