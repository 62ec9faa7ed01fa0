//! Verification plugins that are installed in the world.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::scenario::placed::Placed;
use crate::scenario::plugin_words::{Capability, PluginDefect};

/// A verification plugin.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawPlugin {
    /// Its version; 1.0.0 if left out.
    #[serde(default)]
    pub(in crate::scenario) version: Option<String>,
    /// What it says that it can do; both if left out.
    #[serde(default)]
    pub(in crate::scenario) capabilities: Option<Placed<Vec<Capability>>>,
    /// What it says no to.
    #[serde(default)]
    pub(in crate::scenario) refuses: Vec<Capability>,
    /// The signed attributes that it processes; all that it is asked about if left out.
    #[serde(default)]
    pub(in crate::scenario) processes: Option<Vec<String>>,
    /// How it departs from the contract.
    #[serde(default)]
    pub(in crate::scenario) defects: Vec<PluginDefect>,
}
