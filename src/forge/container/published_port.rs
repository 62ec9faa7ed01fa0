//! Where a registry in a container is reached: the port that the engine publishes, or the container's own address.
//!
//! An engine of this machine publishes on the loopback only: the registry lets every client write. An engine on another host
//! publishes there, on all of its addresses, since no other is known to be reached from here, and for as long as the run
//! lasts. `TESTCONTAINERS_HOST_OVERRIDE` names the host by which published ports are reached, as for Testcontainers.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use testcontainers::bollard::models::{ContainerInspectResponse, HostConfig, PortBinding};
use tokio::time::timeout;
use url::Url;

use super::docker_host::{DockerHost, in_url, is_loopback};
use super::environment::Environment;
use super::own_container;
use crate::failure::quote;
use crate::limits;

/// The port on which registries listen.
pub(super) const PORT: u16 = 5000;
/// Names the host of published ports.
const HOST_OVERRIDE: &str = "TESTCONTAINERS_HOST_OVERRIDE";

/// Where an engine publishes ports, and by which host they are reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PublishedPort {
    /// The address that it is published on, as the engine takes it.
    published_on: IpAddr,
    /// The host by which it is reached.
    host: String,
    /// Whether the engine is of this machine, so that its containers' own addresses may be reached as well.
    of_this_machine: bool,
    /// The network that containers are put into, if it is not the engine's usual one.
    network: Option<String>,
}

/// A place where a registry may be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Host and port.
    pub(super) address: String,
    /// Whether something else may answer there: an address of a container is not unique among machines.
    pub(super) is_own_address: bool,
}

impl PublishedPort {
    /// Where the engine at `host` publishes. Looks up the name of another host.
    ///
    /// # Errors
    /// `TESTCONTAINERS_HOST_OVERRIDE` names no host.
    pub(super) async fn of(host: &DockerHost, environment: &Environment<'_>) -> Result<PublishedPort, String> {
        let other = environment.text(HOST_OVERRIDE);
        // It is not shown, since what is no host may be anything.
        if other.as_deref().is_some_and(|other| !is_host(other)) {
            return Err(format!(
                "{HOST_OVERRIDE} is no host: write a name or an address, without scheme and port, as {HOST_OVERRIDE}=127.0.0.1"
            ));
        }
        Ok(match other.as_deref().or_else(|| host.other_host()) {
            None => PublishedPort {
                published_on: Ipv4Addr::LOCALHOST.into(),
                host: Ipv4Addr::LOCALHOST.to_string(),
                of_this_machine: true,
                network: None,
            },
            Some(other) => {
                let name = without_brackets(other);
                let published_on = published_on(&addresses(name).await);
                PublishedPort { published_on, host: name.to_owned(), of_this_machine: false, network: None }
            }
        })
    }

    /// Whether the engine is of this machine by what is known of it.
    pub(super) fn is_of_this_machine(&self) -> bool {
        self.of_this_machine
    }

    /// Puts containers into `network`.
    pub(super) fn join(&mut self, network: Option<String>) {
        self.network = network;
    }

    /// Any free port, and the network.
    pub(super) fn publish(&self, host: &mut HostConfig) {
        let binding = PortBinding { host_ip: Some(self.published_on.to_string()), host_port: Some(String::new()) };
        host.publish_all_ports = Some(false);
        host.port_bindings = Some(HashMap::from([(format!("{PORT}/tcp"), Some(vec![binding]))]));
        if let Some(network) = &self.network {
            host.network_mode = Some(network.clone());
        }
    }

