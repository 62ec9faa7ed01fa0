//! Verification plugins of a world: the forge's, in a throw-away folder, run by the very host that audits use.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::plan::PluginPlan;
use super::plugin_words::{Capability, FileDefect};
use crate::forge::plugin::PluginDefect;
use crate::plugin_host::{NoPlugins, PluginDirectory, PluginHost, ProcessHost};
use crate::temporary::Folder;

/// How long a plugin may take.
const DEADLINE: Duration = Duration::from_secs(20);
/// How long a plugin may take where one never ends.
const PATIENCE: Duration = Duration::from_secs(2);

/// The plugins of a world.
#[derive(Debug)]
pub(super) struct Plugins {
    /// Holds `plugins/`; `None` where there are none.
    libexec: Option<Folder>,
    deadline: Duration,
}

impl Plugins {
    /// Installs `plans`. Each is `program`, Muster itself, told how to behave.
    pub(super) fn install(plans: &[PluginPlan], program: &Path) -> io::Result<Plugins> {
        let never_ends = plans.iter().any(|plan| plan.behaviour.defect == Some(PluginDefect::Hang));
        let deadline = if never_ends { PATIENCE } else { DEADLINE };
        if plans.is_empty() {
            return Ok(Plugins { libexec: None, deadline });
        }
        let libexec = Folder::new("muster-plugins-")?;
        let plugins = libexec.path().join("plugins");
        std::fs::create_dir(&plugins)?;
        file::set_mode(&plugins, 0o755)?;
        for plan in plans {
            let installed = plan.behaviour.install(&plugins, &plan.name, program)?;
            file::set_mode(&installed.folder, 0o755)?;
            if let Some(defect) = plan.file {
                file::spoil(&installed.executable, defect)?;
            }
        }
        Ok(Plugins { libexec: Some(libexec), deadline })
    }

    /// Whoever runs them: a new host, which remembers nothing.
    pub(super) fn host(&self) -> Arc<dyn PluginHost> {
        match &self.libexec {
            Some(libexec) => Arc::new(ProcessHost::new(PluginDirectory::new(libexec.path()), self.deadline)),
            None => Arc::new(NoPlugins),
        }
    }
}

impl Capability {
    /// The contract's word for it.
    pub(super) fn contract(self) -> &'static str {
        match self {
            Capability::SignatureGenerator => crate::plugin::GENERATOR_RAW,
            Capability::TrustedIdentity => crate::plugin::VERIFIER_TRUSTED_IDENTITY,
            Capability::RevocationCheck => crate::plugin::VERIFIER_REVOCATION_CHECK,
        }
    }
}

#[cfg(unix)]
mod file {
    //! Files with the rights that they are to have.

    use std::fs::{self, Permissions};
    use std::io;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::path::Path;
    use std::process::Command;

    use super::FileDefect;

    /// Sets the rights of `path`.
    pub(super) fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
        fs::set_permissions(path, Permissions::from_mode(mode))
    }

    /// Does something to the file of a plugin.
    pub(super) fn spoil(file: &Path, defect: FileDefect) -> io::Result<()> {
        match defect {
            FileDefect::NotExecutable => set_mode(file, 0o644),
            FileDefect::WorldWritable => set_mode(file, 0o777),
            FileDefect::SymbolicLink => {
                let program = file.with_file_name("program");
                fs::rename(file, &program)?;
                symlink(program, file)
            }
            FileDefect::Folder => {
                fs::remove_file(file)?;
                fs::create_dir(file)
            }
            FileDefect::Pipe => {
                fs::remove_file(file)?;
                let made = Command::new("mkfifo").arg(file).status()?;
                if made.success() { Ok(()) } else { Err(io::Error::other("mkfifo made no pipe")) }
            }
        }
    }
}

#[cfg(not(unix))]
mod file {
    //! Nothing here has such rights, and the forge installs no plugins either.

    use std::io;
    use std::path::Path;

    use super::FileDefect;

    pub(super) fn set_mode(_: &Path, _: u32) -> io::Result<()> {
        Ok(())
    }

    pub(super) fn spoil(_: &Path, _: FileDefect) -> io::Result<()> {
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }
}
