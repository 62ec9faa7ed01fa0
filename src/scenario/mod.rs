//! Scenarios: a world, what happens in it, and the verdicts that must come out.
//!
//! A scenario file is read in steps, each with types of its own: bytes, members with their places, and at last cases that
//! cannot be wrong (`cases`). What is in a world is in `world`, a file for each kind of thing; what happens is in
//! `steps`, a file for each step; what must come out is in `expectation`. Running a case builds the world with real parts
//! and judges it with the same engine as an audit, over HTTP. What comes out is compared with what is expected, by result,
//! code and validation.
//!
//! Time is the scenario's own; the wall's clock only measures how long a case takes.

mod accept;
mod aliases;
mod cases;
mod expectation;
mod files;
mod filled;
mod finding;
mod form;
mod inventory;
mod judge;
mod kept;
mod load;
mod matrix;
mod names;
mod notes;
mod play;
mod policies;
mod policy_kind;
mod policy_path;
mod project;
mod record;
mod recorded_layout;
mod recorded_verification;
mod report;
mod run;
mod running;
mod scalar;
mod schema;
mod shape;
mod spanned;
mod steps;
mod syntax;
mod wanted;
mod whole_artifact;
mod words;
mod world;

pub use accept::accept;
pub use cases::{Case, Scenario};
pub use expectation::Difference;
pub use load::{Loaded, load, load_in, parse, read};
pub use notes::{Note, Notes};
pub use policy_kind::PolicyInForce;
pub use project::Project;
pub use record::{NotRecorded, Record, Recorded};
pub use recorded_verification::{RecordedVerification, run_and_record};
#[cfg(feature = "containers")]
pub use run::needs_containers;
pub use run::{
    CaseResult, CaseStatus, KeptWorld, Options, PhaseTimings, Selected, Tally, needs_softhsm, refusal, run,
    run_and_tell, select,
};
pub use schema::SCHEMA;
pub use world::{CheckedRegistry, Keystore, RegistryKind, check_registry};
