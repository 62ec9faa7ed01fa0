//! Trust policy documents: every rule by a named test, and notation's own judgement on 157 documents.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "tests")]

mod bounds;
mod documents;
mod files;
mod notation;
mod rules;
