//! `NO_PROXY` entries with a port: `registry.example.com:5000`.
//!
//! The HTTP library reads the proxies' variables, and knows no ports in `NO_PROXY`. Go's programs, notation among them, do: an
//! entry with a port leaves the proxy out for that port alone (*golang.org/x/net/http/httpproxy*). Entries without one are the
//! library's.

use url::Url;

/// How many entries are looked at.
const ENTRIES: usize = 1000;

/// The entries with a port.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct PortEntries(Vec<(String, u16)>);

impl PortEntries {
    /// Those of this process' environment.
    pub(crate) fn of_environment() -> PortEntries {
        let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        set("NO_PROXY").or_else(|| set("no_proxy")).map(|text| PortEntries::read(&text)).unwrap_or_default()
    }

    fn read(text: &str) -> PortEntries {
        let entry = |entry: &str| {
            let (host, port) = entry.trim().rsplit_once(':')?;
            // What has more colons and no brackets is an IPv6 address without a port.
            let whole = !host.contains(':') || host.starts_with('[') && host.ends_with(']');
            let host = host.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(host);
            Some((host.to_ascii_lowercase(), port.parse().ok()?)).filter(|_| whole && !host.is_empty())
        };
        PortEntries(text.split(',').take(ENTRIES).filter_map(entry).collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an entry leaves the proxy out for `url`: `a.io` and what lies below it, `.a.io` only what lies below.
    pub(crate) fn name(&self, url: &Url) -> bool {
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else { return false };
        self.0.iter().filter(|(_, known)| *known == port).any(|(name, _)| match host.strip_suffix(name.as_str()) {
            Some("") => true,
            Some(before) => name.starts_with('.') || before.ends_with('.'),
            None => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r32_an_entry_with_a_port_is_for_that_port() {
        let entries =
            PortEntries::read("a.io, b.io:5000,.c.io:443 , *.d.io:80,10.0.0.1:5000,[::1]:5000,::1,:5000,e.io:x");
        assert_eq!(entries.0.len(), 5);
        for (url, expected) in [
            ("https://a.io/", false),
            ("https://b.io:5000/", true),
            ("https://x.b.io:5000/", true),
            ("https://xb.io:5000/", false),
            ("https://b.io/", false),
            ("https://c.io/", false),
            ("https://x.c.io/", true),
            ("http://x.d.io/", true),
            ("http://10.0.0.1:5000/", true),
            ("http://10.0.0.1:5001/", false),
            ("http://[::1]:5000/", true),
        ] {
            assert_eq!(entries.name(&Url::parse(url).unwrap()), expected, "{url}");
        }
        assert!(PortEntries::read("a.io,*").is_empty());
    }
}
