//! Whether this process runs inside of a container itself, as jobs of continuous integration do that have the engine's
//! socket from outside.
//!
//! Ports that the engine publishes on the loopback are then those of another loopback. Where the engine knows the container
//! that this process runs in, registries are put into its network, and reached by their own addresses.

use std::fs;
use std::io::Read as _;
use std::net::Ipv4Addr;
use std::path::Path;

use testcontainers::bollard::Docker;
use testcontainers::bollard::query_parameters::InspectContainerOptions;
use tokio::time::timeout;

use super::registry_container::runs;
use crate::limits;

/// Networks that a container cannot share by their name.
const UNSHARED: [&str; 2] = ["host", "none"];

/// The container that this process runs in, as the engine knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OwnContainer {
    pub(super) id: String,
    /// Its network: what `--network` would say; `None` where it has the host's, or none.
    pub(super) network: Option<String>,
}

/// Looks for it; `None` if the engine does not know it, or if there is none.
pub(super) async fn find(docker: &Docker) -> Option<OwnContainer> {
    let inspect = async |id: &str| {
        let inspected = docker.inspect_container(id, None::<InspectContainerOptions>);
        timeout(limits::ENGINE_ANSWER, inspected).await.ok()?.ok()
    };
    for id in ids() {
        let Some(container) = inspect(&id).await else { continue };
        let running = runs(&container);
        let (Some(id), true) = (container.id, running) else { continue };
        let mode = container.host_config.and_then(|host| host.network_mode).unwrap_or_default();
        // It may have the network of another container, as the jobs of some runners do.
        let settings = match mode.strip_prefix("container:") {
            Some(other) => inspect(other).await.and_then(|other| other.network_settings),
            None => container.network_settings,
        };
        let networks = settings.and_then(|settings| settings.networks).unwrap_or_default();
        return Some(OwnContainer { id, network: shared(networks.into_keys()) });
    }
    None
}

fn shared(networks: impl Iterator<Item = String>) -> Option<String> {
    networks.filter(|name| !UNSHARED.contains(&name.as_str())).min()
}

/// What says that this process is inside of a container; empty if nothing does.
pub(super) fn signs() -> Vec<&'static str> {
    let mut signs = Vec::new();
    for file in ["/.dockerenv", "/run/.containerenv"] {
        if Path::new(file).exists() {
            signs.push(file);
        }
    }
    let groups = beginning("/proc/self/cgroup");
    if ["docker", "kubepods", "libpod", "containerd"].iter().any(|word| groups.contains(word)) {
        signs.push("/proc/self/cgroup");
    }
    signs
}

/// The gateway of this process's network.
pub(super) fn gateway() -> Option<Ipv4Addr> {
    gateway_of(&beginning("/proc/net/route"))
}

/// The default route has the destination 0; addresses are in hex, the first byte last.
fn gateway_of(routes: &str) -> Option<Ipv4Addr> {
    routes.lines().skip(1).find_map(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let (destination, gateway) = (fields.next()?, fields.next()?);
        let gateway = u32::from_str_radix(gateway, 16).ok()?;
        (destination == "00000000" && gateway != 0).then(|| Ipv4Addr::from(gateway.swap_bytes()))
    })
}

/// By what ids the engine may know the container that this process runs in.
fn ids() -> Vec<String> {
    let mut ids = ids_in(&beginning("/proc/self/mountinfo"));
    // The host's name is the beginning of the id, unless another was given.
    let name = beginning("/etc/hostname").trim().to_owned();
    if name.len() >= 12
        && name.bytes().all(|byte| byte.is_ascii_hexdigit())
        && !ids.iter().any(|id| id.starts_with(&name))
    {
        ids.push(name);
    }
    ids
}

/// Engines mount files of the container's own folder into it, as /etc/hostname; the folder's name is the id.
fn ids_in(mounts: &str) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for line in mounts.lines().filter(|line| line.contains("/etc/hostname") || line.contains("/etc/resolv.conf")) {
        let named =
            line.split('/').filter(|part| part.len() == 64 && part.bytes().all(|byte| byte.is_ascii_hexdigit()));
        for id in named {
            if !ids.iter().any(|known| known == id) {
                ids.push(id.to_owned());
            }
        }
    }
    ids
}

/// The beginning of a file of the system, which may not be there.
fn beginning(path: &str) -> String {
    let mut text = Vec::new();
    if let Ok(file) = fs::File::open(path) {
        // What was read before a fault is of use, too.
        let _ = file.take(limits::DOCKER_CONFIG_BYTES).read_to_end(&mut text);
    }
    String::from_utf8_lossy(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s72_the_container_of_this_process_is_known_by_what_is_mounted_into_it() {
        let id = "ab".repeat(32);
        let docker =
            format!("1 2 254:0 /var/lib/docker/containers/{id}/resolv.conf /etc/resolv.conf rw - ext4 /dev/vda rw");
        let podman =
            format!("1 2 0:5 /containers/overlay-containers/{id}/userdata/hostname /etc/hostname rw - tmpfs tmpfs rw");
        let layer =
            format!("1 2 0:9 / / rw - overlay overlay lowerdir=/var/lib/docker/overlay2/{}/diff", "cd".repeat(32));
        for mounts in [docker, podman] {
            assert_eq!(ids_in(&format!("{layer}\n{mounts}\n{mounts}")), std::slice::from_ref(&id), "{mounts}");
        }
        assert!(ids_in(&layer).is_empty());
    }

    #[test]
    fn s72_the_gateway_is_that_of_the_default_route() {
        let routes =
            "Iface\tDestination\tGateway \tFlags\neth0\t0000A8C0\t00000000\t0001\neth0\t00000000\t010011AC\t0003\n";
        assert_eq!(gateway_of(routes), Some(Ipv4Addr::new(172, 17, 0, 1)));
        assert_eq!(gateway_of("Iface\tDestination\tGateway\n"), None);
    }
}
