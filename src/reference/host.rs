//! Hosts of registries: which text is one, and how it is written so that one host has one name.
//!
//! A trust policy compares hosts as text, and the network does not: `LOCALHOST`, `127.1`, `0x7f.1`, `a.io.` and
//! `a.io:0443` reach what `localhost`, `127.0.0.1`, `a.io` and `a.io:443` reach. So a reference is taken in one form only.
//! Follows the URL standard, section 3.5, for numbers that mean addresses and for names in other scripts, RFC 5952 for
//! IPv6, and nothing else: a port that is the protocol's usual one stays, since policies name it too.

use std::net::Ipv6Addr;

use url::Host;

/// Whether `text` is a host name, an IPv4 address or an IPv6 address in brackets, with or without a port.
pub fn is_host(text: &str) -> bool {
    let Some((name, port)) = divide(text) else { return false };
    let is_name = match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => is_name(name),
    };
    is_name && port.is_none_or(|port| port_number(port).is_some())
}

/// The one way to write the host that `text` means. `None`: it means none.
pub fn normal_form(text: &str) -> Option<String> {
    // Text that a URL would take apart, or decode, is no host. Longer than this no reference is.
    const LONGEST: usize = 1024;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'[' | b']');
    if text.len() > LONGEST || !text.bytes().all(|byte| plain(byte) || !byte.is_ascii()) {
        return None;
    }
    let (name, port) = divide(text)?;
    let name = match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        Some(address) => {
            let address: Ipv6Addr = address.parse().ok()?;
            address.to_ipv4_mapped().map_or_else(|| format!("[{address}]"), |address| address.to_string())
        }
        None => match Host::parse(name.strip_suffix('.').unwrap_or(name)).ok()? {
            Host::Ipv4(address) => address.to_string(),
            Host::Domain(name) if is_name(&name) => name,
            _ => return None,
        },
    };
    match port {
        None => Some(name),
        Some(port) => port_number(port).map(|port| format!("{name}:{port}")),
    }
}

/// Whether Docker would look for `host` on Docker Hub, taking it for the first part of a repository's name: it has neither
/// a dot nor a port, and is not `localhost`.
pub(super) fn is_short(host: &str) -> bool {
    !host.contains(['.', ':']) && host != "localhost"
}

/// Name and port. `None`: brackets that do not close.
fn divide(text: &str) -> Option<(&str, Option<&str>)> {
    let name = match text.starts_with('[') {
        true => &text[..=text.find(']')?],
        false => text.split(':').next().unwrap_or(text),
    };
    match &text[name.len()..] {
        "" => Some((name, None)),
        rest => rest.strip_prefix(':').map(|port| (name, Some(port))),
    }
}

fn is_name(name: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.split('.').all(label)
}

fn port_number(text: &str) -> Option<u16> {
    text.parse().ok().filter(|port| *port > 0 && text.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_host_has_one_form() {
        for (text, normal) in [
            ("LOCALHOST:5000", "localhost:5000"),
            ("Registry.IO", "registry.io"),
            ("registry.io.", "registry.io"),
            ("registry.io.:443", "registry.io:443"),
            ("registry.io:018493", "registry.io:18493"),
            ("registry.io:0443", "registry.io:443"),
            ("127.1", "127.0.0.1"),
            ("127.1:80", "127.0.0.1:80"),
            ("0x7f.1", "127.0.0.1"),
            ("0X7F000001", "127.0.0.1"),
            ("0177.0.0.1", "127.0.0.1"),
            ("2130706433:5000", "127.0.0.1:5000"),
            ("127.0.0.1.", "127.0.0.1"),
            ("127.000.0.01", "127.0.0.1"),
            ("[0:0:0:0:0:0:0:1]:5000", "[::1]:5000"),
            ("[::ABCD]", "[::abcd]"),
            ("[::ffff:127.0.0.1]:5000", "127.0.0.1:5000"),
            ("b\u{fc}cher.io", "xn--bcher-kva.io"),
            ("XN--bcher-kva.io", "xn--bcher-kva.io"),
            ("\u{ff52}\u{ff45}\u{ff47}.io", "reg.io"),
            ("registry\u{3002}io", "registry.io"),
            ("\u{430}.io", "xn--80a.io"),
        ] {
            assert_eq!(normal_form(text).as_deref(), Some(normal), "{text}");
            assert_eq!(normal_form(normal).as_deref(), Some(normal), "the form of {text} is not its own");
            assert!(is_host(normal), "{normal}");
        }
        for host in ["registry.io:443", "localhost", "a-b.c:80", "xn--bcher-kva.io", "[::1]", "10.0.0.1:5000", "1a.2b"]
        {
            assert_eq!(normal_form(host).as_deref(), Some(host));
        }
    }

    #[test]
    fn what_means_no_host_has_no_form() {
        for text in [
            "",
            ".",
            "..",
            "a..io",
            "a b",
            "a_b.io",
            "user@a.io",
            "a.io:",
            "a.io:0",
            "a.io:65536",
            "a.io:+1",
            "a.io:1:2",
            "%61.io",
            "a.io/b",
            "a.io?x",
            "256.1.1.1",
            "1.2.3.4.5",
            "[::1",
            "[::1]5000",
            "[x]",
            "[::1%25eth0]",
            "::1",
            "-a.io",
            "a-.io",
            "xn--a.io",
            "a\u{0}.io",
            "a\u{202e}.io",
        ] {
            assert_eq!(normal_form(text), None, "{text:?}");
        }
        assert_eq!(normal_form(&"\u{fc}".repeat(10_000_000)), None);
    }
}
