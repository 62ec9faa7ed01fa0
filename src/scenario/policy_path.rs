//! The path of a trust policy that a scenario names: inside the project, and no symbolic link on the way.
//!
//! A scenario is run by people who have not read it. It may name files of its own project only: those under the folder
//! that holds `scenarios/`.

use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::failure::quote;
use crate::regular_file;

/// The folder that holds the topmost `scenarios/` on the way to `file`; without one, the file's own folder.
fn root(file: &Path) -> PathBuf {
    let folder = file.parent().unwrap_or(Path::new(""));
    let scenarios = folder.ancestors().filter(|folder| folder.file_name().is_some_and(|name| name == "scenarios"));
    let root = scenarios.last().and_then(Path::parent).unwrap_or(folder);
    root.to_owned()
}

/// The file that `written` names, seen from the scenario `file`.
///
/// # Errors
/// Why it may not be named.
pub(super) fn resolve(file: &Path, written: &str) -> Result<PathBuf, String> {
    if written.is_empty() || written.contains('\0') {
        return Err("this is not the path of a trust policy".to_owned());
    }
    let root = root(file);
    let folder = file.parent().unwrap_or(Path::new(""));
    let inside = folder.strip_prefix(&root).unwrap_or(Path::new(""));
    let mut parts: Vec<&std::ffi::OsStr> = inside.iter().collect();
    for component in Path::new(written).components() {
        match component {
            Component::Normal(part) => parts.push(part),
            Component::CurDir => {}
            Component::ParentDir => {
                if parts.pop().is_none() {
                    return Err(format!("{} leads out of the project", quote(written)));
                }
            }
            Component::RootDir | Component::Prefix(_) => {
                return Err(format!("{} does not start here: paths are relative to the scenario", quote(written)));
            }
        }
    }
    let mut path = root;
    for part in parts {
        path.push(part);
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_symlink() => {
                return Err(format!("{} is {}", quote(&path.display().to_string()), regular_file::kind(&metadata)));
            }
            Ok(_) => {}
            Err(error) => return Err(format!("{}: {error}", quote(&path.display().to_string()))),
        }
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_project_is_what_holds_the_scenarios() {
        for (file, expected) in [
            ("a/scenarios/expiry/x.yaml", "a"),
            ("scenarios/x.yaml", ""),
            ("a/scenarios/b/scenarios/x.yaml", "a"),
            ("a/b/x.yaml", "a/b"),
        ] {
            assert_eq!(root(Path::new(file)), Path::new(expected), "{file}");
        }
    }
}
