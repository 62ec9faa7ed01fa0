//! Verification plugins that are installed in the world.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::forge::plugin::PluginDefect;
use crate::scenario::placed::Entries;
use crate::scenario::plugin_words::{Capability, FileDefect};

/// A verification plugin.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawPlugin {
    /// The name that it claims; its own if left out.
    #[serde(default)]
    pub(in crate::scenario) name: Option<String>,
    /// Its version; 1.0.0 if left out.
    #[serde(default)]
    pub(in crate::scenario) version: Option<String>,
    /// The versions of the contract that it speaks; 1.0 if left out.
    #[serde(default)]
    pub(in crate::scenario) contract_versions: Option<Vec<String>>,
    /// What it says that it can do; both if left out.
    #[serde(default)]
    pub(in crate::scenario) capabilities: Option<Vec<Capability>>,
    /// What it says no to.
    #[serde(default)]
    pub(in crate::scenario) refuses: Vec<Capability>,
    /// What it says nothing about, though it was asked.
    #[serde(default)]
    pub(in crate::scenario) omits: Vec<Capability>,
    /// The signed attributes that it processes; all that it is asked about if left out.
    #[serde(default)]
    pub(in crate::scenario) processes: Option<Vec<String>>,
    /// The settings that it has to be handed, these and no others; any if left out.
    #[serde(default)]
    pub(in crate::scenario) settings: Entries<String>,
    /// How it behaves as a program should not.
    #[serde(default)]
    pub(in crate::scenario) defect: Option<PluginDefect>,
    /// The command in which it does: `get-plugin-metadata`; every other if left out.
    #[serde(default)]
    pub(in crate::scenario) defect_in: Option<String>,
    /// What is wrong with its file.
    #[serde(default)]
    pub(in crate::scenario) file: Option<FileDefect>,
}
