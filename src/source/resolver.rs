//! Which addresses a host name may lead to.
//!
//! A server that Muster was not sent to by its user (the target of a redirect, a token server, what a certificate names)
//! may have a harmless name whose DNS entry is an address of this machine, or of a cloud's metadata service. So names are
//! judged where they are resolved, by the addresses that the connection then goes to: there is no second look-up whose
//! answer could differ. Addresses of private networks are allowed, since registries live there.
//!
//! Through an HTTP proxy it is the proxy that resolves; only the proxy's own name is looked up here.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// Whoever knows the addresses of names.
#[async_trait]
pub trait Resolver: fmt::Debug + Send + Sync {
    /// The addresses of `host`.
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The resolver of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// A name was refused for where it leads.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the name leads only to this machine, to link-local addresses or to a metadata service")]
pub(crate) struct LeadsHere;

impl LeadsHere {
    /// Whether a request failed because of it.
    pub(crate) fn caused(error: &reqwest::Error) -> bool {
        let mut cause = std::error::Error::source(error);
        while let Some(current) = cause {
            if current.is::<LeadsHere>() {
                return true;
            }
            cause = current.source();
        }
        false
    }
}

/// Where a host is, as far as strangers must not send anybody there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// This machine.
    Loopback,
    /// The network segment of this machine, or a metadata service.
    LinkLocal,
    /// Anywhere else.
    Elsewhere,
}

/// Where clouds tell secrets to whoever asks from inside, beyond 169.254.0.0/16: Alibaba, Oracle, Azure.
const METADATA_V4: [Ipv4Addr; 3] =
    [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(192, 0, 0, 192), Ipv4Addr::new(168, 63, 129, 16)];
/// Google's address over IPv6; all of AWS's are in fd00:ec2::/32.
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254);

/// Whether a cloud answers there to whoever asks from inside.
fn is_metadata_v6(address: Ipv6Addr) -> bool {
    address == METADATA_V6 || matches!(address.segments(), [0xfd00, 0xec2, ..])
}

fn place(address: IpAddr) -> Place {
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

/// Whether an address is link-local or a metadata service's.
pub(crate) fn is_link_local(address: IpAddr) -> bool {
    place(address) == Place::LinkLocal
}

/// Whether an address, as it stands in a URL, is of this machine, of its network segment, or a metadata service's.
pub(crate) fn is_of_this_network(address: IpAddr) -> bool {
    place(address) != Place::Elsewhere
}

/// Whose names are resolved, and how far they may lead.
#[derive(Debug)]
enum Reach {
    /// The names that a registry says, and its own, whose first look-up decides: a name that was elsewhere stays there.
    /// From a registry on this machine strangers may lead to this machine.
    OfRegistry {
        /// The registry's own name; an address has none.
        own: Option<String>,
        /// Where the registry is, once that is known.
        place: OnceLock<Place>,
    },
    /// What a certificate names: this machine, but no link-local address.
    Named,
    /// Where a server that a certificate names sends on to: neither.
    SentOn,
}

/// The names that one client resolves.
#[derive(Debug)]
pub(crate) struct Names {
    resolver: Arc<dyn Resolver>,
    reach: Reach,
    /// The proxies of the environment: the user's choice, wherever they are.
    proxies: Vec<String>,
}

impl Names {
    fn new(resolver: &Arc<dyn Resolver>, reach: Reach) -> Arc<Names> {
        Arc::new(Names { resolver: Arc::clone(resolver), reach, proxies: proxies(|name| std::env::var(name).ok()) })
    }

    /// For the registry at `base`.
    pub(crate) fn of_registry(base: &Url, resolver: &Arc<dyn Resolver>) -> Arc<Names> {
        let known = |address: IpAddr| (None, OnceLock::from(place(address)));
        let (own, place) = match base.host() {
            Some(Host::Ipv4(address)) => known(address.into()),
            Some(Host::Ipv6(address)) => known(address.into()),
            Some(Host::Domain(name)) => (Some(name.to_owned()), OnceLock::new()),
            None => (None, OnceLock::new()),
        };
        Names::new(resolver, Reach::OfRegistry { own, place })
    }

    /// For servers that certificates name.
    pub(crate) fn of_certificates(resolver: &Arc<dyn Resolver>) -> Arc<Names> {
        Names::new(resolver, Reach::Named)
    }

    /// For servers that those send on to.
    pub(crate) fn of_redirects(resolver: &Arc<dyn Resolver>) -> Arc<Names> {
        Names::new(resolver, Reach::SentOn)
    }

    /// The addresses of `host` that may be spoken to.
    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, Box<dyn std::error::Error + Send + Sync>> {
        let mut found = self.resolver.resolve(host).await?;
        let nothing = found.is_empty();
        if !self.proxies.iter().any(|proxy| proxy.eq_ignore_ascii_case(host)) {
            self.keep(host, &mut found);
        }
        if found.is_empty() && !nothing { Err(LeadsHere.into()) } else { Ok(found) }
    }

    fn keep(&self, host: &str, found: &mut Vec<IpAddr>) {
        match &self.reach {
            Reach::Named => found.retain(|address| place(*address) != Place::LinkLocal),
            Reach::SentOn => found.retain(|address| place(*address) == Place::Elsewhere),
            Reach::OfRegistry { own, place: known } => {
                if found.is_empty() {
                    return;
                }
                let is_own = own.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(host));
                let at = if is_own { Some(*known.get_or_init(|| worst(found))) } else { known.get().copied() };
                found.retain(|address| match (place(*address), at) {
                    (Place::Elsewhere, _) | (Place::Loopback, Some(Place::Loopback)) => true,
                    // Its user wrote this name, and has it there.
                    (place, Some(at)) => is_own && place == at,
                    (_, None) => false,
                });
            }
        }
    }
}

/// Where a name of these addresses is: elsewhere only if all of them are, on this machine only if all of them are.
fn worst(addresses: &[IpAddr]) -> Place {
    let places: Vec<Place> = addresses.iter().map(|address| place(*address)).collect();
    match places.iter().find(|place| **place == Place::LinkLocal) {
        Some(place) => *place,
        None if places.iter().all(|place| *place == Place::Loopback) => Place::Loopback,
        None => Place::Elsewhere,
    }
}

/// The names of the proxies that `variable` tells.
fn proxies(variable: impl Fn(&str) -> Option<String>) -> Vec<String> {
    ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
        .into_iter()
        .filter_map(variable)
        .filter_map(|text| {
            let text = if text.contains("://") { text } else { format!("http://{text}") };
            Url::parse(&text).ok()?.host_str().map(str::to_owned)
        })
        .collect()
}

/// Names, as the HTTP client asks for them.
#[derive(Debug, Clone)]
pub(crate) struct Lookup(pub(crate) Arc<Names>);

impl Resolve for Lookup {
    fn resolve(&self, name: Name) -> Resolving {
        let names = Arc::clone(&self.0);
        Box::pin(async move {
            let found = names.addresses(name.as_str()).await?;
            Ok(Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests;
