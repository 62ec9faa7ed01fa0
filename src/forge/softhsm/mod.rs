//! Throw-away tokens of SoftHSM 2, for scenarios and tests that sign through PKCS #11 for real.
//!
//! SoftHSM reads `SOFTHSM2_CONF` once, from the environment of the process that loads it, and a process cannot safely
//! change its own environment. So a program that wants tokens starts a process for them: [`SoftHsm::prepare`] makes a
//! temporary folder, the program runs itself again with [`SoftHsm::environment`], and that second process finds the folder
//! by [`SoftHsm::of_process`]. The user's own tokens are never touched: without that environment no token is made.

mod encoded_key;
mod left_behind;
mod token;

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use left_behind::{InUse, PREFIX};
pub use token::{KeyPlace, SoftToken};

use crate::failure::quote;
use crate::signer::SignerError;
use crate::temporary::Folder;

/// A SoftHSM whose tokens are in a temporary folder.
#[derive(Debug)]
pub struct SoftHsm {
    module: PathBuf,
    folder: PathBuf,
    /// Let go of before the folder is removed.
    _in_use: Option<InUse>,
    /// Removes the folder; the process that was started with it leaves that to the one that prepared it.
    _owned: Option<Folder>,
}

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SoftHsmError {
    /// The module is not there. Scenarios may be skipped for this reason, and for no other.
    #[error(
        "SoftHSM is not installed (Debian: apt-get install softhsm2); if its module is in an unusual place, set \
         MUSTER_SOFTHSM_MODULE to it"
    )]
    NotInstalled,
    /// `MUSTER_SOFTHSM_MODULE` leads nowhere.
    #[error("MUSTER_SOFTHSM_MODULE names {0}, which is not an absolute path of a file: correct it")]
    ModuleMisnamed(String),
    /// The temporary folder cannot be made.
    #[error("the folder for tokens of SoftHSM cannot be made: {0}")]
    Folder(String),
    /// The environment does not belong together.
    #[error(
        "SOFTHSM2_CONF is not the configuration in MUSTER_SOFTHSM_FOLDER: let the program that prepared them set both"
    )]
    OtherConfiguration,
    /// The module cannot be used.
    #[error(transparent)]
    Module(#[from] SignerError),
    /// SoftHSM refuses to make a token.
    #[error("SoftHSM makes no token: {0}")]
    Token(String),
    /// SoftHSM refuses to make or take a key.
    #[error("SoftHSM takes no key: {0}")]
    Key(String),
    /// SoftHSM refuses to take a certificate.
    #[error("SoftHSM takes no certificate: {0}")]
    Certificate(String),
}

impl SoftHsm {
    /// The variable that names the module, for where it is in an unusual place.
    pub const MODULE: &str = "MUSTER_SOFTHSM_MODULE";
    /// The variable that names the prepared folder.
    pub const FOLDER: &str = "MUSTER_SOFTHSM_FOLDER";
    /// The variable that SoftHSM itself reads.
    pub const CONFIGURATION: &str = "SOFTHSM2_CONF";

    /// Makes a temporary folder for tokens, which is removed with what is returned: keep it until the process that was
    /// started with [`SoftHsm::environment`] has ended. What killed programs left behind is removed before.
    ///
    /// # Errors
    ///
    /// [`SoftHsmError::NotInstalled`] if there is no SoftHSM, [`SoftHsmError::Folder`] if the folder cannot be made.
    pub fn prepare() -> Result<SoftHsm, SoftHsmError> {
        let module = module()?;
        let failed = |error: io::Error| SoftHsmError::Folder(error.to_string());
        let owned = Folder::new(PREFIX).map_err(failed)?;
        let folder = owned.path().canonicalize().map_err(failed)?;
        let in_use = InUse::of_new(&folder).map_err(failed)?;
        left_behind::sweep(&folder);
        let tokens = folder.join("tokens");
        fs::create_dir(&tokens).map_err(failed)?;
        let tokens = tokens.to_str().filter(|path| !path.contains('\n'));
        let tokens = tokens.ok_or_else(|| SoftHsmError::Folder("its path cannot be written down".to_owned()))?;
        let configuration = format!(
            "directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n"
        );
        fs::write(configuration_in(&folder), configuration).map_err(failed)?;
        Ok(SoftHsm { module, folder, _in_use: in_use, _owned: Some(owned) })
    }

    /// What has to be in the environment of a process that is to use these tokens.
    pub fn environment(&self) -> [(&'static str, PathBuf); 3] {
        [
            (SoftHsm::FOLDER, self.folder.clone()),
            (SoftHsm::CONFIGURATION, configuration_in(&self.folder)),
            (SoftHsm::MODULE, self.module.clone()),
        ]
    }

    /// The SoftHSM that this process was started with; `None` if it was started without.
    ///
    /// # Errors
    ///
    /// [`SoftHsmError::OtherConfiguration`] if the environment would lead SoftHSM elsewhere.
    pub fn of_process() -> Result<Option<SoftHsm>, SoftHsmError> {
        let Some(folder) = env::var_os(SoftHsm::FOLDER).map(PathBuf::from) else { return Ok(None) };
        let configuration = configuration_in(&folder);
        if env::var_os(SoftHsm::CONFIGURATION).map(PathBuf::from).as_ref() != Some(&configuration)
            || !configuration.is_file()
        {
            return Err(SoftHsmError::OtherConfiguration);
        }
        Ok(Some(SoftHsm { module: module()?, _in_use: InUse::of(&folder), folder, _owned: None }))
    }

    /// The module.
    pub fn module(&self) -> &Path {
        &self.module
    }

    /// The folder with everything in it.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes a token called `label` (at most 32 bytes), with a PIN of its own in a file of the folder. Only in the process
    /// that was started with the environment.
    ///
    /// # Errors
    ///
    /// [`SoftHsmError::OtherConfiguration`] in another process, [`SoftHsmError::Module`] if the module does not start, and
    /// [`SoftHsmError::Token`].
    pub fn token(&self, label: &str) -> Result<SoftToken, SoftHsmError> {
        match SoftHsm::of_process()? {
            Some(own) if own.folder == self.folder => SoftToken::make(&self.module, &self.folder, label),
            _ => Err(SoftHsmError::OtherConfiguration),
        }
    }
}

fn configuration_in(folder: &Path) -> PathBuf {
    folder.join("softhsm2.conf")
}

/// Where SoftHSM's module is.
fn module() -> Result<PathBuf, SoftHsmError> {
    const USUAL: [&str; 10] = [
        "/usr/lib/softhsm/libsofthsm2.so",
        "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
        "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
        "/usr/lib64/softhsm/libsofthsm2.so",
        "/usr/lib64/pkcs11/libsofthsm2.so",
        "/usr/lib/pkcs11/libsofthsm2.so",
        "/usr/lib/libsofthsm2.so",
        "/usr/local/lib/softhsm/libsofthsm2.so",
        "/opt/homebrew/lib/softhsm/libsofthsm2.so",
        "/opt/local/lib/softhsm/libsofthsm2.so",
    ];
    match env::var_os(SoftHsm::MODULE).filter(|value| !value.is_empty()).map(PathBuf::from) {
        Some(module) if module.is_absolute() && module.is_file() => Ok(module),
        Some(module) => Err(SoftHsmError::ModuleMisnamed(quote(&module.display().to_string()))),
        None => USUAL.iter().map(PathBuf::from).find(|module| module.is_file()).ok_or(SoftHsmError::NotInstalled),
    }
}
