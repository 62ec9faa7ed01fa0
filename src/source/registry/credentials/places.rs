//! Where credentials lie: the files that docker, podman and notation write, in the order in which they are asked.
//!
//! notation's `config.json` comes first, as notation itself has it; then docker's (`$DOCKER_CONFIG`, else `~/.docker`), the
//! text of `$DOCKER_AUTH_CONFIG` as GitLab's jobs have it, and podman's `auth.json` (*containers-auth.json*): the file that
//! `$REGISTRY_AUTH_FILE` names, else those of the running session and of the user's configuration.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::failure::quote;
use crate::limits;
use crate::regular_file::{self, FileProblem};

use super::Secret;
use super::file::File;

/// The files of credentials of a machine, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CredentialFiles {
    places: Vec<Place>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    File(PathBuf),
    /// A variable's value, with its name.
    Variable(&'static str, Secret),
}

/// A place that was read.
#[derive(Debug)]
pub(super) struct Read {
    /// The place in words.
    pub(super) name: String,
    pub(super) file: File,
}

impl CredentialFiles {
    /// Those of this user, by the environment. `notation` is the folder of notation's configuration.
    pub fn of_user(notation: Option<&Path>) -> CredentialFiles {
        CredentialFiles::find(notation, std::env::home_dir(), |name| std::env::var_os(name))
    }

    /// These files, in this order, and none else.
    pub fn only(files: impl IntoIterator<Item = PathBuf>) -> CredentialFiles {
        CredentialFiles { places: files.into_iter().map(Place::File).collect() }
    }

    fn find(
        notation: Option<&Path>,
        home: Option<PathBuf>,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> CredentialFiles {
        let set = |name| variable(name).filter(|value| !value.is_empty());
        let folder = |name| set(name).map(PathBuf::from);
        let home = home.filter(|home| !home.as_os_str().is_empty());
        let file = |folder: Option<PathBuf>, name| folder.map(|folder| Place::File(folder.join(name)));
        let below_home = |name| home.as_ref().map(|home| home.join(name));
        let mut places = Vec::new();
        places.extend(file(notation.map(Path::to_owned), "config.json"));
        places.extend(file(folder("DOCKER_CONFIG").or_else(|| below_home(".docker")), "config.json"));
        if let Some(text) = set("DOCKER_AUTH_CONFIG").and_then(|text| text.into_string().ok()) {
            places.push(Place::Variable("DOCKER_AUTH_CONFIG", Secret::new(text)));
        }
        match folder("REGISTRY_AUTH_FILE") {
            Some(path) => places.push(Place::File(path)),
            None => {
                let of_session = folder("XDG_RUNTIME_DIR").map(|folder| folder.join("containers"));
                places.extend(file(of_session.or_else(session_folder), "auth.json"));
                let of_user = folder("XDG_CONFIG_HOME").or_else(|| below_home(".config"));
                places.extend(file(of_user, "containers/auth.json"));
            }
        }
        CredentialFiles { places }
    }

    /// Reads every place that is there, in order. What cannot be read is an error that says which and why.
    pub(super) fn read(&self) -> Vec<Result<Read, String>> {
        self.places.iter().filter_map(Place::read).collect()
    }
}

impl Place {
    /// `None`: there is no such file.
    fn read(&self) -> Option<Result<Read, String>> {
        let (name, bytes) = match self {
            Place::Variable(name, text) => (format!("${name}"), Zeroizing::new(text.expose().as_bytes().to_owned())),
            Place::File(path) => {
                let name = quote(&path.to_string_lossy()).to_string();
                match regular_file::read_linked(path, limits::CREDENTIAL_FILE_BYTES) {
                    Ok(bytes) => (name, Zeroizing::new(bytes)),
                    Err(FileProblem::Missing) => return None,
                    Err(problem) => return Some(Err(format!("{name} {problem}"))),
                }
            }
        };
        Some(match File::parse(&bytes) {
            Ok(file) => Ok(Read { name, file }),
            Err(why) => Err(format!("{name} {why}")),
        })
    }
}

/// Where podman keeps the session's credentials where no variable says it.
#[cfg(target_os = "linux")]
fn session_folder() -> Option<PathBuf> {
    Some(PathBuf::from(format!("/run/containers/{}", rustix::process::getuid().as_raw())))
}

#[cfg(not(target_os = "linux"))]
fn session_folder() -> Option<PathBuf> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(notation: Option<&str>, variables: &[(&str, &str)]) -> Vec<String> {
        let variable = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).into());
        let home = variable("HOME").map(PathBuf::from);
        let found = CredentialFiles::find(notation.map(Path::new), home, variable);
        let name = |place: &Place| match place {
            Place::File(path) => path.display().to_string(),
            Place::Variable(name, _) => format!("${name}"),
        };
        found.places.iter().map(name).collect()
    }

    #[test]
    fn r18_docker_comes_before_podman_and_notation_before_both() {
        assert_eq!(
            find(Some("/n"), &[("HOME", "/h"), ("XDG_RUNTIME_DIR", "/r"), ("DOCKER_AUTH_CONFIG", "{}")]),
            [
                "/n/config.json",
                "/h/.docker/config.json",
                "$DOCKER_AUTH_CONFIG",
                "/r/containers/auth.json",
                "/h/.config/containers/auth.json"
            ]
        );
        assert_eq!(
            find(None, &[("HOME", "/h"), ("DOCKER_CONFIG", "/d"), ("REGISTRY_AUTH_FILE", "/a.json")]),
            ["/d/config.json", "/a.json"]
        );
        let runtime = ("XDG_RUNTIME_DIR", "/r");
        assert_eq!(
            find(None, &[runtime, ("XDG_CONFIG_HOME", "/c"), ("DOCKER_CONFIG", "")]),
            ["/r/containers/auth.json", "/c/containers/auth.json"]
        );
    }

    #[test]
    fn what_is_missing_is_passed_over_and_what_is_broken_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("good.json"), "{}").unwrap();
        std::fs::write(path("broken.json"), "{\"auths\":{\"a.io\":{\"auth\":\"c2VjcmV0\"}").unwrap();
        let read = CredentialFiles::only([path("absent.json"), path("broken.json"), path("good.json")]).read();
        assert_eq!(read.len(), 2);
        let refused = read[0].as_ref().unwrap_err();
        assert!(refused.contains("broken.json") && !refused.contains("c2Vj"), "{refused}");
        assert!(read[1].as_ref().unwrap().name.contains("good.json"));
        let text = Secret::new("{");
        let variable = CredentialFiles { places: vec![Place::Variable("DOCKER_AUTH_CONFIG", text)] };
        assert!(variable.read()[0].as_ref().unwrap_err().starts_with("$DOCKER_AUTH_CONFIG is no file"));
    }
}
