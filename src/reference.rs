//! References to artifacts: `host[:port]/path[:tag][@digest]`.
//!
//! Follows the OCI distribution specification (*Pulling manifests*) for repository names and tags, and the Notary
//! Project's *trust-store-trust-policy*, Registry Scopes Constraints, for what a repository is called in a trust
//! policy: the text before tag and digest, exactly as written. Nothing is expanded: `docker.io/x` stays that, and a
//! reference without a host is refused.

use std::fmt;
use std::str::FromStr;

use crate::digest::{Digest, DigestError};

/// The longest tag that the OCI distribution specification allows, in characters.
const TAG_LENGTH: usize = 128;

/// The longest reference taken, in bytes; long enough for host, 255 characters of path, tag and a SHA-512 digest.
const REFERENCE_LENGTH: usize = 1024;

/// A repository in a registry, spelled as the user spelled it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Repository {
    host: String,
    path: String,
}

/// An artifact in a repository: by tag, by digest, or by both, where the digest decides.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference {
    /// Where it is.
    pub repository: Repository,
    /// The tag, when one was written.
    pub tag: Option<String>,
    /// The digest, when one was written.
    pub digest: Option<Digest>,
}

/// Why a text is not a reference. Each says what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// `https://…`.
    #[error("a reference has no scheme: write host/repository, and --plain-http where the registry has no TLS")]
    Scheme,
    /// No host before the first slash.
    #[error("a reference starts with the registry's host: host/repository:tag or host/repository@sha256:…")]
    HostMissing,
    /// `user@host/…`, characters that no host has, or a port that is none.
    #[error("{0:?} is not a registry host: expected a name or address and, if need be, :port (1 to 65535)")]
    Host(String),
    /// The path breaks the grammar of repository names.
    #[error(
        "{0:?} is not a repository name: expected lower-case letters, digits and single . _ - between them, parts divided by /"
    )]
    Path(String),
    /// The tag breaks the grammar.
    #[error("{0:?} is not a tag: expected up to 128 letters, digits, _ . -, not starting with . or -")]
    Tag(String),
    /// The digest breaks the grammar.
    #[error("{0}")]
    Digest(#[from] DigestError),
    /// Longer than any reference can be.
    #[error("the reference is longer than {REFERENCE_LENGTH} bytes")]
    Length,
}

impl Repository {
    /// A repository of `host` (with its port) called `path`.
    pub fn new(host: &str, path: &str) -> Result<Repository, ReferenceError> {
        if host.is_empty() {
            return Err(ReferenceError::HostMissing);
        }
        if !is_host(host) {
            return Err(ReferenceError::Host(host.to_owned()));
        }
        if !is_path(path) {
            return Err(ReferenceError::Path(path.to_owned()));
        }
        Ok(Repository { host: host.to_owned(), path: path.to_owned() })
    }

    /// The registry's host with its port, as written.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The repository's name inside the registry.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The same repository's artifact with this digest.
    pub fn at(&self, digest: Digest) -> Reference {
        Reference { repository: self.clone(), tag: None, digest: Some(digest) }
    }

    /// The same repository's artifact with this tag.
    pub fn tagged(&self, tag: &str) -> Result<Reference, ReferenceError> {
        if !is_tag(tag) {
            return Err(ReferenceError::Tag(tag.to_owned()));
        }
        Ok(Reference { repository: self.clone(), tag: Some(tag.to_owned()), digest: None })
    }
}

impl FromStr for Repository {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Repository, ReferenceError> {
        if text.contains("://") {
            return Err(ReferenceError::Scheme);
        }
        let (host, path) = text.split_once('/').ok_or(ReferenceError::HostMissing)?;
        Repository::new(host, path)
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.path)
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Reference, ReferenceError> {
        if text.len() > REFERENCE_LENGTH {
            return Err(ReferenceError::Length);
        }
        if text.contains("://") {
            return Err(ReferenceError::Scheme);
        }
        let (host, rest) = text.split_once('/').ok_or(ReferenceError::HostMissing)?;
        let (rest, digest) = match rest.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse()?)),
            None => (rest, None),
        };
        let (path, tag) = match rest.split_once(':') {
            Some((path, tag)) => (path, Some(tag)),
            None => (rest, None),
        };
        if let Some(tag) = tag.filter(|tag| !is_tag(tag)) {
            return Err(ReferenceError::Tag(tag.to_owned()));
        }
        Ok(Reference { repository: Repository::new(host, path)?, tag: tag.map(str::to_owned), digest })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// Whether `text` is a host name, an IPv4 address or an IPv6 address in brackets, with or without a port.
pub fn is_host(text: &str) -> bool {
    let (name, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, rest)) => {
                let port = rest.strip_prefix(':');
                return address.parse::<std::net::Ipv6Addr>().is_ok() && (rest.is_empty() || port.is_some_and(is_port));
            }
            None => return false,
        },
        None => match text.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (text, None),
        },
    };
    let label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.split('.').all(label) && port.is_none_or(is_port)
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|port| port > 0)
}

/// Whether `text` is a repository name: parts of lower-case letters and digits, joined inside by `.`, `_`, `__` or
/// any number of `-`, divided by `/`.
pub fn is_path(text: &str) -> bool {
    text.len() <= 255 && text.split('/').all(is_path_part)
}

fn is_path_part(part: &str) -> bool {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = part.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return false };
    if !alphanumeric(*first) || !alphanumeric(*last) {
        return false;
    }
    bytes
        .split(|b| alphanumeric(*b))
        .all(|joint| matches!(joint, b"" | b"." | b"_" | b"__") || joint.iter().all(|b| *b == b'-'))
}

/// Whether `text` is a tag by the OCI distribution specification.
pub fn is_tag(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    text.len() <= TAG_LENGTH
        && text.bytes().next().is_some_and(word)
        && text.bytes().all(|b| word(b) || b == b'.' || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_references_apart_and_puts_them_together() {
        let digest = Digest::sha256(b"x");
        for text in [
            "localhost:5000/net-monitor:v1".to_owned(),
            "registry.acme-rockets.io/software/net-monitor".to_owned(),
            "[::1]:5000/a__b/c---d:V1_2.3-4".to_owned(),
            format!("127.0.0.1:5601/interop/jws:v1@{digest}"),
            format!("a.io/b@{digest}"),
        ] {
            let reference: Reference = text.parse().unwrap();
            assert_eq!(reference.to_string(), text);
        }
    }

    #[test]
    fn refuses_what_is_no_reference() {
        for text in [
            "",
            "net-monitor",
            "/b",
            "https://a.io/b",
            "user@a.io/b",
            "a.io/B",
            "a.io/b/",
            "a.io//b",
            "a.io/b..c",
            "a.io/b___c",
            "a.io/-b",
            "a.io:0/b",
            "a.io:99999/b",
            "a.io:+1/b",
            "a_b.io/c",
            "a.io/b:",
            "a.io/b:.x",
            "a.io/b:a b",
            "a.io/b@sha256:00",
            "[::1/b",
            "[x]:1/b",
            "a.io/../b",
            "a.io/b:v1@",
            "\u{430}.io/b",
        ] {
            assert!(text.parse::<Reference>().is_err(), "{text:?} was taken for a reference");
        }
    }
}
