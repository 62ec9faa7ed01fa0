//! The path of a file or folder that a scenario names (a trust policy, content, certificates, a recorded layout): inside the
//! project, and no symbolic link on the way.
//!
//! A scenario is run by people who have not read it. It may name files of its own project only: those under the root, which
//! is the nearest folder above it that holds `.git` or `muster.toml`, else the working directory; of a scenario elsewhere, the
//! folder that holds `scenarios/`, or its own. The person who runs it may name another root.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::failure::quote;
use crate::regular_file;

/// What the root of a project holds.
const MARKS: [&str; 2] = [".git", "muster.toml"];

/// The folder under which a scenario may name files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Root {
    folder: PathBuf,
    /// Why this one.
    why: Why,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    Named,
    Marked(&'static str),
    WorkingDirectory,
    HoldsScenarios,
    OwnFolder,
}

/// The files that one scenario may name.
#[derive(Debug, Clone)]
pub(super) struct ProjectFiles {
    /// The file of the scenario, from whose folder paths begin.
    scenario: PathBuf,
    root: Option<Root>,
}

impl ProjectFiles {
    /// Those of the scenario in this file; without a `root`, those of its own project.
    pub(super) fn new(scenario: &Path, root: Option<&Root>) -> ProjectFiles {
        ProjectFiles { scenario: scenario.to_owned(), root: root.cloned() }
    }

    /// The file or folder that `written` names.
    ///
    /// # Errors
    /// Why it may not be named.
    pub(super) fn find(&self, written: &str) -> Result<PathBuf, String> {
        resolve(&self.scenario, written, self.root.as_ref())
    }
}

impl Root {
    /// The root that was named on the command line.
    ///
    /// # Errors
    /// It is no folder.
    pub(super) fn named(folder: &Path) -> Result<Root, String> {
        let refused = |why: String| format!("{}: {why}", quote(&folder.display().to_string()));
        let real = fs::canonicalize(folder).map_err(|error| refused(error.to_string()))?;
        match real.is_dir() {
            true => Ok(Root { folder: real, why: Why::Named }),
            false => Err(refused("this is no folder".to_owned())),
        }
    }

    /// The root of the project of a scenario in `folder`, which is a real path, as is `working`.
    fn of(folder: &Path, working: Option<&Path>) -> Root {
        let root = |folder: &Path, why| Root { folder: folder.to_owned(), why };
        for above in folder.ancestors() {
            let mark = MARKS.into_iter().find(|mark| fs::symlink_metadata(above.join(mark)).is_ok());
            if let Some(mark) = mark {
                return root(above, Why::Marked(mark));
            }
        }
        if let Some(working) = working.filter(|working| folder.starts_with(working)) {
            return root(working, Why::WorkingDirectory);
        }
        let scenarios = folder.ancestors().filter(|folder| folder.file_name() == Some(OsStr::new("scenarios")));
        match scenarios.last().and_then(Path::parent) {
            Some(holder) => root(holder, Why::HoldsScenarios),
            None => root(folder, Why::OwnFolder),
        }
    }
}

/// The root, and why it is that.
impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let folder = quote(&self.folder.display().to_string());
        match self.why {
            Why::Named => write!(f, "{folder}, as was asked for"),
            Why::Marked(mark) => write!(f, "{folder}, which holds {mark}"),
            Why::WorkingDirectory => {
                write!(
                    f,
                    "{folder}, the working directory, since no folder above the scenario holds .git or muster.toml"
                )
            }
            Why::HoldsScenarios => write!(f, "{folder}, which holds scenarios/"),
            Why::OwnFolder => write!(f, "{folder}, the scenario's own folder"),
        }
    }
}

