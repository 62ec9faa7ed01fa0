//! p11-kit's configuration: one `*.module` file a module, in folders of the user, the machine and the packages.
//!
//! Follows p11-kit's `pkcs11.conf(5)` as far as it says which module is meant: `module:` (a relative path is one below p11-kit's
//! folder of modules; an empty one takes out what the packages put in), `enable-in:` and `disable-in:` with the name of this
//! program, `trust-policy:` and `remote:`. A file of the user replaces the one of the same name of the machine, and that one
//! the packages'. Nothing is run: a `remote:` module is a program, which only p11-kit itself starts.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::{ModulePlace, NamedBy};
use crate::limits;
use crate::regular_file;

/// The name of this program, as `enable-in:` and `disable-in:` have it.
const PROGRAM: &str = "muster";

/// The folders, those of packages first, since later ones replace what earlier ones say.
pub(super) fn folders(variable: impl Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let users = set("XDG_CONFIG_HOME").or_else(|| set("HOME").map(|home| home.join(".config")));
    let system =
        ["/usr/share/p11-kit/modules", "/usr/local/share/p11-kit/modules", "/opt/homebrew/share/p11-kit/modules"];
    let machines = ["/usr/local/etc/pkcs11/modules", "/opt/homebrew/etc/pkcs11/modules", "/etc/pkcs11/modules"];
    let mut folders: Vec<PathBuf> = system.into_iter().chain(machines).map(PathBuf::from).collect();
    folders.extend(users.filter(|folder| folder.is_absolute()).map(|folder| folder.join("pkcs11/modules")));
    folders
}

/// The modules that the files in `folders` name; relative ones lie in `pkcs11` of one of `libraries`.
pub(super) fn places(folders: &[PathBuf], libraries: &[PathBuf]) -> Vec<ModulePlace> {
    let mut files = BTreeMap::new();
    for folder in folders {
        let Ok(entries) = fs::read_dir(folder) else { continue };
        for entry in entries.take(limits::MODULE_FOLDER_ENTRIES).flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == "module") {
                files.insert(entry.file_name(), path);
            }
        }
    }
    files.into_values().filter_map(|file| place(&file, libraries)).collect()
}

/// The module that `file` names; `None` if it names none.
fn place(file: &Path, libraries: &[PathBuf]) -> Option<ModulePlace> {
    // A link of the user's own leads to the file of a package now and then.
    let bytes = regular_file::read(&file.canonicalize().ok()?, limits::MODULE_FILE_BYTES).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let named = |path, aside| Some(ModulePlace { path, named_by: NamedBy::P11Kit(file.to_owned()), aside });
    if value(&text, "remote").is_some() {
        let aside = "it is a program that only p11-kit starts: name p11-kit-proxy.so as the module";
        return named(file.to_owned(), Some(aside));
    }
    let module = value(&text, "module")?;
    let path = found(Path::new(module), libraries);
    if is_yes(value(&text, "trust-policy")) {
        return named(path, Some("it holds certificates to trust, and no keys"));
    }
    let listed = |name| value(&text, name).map(|programs| programs.split([',', ' ', '\t']).any(|one| one == PROGRAM));
    if listed("enable-in") == Some(false) || listed("disable-in") == Some(true) {
        return named(path, Some("its file of p11-kit's configuration gives it to other programs"));
    }
    named(path, None)
}

/// What the setting `name` says; `None` if there is no such line, or nothing on it.
fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let settings =
        text.lines().map(str::trim).filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(':'));
    let mut values = settings.filter(|(setting, _)| setting.trim() == name).map(|(_, value)| value.trim());
    // Of several lines the last one counts.
    values.next_back().filter(|value| !value.is_empty())
}

fn is_yes(value: Option<&str>) -> bool {
    matches!(value, Some("yes" | "true" | "1"))
}

