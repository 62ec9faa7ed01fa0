//! Plugins: programs beside notation's configuration that hold keys, or have a say in verification.
//!
//! Follows *plugin-extensibility*, contract 1.0. A plugin is a stranger's program: it is looked for and run only after the
//! integrity and the authenticity of a signature hold, by a name that is a plain file name, with a deadline and bounds.
//! What this module refuses to do: judge what a plugin answered ([`crate::verify`] and [`crate::sign`] do), and run anything
//! that another user could have changed.

mod answer;
mod contract;
mod directory;
mod group;
mod host;
mod metadata;
mod name;
mod ownership;
mod process;
mod question;
mod surroundings;
mod words;

pub use answer::read as read_answer;
pub use contract::*;
pub use directory::PluginDirectory;
pub use host::Programs;
pub use metadata::Introduced;
pub use name::{NameError, PluginName};
pub use question::{Answers, Question, question};
pub use words::{hash_algorithm, key_kind, key_spec, signing_algorithm};

use async_trait::async_trait;
use bytes::Bytes;

use crate::source::{Trouble, TroubleKind};

/// Whoever runs plugins.
#[async_trait]
pub trait PluginHost: Send + Sync {
    /// Runs the plugin: what it wrote to standard output, if it ended well. However many ask the same, it runs once.
    async fn ask(&self, question: &Question) -> Result<Bytes, Trouble>;
}

/// A host that has no plugins.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPlugins;

#[async_trait]
impl PluginHost for NoPlugins {
    async fn ask(&self, question: &Question) -> Result<Bytes, Trouble> {
        let plugin = crate::failure::quote(&question.plugin);
        Err(Trouble::new(TroubleKind::PluginMissing, format!("there is no plugin {plugin}: no plugins are run here")))
    }
}
