//! References to artifacts: `host[:port]/path[:tag][@digest]`.
//!
//! Follows the OCI distribution specification (*Pulling manifests*) for repository names and tags, and the Notary
//! Project's *trust-store-trust-policy*, Registry Scopes Constraints, for what a repository is called in a trust
//! policy: the text before tag and digest, exactly as written. Nothing is expanded: `docker.io/x` stays that. Refused are
//! references without a host, as Docker's short names are, and hosts in another form than the one that a policy would name.

mod host;

use std::fmt;
use std::str::FromStr;

use crate::digest::{Digest, DigestError};

pub use host::{is_host, normal_form};

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
    /// `user@host/…`, characters that no host has, or an invalid port.
    #[error("{0:?} is not a registry host: expected a name or address and, if need be, :port (1 to 65535)")]
    Host(String),
    /// A host that is another spelling of a host: capitals, an address in another notation, a port with zeros before it.
    #[error("{written:?} is another spelling of the host {normal}: write {normal}, since trust policies compare text")]
    HostForm {
        /// The host as it was written.
        written: String,
        /// How it is to be written.
        normal: String,
    },
    /// A name that Docker would look for on Docker Hub.
    #[error("a reference starts with the registry's host: {full} is what Docker means by {written}")]
    ShortName {
        /// What was written: a name without a host.
        written: String,
        /// What it would be in full.
        full: String,
    },
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
        let form = check_host(host);
        if is_host(host) && !is_path(path) {
            return Err(ReferenceError::Path(path.to_owned()));
        }
        form.map(|()| Repository { host: host.to_owned(), path: path.to_owned() })
    }

    /// The registry's host with its port, as written.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The repository's name inside the registry.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether it lies below `other`, as `host/a/b` does below `host/a`.
    pub fn is_below(&self, other: &Repository) -> bool {
        self.host == other.host && self.path.starts_with(&other.below_it())
    }

    /// What the paths of all repositories below it begin with.
    pub fn below_it(&self) -> String {
        format!("{}/", self.path)
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
        let Some((host, path)) = text.split_once('/') else { return Err(without_host(text)) };
        Repository::new(host, path)
    }
}

/// Checks that `text` is a host, in the one form in which it is taken.
///
/// # Errors
/// [`ReferenceError::HostForm`] if the host has to be written in another form; another error if `text` is not a host.
pub fn check_host(text: &str) -> Result<(), ReferenceError> {
    match normal_form(text) {
        _ if text.is_empty() => Err(ReferenceError::HostMissing),
        Some(normal) if normal == text => Ok(()),
        Some(normal) => Err(ReferenceError::HostForm { written: text.to_owned(), normal }),
        None => Err(ReferenceError::Host(text.to_owned())),
    }
}

/// Why `text`, in which no slash ends a host, is no reference: it may be one of Docker's short names.
pub fn without_host(text: &str) -> ReferenceError {
    let name = text.split([':', '@']).next().unwrap_or(text);
    let path = format!("library/{text}");
    let is_name = host::is_short(name) && format!("docker.io/{path}").parse::<Reference>().is_ok();
    if is_name { short_name(text, &path) } else { ReferenceError::HostMissing }
}

impl Reference {
    /// Refuses what Docker would look for on Docker Hub, `library/nginx`, where a registry is to be asked. (In layouts and
    /// in policies such names are taken: notation calls a layout's repository `local/app`.)
    ///
    /// # Errors
    /// [`ReferenceError::ShortName`].
    pub fn check_registry(&self) -> Result<(), ReferenceError> {
        let written = self.to_string();
        if host::is_short(self.repository.host()) { Err(short_name(&written, &written)) } else { Ok(()) }
    }
}

fn short_name(written: &str, path: &str) -> ReferenceError {
    ReferenceError::ShortName { written: written.to_owned(), full: format!("docker.io/{path}") }
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
        let Some((host, rest)) = text.split_once('/') else { return Err(without_host(text)) };
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
    fn hosts_are_taken_in_one_form_and_the_refusal_says_which() {
        for (text, normal) in [
            ("LOCALHOST:5000/app:v1", "localhost:5000"),
            ("127.1:5000/app", "127.0.0.1:5000"),
            ("0x7f.1/app", "127.0.0.1"),
            ("a.io:018493/app", "a.io:18493"),
            ("a.io./app", "a.io"),
            ("[0:0:0:0:0:0:0:1]:5000/app", "[::1]:5000"),
            ("b\u{fc}cher.io/app", "xn--bcher-kva.io"),
        ] {
            let expected = Err(ReferenceError::HostForm {
                written: text.split_once('/').unwrap().0.to_owned(),
                normal: normal.to_owned(),
            });
            assert_eq!(text.parse::<Reference>(), expected);
            assert_eq!(text.replace(":v1", "").parse::<Repository>().map(|_| ()), expected.map(|_| ()));
            assert_eq!(format!("{normal}/app").parse::<Repository>().unwrap().host(), normal);
        }
        // Policies name these ports; what is the same without them is not for text to know.
        for text in ["a.io:443/app", "a.io:80/app"] {
            assert_eq!(text.parse::<Repository>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn short_names_are_answered_with_the_name_in_full() {
        for (text, full) in [
            ("nginx", "docker.io/library/nginx"),
            ("nginx:1", "docker.io/library/nginx:1"),
            ("nginx:1.27-alpine", "docker.io/library/nginx:1.27-alpine"),
            ("library/nginx", "docker.io/library/nginx"),
            ("library/nginx:1", "docker.io/library/nginx:1"),
            ("grafana/grafana:11", "docker.io/grafana/grafana:11"),
            ("a/b/c", "docker.io/a/b/c"),
        ] {
            let expected = ReferenceError::ShortName { written: text.to_owned(), full: full.to_owned() };
            let found = text.parse::<Reference>().and_then(|reference| reference.check_registry());
            assert_eq!(found, Err(expected));
            assert!(full.parse::<Reference>().unwrap().check_registry().is_ok());
        }
        for text in ["registry:5000/app", "localhost/app", "registry.local/app", "10.0.0.1/app"] {
            assert!(text.parse::<Reference>().unwrap().check_registry().is_ok(), "{text}");
        }
        // notation's name for a layout's repository.
        assert!("local/app".parse::<Repository>().is_ok());
        for text in ["", "Nginx", ":1", "a b", "a/B", "@sha256:00", "registry.io", "localhost:5000"] {
            let error = text.parse::<Reference>().unwrap_err();
            assert!(!matches!(error, ReferenceError::ShortName { .. }), "{text:?}: {error}");
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
