//! Where plugins are: `{libexec}/plugins/{name}/notation-{name}`.
//!
//! Follows *plugin-extensibility*, Plugin lifecycle management: symbolic links are not supported. What others than its
//! owner could have changed is not run: neither the program nor a directory on the way to it may be writable for group or
//! world. Nothing is opened, and no directory is listed.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use super::PluginName;
use crate::failure::quote;
use crate::regular_file;
use crate::source::{Trouble, TroubleKind};

/// The directory that holds `plugins`, or why there is none.
#[derive(Debug, Clone)]
pub struct PluginDirectory {
    libexec: Result<PathBuf, String>,
}

impl PluginDirectory {
    /// The plugins in `libexec`. It is not looked at before a plugin is asked for.
    pub fn new(libexec: impl Into<PathBuf>) -> PluginDirectory {
        PluginDirectory { libexec: Ok(libexec.into()) }
    }

    /// No directory, for this reason: one sentence without a full stop.
    pub fn unknown(reason: impl Into<String>) -> PluginDirectory {
        PluginDirectory { libexec: Err(reason.into()) }
    }

    /// The program of the plugin `name`, which may be run as it is.
    ///
    /// # Errors
    ///
    /// [`TroubleKind::PluginMissing`] if there is none, or it must not be run; the message says how to mend it.
    pub(super) fn executable(&self, name: &PluginName) -> Result<PathBuf, Trouble> {
        let missing = |reason: String| {
            Trouble::new(TroubleKind::PluginMissing, format!("there is no plugin \"{name}\": {reason}"))
        };
        let unsound = |path: &Path, reason: String| {
            let path = quote(&path.display().to_string());
            Trouble::new(TroubleKind::PluginMissing, format!("the plugin \"{name}\" is not run: {path} {reason}"))
        };
        let libexec = self.libexec.as_ref().map_err(|reason| missing(reason.clone()))?;
        let plugins = libexec.join("plugins");
        let directory = plugins.join(name.as_str());
        let program = directory.join(format!("notation-{name}{}", std::env::consts::EXE_SUFFIX));
        let look = |path: &Path| {
            fs::symlink_metadata(path).map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => missing(format!("{} does not exist", quote(&path.display().to_string()))),
                _ => unsound(path, format!("cannot be looked at: {error}")),
            })
        };
        let found = look(&directory)?;
        if !found.is_dir() {
            return Err(unsound(&directory, format!("is {}, not a directory", regular_file::kind(&found))));
        }
        for (path, found) in [(&plugins, fs::metadata(&plugins).ok()), (&directory, Some(found))] {
            if found.is_some_and(|found| changeable_by_others(&found)) {
                return Err(unsound(path, OPEN.to_owned()));
            }
        }
        let found = look(&program)?;
        if !found.is_file() {
            return Err(unsound(&program, format!("is {}, not a regular file", regular_file::kind(&found))));
        }
        if changeable_by_others(&found) {
            return Err(unsound(&program, OPEN.to_owned()));
        }
        if !executable(&found) {
            return Err(unsound(&program, "may not be executed: chmod u+x lets it".to_owned()));
        }
        Ok(program)
    }
}

const OPEN: &str = "can be changed by other users: take that right from them (chmod go-w)";

#[cfg(unix)]
fn changeable_by_others(found: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    found.permissions().mode() & 0o022 != 0
}

#[cfg(not(unix))]
fn changeable_by_others(_: &Metadata) -> bool {
    false
}

#[cfg(unix)]
fn executable(found: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    found.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn executable(_: &Metadata) -> bool {
    true
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    struct Place {
        folder: tempfile::TempDir,
    }

    impl Place {
        /// A plugin `p` that may be run.
        fn new() -> Place {
            let place = Place { folder: tempfile::tempdir().unwrap() };
            fs::create_dir_all(place.path("plugins/p")).unwrap();
            fs::write(place.path("plugins/p/notation-p"), "#!/bin/sh\n").unwrap();
            for path in ["plugins", "plugins/p", "plugins/p/notation-p"] {
                place.mode(path, 0o755);
            }
            place
        }

        fn path(&self, path: &str) -> PathBuf {
            self.folder.path().join(path)
        }

        fn mode(&self, path: &str, mode: u32) {
            fs::set_permissions(self.path(path), fs::Permissions::from_mode(mode)).unwrap();
        }

        fn found(&self) -> Result<PathBuf, String> {
            let found = PluginDirectory::new(self.folder.path()).executable(&PluginName::new("p").unwrap());
            found.map_err(|trouble| {
                assert_eq!(trouble.kind, TroubleKind::PluginMissing);
                trouble.message
            })
        }
    }

    #[test]
    fn a_plugin_is_found_by_its_name() {
        let place = Place::new();
        assert_eq!(place.found(), Ok(place.path("plugins/p/notation-p")));
        place.mode("plugins/p/notation-p", 0o500);
        assert_eq!(place.found(), Ok(place.path("plugins/p/notation-p")));
    }

    #[test]
    fn what_is_missing_is_said() {
        let place = Place::new();
        fs::remove_file(place.path("plugins/p/notation-p")).unwrap();
        assert!(place.found().unwrap_err().ends_with("plugins/p/notation-p\" does not exist"));
        fs::remove_dir(place.path("plugins/p")).unwrap();
        assert!(place.found().unwrap_err().ends_with("plugins/p\" does not exist"));
        let unknown = PluginDirectory::unknown("$HOME is not set").executable(&PluginName::new("p").unwrap());
        assert_eq!(unknown.unwrap_err().message, "there is no plugin \"p\": $HOME is not set");
    }

    #[test]
    fn what_others_could_have_changed_is_not_run() {
        for path in ["plugins", "plugins/p", "plugins/p/notation-p"] {
            for mode in [0o775, 0o757, 0o777] {
                let place = Place::new();
                place.mode(path, mode);
                let refusal = place.found().unwrap_err();
                assert!(refusal.contains(&format!("{path}\" can be changed by other users")), "{refusal}");
            }
        }
    }

    #[test]
    fn only_a_regular_file_that_may_be_executed_is_run() {
        let program = "plugins/p/notation-p";
        type Put = fn(&Path);
        let cases: [(Put, &str); 3] = [
            (|path| symlink("/bin/true", path).unwrap(), "is a symbolic link"),
            (|path| fs::create_dir(path).unwrap(), "is a directory"),
            (
                |path| {
                    let made = std::process::Command::new("mkfifo").arg(path).status().unwrap();
                    assert!(made.success());
                },
                "is a named pipe",
            ),
        ];
        for (put, words) in cases {
            let place = Place::new();
            fs::remove_file(place.path(program)).unwrap();
            put(&place.path(program));
            let refusal = place.found().unwrap_err();
            assert!(refusal.contains(words), "{refusal}");
        }
        let place = Place::new();
        place.mode(program, 0o644);
        assert!(place.found().unwrap_err().contains("may not be executed"));
    }

    #[test]
    fn a_linked_directory_is_not_followed() {
        let place = Place::new();
        fs::rename(place.path("plugins/p"), place.path("elsewhere")).unwrap();
        symlink(place.path("elsewhere"), place.path("plugins/p")).unwrap();
        assert!(place.found().unwrap_err().contains("is a symbolic link, not a directory"));
    }
}
