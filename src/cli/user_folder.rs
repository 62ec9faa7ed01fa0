//! The folders of the user in which things lie from one run to the next: what was fetched, and requests that wait.
//!
//! Follows the XDG Base Directory Specification, on other systems their custom, and for what is fetched the reference
//! implementation, so that both fetch a CRL once. A user without a home (a service) has none of them; that is no fault. The
//! folder of the configuration is in `config_folder`: without that one nothing can be decided.

use std::ffi::OsString;
use std::path::PathBuf;

use super::config_folder::System;

/// A folder of the user: where the custom of each system puts it.
#[derive(Debug, Clone, Copy)]
pub(super) struct UserFolder {
    /// The variable that names the folder itself.
    variable: &'static str,
    /// Whose it is among the folders of programs.
    program: &'static str,
    /// The variable that names the folder of all programs.
    xdg: &'static str,
    /// Where that is in a home without the variable.
    unix: &'static str,
    /// The same on macOS.
    mac_os: &'static str,
}

/// What notation fetched.
pub(super) const CACHE: UserFolder = UserFolder {
    variable: "NOTATION_CACHE",
    program: "notation",
    xdg: "XDG_CACHE_HOME",
    unix: ".cache",
    mac_os: "Library/Caches",
};

/// What has to outlive Muster: requests that wait for approvals.
pub(super) const STATE: UserFolder = UserFolder {
    variable: "MUSTER_STATE",
    program: "muster",
    xdg: "XDG_STATE_HOME",
    unix: ".local/state",
    mac_os: "Library/Application Support",
};

impl UserFolder {
    /// The folder by the environment, which `variable` reads. It may not exist.
    pub(super) fn find(self, system: System, variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
        let set = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        if let Some(folder) = set(self.variable) {
            return Some(folder);
        }
        let programs = match system {
            System::Windows => set("LOCALAPPDATA")?,
            System::MacOs => set("HOME")?.join(self.mac_os),
            System::Unix => match set(self.xdg) {
                // A relative one would mean another folder wherever the program is run.
                Some(folder) => folder.is_absolute().then_some(folder)?,
                None => set("HOME")?.join(self.unix),
            },
        };
        Some(programs.join(self.program))
    }

    /// The same, for this system and environment.
    pub(super) fn here(self) -> Option<PathBuf> {
        self.find(System::HERE, |name| std::env::var_os(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_folders_of_the_user() {
        use System::*;
        let cache = [("NOTATION_CACHE", "/n"), ("XDG_CACHE_HOME", "/x"), ("HOME", "/h"), ("LOCALAPPDATA", "/l")];
        let state = [("MUSTER_STATE", "/m"), ("XDG_STATE_HOME", "/x"), ("HOME", "/h"), ("LOCALAPPDATA", "/l")];
        for (folder, system, variables, expected) in [
            (CACHE, Unix, &cache[..], Some("/n")),
            (CACHE, Unix, &cache[1..], Some("/x/notation")),
            (CACHE, Unix, &cache[2..], Some("/h/.cache/notation")),
            (
                CACHE,
                Unix,
                &[("NOTATION_CACHE", ""), ("XDG_CACHE_HOME", ""), ("HOME", "/h")],
                Some("/h/.cache/notation"),
            ),
            (CACHE, Unix, &[("XDG_CACHE_HOME", "x"), ("HOME", "/h")], None),
            (CACHE, Unix, &[], None),
            (CACHE, MacOs, &cache[1..], Some("/h/Library/Caches/notation")),
            (CACHE, Windows, &cache[1..], Some("/l/notation")),
            (STATE, Unix, &state[..], Some("/m")),
            (STATE, Unix, &state[1..], Some("/x/muster")),
            (STATE, Unix, &state[2..], Some("/h/.local/state/muster")),
            (STATE, Unix, &[("XDG_STATE_HOME", "x"), ("HOME", "/h")], None),
            (STATE, Unix, &[], None),
            (STATE, MacOs, &state[1..], Some("/h/Library/Application Support/muster")),
            (STATE, Windows, &state[1..], Some("/l/muster")),
        ] {
            let variable = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).into());
            assert_eq!(folder.find(system, variable), expected.map(PathBuf::from), "{folder:?} {variables:?}");
        }
    }
}
