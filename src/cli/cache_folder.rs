//! Where notation keeps what it fetched, so that both fetch a CRL once.
//!
//! Follows the reference implementation: `NOTATION_CACHE`, else `notation` in the user's cache folder. A user who has none
//! (a service without a home) keeps nothing; that is no fault.

use std::ffi::OsString;
use std::path::PathBuf;

use super::config_folder::System;

/// The cache folder by the environment, which `variable` reads. It may not exist.
pub(super) fn find(system: System, variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(folder) = set("NOTATION_CACHE") {
        return Some(folder);
    }
    let user = match system {
        System::Windows => set("LOCALAPPDATA")?,
        System::MacOs => set("HOME")?.join("Library/Caches"),
        System::Unix => match set("XDG_CACHE_HOME") {
            // A relative one would mean another folder wherever the program is run.
            Some(folder) => folder.is_absolute().then_some(folder)?,
            None => set("HOME")?.join(".cache"),
        },
    };
    Some(user.join("notation"))
}

/// The same, for this system and environment.
pub(super) fn here() -> Option<PathBuf> {
    find(System::HERE, |name| std::env::var_os(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_folder_that_notation_uses() {
        use System::*;
        let all = [("NOTATION_CACHE", "/n"), ("XDG_CACHE_HOME", "/x"), ("HOME", "/h"), ("LOCALAPPDATA", "/l")];
        for (system, variables, expected) in [
            (Unix, &all[..], Some("/n")),
            (Unix, &all[1..], Some("/x/notation")),
            (Unix, &all[2..], Some("/h/.cache/notation")),
            (Unix, &[("NOTATION_CACHE", ""), ("XDG_CACHE_HOME", ""), ("HOME", "/h")], Some("/h/.cache/notation")),
            (Unix, &[("XDG_CACHE_HOME", "x"), ("HOME", "/h")], None),
            (Unix, &[], None),
            (MacOs, &all[1..], Some("/h/Library/Caches/notation")),
            (Windows, &all[1..], Some("/l/notation")),
        ] {
            let variable = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).into());
            assert_eq!(find(system, variable), expected.map(PathBuf::from), "{variables:?}");
        }
    }
}
