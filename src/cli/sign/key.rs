//! Which key signs: one that notation knows by name, or one that is named here with its certificates.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use time::OffsetDateTime;

use super::super::config_folder::ConfigFolder;
use super::super::console::Console;
use crate::failure::quote;
use crate::sign::{KeyEntry, KeyList, KeyPlace, SigningKey};
use crate::signer::Environment;

/// Which key signs.
#[derive(Debug, Args)]
#[command(next_help_heading = "Key")]
pub(super) struct KeyArgs {
    /// Name of a key in signingkeys.json of the configuration; with --certificate-chain the path of a PEM file, or a
    /// pkcs11: URI, whose PIN comes from its pin-source or from MUSTER_PKCS11_PIN [default: the default of that list]
    #[arg(short, long, value_name = "KEY")]
    key: Option<String>,

    /// PEM file with the certificates of --key, its own first, the root last
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "key")]
    certificate_chain: Option<PathBuf>,

    /// Folder of notation's configuration, with signingkeys.json
    /// [default: $NOTATION_CONFIG, else `notation` in the user's configuration folder]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    config: Option<PathBuf>,

    /// A signing plugin; taken so that it can be refused in words
    #[arg(long, value_name = "NAME", hide = true)]
    plugin: Option<String>,

    /// The plugin's key
    #[arg(long, value_name = "ID", hide = true)]
    id: Option<String>,

    /// A setting of the plugin
    #[arg(long, value_name = "KEY=VALUE", hide = true)]
    plugin_config: Vec<String>,
}

const NO_PLUGINS: &str = "signing plugins are not supported yet: name a key file or a pkcs11: URI with --key, and its \
                          certificates with --certificate-chain";

impl KeyArgs {
    /// Opens the key, to sign at `at`. The error is one sentence.
    pub(super) fn open(&self, at: OffsetDateTime, console: Console) -> Result<SigningKey, String> {
        if self.plugin.is_some() || self.id.is_some() || !self.plugin_config.is_empty() {
            return Err(NO_PLUGINS.to_owned());
        }
        let (key, certificates) = match (&self.key, &self.certificate_chain) {
            (Some(key), Some(certificates)) => (key.clone(), certificates.clone()),
            (name, _) => self.listed(name.as_deref())?,
        };
        let key = SigningKey::open(&key, &certificates, &Environment::of_process(), at);
        let key = key.map_err(|error| error.to_string())?;
        key.warnings().iter().for_each(|warning| console.warning(warning));
        Ok(key)
    }

    /// The key of this name in `signingkeys.json`, or the default.
    fn listed(&self, name: Option<&str>) -> Result<(String, PathBuf), String> {
        if name.is_some_and(|name| name.starts_with("pkcs11:") || name.contains(['/', '\\'])) {
            return Err("--key names a key itself, so that --certificate-chain has to name its certificates".to_owned());
        }
        let config = ConfigFolder::here(self.config.as_deref()).map_err(|error| error.to_string())?;
        let list = KeyList::load(&config.signing_keys()).map_err(|error| {
            format!(
                "{error}; name a key file or a pkcs11: URI with --key, and its certificates with --certificate-chain"
            )
        })?;
        match list.key(name).map_err(|error| error.to_string())? {
            KeyEntry { place: KeyPlace::Files { key, certificates }, .. } => Ok((key.clone(), certificates.clone())),
            KeyEntry { place: KeyPlace::Plugin(plugin), name } => {
                Err(format!("the key {} is behind the plugin {}, and {NO_PLUGINS}", quote(name), quote(plugin)))
            }
        }
    }
}
