//! Scenarios: the files, how they run and on what, those that are shipped, and whether those notice every change of a policy.

mod broken_off;
mod custody;
mod files;
mod imports;
mod memory;
mod open_files;
mod outside;
mod policy_mutations;
#[path = "../processor_time/mod.rs"]
mod processor_time;
mod projects;
mod scenario_files;
mod scenario_runs;
mod shipped;
#[path = "../skip/mod.rs"]
mod skip;
mod slips;
mod whole_imports;
