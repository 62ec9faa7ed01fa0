//! Where a registry is reached: from its host as written to the address that requests go to.
//!
//! Plain HTTP is spoken with loopback hosts and with hosts that the user named; it is never fallen back to.

use url::Url;

use crate::address::is_loopback;
use crate::failure::quote;
use crate::reference::is_host;
use crate::trouble::{Trouble, TroubleKind};

use super::RegistryOptions;

/// How registries are spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protocol {
    /// HTTPS, and plain HTTP with loopback hosts.
    #[default]
    HttpsExceptLoopback,
    /// HTTPS, with loopback hosts too.
    Https,
    /// Plain HTTP with every host.
    PlainHttp,
}

/// The address that every path of the registry's API is joined to: `https://host[:port]/`.
pub(super) fn base(host: &str, options: &RegistryOptions) -> Result<Url, Trouble> {
    let refused = || Trouble::new(TroubleKind::Unreachable, format!("{} is not a registry host", quote(host)));
    let address = options.addresses.get(host).map(String::as_str);
    if !is_host(host) || !address.is_none_or(is_host) {
        return Err(refused());
    }
    // What Docker calls docker.io has answered the registry API under this name only, ever since.
    let usual = if host == "docker.io" { "registry-1.docker.io" } else { host };
    let authority = address.unwrap_or(usual);
    let mut base = Url::parse(&format!("https://{authority}/")).map_err(|_| refused())?;
    let plain = options.plain_http_hosts.iter().chain(&options.own_hosts).any(|named| named == host)
        || match options.protocol {
            Protocol::HttpsExceptLoopback => is_loopback(&base),
            Protocol::Https => false,
            Protocol::PlainHttp => true,
        };
    if plain {
        base = Url::parse(&format!("http://{authority}/")).map_err(|_| refused())?;
    }
    Ok(base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_loopback_and_for_named_hosts_only() {
        let named = RegistryOptions { plain_http_hosts: vec!["registry:5000".to_owned()], ..Default::default() };
        let plain = RegistryOptions { protocol: Protocol::PlainHttp, ..Default::default() };
        let tls = RegistryOptions { protocol: Protocol::Https, ..Default::default() };
        let moved = |address: &str| RegistryOptions {
            addresses: [("registry.acme-rockets.io".to_owned(), address.to_owned())].into(),
            ..Default::default()
        };
        let (here, there) = (moved("127.0.0.1:5000"), moved("other.acme-rockets.io:5000"));
        let usual = RegistryOptions::default();
        for (host, options, expected) in [
            ("localhost:5000", &usual, "http://localhost:5000/"),
            ("127.0.0.1", &usual, "http://127.0.0.1/"),
            ("127.1:80", &usual, "http://127.0.0.1/"),
            ("[::1]:5000", &usual, "http://[::1]:5000/"),
            ("a.localhost", &usual, "http://a.localhost/"),
            ("localhost.acme-rockets.io", &usual, "https://localhost.acme-rockets.io/"),
            ("registry.acme-rockets.io", &usual, "https://registry.acme-rockets.io/"),
            ("registry.acme-rockets.io:443", &usual, "https://registry.acme-rockets.io/"),
            ("registry:5000", &named, "http://registry:5000/"),
            ("registry:5001", &named, "https://registry:5001/"),
            ("registry:5000", &plain, "http://registry:5000/"),
            ("localhost:5000", &tls, "https://localhost:5000/"),
            ("docker.io", &usual, "https://registry-1.docker.io/"),
            ("registry.acme-rockets.io", &here, "http://127.0.0.1:5000/"),
            ("registry.acme-rockets.io", &there, "https://other.acme-rockets.io:5000/"),
            ("registry.acme-rockets.io:443", &here, "https://registry.acme-rockets.io/"),
        ] {
            assert_eq!(base(host, options).map(String::from), Ok(expected.to_owned()), "{host}");
        }
    }

    #[test]
    fn refuses_what_is_no_host() {
        for host in ["", "a/b", "user@a.io", "a.io:0", "http://a.io", "a.io?x", "a b"] {
            assert!(base(host, &RegistryOptions::default()).is_err(), "{host:?} was taken for a host");
        }
    }
}
