//! Where notation keeps its configuration, so that policies and trust stores made for it serve here as they are.
//!
//! Follows *notation-cli* and the reference implementation: `NOTATION_CONFIG`, else `notation` in the user's
//! configuration folder. In it lie `trustpolicy.oci.json` (or, of old, `trustpolicy.json`), `trustpolicy.blob.json`,
//! `truststore/x509` and `signingkeys.json`, and `config.json` with settings of registries.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::failure::quote;
use crate::limits;
use crate::reference::normal_form;
use crate::regular_file::{self, FileProblem};

/// The operating systems that have a custom of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum System {
    /// `$XDG_CONFIG_HOME`, else `~/.config`.
    Unix,
    /// `~/Library/Application Support`.
    MacOs,
    /// `%AppData%`.
    Windows,
}

/// Why there is no configuration folder, or no policy in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ConfigFolderError {
    /// The variable that leads to it is not set.
    #[error("${0} is not set, so there is no configuration folder; name one with --config")]
    NotSet(&'static str),
    /// The variable leads to a place that depends on where the program is run.
    #[error("$XDG_CONFIG_HOME is not an absolute path; mend it, or name a folder with --config")]
    Relative,
    /// Nothing there.
    #[error(
        "there is no trust policy: neither trustpolicy.oci.json nor trustpolicy.json in {}; \
         write one there, or name a file with --policy",
        quote(&.0.display().to_string())
    )]
    NoPolicy(PathBuf),
    /// No policy for blobs.
    #[error(
        "there is no trust policy for blobs: no trustpolicy.blob.json in {}; \
         write one there, or name a file with --policy",
        quote(&.0.display().to_string())
    )]
    NoBlobPolicy(PathBuf),
}

/// A configuration folder of notation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ConfigFolder(PathBuf);

impl System {
    /// The one this program was built for.
    pub(super) const HERE: System = if cfg!(windows) {
        System::Windows
    } else if cfg!(target_os = "macos") {
        System::MacOs
    } else {
        System::Unix
    };
}

impl ConfigFolder {
    /// The folder that was `given`, or the usual one by the environment, which `variable` reads. It may not exist.
    pub(super) fn find(
        given: Option<&Path>,
        system: System,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<ConfigFolder, ConfigFolderError> {
        let set = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        if let Some(folder) = given.map(Path::to_owned).or_else(|| set("NOTATION_CONFIG")) {
            return Ok(ConfigFolder(folder));
        }
        Ok(ConfigFolder(of_user(system, set)?))
    }

    /// The same, for this system and environment.
    pub(super) fn here(given: Option<&Path>) -> Result<ConfigFolder, ConfigFolderError> {
        ConfigFolder::find(given, System::HERE, |name| std::env::var_os(name))
    }

    /// The trust policy in it. The old name serves only where the new one does not exist in any form.
    pub(super) fn policy(&self) -> Result<PathBuf, ConfigFolderError> {
        let names = ["trustpolicy.oci.json", "trustpolicy.json"];
        self.first(names).ok_or_else(|| ConfigFolderError::NoPolicy(self.0.clone()))
    }

    /// The trust policy for blobs in it.
    pub(super) fn blob_policy(&self) -> Result<PathBuf, ConfigFolderError> {
        self.first(["trustpolicy.blob.json"]).ok_or_else(|| ConfigFolderError::NoBlobPolicy(self.0.clone()))
    }

    /// The first of these names that exists, in whatever form.
    fn first<const N: usize>(&self, names: [&str; N]) -> Option<PathBuf> {
        let exists =
            |path: &PathBuf| !path.symlink_metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound);
        names.map(|name| self.0.join(name)).into_iter().find(exists)
    }

    /// The folder that holds `x509`.
    pub(super) fn trust_store(&self) -> PathBuf {
        self.0.join("truststore")
    }

    /// The folder itself.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// The registries that notation's `config.json` calls insecure: those that are spoken to without TLS. Fails with what is
    /// wrong with the file.
    pub(super) fn insecure_registries(&self) -> Result<Vec<String>, String> {
        #[derive(serde::Deserialize)]
        struct Settings {
            #[serde(rename = "insecureRegistries")]
            insecure_registries: Option<Vec<String>>,
        }
        let path = self.0.join("config.json");
        let wrong = |why: &str| format!("notation's configuration {} {why}", quote(&path.display().to_string()));
        let bytes = match regular_file::read_linked(&path, limits::CREDENTIAL_FILE_BYTES) {
            Ok(bytes) => zeroize::Zeroizing::new(bytes),
            Err(FileProblem::Missing) => return Ok(Vec::new()),
            Err(problem) => return Err(wrong(&problem.to_string())),
        };
        let settings: Settings = serde_json::from_slice(&bytes)
            .map_err(|error| wrong(&format!("is not read: line {}, column {}", error.line(), error.column())))?;
        let named = settings.insecure_registries.unwrap_or_default();
        // One that is no host names no registry, for notation neither.
        Ok(named.iter().filter_map(|host| normal_form(host)).collect())
    }