    /// Where the registry of a container may be reached, the most usual place first.
    pub(super) fn places(&self, container: &ContainerInspectResponse) -> Vec<Place> {
        let Some(network) = &container.network_settings else { return Vec::new() };
        let ports = network.ports.as_ref().and_then(|ports| ports.get(&format!("{PORT}/tcp")));
        let port = ports.into_iter().flatten().flatten().find_map(|binding| binding.host_port.clone());
        let mut places: Vec<Place> = port
            .into_iter()
            .map(|port| Place { address: format!("{}:{port}", in_url(&self.host)), is_own_address: false })
            .collect();
        if self.of_this_machine {
            let addresses = network.networks.iter().flat_map(HashMap::values).filter_map(|end| end.ip_address.clone());
            let mut addresses: Vec<_> = addresses.filter(|address| address.parse::<Ipv4Addr>().is_ok()).collect();
            addresses.sort();
            let own = |address| Place { address: format!("{address}:{PORT}"), is_own_address: true };
            places.extend(addresses.into_iter().map(own));
        }
        places
    }

    /// Why a registry is not reached, and what helps: a sentence about this process.
    pub(super) fn why_unreached(&self) -> String {
        if !self.of_this_machine {
            return format!(
                "the engine publishes the ports of containers on {}, where they must be reached from here: allow them in its \
                 firewall, or set {HOST_OVERRIDE} to another of its addresses",
                quote(&self.host)
            );
        }
        let signs = match own_container::signs() {
            signs if signs.is_empty() => String::new(),
            signs => format!(" ({} says so)", signs.join(", ")),
        };
        let gateway = own_container::gateway();
        let gateway =
            gateway.map(|gateway| format!(", such as its gateway: {HOST_OVERRIDE}={gateway}")).unwrap_or_default();
        format!(
            "the engine publishes ports where it runs, which is not here: this process is inside of a container{signs}, in a \
             network namespace of its own, or the engine's socket is forwarded from another machine; start muster in the \
             engine's network (docker run --network host, or in the network of the registries), or set {HOST_OVERRIDE} to an \
             address of the engine's host that is reached from here{gateway}"
        )
    }
}

