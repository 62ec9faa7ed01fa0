//! What the registries that people use really do, product by product: their lists, limits, log-ins and answers. Each test is
//! one habit that somebody met; `docs/registries.md` says whose.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod addresses;
mod artifacts;
mod attached;
pub(crate) mod front;
mod honest;
mod limits;
mod lists;
mod log_in;
#[cfg(unix)]
mod log_in_files;
mod pages;
mod referrers;
mod renewal;
mod tls;