    /// The list of signing keys in it.
    pub(super) fn signing_keys(&self) -> PathBuf {
        self.0.join("signingkeys.json")
    }
}

/// The folder that holds `plugins`: `NOTATION_LIBEXEC`, else the user's configuration folder of notation. Another
/// configuration (`--config`, `NOTATION_CONFIG`) has no plugins of its own.
pub(super) fn libexec(
    system: System,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<PathBuf, ConfigFolderError> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    match set("NOTATION_LIBEXEC") {
        Some(folder) => Ok(std::path::absolute(&folder).unwrap_or(folder)),
        None => of_user(system, set),
    }
}

/// notation's folder in the user's configuration folder.
fn of_user(system: System, set: impl Fn(&'static str) -> Option<PathBuf>) -> Result<PathBuf, ConfigFolderError> {
    let need = |name| set(name).ok_or(ConfigFolderError::NotSet(name));
    let user = match system {
        System::Windows => need("APPDATA")?,
        System::MacOs => need("HOME")?.join("Library/Application Support"),
        System::Unix => match set("XDG_CONFIG_HOME") {
            Some(folder) if folder.is_absolute() => folder,
            Some(_) => return Err(ConfigFolderError::Relative),
            None => need("HOME")?.join(".config"),
        },
    };
    Ok(user.join("notation"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(given: Option<&str>, system: System, variables: &[(&str, &str)]) -> Result<PathBuf, ConfigFolderError> {
        let variable = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).into());
        ConfigFolder::find(given.map(Path::new), system, variable).map(|folder| folder.0)
    }

    #[test]
    fn finds_the_folder_that_notation_uses() {
        use System::*;
        let all = [("NOTATION_CONFIG", "/n"), ("XDG_CONFIG_HOME", "/x"), ("HOME", "/h"), ("APPDATA", "/a")];
        for (given, system, variables, expected) in [
            (Some("given"), Unix, &all[..], "given"),
            (None, Unix, &all, "/n"),
            (None, Unix, &all[1..], "/x/notation"),
            (None, Unix, &all[2..], "/h/.config/notation"),
            (None, Unix, &[("NOTATION_CONFIG", ""), ("XDG_CONFIG_HOME", ""), ("HOME", "/h")], "/h/.config/notation"),
            (None, MacOs, &all[1..], "/h/Library/Application Support/notation"),
            (None, Windows, &all[1..], "/a/notation"),
        ] {
            assert_eq!(find(given, system, variables), Ok(PathBuf::from(expected)), "{variables:?}");
        }
        assert_eq!(find(None, Unix, &[]), Err(ConfigFolderError::NotSet("HOME")));
        assert_eq!(find(None, Windows, &all[..0]), Err(ConfigFolderError::NotSet("APPDATA")));
        assert_eq!(find(None, Unix, &[("XDG_CONFIG_HOME", "x")]), Err(ConfigFolderError::Relative));
    }

    #[test]
    fn plugins_stay_with_the_user_whatever_the_configuration() {
        use System::*;
        let all = [("NOTATION_LIBEXEC", "/l"), ("NOTATION_CONFIG", "/n"), ("HOME", "/h"), ("APPDATA", "/a")];
        let found = |system, variables: &[(&str, &str)]| {
            libexec(system, |name| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).into()))
        };
        for (system, variables, expected) in [
            (Unix, &all[..], "/l"),
            (Unix, &all[1..], "/h/.config/notation"),
            (MacOs, &all[1..], "/h/Library/Application Support/notation"),
            (Windows, &all[1..], "/a/notation"),
        ] {
            assert_eq!(found(system, variables), Ok(PathBuf::from(expected)));
        }
        assert!(found(Unix, &[("NOTATION_LIBEXEC", "here")]).unwrap().is_absolute());
        assert_eq!(found(Unix, &all[1..2]), Err(ConfigFolderError::NotSet("HOME")));
    }

    #[test]
    fn the_old_policy_serves_only_without_the_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let config = ConfigFolder(folder.path().to_owned());
        assert_eq!(config.policy(), Err(ConfigFolderError::NoPolicy(folder.path().to_owned())));
        assert_eq!(config.blob_policy(), Err(ConfigFolderError::NoBlobPolicy(folder.path().to_owned())));
        let (old, new) = (folder.path().join("trustpolicy.json"), folder.path().join("trustpolicy.oci.json"));
        std::fs::write(&old, "{}").unwrap();
        assert_eq!(config.policy(), Ok(old));
        // Whatever it is, a thing of the new name is not passed over.
        std::fs::create_dir(&new).unwrap();
        assert_eq!(config.policy(), Ok(new));
        let blob = folder.path().join("trustpolicy.blob.json");
        std::fs::write(&blob, "{}").unwrap();
        assert_eq!(config.blob_policy(), Ok(blob));
    }
}
