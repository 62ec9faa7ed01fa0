//! Where Muster keeps what has to outlive it: requests that wait for approvals.
//!
//! Follows the XDG Base Directory Specification: `muster` in `XDG_STATE_HOME`, else in `~/.local/state`; on other systems where
//! programs keep such things there. `MUSTER_STATE` names another folder. A user who has no home has none.

use std::ffi::OsString;
use std::path::PathBuf;

use super::config_folder::System;

/// The folder by the environment, which `variable` reads. It may not exist.
pub(super) fn find(system: System, variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(folder) = set("MUSTER_STATE") {
        return Some(folder);
    }
    let user = match system {
        System::Windows => set("LOCALAPPDATA")?,
        System::MacOs => set("HOME")?.join("Library/Application Support"),
        System::Unix => match set("XDG_STATE_HOME") {
            // A relative one would mean another folder wherever the program is run.
            Some(folder) => folder.is_absolute().then_some(folder)?,
            None => set("HOME")?.join(".local/state"),
        },
    };
    Some(user.join("muster"))
}

/// The same, for this system and environment.
pub(super) fn here() -> Option<PathBuf> {
    find(System::HERE, |name| std::env::var_os(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_folder_of_the_user() {
        use System::*;
        for (system, variables, expected) in [
            (Unix, &[("MUSTER_STATE", "/m"), ("HOME", "/h")][..], Some("/m")),
            (Unix, &[("XDG_STATE_HOME", "/x"), ("HOME", "/h")], Some("/x/muster")),
            (Unix, &[("XDG_STATE_HOME", "x"), ("HOME", "/h")], None),
            (Unix, &[("HOME", "/h")], Some("/h/.local/state/muster")),
            (MacOs, &[("HOME", "/h")], Some("/h/Library/Application Support/muster")),
            (Windows, &[("LOCALAPPDATA", "/l")], Some("/l/muster")),
            (Unix, &[], None),
        ] {
            let variable = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).into());
            assert_eq!(find(system, variable), expected.map(PathBuf::from), "{variables:?}");
        }
    }
}