/// The file that `written` names, seen from the scenario `file`. Without a `root` it is that of the scenario's project.
///
/// # Errors
/// Why it may not be named.
fn resolve(file: &Path, written: &str, root: Option<&Root>) -> Result<PathBuf, String> {
    if written.is_empty() || written.contains('\0') {
        return Err("this is not the path of a file".to_owned());
    }
    let working = std::env::current_dir().and_then(fs::canonicalize).ok();
    let folder = folder_of(file, working.as_deref());
    let root = root.cloned().unwrap_or_else(|| Root::of(&folder, working.as_deref()));
    let Ok(inside) = folder.strip_prefix(&root.folder) else {
        return Err(format!("the scenario does not lie under the root of the project, {root}"));
    };
    let mut parts: Vec<&OsStr> = inside.iter().collect();
    for component in Path::new(written).components() {
        match component {
            Component::Normal(part) => parts.push(part),
            Component::CurDir => {}
            Component::ParentDir => {
                if parts.pop().is_none() {
                    return Err(format!("{} leads out of the project, whose root is {root}", quote(written)));
                }
            }
            Component::RootDir | Component::Prefix(_) => {
                return Err(format!("{} does not start here: paths are relative to the scenario", quote(written)));
            }
        }
    }
    let mut path = root.folder;
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
    // What can be named shortly is.
    let short = working.and_then(|working| path.strip_prefix(working).ok().map(Path::to_owned));
    Ok(short.unwrap_or(path))
}

/// The real folder of a file; where there is none, as it would be called.
fn folder_of(file: &Path, working: Option<&Path>) -> PathBuf {
    let folder = match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    fs::canonicalize(folder).unwrap_or_else(|_| {
        let mut real = working.unwrap_or(Path::new("/")).to_owned();
        for component in folder.components() {
            match component {
                Component::CurDir => {}
                Component::ParentDir => drop(real.pop()),
                other => real.push(other),
            }
        }
        real
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_the_nearest_mark_or_the_working_directory() {
        let folder = tempfile::tempdir().unwrap();
        let top = fs::canonicalize(folder.path()).unwrap();
        let make = |path: &str| {
            fs::create_dir_all(top.join(path)).unwrap();
            top.join(path)
        };
        let (scen, deep) = (make("proj/scen"), make("proj/scenarios/topic"));
        let of = |folder: &Path, working: &str| Root::of(folder, Some(&top.join(working)));
        let root = |path: &str, why| Root { folder: top.join(path), why };
        assert_eq!(of(&scen, "proj"), root("proj", Why::WorkingDirectory));
        assert_eq!(of(&scen, "elsewhere"), root("proj/scen", Why::OwnFolder));
        assert_eq!(of(&deep, "elsewhere"), root("proj", Why::HoldsScenarios));
        make("proj/.git");
        assert_eq!(of(&scen, "proj/scen"), root("proj", Why::Marked(".git")));
        assert_eq!(of(&scen, ""), root("proj", Why::Marked(".git")));
        fs::write(scen.join("muster.toml"), "").unwrap();
        assert_eq!(of(&scen, ""), root("proj/scen", Why::Marked("muster.toml")));
    }

    #[test]
    fn a_policy_of_the_project_is_found_and_nothing_outside_it() {
        let folder = tempfile::tempdir().unwrap();
        let top = fs::canonicalize(folder.path()).unwrap();
        for path in ["proj/scen", "proj/pol", "proj/.git"] {
            fs::create_dir_all(top.join(path)).unwrap();
        }
        for file in ["proj/pol/p.json", "outside.json"] {
            fs::write(top.join(file), "{}").unwrap();
        }
        let scenario = top.join("proj/scen/ok.yaml");
        assert_eq!(resolve(&scenario, "../pol/p.json", None), Ok(top.join("proj/pol/p.json")));
        let refused = resolve(&scenario, "../../outside.json", None).unwrap_err();
        assert!(
            refused.contains("leads out of the project, whose root is") && refused.contains("holds .git"),
            "{refused}"
        );
        let named = Root::named(&top).unwrap();
        assert_eq!(resolve(&scenario, "../../outside.json", Some(&named)), Ok(top.join("outside.json")));
        let narrow = Root::named(&top.join("proj/pol")).unwrap();
        let refused = resolve(&scenario, "../pol/p.json", Some(&narrow)).unwrap_err();
        assert!(refused.contains("does not lie under the root") && refused.contains("as was asked for"), "{refused}");
        assert!(Root::named(&top.join("outside.json")).is_err() && Root::named(&top.join("gone")).is_err());
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(top.join("outside.json"), top.join("proj/pol/link.json")).unwrap();
            std::os::unix::fs::symlink(&top, top.join("proj/up")).unwrap();
            for written in ["../pol/link.json", "../up/outside.json"] {
                let refused = resolve(&scenario, written, None).unwrap_err();
                assert!(refused.contains("a symbolic link"), "{refused}");
            }
        }
    }
}
