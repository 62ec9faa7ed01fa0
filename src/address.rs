//! Addresses: which of them lead to this machine, to its network segment, or to a metadata service of a cloud.
//!
//! A stranger (a registry that redirects, a certificate that names a server) must not send a request there. Follows RFC
//! 6761 for names of this machine, and RFC 4291, 6052 and 3056 for IPv6 addresses that stand for IPv4 ones. It resolves no
//! names: the addresses that a name leads to are judged when a connection is made.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// Whether the address is of this machine, by its number or by the name that is reserved for it (RFC 6761).
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => {
            address.is_loopback() || address.to_ipv4_mapped().is_some_and(|address| address.is_loopback())
        }
        Some(Host::Domain(name)) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            name == "localhost" || name.ends_with(".localhost")
        }
        None => false,
    }
}

/// The host of an address with its port, for messages.
pub(crate) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// Whether the address is unspecified, loopback, link-local or a metadata service's, or a name reserved for loopback. Where
/// any other name leads is seen when it is resolved.
pub(crate) fn is_of_this_network(url: &Url) -> bool {
    let address = match url.host() {
        Some(Host::Ipv4(address)) => Some(address.into()),
        Some(Host::Ipv6(address)) => Some(address.into()),
        _ => None,
    };
    is_loopback(url) || address.is_some_and(|address| place(address) != Place::Elsewhere)
}

/// Where a redirect from `url` to `location` leads.
///
/// # Errors
/// Why it is not followed; reads on after the location.
pub(crate) fn redirected(url: &Url, location: &str) -> Result<Url, &'static str> {
    let target = url.join(location).ok().filter(|_| !location.is_empty()).ok_or("which is not a valid URL")?;
    if !matches!(target.scheme(), "http" | "https") {
        return Err("which is not HTTP");
    }
    if url.scheme() == "https" && target.scheme() == "http" {
        return Err("which would give up TLS");
    }
    let credentials = |url: &Url| (url.username().to_owned(), url.password().map(str::to_owned));
    // A location without a host has those that the user gave.
    let inherited = target.origin() == url.origin() && credentials(&target) == credentials(url);
    if !inherited && credentials(&target) != (String::new(), None) {
        return Err("which has credentials in it");
    }
    if target.host() != url.host() && is_of_this_network(&target) && !(is_loopback(url) && is_loopback(&target)) {
        return Err("an address that means another host on every machine");
    }
    Ok(target)
}

/// An address without what may be secret in it: user, password, and the query, as addresses of content are often signed.
pub(crate) fn without_secrets(location: &str) -> String {
    let shown = location.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = shown.split_once("//") else { return shown.to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}//{host}{path}")
}

/// Where a host is: whether a server's redirect or a certificate may send a request there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// This machine.
    Loopback,
    /// The network segment of this machine, or a metadata service.
    LinkLocal,
    /// Anywhere else.
    Elsewhere,
}

/// Metadata services of clouds, which tell secrets to every client inside the cloud, beyond 169.254.0.0/16: Alibaba,
/// Oracle, Azure.
const METADATA_V4: [Ipv4Addr; 3] =
    [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(192, 0, 0, 192), Ipv4Addr::new(168, 63, 129, 16)];
/// Google's address over IPv6; all of AWS's are in fd00:ec2::/32.
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254);

/// Whether the address is a metadata service's.
fn is_metadata_v6(address: Ipv6Addr) -> bool {
    address == METADATA_V6 || matches!(address.segments(), [0xfd00, 0xec2, ..])
}

/// Where an address is.
pub(crate) fn place(address: IpAddr) -> Place {
    match within(address) {
        // All of 0.0.0.0/8 is "this network", and connects to this machine where it connects at all.
        IpAddr::V4(v4) if v4.is_loopback() || v4.octets()[0] == 0 => Place::Loopback,
        IpAddr::V4(v4) if v4.is_link_local() || METADATA_V4.contains(&v4) => Place::LinkLocal,
        IpAddr::V6(v6) if v6.is_loopback() || v6.is_unspecified() => Place::Loopback,
        IpAddr::V6(v6) if v6.is_unicast_link_local() || is_metadata_v6(v6) => Place::LinkLocal,
        _ => Place::Elsewhere,
    }
}

/// The IPv4 address that an IPv6 address stands for: mapped (RFC 4291), translated (RFC 6052), or over 6to4 (RFC 3056).
fn within(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address.to_canonical() else { return address.to_canonical() };
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match v6.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
        [0x2002, high, low, ..] => v4(high, low),
        _ => address,
    }
}
