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
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use crate::address::{Place, place};

/// A resolver: finds the addresses of host names.
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
