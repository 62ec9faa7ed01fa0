//! The folders in which docker and podman look for a registry's certificates: `certs.d/HOST[:PORT]`.
//!
//! Follows *docker engine, verify repository client with certificates* and *containers-certs.d*: `*.crt` are authorities, and
//! `NAME.cert` with `NAME.key` is what the client shows. All folders of a registry serve, and the first pair of the first folder
//! that has one. A pair of which half is missing is refused, as docker does; what this user may not read is passed over and said
//! where TLS fails.

use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::limits;
use crate::trouble::Trouble;

use super::certificates::{ClientCertificate, unusable};
use super::credentials::Server;

/// What the folders have for one registry.
#[derive(Debug, Default)]
pub(super) struct Here {
    pub(super) authorities: Vec<PathBuf>,
    pub(super) client: Option<ClientCertificate>,
    pub(super) unreadable: Vec<PathBuf>,
}

/// The folders `certs.d` of this user and this machine, in the order in which podman asks them; then docker's.
pub fn certificate_folders_of_user() -> Vec<PathBuf> {
    folders(std::env::home_dir(), |name| std::env::var_os(name))
}

fn folders(home: Option<PathBuf>, variable: impl Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let set = variable("XDG_CONFIG_HOME").filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = home.filter(|home| !home.as_os_str().is_empty());
    let user = set.or_else(|| home.map(|home| home.join(".config")));
    let machine = cfg!(unix).then(|| PathBuf::from("/etc"));
    let of = |program: &str| {
        [&user, &machine].into_iter().flatten().map(|folder| folder.join(program).join("certs.d")).collect::<Vec<_>>()
    };
    [of("containers"), of("docker")].concat()
}

/// What `folders` have for `server`, under any of its names.
pub(super) fn of(server: &Server, folders: &[PathBuf]) -> Result<Here, Trouble> {
    let mut here = Here::default();
    for folder in folders {
        for name in server.names() {
            // Windows has no colons in names; docker leaves them out there.
            let name = if cfg!(windows) { name.replace(':', "") } else { name.to_owned() };
            read(&folder.join(name), &mut here)?;
        }
    }
    Ok(here)
}

fn read(folder: &Path, here: &mut Here) -> Result<(), Trouble> {
    let failed = |error: io::Error| unusable(folder, &format!("cannot be listed: {error}"));
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(()),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            here.unreadable.push(folder.to_owned());
            return Ok(());
        }
        Err(error) => return Err(failed(error)),
    };
    let entries = entries.take(limits::CERTIFICATE_FOLDER_FILES).map(|entry| entry.map(|entry| entry.path()));
    let mut files = entries.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    files.sort();
    let has = |file: &Path, extension: &str| file.extension().is_some_and(|found| found == extension);
    for file in &files {
        if !["crt", "cert", "key"].iter().any(|extension| has(file, extension)) {
            continue;
        }
        let (certificate, key) = (file.with_extension("cert"), file.with_extension("key"));
        if has(file, "cert") && !files.contains(&key) {
            return Err(unusable(
                file,
                "is a client certificate without its key beside it; authorities are named .crt",
            ));
        }
        if has(file, "key") && !files.contains(&certificate) {
            return Err(unusable(file, "is a key without its client certificate beside it, named .cert"));
        }
        if is_denied(file) {
            here.unreadable.push(file.clone());
        } else if has(file, "crt") {
            here.authorities.push(file.clone());
        } else if has(file, "cert") && here.client.is_none() && !is_denied(&key) {
            here.client = Some(ClientCertificate { certificate, key });
        }
    }
    Ok(())
}

/// Whether this user may not read a regular file. Nothing else is opened to find out.
fn is_denied(file: &Path) -> bool {
    let regular = fs::metadata(file).is_ok_and(|metadata| metadata.is_file());
    regular && fs::File::open(file).is_err_and(|error| error.kind() == ErrorKind::PermissionDenied)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r31_the_folders_are_those_of_podman_and_docker() {
        let found = folders(Some("/h".into()), |_| None);
        let expected = [
            "/h/.config/containers/certs.d",
            "/etc/containers/certs.d",
            "/h/.config/docker/certs.d",
            "/etc/docker/certs.d",
        ];
        assert_eq!(found, expected.map(PathBuf::from));
        let found = folders(None, |name| (name == "XDG_CONFIG_HOME").then(|| "/x".into()));
        assert_eq!(found[0], PathBuf::from("/x/containers/certs.d"));
    }

    #[test]
    fn r31_a_registry_has_what_lies_under_any_of_its_names() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let write = |folder: &tempfile::TempDir, host: &str, name: &str| {
            fs::create_dir_all(folder.path().join(host)).unwrap();
            fs::write(folder.path().join(host).join(name), "").unwrap();
        };
        write(&one, "a.io", "ca.crt");
        write(&one, "a.io", "README");
        write(&two, "a.io:443", "z.cert");
        write(&two, "a.io:443", "z.key");
        write(&two, "a.io:443", "b.cert");
        write(&two, "a.io:443", "b.key");
        write(&two, "a.io:443", "other.crt");
        write(&two, "half.io", "client.cert");
        write(&two, "key.io", "client.key");
        let roots = [one.path().to_owned(), two.path().to_owned(), one.path().join("absent")];
        let here = of(&Server::new("a.io", 443), &roots).unwrap();
        let names: Vec<_> = here.authorities.iter().map(|file| file.file_name().unwrap().to_owned()).collect();
        assert_eq!(names, ["ca.crt", "other.crt"]);
        let client = here.client.unwrap();
        assert!(client.certificate.ends_with("b.cert") && client.key.ends_with("b.key"));
        let nothing = of(&Server::new("b.io", 443), &roots).unwrap();
        assert!(nothing.authorities.is_empty() && nothing.client.is_none());
        for (host, file) in [("half.io", "client.cert"), ("key.io", "client.key")] {
            let trouble = of(&Server::new(host, 443), &roots).unwrap_err();
            assert!(trouble.message.contains(file), "{trouble}");
        }
    }
}
