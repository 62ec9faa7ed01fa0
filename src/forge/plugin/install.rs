//! Putting a plugin where hosts look for it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::PluginBehaviour;
use crate::forge::write_script;

/// The hidden command of the program that behaves as a plugin.
pub(super) const COMMAND: &str = "forge-plugin";
const BEHAVIOUR: &str = "behaviour.json";
const REQUESTS: &str = "requests.ndjson";

/// A plugin in its folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalledPlugin {
    /// The folder, named as the plugin.
    pub folder: PathBuf,
    /// The executable file.
    pub executable: PathBuf,
}

/// What a plugin was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginRequest {
    /// The command: `verify-signature`.
    pub command: String,
    /// What was on standard input; text where it is no JSON, and null where it was not read.
    pub request: Value,
}

impl PluginBehaviour {
    /// Puts a plugin `name` into the folder `plugins`, as `NAME/notation-NAME`, in the place of any that is there.
    /// `program` is Muster's executable file, by an absolute path.
    ///
    /// # Errors
    ///
    /// If the files cannot be written.
    pub fn install(&self, plugins: &Path, name: &str, program: &Path) -> io::Result<InstalledPlugin> {
        let folder = plugins.join(name);
        fs::create_dir_all(&folder)?;
        let behaviour = self.state(plugins, name)?;
        let executable = folder.join(format!("notation-{name}"));
        let script = format!("#!/bin/sh\nexec {} {COMMAND} {} \"$@\"\n", quoted(program)?, quoted(&behaviour)?);
        write_script(&executable, &script)?;
        Ok(InstalledPlugin { folder, executable })
    }

    /// Has the plugin `name`, which is installed in `plugins`, behave so from now on. Returns the file that says it.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn state(&self, plugins: &Path, name: &str) -> io::Result<PathBuf> {
        let behaviour = plugins.join(name).join(BEHAVIOUR);
        let stated = PluginBehaviour { name: Some(self.name.clone().unwrap_or(name.to_owned())), ..self.clone() };
        fs::write(&behaviour, serde_json::to_vec_pretty(&stated)?)?;
        Ok(behaviour)
    }
}

impl InstalledPlugin {
    /// What the plugin was asked, the oldest first. What was asked at once may be in any order.
    ///
    /// # Errors
    ///
    /// If the file cannot be read; a missing file is no error: no request has come yet.
    pub fn requests(&self) -> io::Result<Vec<PluginRequest>> {
        let text = match fs::read_to_string(self.folder.join(REQUESTS)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            text => text?,
        };
        text.lines().map(|line| serde_json::from_str(line).map_err(io::Error::from)).collect()
    }
}

/// Where the plugin that behaves as `behaviour` says writes down what it is asked.
pub(super) fn requests_beside(behaviour: &Path) -> PathBuf {
    behaviour.with_file_name(REQUESTS)
}

/// A path as one word of a shell.
fn quoted(path: &Path) -> io::Result<String> {
    let text = path.to_str().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "not a path in UTF-8"))?;
    Ok(format!("'{}'", text.replace('\'', r"'\''")))
}