/// Where a module lies that is named by `path`: the first place that is there, or else the first that it could be.
fn found(path: &Path, libraries: &[PathBuf]) -> PathBuf {
    let mut candidates = libraries.iter().map(|folder| folder.join("pkcs11").join(path));
    let first = candidates.next();
    if path.is_absolute() {
        return path.to_owned();
    }
    let first = first.unwrap_or_else(|| Path::new("/usr/lib/pkcs11").join(path));
    if first.exists() { first } else { candidates.find(|candidate| candidate.exists()).unwrap_or(first) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_p11_kit_name_modules() {
        let folder = tempfile::tempdir().unwrap();
        let [packages, machine, user, libraries] =
            ["packages", "machine", "user", "lib"].map(|name| folder.path().join(name));
        let write = |folder: &Path, name: &str, text: &str| {
            fs::create_dir_all(folder).unwrap();
            fs::write(folder.join(name), text).unwrap();
        };
        write(&libraries.join("pkcs11"), "there.so", "");
        write(&packages, "a.module", "# a comment\n module : there.so  \n\nx-other: 1\n");
        write(&packages, "b.module", "module: /opt/vendor/b.so\ncritical: no\n");
        write(&packages, "c.module", "module: /opt/vendor/c.so\nenable-in: ssh, seahorse\n");
        write(&packages, "d.module", "module: /opt/vendor/d.so\ndisable-in: firefox muster\n");
        write(&packages, "e.module", "module: /opt/vendor/e.so\nenable-in: ssh,muster\ndisable-in: p11-kit-proxy\n");
        write(&packages, "f.module", "module: p11-kit-trust.so\ntrust-policy: yes\n");
        write(&packages, "g.module", "remote: |ssh host p11-kit remote /usr/lib/m.so\n");
        write(&packages, "h.module", "module: /opt/vendor/h.so\n");
        write(&packages, "i.module", "module: /opt/vendor/i.so\n");
        write(&packages, "j.module", &format!("module: /opt/j.so\n{}", "#".repeat(1 << 20)));
        write(&packages, "README", "module: /opt/vendor/no.so\n");
        write(&machine, "h.module", "module:\n");
        write(&user, "i.module", "module: /home/me/i.so\n");

        let found =
            places(&[packages.clone(), machine, user.clone()], &[folder.path().join("lib64"), libraries.clone()]);
        let named = |path: PathBuf, file: PathBuf| ModulePlace { path, named_by: NamedBy::P11Kit(file), aside: None };
        let plain: Vec<_> = found.iter().filter(|place| place.aside.is_none()).cloned().collect();
        let expected = [
            named(libraries.join("pkcs11/there.so"), packages.join("a.module")),
            named("/opt/vendor/b.so".into(), packages.join("b.module")),
            named("/opt/vendor/e.so".into(), packages.join("e.module")),
            named("/home/me/i.so".into(), user.join("i.module")),
        ];
        assert_eq!(plain, expected);
        let aside: Vec<_> = found.iter().filter_map(|place| Some((place.path.file_name()?, place.aside?))).collect();
        let words = ["other programs", "other programs", "no keys", "p11-kit-proxy.so"];
        assert_eq!(aside.len(), words.len(), "{aside:?}");
        for ((name, reason), words) in aside.iter().zip(words) {
            assert!(reason.contains(words), "{name:?}: {reason}");
        }
    }

    #[test]
    fn the_users_folder_is_absolute_or_left_out() {
        let with = |name: &'static str, value: &'static str| {
            folders(move |asked| (asked == name).then(|| OsString::from(value))).last().unwrap().clone()
        };
        assert_eq!(with("HOME", "/home/me"), Path::new("/home/me/.config/pkcs11/modules"));
        assert_eq!(with("XDG_CONFIG_HOME", "/home/me/c"), Path::new("/home/me/c/pkcs11/modules"));
        assert_eq!(with("HOME", "me"), Path::new("/etc/pkcs11/modules"));
    }
}
