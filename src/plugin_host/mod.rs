//! Running plugins: where they are on this machine, who could have changed them, and their processes.
//!
//! Follows *plugin-extensibility*, contract 1.0, for the place of a plugin and for how it is run. A plugin is a stranger's
//! program: it is run by a name that is a plain file name, as a process group of its own, with a deadline, bounds, and
//! without the secrets that are Muster's own. What this module refuses to run: anything that another user could have
//! changed.

mod complaint;
mod directory;
mod ending;
mod environment;
mod group;
mod host;
mod one_run;
mod ownership;
mod process;

pub use directory::PluginDirectory;
pub use host::ProcessHost;
pub use one_run::for_one_run;

use async_trait::async_trait;
use bytes::Bytes;

use crate::plugin::{PluginConfig, Question, Secrets};
use crate::trouble::{Trouble, TroubleKind};

/// What runs plugins.
#[async_trait]
pub trait PluginHost: Send + Sync {
    /// Runs the plugin: what it wrote to standard output, if it ended well.
    async fn ask(&self, question: &Question) -> Result<Bytes, Trouble>;
}

/// The secrets that the plugin `name` is told: among `settings`, and in what it sees of the environment.
pub fn secrets(name: &str, settings: &PluginConfig) -> Secrets {
    Secrets::of(settings, environment::texts(name))
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
