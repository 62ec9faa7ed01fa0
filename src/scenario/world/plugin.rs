//! `plugins`: plugins that verify or sign, made of the forge's, in a throw-away folder, run by the very host that audits and
//! `muster sign` use.
//!
//! How a plugin behaves wrongly is the forge's to say ([`crate::forge::plugin::PluginDefect`]).

use std::io;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::custodian::{Custodian, SigningPlugin};
use super::plugin_file::{self as file, FileDefect};
use super::{Member, Reading, SetupError, Site, Thing};
use crate::failure::quote;
use crate::forge::plugin::{PluginBehaviour, PluginDefect, PluginSigningDefect, PluginVerdict, Processed};
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
        /// Sign bytes, which no verification asks for.
        SignatureGeneratorRaw "signature-generator-raw"
        /// Make whole envelopes, which no verification asks for.
        SignatureGeneratorEnvelope "signature-generator-envelope"
        /// Judge who signed.
        TrustedIdentity "trusted-identity"
        /// Judge whether certificates are revoked.
        RevocationCheck "revocation-check"
    }
}

/// A plugin that verifies, or that holds a signing key.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawPlugin {
    /// The name that it claims; its own if left out.
    name: Option<String>,
    /// Its version; 1.0.0 if left out.
    version: Option<String>,
    /// The versions of the contract that it speaks; 1.0 if left out.
    contract_versions: Option<Vec<String>>,
    /// What it says that it can do; to verify, in both ways, if left out.
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
    /// How it signs wrongly.
    signing_defect: Option<Spanned<PluginSigningDefect>>,
    /// How it behaves as a program should not.
    defect: Option<PluginDefect>,
    /// The command in which it does: `get-plugin-metadata`; every other if left out.
    defect_in: Option<String>,
    /// What is wrong with its file.
    file: Option<FileDefect>,
}

/// A plugin with every default filled in.
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

impl RawPlugin {
    /// Whether it says that it can sign.
    pub(super) fn signs(&self) -> bool {
        let signs = |capability: &Capability| {
            matches!(capability, Capability::SignatureGeneratorRaw | Capability::SignatureGeneratorEnvelope)
        };
        self.capabilities.as_ref().is_some_and(|stated| stated.iter().any(signs))
    }
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
        if let Some(defect) = raw.signing_defect.as_ref().filter(|_| !raw.signs()) {
            let message = "the plugin does not sign".to_owned();
            let help = "add capabilities: [signature-generator-raw], or remove signingDefect";
            findings.error(Rule::Contradiction, &defect.range, message, help);
        }
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
            signing_defect: raw.signing_defect.as_ref().map(|defect| defect.value),
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
        let held = site.things.keys.iter().position(|key| key.plugin.as_ref() == Some(&self.name));
        let mut behaviour = self.behaviour.clone();
        let mut install = || {
            let plugins = site.plugins.folder()?;
            if let Some(signer) = held.and_then(|position| site.holders.signers.get(position)) {
                let folder = plugins.join(&self.name);
                behaviour.key = Some(folder.join("signer.key"));
                behaviour.chain = Some(folder.join("signer.crt"));
                file::write_key(&folder, signer)?;
            }
            let installed = behaviour.install(&plugins, &self.name, program)?;
            file::set_mode(&installed.folder, 0o755)?;
            match self.file {
                Some(defect) => file::apply(defect, &installed.executable),
                None => Ok(()),
            }
        };
        install().map_err(|error: io::Error| match error.kind() {
            io::ErrorKind::Unsupported => SetupError::Unavailable(format!("the case needs plugins: {error}")),
            _ => SetupError::Failed(format!("the plugins: {error}")),
        })?;
        if let Some(position) = held {
            let key = site.things.keys[position].name.clone();
            let custodian = SigningPlugin { plugin: self.name.clone(), key, behaviour };
            site.custodians.insert(position, Custodian::Plugin(Box::new(custodian)));
        }
        Ok(())
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

    /// Has the plugin `name` behave so from now on.
    pub(super) fn state(&self, name: &str, behaviour: &PluginBehaviour) -> io::Result<()> {
        match &self.libexec {
            Some(libexec) => behaviour.state(&libexec.path().join("plugins"), name).map(|_| ()),
            None => Err(io::Error::from(io::ErrorKind::NotFound)),
        }
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
            Capability::SignatureGeneratorRaw => crate::plugin::GENERATOR_RAW,
            Capability::SignatureGeneratorEnvelope => crate::plugin::GENERATOR_ENVELOPE,
            Capability::TrustedIdentity => crate::plugin::VERIFIER_TRUSTED_IDENTITY,
            Capability::RevocationCheck => crate::plugin::VERIFIER_REVOCATION_CHECK,
        }
    }
}
