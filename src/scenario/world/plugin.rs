//! `plugins`: verification plugins, made of the forge's, in a throw-away folder, run by the very host that audits use.
//!
//! How a plugin behaves wrongly is the forge's to say ([`crate::forge::plugin::PluginDefect`]).

use std::io;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Member, Reading, SetupError, Site, Thing};
use crate::failure::quote;
use crate::forge::plugin::{PluginBehaviour, PluginDefect, PluginVerdict, Processed};
use crate::forge::words::words;
use crate::plugin_host::{self, NoPlugins, PluginDirectory, PluginHost, ProcessHost};
use crate::scenario::finding::Rule;
use crate::scenario::names::check_name;
use crate::scenario::spanned::{OrderedMap, Spanned};
use crate::temporary::Folder;

/// How long a plugin may take.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How long a plugin may take where one never ends.
const SHORT_TIMEOUT: Duration = Duration::from_secs(2);

words! {
    /// What a plugin can do.
    pub(in crate::scenario) Capability {
        /// Sign, which no verification asks for.
        SignatureGenerator "signature-generator"
        /// Judge who signed.
        TrustedIdentity "trusted-identity"
        /// Judge whether certificates are revoked.
        RevocationCheck "revocation-check"
    }
}

words! {
    /// What is wrong with the file of a plugin.
    pub(in crate::scenario) FileDefect {
        /// No user may run it.
        NotExecutable "not-executable"
        /// Every user may write to it.
        WorldWritable "world-writable"
        /// It is a symbolic link.
        SymbolicLink "symbolic-link"
        /// A folder is in its place.
        Folder "folder"
        /// A pipe is in its place.
        Pipe "pipe"
    }
}

/// A verification plugin.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawPlugin {
    /// The name that it claims; its own if left out.
    name: Option<String>,
    /// Its version; 1.0.0 if left out.
    version: Option<String>,
    /// The versions of the contract that it speaks; 1.0 if left out.
    contract_versions: Option<Vec<String>>,
    /// What it says that it can do; both if left out.
    capabilities: Option<Vec<Capability>>,
    /// What it says no to.
    #[serde(default)]
    refuses: Vec<Capability>,
    /// What it says nothing about, though it was asked.
    #[serde(default)]
    omits: Vec<Capability>,
    /// The signed attributes that it processes; all that it is asked about if left out.
    processes: Option<Vec<String>>,
    /// The settings that it has to be handed, these and no others; any if left out.
    #[serde(default)]
    settings: OrderedMap<String>,
    /// How it behaves as a program should not.
    defect: Option<PluginDefect>,
    /// The command in which it does: `get-plugin-metadata`; every other if left out.
    defect_in: Option<String>,
    /// What is wrong with its file.
    file: Option<FileDefect>,
}

/// A verification plugin with every default filled in.
#[derive(Debug)]
pub(in crate::scenario) struct PluginPlan {
    name: String,
    behaviour: PluginBehaviour,
    file: Option<FileDefect>,
}

/// The plugins of a world.
#[derive(Debug)]
pub(in crate::scenario) struct Plugins {
    /// Holds `plugins/`; `None` where there are none.
    libexec: Option<Folder>,
    timeout: Duration,
}

impl Member for OrderedMap<RawPlugin> {
    type Thing = PluginPlan;

    fn check(&self, reading: &mut Reading<'_, '_, '_>) {
        for (name, plugin) in &self.0 {
            reading.add_plugin(name, plugin);
        }
    }
}

