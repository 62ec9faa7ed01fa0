//! The program itself, run as its users run it: what it prints, and how it exits.
//!
//! Everything it prints is held against the files under `snapshots/`. After a change that is meant, run these tests with
//! `INSTA_UPDATE=always` and read the difference.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod audit;
mod gates;
mod help;
mod inspect;
#[cfg(unix)]
mod interrupted;
mod list;
mod plugins;
mod policy;
mod program;
mod repository_names;
mod sign;
mod sign_layout;
mod sign_timestamp;
#[cfg(unix)]
mod signing;
mod trust_stores;
mod usage;
mod verify;
mod workshop;
mod world;
