//! URIs in alternative names, and the domains in name constraints.
//!
//! Follows RFC 3986 and RFC 5280, sections 4.2.1.6 and 4.2.1.10: a URI is absolute, of the characters that a URI has, and
//! its host is a domain or an address.

use std::net::Ipv6Addr;

/// Whether `text` is a URI with a scheme: `https://example.com/a`, `urn:uuid:…`.
pub(super) fn is_absolute(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let scheme_sound = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let (authority, path) = match rest.strip_prefix("//") {
        Some(rest) => rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len())),
        None => ("", rest),
    };
    scheme_sound && !rest.is_empty() && is_authority(authority) && has_characters_of_uris(path)
}

/// Perhaps a user, a host, perhaps a port. No authority at all is one too: `file:///a`.
fn is_authority(authority: &str) -> bool {
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (host, port) = match host.strip_prefix('[').and_then(|host| host.split_once(']')) {
        Some((address, port)) if address.parse::<Ipv6Addr>().is_ok() => ("", port),
        Some(_) => return false,
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let user_sound = has_characters_of_uris(user) && !user.contains(['/', '?', '#', '@']);
    let port_sound =
        port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()));
    user_sound && port_sound && (host.is_empty() || is_domain(host) && !host.contains(['%', '<', '>', '"', '\\', '^']))
}

fn has_characters_of_uris(text: &str) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let sound = match byte {
            b'%' => {
                bytes.next().is_some_and(|byte| byte.is_ascii_hexdigit())
                    && bytes.next().is_some_and(|byte| byte.is_ascii_hexdigit())
            }
            _ => byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=".contains(&byte),
        };
        if !sound {
            return false;
        }
    }
    true
}

/// Whether `text` is a domain by its form: labels of 1 to 63 printable characters, 253 characters at most, no dot at the end.
pub(super) fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| matches!(label.len(), 1..=63) && label.bytes().all(|byte| byte.is_ascii_graphic());
    text.len() <= 253 && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_uris_of_certificates_are_told_from_other_text() {
        for uri in [
            "https://example.com",
            "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main",
            "spiffe://cluster.local/ns/default/sa/default",
            "http://user@host:8080/a?b=c#d",
            "http://[2001:db8::1]:80/",
            "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
            "mailto:a@example.com",
            "file:///etc/passwd",
            "ldap:///CN=a%20b,DC=c?certificateRevocationList?base",
        ] {
            assert!(is_absolute(uri.as_bytes()), "{uri}");
        }
        for text in [
            "",
            "x",
            "//host/a",
            "/a",
            ":a",
            "1a:b",
            "a b:c",
            "http:",
            "http://a b/",
            "http://a/%",
            "http://a/%4",
            "http://a/%zz",
            "http://a..b/",
            "http://.a/",
            "http://a./",
            "http://a:8x/",
            "http://[::1/",
            "http://[x]/",
            "http://a/\u{1}",
            "http://a/\u{e4}",
            "http://%41/",
            "http://a\\b/",
        ] {
            assert!(!is_absolute(text.as_bytes()), "{text:?}");
        }
        assert!(!is_absolute(b"http://\xff/"));
    }
}
