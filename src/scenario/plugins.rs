//! Verification plugins of a world: programs in a throw-away folder, run by the very host that audits use.
//!
//! Each is a script of the shell that does what the scenario says, and needs nothing but the shell: there is nothing to
//! build, and its text says what it does. Where there is no such shell, cases with plugins are not run.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;

use super::plan::PluginPlan;
use super::plugin_words::{Capability, PluginDefect};
use crate::plugin::{NoPlugins, PluginDirectory, PluginHost, Programs};

/// How long a plugin may take.
const DEADLINE: Duration = Duration::from_secs(20);
/// How long a plugin may take where one never ends.
const PATIENCE: Duration = Duration::from_secs(1);

/// The plugins of a world.
#[derive(Debug)]
pub(super) struct Plugins {
    /// Holds `plugins/`; `None` where there are none.
    libexec: Option<TempDir>,
    deadline: Duration,
}

impl Plugins {
    /// Installs `plans`.
    pub(super) fn install(plans: &[PluginPlan]) -> io::Result<Plugins> {
        let never_ends = plans.iter().any(|plan| plan.defects.contains(&PluginDefect::Hangs));
        let deadline = if never_ends { PATIENCE } else { DEADLINE };
        if plans.is_empty() {
            return Ok(Plugins { libexec: None, deadline });
        }
        let libexec = tempfile::Builder::new().prefix("muster-plugins-").tempdir()?;
        for plan in plans {
            let folder = libexec.path().join("plugins").join(&plan.name);
            std::fs::create_dir_all(&folder)?;
            file::put(plan, &folder, &script(plan))?;
        }
        file::close(&libexec.path().join("plugins"), 0o755)?;
        Ok(Plugins { libexec: Some(libexec), deadline })
    }

    /// Whoever runs them: a new host, which remembers nothing.
    pub(super) fn host(&self) -> Arc<dyn PluginHost> {
        match &self.libexec {
            Some(libexec) => Arc::new(Programs::new(PluginDirectory::new(libexec.path()), self.deadline)),
            None => Arc::new(NoPlugins),
        }
    }
}

impl Capability {
    /// The contract's word for it.
    fn contract(self) -> &'static str {
        match self {
            Capability::TrustedIdentity => crate::plugin::VERIFIER_TRUSTED_IDENTITY,
            Capability::RevocationCheck => crate::plugin::VERIFIER_REVOCATION_CHECK,
        }
    }
}

/// The text of the plugin. JSON has no single quotes of its own here, and stands between such.
fn script(plan: &PluginPlan) -> String {
    let has = |defect| plan.defects.contains(&defect);
    let metadata = json!({
        "name": if has(PluginDefect::OtherName) { "another" } else { plan.name.as_str() },
        "description": "a plugin of a scenario",
        "version": plan.version,
        "url": "https://example.com",
        "supportedContractVersions": [if has(PluginDefect::OtherContract) { "2.0" } else { "1.0" }],
        "capabilities": plan.capabilities.iter().map(|capability| capability.contract()).collect::<Vec<_>>(),
    });
    let results: serde_json::Map<String, serde_json::Value> = plan
        .capabilities
        .iter()
        .filter(|_| !has(PluginDefect::ResultMissing))
        .map(|capability| {
            let success = !plan.refuses.contains(capability);
            let reason = if success { "as the scenario says" } else { "the scenario says no" };
            (capability.contract().to_owned(), json!({ "success": success, "reason": reason }))
        })
        .collect();
    let processed = match &plan.processes {
        // What the request lists as not processed yet, taken as it stands there.
        None => "\"$listed\"".to_owned(),
        Some(names) => quoted(&json!(names).to_string()),
    };
    let reads = if has(PluginDefect::IgnoresInput) { ":" } else { "IFS= read -r request" };
    let answers = format!(
        "printf '{{\"verificationResults\":%s,\"processedAttributes\":%s}}' {} {processed}",
        quoted(&json!(results).to_string())
    );
    let verifies =
        plan.defects.iter().fold(answers.clone(), |usual, defect| misbehaviour(*defect, &answers).unwrap_or(usual));
    format!(
        r#"#!/bin/sh
request=
{reads}
listed=${{request#*\"unprocessedAttributes\":}}
case "$listed" in
  \[*) listed="${{listed%%]*}}]" ;;
  *) listed='[]' ;;
esac
case "$1" in
  get-plugin-metadata) printf '%s' {} ;;
  verify-signature) {verifies} ;;
  *) exit 1 ;;
