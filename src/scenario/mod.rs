//! Scenarios: a world, what happens in it, and the verdicts that must come out.
//!
//! A scenario file is read in steps, each with types of its own: bytes, members with their places (`raw`), and at last
//! cases that cannot be wrong (`plan`). Running one builds the world with real parts and judges it with the same engine
//! as an audit, over HTTP. What comes out is compared with what is expected, by result, code and validation.
//!
//! Time is the scenario's own; the wall's clock only measures how long a case takes.

mod accept;
mod cast;
mod expectation;
mod expected_findings;
mod finding;
mod hearing;
mod inventory;
mod judge;
mod keystore;
mod load;
mod placed;
mod plan;
mod plugin_words;
mod plugins;
mod policy_path;
mod raw;
mod registries;
mod report;
mod responder_words;
mod responding;
mod run;
mod scalar;
mod schema;
mod steps;
mod syntax;
mod timestamp_words;
mod validate;
mod words;
mod world;
mod writer;

pub use accept::accept;
pub use expectation::Difference;
pub use hearing::{Hearing, hear};
pub use load::{load, parse, read};
pub use plan::{Case, RegistryKind, Scenario};
pub use registries::check_registry;
pub use run::{CaseResult, Ending, KeptWorld, Options, Selected, Tally, Times, needs_softhsm, run, select};
pub use schema::SCHEMA;
pub use words::Keystore;