impl Reading<'_, '_, '_> {
    fn add_plugin(&mut self, name: &Spanned<String>, raw: &RawPlugin) {
        let findings = &mut *self.findings;
        check_name(name, "a plugin", findings);
        if name.value.contains('/') || name.value.starts_with('.') {
            let message = format!("{} is no file name of a plugin", quote(&name.value));
            findings.error(Rule::Name, &name.range, message, "write com.example.plugin");
        }
        let all = || vec![Capability::TrustedIdentity, Capability::RevocationCheck];
        let capabilities = raw.capabilities.clone().unwrap_or_else(all);
        for (said, what) in [(&raw.refuses, "refuses"), (&raw.omits, "omits")] {
            if let Some(other) = said.iter().find(|said| !capabilities.contains(said)) {
                let message = format!("it {what} {}, which it cannot do", other.as_str());
                findings.error(Rule::Contradiction, &name.range, message, "add it to capabilities, or remove it there");
            }
        }
        let verdict = |capability| match (raw.omits.contains(&capability), raw.refuses.contains(&capability)) {
            (true, _) => PluginVerdict::Missing,
            (_, true) => PluginVerdict::Failure,
            _ => PluginVerdict::Success,
        };
        let usual = PluginBehaviour::default();
        let behaviour = PluginBehaviour {
            name: raw.name.clone(),
            version: raw.version.clone().unwrap_or(usual.version),
            contract_versions: raw.contract_versions.clone().unwrap_or(usual.contract_versions),
            capabilities: capabilities.iter().map(|capability| capability.contract().to_owned()).collect(),
            identity: verdict(Capability::TrustedIdentity),
            revocation: verdict(Capability::RevocationCheck),
            processed: if raw.processes.is_some() { Processed::Listed } else { Processed::All },
            attributes: raw.processes.clone().unwrap_or_default(),
            settings: raw.settings.0.iter().map(|(name, value)| (name.value.clone(), value.clone())).collect(),
            defect: raw.defect,
            defect_in: raw.defect_in.clone(),
            ..PluginBehaviour::default()
        };
        self.things.plugins.push(PluginPlan { name: name.value.clone(), behaviour, file: raw.file });
    }
}

impl Thing for PluginPlan {
    /// Installs it. Every plugin is Muster itself, told how to behave.
    fn make(&self, site: &mut Site<'_>) -> Result<(), SetupError> {
        let Some(program) = &site.overrides.program else {
            let reason = "the case needs plugins, which only the program itself can make";
            return Err(SetupError::Unavailable(reason.to_owned()));
        };
        if self.behaviour.defect == Some(PluginDefect::Hang) {
            site.plugins.timeout = SHORT_TIMEOUT;
        }
        let mut install = || {
            let plugins = site.plugins.folder()?;
            let installed = self.behaviour.install(&plugins, &self.name, program)?;
            file::set_mode(&installed.folder, 0o755)?;
            match self.file {
                Some(defect) => file::apply(defect, &installed.executable),
                None => Ok(()),
            }
        };
        install().map_err(|error: io::Error| match error.kind() {
            io::ErrorKind::Unsupported => SetupError::Unavailable(format!("the case needs plugins: {error}")),
            _ => SetupError::Failed(format!("the plugins: {error}")),
        })
    }
}

impl Plugins {
    /// None yet.
    pub(super) fn new() -> Plugins {
        Plugins { libexec: None, timeout: TIMEOUT }
    }

    /// The folder in which plugins are installed, made when it is first asked for.
    fn folder(&mut self) -> io::Result<std::path::PathBuf> {
        let libexec = match self.libexec.take() {
            Some(libexec) => libexec,
            None => {
                let libexec = Folder::new("muster-plugins-")?;
                let plugins = libexec.path().join("plugins");
                std::fs::create_dir(&plugins)?;
                file::set_mode(&plugins, 0o755)?;
                libexec
            }
        };
        Ok(self.libexec.insert(libexec).path().join("plugins"))
    }

    /// What runs them: a new host, which remembers nothing.
    pub(in crate::scenario) fn host(&self) -> Arc<dyn PluginHost> {
        match &self.libexec {
            Some(libexec) => {
                let host = ProcessHost::new(PluginDirectory::new(libexec.path()), self.timeout);
                plugin_host::for_one_run(Arc::new(host))
            }
            None => Arc::new(NoPlugins),
        }
    }
}

impl Capability {
    /// The contract's word for it.
    fn contract(self) -> &'static str {
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

    /// Makes the file of a plugin wrong.
    pub(super) fn apply(defect: FileDefect, file: &Path) -> io::Result<()> {
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

    pub(super) fn apply(_: FileDefect, _: &Path) -> io::Result<()> {
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }
}