esac
"#,
        quoted(&metadata.to_string())
    )
}

/// What a plugin does in the place of answering, or beside it.
fn misbehaviour(defect: PluginDefect, answers: &str) -> Option<String> {
    const ERROR: &str = r#"printf '{"errorCode":"VALIDATION_ERROR","errorMessage":"the scenario says so"}'"#;
    Some(match defect {
        PluginDefect::Hangs => "sleep 600".to_owned(),
        PluginDefect::Floods => "while :; do printf '%65536s' x; done".to_owned(),
        PluginDefect::FloodsErrors => "while :; do printf '%65536s' x >&2; done".to_owned(),
        PluginDefect::Forks => format!("sleep 600 & {answers}"),
        PluginDefect::Nonsense => "printf nonsense".to_owned(),
        PluginDefect::TwoDocuments => format!("{answers}; {answers}"),
        PluginDefect::ErrorWithoutStatus => ERROR.to_owned(),
        PluginDefect::SilentError => "exit 1".to_owned(),
        PluginDefect::Error => format!("{ERROR} >&2; exit 1"),
        PluginDefect::Killed => "kill -9 $$".to_owned(),
        _ => return None,
    })
}

/// A text as the shell reads one that has nothing special in it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(unix)]
mod file {
    //! Files of plugins, with the rights that they are to have.

    use std::fs::{self, Permissions};
    use std::io;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::path::Path;
    use std::process::Command;

    use super::{PluginDefect, PluginPlan};

    /// Puts a plugin into its folder, or what stands in its place.
    pub(super) fn put(plan: &PluginPlan, folder: &Path, script: &str) -> io::Result<()> {
        let place = folder.join(format!("notation-{}", plan.name));
        let has = |defect| plan.defects.contains(&defect);
        if has(PluginDefect::Folder) {
            fs::create_dir(&place)?;
        } else if has(PluginDefect::Pipe) {
            let made = Command::new("mkfifo").arg(&place).status()?;
            made.success().then_some(()).ok_or_else(|| io::Error::other("there is no pipe"))?;
        } else if has(PluginDefect::SymbolicLink) {
            let program = folder.join("program");
            write(&program, script, 0o755)?;
            symlink(program, &place)?;
        } else if has(PluginDefect::NotExecutable) {
            write(&place, script, 0o644)?;
        } else {
            write(&place, script, if has(PluginDefect::WorldWritable) { 0o777 } else { 0o755 })?;
        }
        close(folder, 0o755)
    }

    /// Sets the rights of `path`.
    pub(super) fn close(path: &Path, mode: u32) -> io::Result<()> {
        fs::set_permissions(path, Permissions::from_mode(mode))
    }

    fn write(path: &Path, script: &str, mode: u32) -> io::Result<()> {
        fs::write(path, script)?;
        close(path, mode)
    }
}

#[cfg(not(unix))]
mod file {
    //! There is no shell.

    use std::io;
    use std::path::Path;

    use super::PluginPlan;

    pub(super) fn put(_: &PluginPlan, _: &Path, _: &str) -> io::Result<()> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "plugins of scenarios are scripts of a Unix shell"))
    }

    pub(super) fn close(_: &Path, _: u32) -> io::Result<()> {
        Ok(())
    }
}
