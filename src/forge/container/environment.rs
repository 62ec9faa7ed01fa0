//! What the environment and the files of the user say of engines, and what Testcontainers must find in the environment.
//!
//! Testcontainers looks only into `DOCKER_HOST`, `DOCKER_TLS_VERIFY`, `DOCKER_CERT_PATH` and at a few sockets, and a process
//! cannot safely change its own environment. So an engine that was found otherwise is used by a process that is started
//! with [`EngineEnvironment`]; `muster test` starts itself again for it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::docker_host::{DockerHost, SYSTEM_SOCKET};
use crate::limits;
use crate::regular_file;

/// docker's variables.
pub(super) const HOST: &str = "DOCKER_HOST";
const TLS_VERIFY: &str = "DOCKER_TLS_VERIFY";
const CERT_PATH: &str = "DOCKER_CERT_PATH";

/// How variables are asked for.
pub(super) struct Environment<'a> {
    variable: &'a dyn Fn(&str) -> Option<OsString>,
}

/// What the environment must hold so that Testcontainers uses an engine: these variables, and without the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineEnvironment {
    /// Variables and their values.
    pub set: Vec<(&'static str, OsString)>,
    /// Variables that must not be there.
    pub removed: Vec<&'static str>,
}

impl<'a> Environment<'a> {
    #[cfg(test)]
    pub(super) fn of(variable: &'a dyn Fn(&str) -> Option<OsString>) -> Environment<'a> {
        Environment { variable }
    }

    /// The environment of this process.
    pub(super) fn of_process() -> Environment<'static> {
        Environment { variable: &|name| std::env::var_os(name) }
    }

    /// A variable that is set to something.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let value = (self.variable)(name)?.to_string_lossy().trim().to_owned();
        Some(value).filter(|value| !value.is_empty())
    }

    /// A variable that names a file or a folder.
    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        (self.variable)(name).filter(|value| !value.is_empty()).map(PathBuf::from)
    }

    /// The folder of the user.
    pub(super) fn home(&self) -> Option<PathBuf> {
        self.path(if cfg!(windows) { "USERPROFILE" } else { "HOME" })
    }

    /// docker's folder.
    pub(super) fn docker_folder(&self) -> Option<PathBuf> {
        self.path("DOCKER_CONFIG").or_else(|| self.home().map(|home| home.join(".docker")))
    }

    /// Whether TLS is asked for: docker takes any value for yes.
    pub(super) fn wants_tls(&self) -> bool {
        self.text(TLS_VERIFY).is_some() || self.text("DOCKER_TLS").is_some()
    }

    /// The folder of the certificates for TLS, as docker has it.
    pub(super) fn certificates(&self) -> Option<PathBuf> {
        self.path(CERT_PATH).or_else(|| self.docker_folder())
    }

    /// The folder of the user's session, where the environment does not name it.
    #[cfg(unix)]
    pub(super) fn session_of_user(&self) -> Option<PathBuf> {
        Some(PathBuf::from(format!("/run/user/{}", rustix::process::getuid().as_raw())))
    }

    #[cfg(not(unix))]
    pub(super) fn session_of_user(&self) -> Option<PathBuf> {
        None
    }

    /// A member of `~/.testcontainers.properties` (a properties file of Java, of which only `NAME=VALUE` is read).
    pub(super) fn property(&self, name: &str) -> Option<String> {
        let file = self.home()?.join(".testcontainers.properties");
        let bytes = regular_file::read_linked(&file, limits::DOCKER_CONFIG_BYTES).ok()?;
        let text = String::from_utf8_lossy(&bytes);
        let found = text.lines().rev().find_map(|line| {
            let (key, value) = line.trim().split_once(['=', ':'])?;
            (key.trim() == name).then(|| value.trim().to_owned())
        });
        // A colon in a value may be escaped.
        found.map(|value| value.replace("\\:", ":").replace("\\=", "=")).filter(|value| !value.is_empty())
    }
}

impl EngineEnvironment {
    /// What Testcontainers must find to use the engine at `host`.
    pub(super) fn of(host: &DockerHost, certificates: Option<&Path>) -> EngineEnvironment {
        let mut set = vec![(HOST, OsString::from(host.to_string()))];
        match certificates.filter(|_| host.is_tls()) {
            Some(certificates) => {
                set.extend([(TLS_VERIFY, OsString::from("1")), (CERT_PATH, certificates.as_os_str().to_owned())]);
                EngineEnvironment { set, removed: Vec::new() }
            }
            None => EngineEnvironment { set, removed: vec![TLS_VERIFY] },
        }
    }

    /// Whether `environment` is like that already.
    pub(super) fn fits(&self, environment: &Environment<'_>) -> bool {
        let holds = |name: &str, value: &OsString| match (environment.variable)(name) {
            Some(stated) => stated == *value,
            // Testcontainers looks there first.
            None => name == HOST && *value == format!("unix://{SYSTEM_SOCKET}").as_str(),
        };
        self.set.iter().all(|(name, value)| holds(name, value))
            && self.removed.iter().all(|name| (environment.variable)(name).is_none_or(|value| value != "1"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s70_testcontainers_needs_the_host_in_the_environment_but_for_the_usual_socket() {
        let fits = |host: &str, tls: Option<&str>, variables: &[(&str, &str)]| {
            let host = DockerHost::parse(host, tls.is_some()).unwrap();
            let needed = EngineEnvironment::of(&host, tls.map(Path::new));
            let set = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
            needed.fits(&Environment::of(&set))
        };
        assert!(fits("unix:///var/run/docker.sock", None, &[]));
        assert!(
            !fits("unix:///var/run/docker.sock", None, &[("DOCKER_HOST", "")]),
            "Testcontainers reads that as a URL"
        );
        assert!(!fits("unix:///var/run/docker.sock", None, &[("DOCKER_TLS_VERIFY", "1")]));
        assert!(!fits("unix:///a.sock", None, &[]));
        assert!(fits("unix:///a.sock", None, &[("DOCKER_HOST", "unix:///a.sock")]));
        assert!(!fits("docker", None, &[("DOCKER_HOST", "docker")]), "Testcontainers knows no host without a scheme");
        let tls = [("DOCKER_HOST", "tcp://a:2376"), ("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", "/c")];
        assert!(fits("tcp://a:2376", Some("/c"), &tls) && !fits("tcp://a:2376", Some("/d"), &tls));
        assert!(!fits("tcp://a:2376", None, &tls));
    }

    /// Else a process would start itself again and again.
    #[test]
    fn what_is_set_for_testcontainers_is_read_as_the_same_engine() {
        for (host, tls) in [("unix:///a b.sock", false), ("https://[::1]", true), ("engine", false), ("tcp://", true)] {
            let host = DockerHost::parse(host, tls).unwrap();
            assert_eq!(DockerHost::parse(&host.to_string(), host.is_tls()), Ok(host));
        }
    }

    #[test]
    fn s70_properties_of_testcontainers_are_read() {
        let home = tempfile::tempdir().unwrap();
        let text = "# tc.host=no\n tc.host = tcp\\://10.0.0.1\\:2375 \ndocker.host=unix:///d.sock\n";
        std::fs::write(home.path().join(".testcontainers.properties"), text).unwrap();
        let set = |_: &str| Some(home.path().as_os_str().to_owned());
        let environment = Environment::of(&set);
        assert_eq!(environment.property("tc.host").as_deref(), Some("tcp://10.0.0.1:2375"));
        assert_eq!(environment.property("docker.host").as_deref(), Some("unix:///d.sock"));
        assert_eq!(environment.property("ryuk.disabled"), None);
    }
}