/// An address of IPv6 may be written as in a URL.
fn without_brackets(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

fn is_host(text: &str) -> bool {
    let url = Url::parse(&format!("http://{}/", in_url(without_brackets(text))));
    url.is_ok_and(|url| {
        url.username().is_empty() && url.path() == "/" && url.query().is_none() && url.fragment().is_none()
    })
}

/// What a name stands for; nothing if it is not known. An engine answers by the name, so that it is known in general.
async fn addresses(name: &str) -> Vec<IpAddr> {
    match timeout(limits::ENGINE_ANSWER, tokio::net::lookup_host((name, PORT))).await {
        Ok(Ok(found)) => found.map(|found| found.ip()).collect(),
        _ => Vec::new(),
    }
}

/// A name of this machine's loopback needs no other address. Of other hosts no address is known that is its own: what is
/// reached from here may be translated on the way.
fn published_on(addresses: &[IpAddr]) -> IpAddr {
    let all = |wanted: fn(&IpAddr) -> bool| !addresses.is_empty() && addresses.iter().all(wanted);
    if all(|address| is_loopback(&address.to_string()) && address.is_ipv4()) {
        Ipv4Addr::LOCALHOST.into()
    } else if all(IpAddr::is_ipv6) {
        if all(IpAddr::is_loopback) { Ipv6Addr::LOCALHOST.into() } else { Ipv6Addr::UNSPECIFIED.into() }
    } else {
        Ipv4Addr::UNSPECIFIED.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn container() -> ContainerInspectResponse {
        serde_json::from_value(json!({ "NetworkSettings": {
            "Ports": { "5000/tcp": [{ "HostIp": "127.0.0.1", "HostPort": "49153" }] },
            "Networks": { "bridge": { "IPAddress": "172.17.0.2" }, "none": { "IPAddress": "" } }
        } }))
        .unwrap()
    }

    async fn of(host: &str, overridden: Option<&str>) -> (PublishedPort, Option<String>, Vec<String>) {
        let set = |name: &str| overridden.filter(|_| name == HOST_OVERRIDE).map(Into::into);
        let published =
            PublishedPort::of(&DockerHost::parse(host, false).unwrap(), &Environment::of(&set)).await.unwrap();
        let mut config = HostConfig { publish_all_ports: Some(true), ..HostConfig::default() };
        published.publish(&mut config);
        assert_eq!(config.publish_all_ports, Some(false));
        let bindings = config.port_bindings.unwrap();
        let address = bindings.values().flatten().flatten().next().and_then(|binding| binding.host_ip.clone());
        let places = published.places(&container()).into_iter().map(|place| place.address).collect();
        (published, address, places)
    }

    #[tokio::test]
    async fn s72_a_registry_of_this_machine_is_reached_by_the_loopback_or_by_its_own_address() {
        for host in ["unix:///var/run/docker.sock", "tcp://127.0.0.1:2375"] {
            let (published, address, places) = of(host, None).await;
            assert_eq!(address.as_deref(), Some("127.0.0.1"), "{host}: every client may write");
            assert_eq!(places, ["127.0.0.1:49153", "172.17.0.2:5000"], "{host}");
            let places = published.places(&container());
            assert_eq!(places.iter().map(|place| place.is_own_address).collect::<Vec<_>>(), [false, true]);
        }
    }

    #[tokio::test]
    async fn s73_an_engine_on_another_host_publishes_there() {
        let (_, address, places) = of("tcp://192.0.2.7:2375", None).await;
        assert_eq!((address.as_deref(), places), (Some("0.0.0.0"), vec!["192.0.2.7:49153".to_owned()]));
        let (_, address, places) = of("tcp://[2001:db8::1]:2375", None).await;
        assert_eq!((address.as_deref(), places), (Some("::"), vec!["[2001:db8::1]:49153".to_owned()]));
        let (_, address, places) = of("unix:///var/run/docker.sock", Some("192.0.2.8")).await;
        assert_eq!((address.as_deref(), places), (Some("0.0.0.0"), vec!["192.0.2.8:49153".to_owned()]));
    }

    #[tokio::test]
    async fn s72_what_is_no_host_does_not_override_one() {
        let engine = DockerHost::parse("unix:///var/run/docker.sock", false).unwrap();
        for text in ["http://127.0.0.1", "127.0.0.1:80", "a b/c", "a/c", "user:s3cret@a", "a?s3cret", "[::1", "[]"] {
            let set = |name: &str| (name == HOST_OVERRIDE).then(|| text.into());
            let refused = PublishedPort::of(&engine, &Environment::of(&set)).await.unwrap_err();
            assert!(refused.contains("without scheme and port") && !refused.contains("s3cret"), "{text}: {refused}");
        }
        for text in ["docker", "127.0.0.1", "[::1]", "fd00::1", "a.b-c_d"] {
            assert!(is_host(text), "{text}");
        }
    }

    #[test]
    fn s73_a_name_of_the_loopback_needs_no_other_address() {
        let parse = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<IpAddr>>();
        for (addresses, expected) in [
            (vec!["127.0.0.1"], "127.0.0.1"),
            (vec!["::1"], "::1"),
            (vec!["127.0.0.1", "10.0.0.1"], "0.0.0.0"),
            (vec!["10.0.0.1", "fd00::1"], "0.0.0.0"),
            (vec!["fd00::1"], "::"),
            (vec![], "0.0.0.0"),
        ] {
            assert_eq!(published_on(&parse(&addresses)).to_string(), expected, "{addresses:?}");
        }
    }

    #[test]
    fn s72_what_is_not_reached_is_explained() {
        let mut here = PublishedPort {
            published_on: Ipv4Addr::LOCALHOST.into(),
            host: "127.0.0.1".to_owned(),
            of_this_machine: true,
            network: None,
        };
        let why = here.why_unreached();
        assert!(why.contains("network namespace") && why.contains("TESTCONTAINERS_HOST_OVERRIDE"), "{why}");
        here = PublishedPort { host: "docker".to_owned(), of_this_machine: false, ..here };
        assert!(here.why_unreached().contains("\"docker\""));
    }
}
