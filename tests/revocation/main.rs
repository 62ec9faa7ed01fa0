//! CRLs and OCSP answers: where they come from, where they are kept, and what whole runs make of them.

mod revocation_runs;
mod revocation_sources;
#[path = "../skip/mod.rs"]
mod skip;
