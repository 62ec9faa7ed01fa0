//! The connections to a registry and to the servers that it names: through the proxies of the environment or past them, and
//! with the user's client certificate or without.
//!
//! A client certificate says who the user is. It is shown to the registry's host and to its token server, and to no server
//! that the registry sends a request to: that may be any server that knows such certificates.

use std::sync::Arc;

use reqwest::Client;
use url::{Host, Url};

use crate::address::is_loopback;
use crate::failure::quote;
use crate::http_client::{self, causes};
use crate::source::resolver::{Lookup, Names};
use crate::trouble::{Trouble, TroubleKind};

use super::RegistryOptions;
use super::certificates::{self, Certificates};
use super::credentials::Server;
use super::no_proxy::PortEntries;

/// The connections that are kept open, by what they show and which way they go.
#[derive(Debug)]
pub(super) struct Connections {
    host: Option<Host>,
    known: Ways,
    /// Without the client certificate, where there is one.
    strange: Option<Ways>,
    /// Files for TLS that this user may not read, in words for those whose TLS fails.
    pub(super) unreadable: String,
}

#[derive(Debug)]
struct Ways {
    usual: Client,
    /// Past the proxies, for those that `NO_PROXY` names with a port.
    past_proxies: Option<(PortEntries, Client)>,
}

impl Connections {
    /// Those for the registry `server` at `base`.
    pub(super) fn new(server: &Server, base: &Url, options: &RegistryOptions) -> Result<Connections, Trouble> {
        let found = certificates::load(server, options, base.scheme() == "https")?;
        let names = Names::of_registry(base, &options.resolver);
        let strange = match &found.client {
            Some(_) => Some(ways(base, options, &found, &names, false)?),
            None => None,
        };
        let known = ways(base, options, &found, &names, true)?;
        let words = |file: &std::path::PathBuf| format!("; {} may not be read", quote(&file.to_string_lossy()));
        let unreadable = found.unreadable.iter().map(words).collect();
        Ok(Connections { host: base.host().map(|host| host.to_owned()), known, strange, unreadable })
    }

    /// The one for `url`; `known` says that the registry named it for logging in.
    pub(super) fn to(&self, url: &Url, known: bool) -> &Client {
        let ways = match &self.strange {
            Some(strange) if !known && !self.is_own(url) => strange,
            _ => &self.known,
        };
        match &ways.past_proxies {
            Some((named, client)) if named.name(url) => client,
            _ => &ways.usual,
        }
    }

    /// Whether there is a client certificate. `None`: there is, but whether it was shown at this address is open.
    pub(super) fn shows_certificate(&self, url: &Url) -> Option<bool> {
        match &self.strange {
            None => Some(false),
            Some(_) => self.is_own(url).then_some(true),
        }
    }

    fn is_own(&self, url: &Url) -> bool {
        url.host().map(|host| host.to_owned()) == self.host
    }
}

/// Whether the registry at `base` is a scenario's own.
fn is_own(base: &Url, options: &RegistryOptions) -> bool {
    let authority = &base[url::Position::BeforeHost..url::Position::AfterPort];
    options.own_hosts.iter().any(|host| options.addresses.get(host).unwrap_or(host) == authority)
}

fn ways(
    base: &Url,
    options: &RegistryOptions,
    found: &Certificates,
    names: &Arc<Names>,
    known: bool,
) -> Result<Ways, Trouble> {
    let Certificates { authorities, client: shown, .. } = found;
    let shown = shown.as_ref().filter(|_| known);
    let client = |past_proxies: bool| {
        let client = http_client::builder()
            .connect_timeout(options.timings.connect)
            .dns_resolver(Arc::new(Lookup(Arc::clone(names))))
            .pool_max_idle_per_host(options.requests_per_host);
        let client = match shown {
            Some((_, identity)) => client.identity(identity.clone()),
            None => client,
        };
        // A proxy's loopback is another machine's, and so may be the networks of containers.
        if past_proxies || is_loopback(base) || is_own(base, options) { client.no_proxy() } else { client }
    };
    let built = |past_proxies| {
        let mut built = client(past_proxies).tls_certs_merge(authorities.clone()).build();
        if built.is_err() && (base.scheme() == "http" || !authorities.is_empty()) {
            // A system without any certificates, as small containers are: only the user's are trusted then.
            built = client(past_proxies).tls_certs_only(authorities.clone()).build();
        }
        built.map_err(|error| {
            let with = shown.map(|(files, _)| {
                format!(" with the client certificate {}", quote(&files.certificate.to_string_lossy()))
            });
            let why = quote(&causes(&error)).to_string();
            let message = format!("TLS cannot be set up{}: {why}", with.unwrap_or_default());
            Trouble::new(TroubleKind::Unreachable, message)
        })
    };
    let named = PortEntries::of_environment();
    let past_proxies = if named.is_empty() { None } else { Some((named, built(true)?)) };
    Ok(Ways { usual: built(false)?, past_proxies })
}
