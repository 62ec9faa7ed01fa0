//! Where plugins are: `{libexec}/plugins/{name}/notation-{name}`.
//!
//! Follows *plugin-extensibility*, Plugin lifecycle management: symbolic links are not supported. What others than its
//! owner could have changed is not run: the program and every directory on the way to it, from the root of the file system
//! on, belong to root or to this user, and none may be written by group or world. Above `plugins` a directory in which
//! no user may rename another's files (`/tmp`) will do, and a link is followed if its owner is one of the two. So what was
//! looked at is what is run: no other user can put anything in its place in between. Nothing is opened, and no directory is
//! listed.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use super::ownership::{Place, way, wrong};
use crate::failure::quote;
use crate::plugin::PluginName;
use crate::regular_file;
use crate::trouble::{Trouble, TroubleKind};

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
        let look = |path: &Path| {
            fs::symlink_metadata(path).map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => missing(format!("{} does not exist", quote(&path.display().to_string()))),
                _ => unsound(path, format!("cannot be looked at: {error}")),
            })
        };
        // Whatever is not there on the way, the plugin is missing where it would lie.
        let wanted = libexec.join("plugins").join(name.as_str());
        let look_above = |path: &Path| match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(missing(format!("{} does not exist", quote(&wanted.display().to_string()))))
            }
            _ => look(path),
        };
        let plugins = way(&libexec.join("plugins"), &look_above, &unsound)?;
        let directory = plugins.join(name.as_str());
        let program = directory.join(format!("notation-{name}{}", std::env::consts::EXE_SUFFIX));
        let sound = |path: &Path, place, found: &Metadata| match wrong(found, place) {
            Some(reason) => Err(unsound(path, reason)),
            None => Ok(()),
        };
        sound(&plugins, Place::OfPlugins, &look(&plugins)?)?;
        let found = look(&directory)?;
        if !found.is_dir() {
            return Err(unsound(&directory, format!("is {}, not a directory", regular_file::kind(&found))));
        }
        sound(&directory, Place::OfPlugins, &found)?;
        let found = look(&program)?;
        if !found.is_file() {
            return Err(unsound(&program, format!("is {}, not a regular file", regular_file::kind(&found))));
        }
        sound(&program, Place::OfPlugins, &found)?;
        if !executable(&found) {
            return Err(unsound(&program, "may not be executed: chmod u+x lets it".to_owned()));
        }
        Ok(program)
    }
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

    struct Folder {
        folder: tempfile::TempDir,
    }

    impl Folder {
        /// A plugin `p` that may be run, in `libexec` for a part of the path to it.
        fn new() -> Folder {
            let place = Folder { folder: tempfile::tempdir().unwrap() };
            fs::create_dir_all(place.path("plugins/p")).unwrap();
            fs::write(place.path("plugins/p/notation-p"), "#!/bin/sh\n").unwrap();
            for path in ["..", ".", "plugins", "plugins/p", "plugins/p/notation-p"] {
                place.mode(path, 0o755);
            }
            place
        }

        fn path(&self, path: &str) -> PathBuf {
            // Where the system's folder for temporary files is a link, what is run is not.
            self.folder.path().canonicalize().unwrap().join("home/libexec").join(path)
        }

        fn mode(&self, path: &str, mode: u32) {
            fs::set_permissions(self.path(path), fs::Permissions::from_mode(mode)).unwrap();
        }

        fn found(&self) -> Result<PathBuf, String> {
            self.found_in(&self.path(""))
        }

        fn found_in(&self, libexec: &Path) -> Result<PathBuf, String> {
            let found = PluginDirectory::new(libexec).executable(&PluginName::new("p").unwrap());
            found.map_err(|trouble| {
                assert_eq!(trouble.kind, TroubleKind::PluginMissing);
                trouble.message
            })
        }
    }

    #[test]
    fn a_plugin_is_found_by_its_name() {
        let place = Folder::new();
        assert_eq!(place.found(), Ok(place.path("plugins/p/notation-p")));
        place.mode("plugins/p/notation-p", 0o500);
        assert_eq!(place.found(), Ok(place.path("plugins/p/notation-p")));
    }

    #[test]
    fn what_is_missing_is_said() {
        let place = Folder::new();
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
                let place = Folder::new();
                place.mode(path, mode);
                let refusal = place.found().unwrap_err();
                assert!(refusal.contains(&format!("{path}\" can be changed by other users")), "{refusal}");
            }
        }
        // Where a directory above is another's to rename, everything below it is.
        for (path, shown) in [(".", "home/libexec"), ("..", "home"), ("../..", "")] {
            for mode in [0o775, 0o757, 0o777, 0o2775] {
                let place = Folder::new();
                place.mode(path, mode);
                let refusal = place.found().unwrap_err();
                let shown = format!("{shown}\" can be changed by other users");
                assert!(refusal.contains(&shown), "{path} {mode:o}: {refusal}");
            }
        }
    }

    #[test]
    fn a_directory_in_which_nobody_may_rename_is_no_danger_above_the_plugins() {
        for path in [".", "..", "../.."] {
            let place = Folder::new();
            place.mode(path, 0o1777);
            assert_eq!(place.found(), Ok(place.path("plugins/p/notation-p")));
        }
        for path in ["plugins", "plugins/p"] {
            let place = Folder::new();
            place.mode(path, 0o1777);
            assert!(place.found().unwrap_err().contains("can be changed by other users"));
        }
    }

    #[test]
    fn what_belongs_to_another_user_is_not_run() {
        const STRANGER: u32 = 54321;
        if !rustix::process::geteuid().is_root() {
            return crate::skip::skip("what_belongs_to_another_user_is_not_run", "only root can give files away");
        }
        for path in ["../..", "..", ".", "plugins", "plugins/p", "plugins/p/notation-p"] {
            let place = Folder::new();
            std::os::unix::fs::chown(place.path(path), Some(STRANGER), None).unwrap();
            let refusal = place.found().unwrap_err();
            assert!(refusal.contains("belongs to another user (54321)"), "{path}: {refusal}");
        }
        let place = Folder::new();
        let link = place.path("../link");
        symlink(place.path(""), &link).unwrap();
        assert_eq!(place.found_in(&link), Ok(place.path("plugins/p/notation-p")));
        std::os::unix::fs::lchown(&link, Some(STRANGER), None).unwrap();
        let refusal = place.found_in(&link).unwrap_err();
        assert!(refusal.contains("link\" belongs to another user"), "{refusal}");
    }

    #[test]
    fn links_above_the_plugins_are_followed_through_sound_directories_only() {
        let place = Folder::new();
        let open = place.path("../../open");
        fs::create_dir(&open).unwrap();
        symlink(place.path(""), open.join("inner")).unwrap();
        symlink("../open/inner", place.path("../outer")).unwrap();
        let through = place.path("../outer");
        assert_eq!(place.found_in(&through), Ok(place.path("plugins/p/notation-p")));
        fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
        let refusal = place.found_in(&through).unwrap_err();
        assert!(refusal.contains("open\" can be changed by other users"), "{refusal}");
        symlink("loop", place.path("../loop")).unwrap();
        assert!(place.found_in(&place.path("../loop")).unwrap_err().contains("too many links"));
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
            let place = Folder::new();
            fs::remove_file(place.path(program)).unwrap();
            put(&place.path(program));
            let refusal = place.found().unwrap_err();
            assert!(refusal.contains(words), "{refusal}");
        }
        let place = Folder::new();
        place.mode(program, 0o644);
        assert!(place.found().unwrap_err().contains("may not be executed"));
    }

    #[test]
    fn a_linked_directory_is_not_followed() {
        let place = Folder::new();
        fs::rename(place.path("plugins/p"), place.path("elsewhere")).unwrap();
        symlink(place.path("elsewhere"), place.path("plugins/p")).unwrap();
        assert!(place.found().unwrap_err().contains("is a symbolic link, not a directory"));
    }
}
