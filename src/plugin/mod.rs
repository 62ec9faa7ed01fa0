//! Plugins: the contract with programs beside notation's configuration that hold keys, or have a say in verification.
//!
//! Follows *plugin-extensibility*, contract 1.0: what is asked, what an answer must be, and what a plugin may be called. What
//! this module refuses to do: run anything ([`crate::plugin_host`] does), and judge what a plugin answered
//! ([`crate::verify`] and [`crate::sign`] do).

mod answer;
pub mod binary;
mod contract;
mod key_spec;
mod metadata;
mod name;
mod question;
mod secrets;

pub use answer::read as read_answer;
pub use contract::*;
pub use key_spec::{hash_algorithm, key_kind, key_spec, signing_algorithm};
pub use metadata::PluginMetadata;
pub use name::{NameError, PluginName};
pub use question::{Answers, Question, question};
pub use secrets::Secrets;
