//! Where PKCS #11 modules lie: what p11-kit's configuration names, and the places where vendors and distributions install them.
//!
//! A place is only ever looked for here; nothing is loaded. Places are absolute and belong to the system or to the user: none
//! depends on where the program was started. A module that several places lead to is named once. p11-kit's proxy is left
//! out, since it shows the same tokens once more; so are modules that p11-kit's configuration gives to other programs.

mod p11_kit;
mod usual;

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// A module that may be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ModulePlace {
    /// The absolute path of the module. Of one that p11-kit starts as a program, the file that says so.
    pub(crate) path: PathBuf,
    /// Who names it.
    pub(crate) named_by: NamedBy,
    /// Why it is not to be opened, one clause; `None` if it is.
    pub(crate) aside: Option<&'static str>,
}

/// Who names a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NamedBy {
    /// The user, with this flag, variable or attribute.
    User(&'static str),
    /// This file of p11-kit's configuration.
    P11Kit(PathBuf),
    /// It lies in a usual place.
    Custom,
}

impl ModulePlace {
    /// The module that the user names by `what`.
    pub(crate) fn of_user(path: PathBuf, what: &'static str) -> ModulePlace {
        ModulePlace { path, named_by: NamedBy::User(what), aside: None }
    }

    /// All modules that this system is known to have, p11-kit's first; `variable` reads the environment.
    pub(crate) fn of_system(variable: impl Fn(&str) -> Option<OsString>) -> Vec<ModulePlace> {
        let libraries = usual::library_folders();
        let configured = p11_kit::places(&p11_kit::folders(variable), &libraries);
        let usual = usual::modules(&libraries).into_iter();
        let usual = usual.map(|path| ModulePlace { path, named_by: NamedBy::Custom, aside: None });
        once_each(configured.into_iter().chain(usual))
    }
}

/// The places without those that lead to the same file as an earlier one.
fn once_each(places: impl Iterator<Item = ModulePlace>) -> Vec<ModulePlace> {
    let mut seen = HashSet::new();
    let file = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    places.filter(|place| seen.insert(file(&place.path))).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_module_that_several_places_lead_to_is_named_once() {
        let folder = tempfile::tempdir().unwrap();
        let module = folder.path().join("module.so");
        fs::write(&module, "").unwrap();
        let place = |path: PathBuf, named_by| ModulePlace { path, named_by, aside: None };
        let kit = NamedBy::P11Kit("/etc/pkcs11/modules/a.module".into());
        let absent = folder.path().join("absent.so");
        let places = [
            place(module.clone(), kit.clone()),
            place(folder.path().join(".").join("module.so"), NamedBy::Custom),
            place(absent.clone(), NamedBy::Custom),
            place(absent.clone(), NamedBy::Custom),
        ];
        let expected = [place(module, kit), place(absent, NamedBy::Custom)];
        assert_eq!(once_each(places.into_iter()), expected);
    }

    #[test]
    fn every_place_of_the_system_is_absolute() {
        for place in ModulePlace::of_system(|name| (name == "HOME").then(|| OsString::from("relative"))) {
            assert!(place.path.is_absolute(), "{place:?}");
        }
    }
}
