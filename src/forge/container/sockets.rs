//! Where engines put their sockets: docker for the machine and rootless, Docker Desktop, colima, Rancher Desktop, OrbStack,
//! Lima, and podman for the machine, for one user, and in its own machine.
//!
//! The first that answers is used, in this order: docker's own comes first, since that is what docker uses, and then those
//! that Testcontainers knows.

use std::path::PathBuf;

use super::docker_host::{DockerHost, SYSTEM_SOCKET};
use super::environment::Environment;

/// Below `$XDG_RUNTIME_DIR`, else `/run/user/UID`.
const OF_SESSION: [&str; 2] = ["docker.sock", ".docker/run/docker.sock"];
/// Below the home folder.
const OF_HOME: [&str; 9] = [
    ".docker/run/docker.sock",
    ".docker/desktop/docker.sock",
    ".colima/default/docker.sock",
    ".colima/docker.sock",
    ".config/colima/default/docker.sock",
    ".rd/docker.sock",
    ".orbstack/run/docker.sock",
    ".lima/docker/sock/docker.sock",
    ".lima/default/sock/docker.sock",
];
/// podman's below the home folder: those of its virtual machines.
const PODMAN_OF_HOME: [&str; 2] =
    [".local/share/containers/podman/machine/podman.sock", ".local/share/containers/podman/machine/qemu/podman.sock"];
/// podman's below `$XDG_RUNTIME_DIR`, and for the machine.
const PODMAN_OF_SESSION: &str = "podman/podman.sock";
const PODMAN_OF_SYSTEM: &str = "/run/podman/podman.sock";
/// Named pipes of Windows.
const PIPES: [&str; 2] = ["//./pipe/docker_engine", "//./pipe/podman-machine-default"];

/// Every place, the one that is asked first at the beginning.
pub(super) fn usual(environment: &Environment<'_>) -> Vec<DockerHost> {
    if cfg!(windows) {
        return PIPES.map(|pipe| DockerHost::Pipe(pipe.to_owned())).into();
    }
    let session = environment.path("XDG_RUNTIME_DIR").or_else(|| environment.session_of_user());
    let home = environment.home();
    let below = |folder: &Option<PathBuf>, names: &[&str]| -> Vec<PathBuf> {
        folder.iter().flat_map(|folder| names.iter().map(|name| folder.join(name))).collect()
    };
    let mut sockets = vec![PathBuf::from(SYSTEM_SOCKET)];
    sockets.extend(below(&session, &OF_SESSION));
    sockets.extend(below(&home, &OF_HOME));
    sockets.extend(below(&session, &[PODMAN_OF_SESSION]));
    sockets.push(PathBuf::from(PODMAN_OF_SYSTEM));
    sockets.extend(below(&home, &PODMAN_OF_HOME));
    sockets.into_iter().map(DockerHost::Socket).collect()
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn s70_sockets_of_rootless_engines_and_of_podman_are_looked_at() {
        let set = |name: &str| match name {
            "XDG_RUNTIME_DIR" => Some("/run/user/7".into()),
            "HOME" => Some("/home/a".into()),
            _ => None,
        };
        let found: Vec<String> = usual(&Environment::of(&set)).iter().map(ToString::to_string).collect();
        for socket in [
            "/run/user/7/docker.sock",
            "/run/user/7/podman/podman.sock",
            "/run/podman/podman.sock",
            "/home/a/.docker/run/docker.sock",
            "/home/a/.docker/desktop/docker.sock",
            "/home/a/.colima/default/docker.sock",
            "/home/a/.rd/docker.sock",
            "/home/a/.orbstack/run/docker.sock",
        ] {
            assert!(found.contains(&format!("unix://{socket}")), "{socket}: {found:?}");
        }
        assert_eq!(found.first().map(String::as_str), Some("unix:///var/run/docker.sock"), "docker's own comes first");
    }
}
