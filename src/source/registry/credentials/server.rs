//! Which registry a key of a file of credentials means.
//!
//! docker's `config.json` has keys like `HOST`, `https://HOST/v1/` and `HOST/v2/`, of which docker compares the host alone
//! (*docker/cli*, `cli/config/credentials`). podman's `auth.json` has `HOST/NAMESPACE` besides, whose credentials are for the
//! repositories below it (*containers-auth.json*). One server has several names: with the protocol's usual port and without it,
//! and on Docker Hub those that it had over the years. A key that means another server is passed over.

/// What docker and its helpers call Docker Hub, ever since.
const HUB: &str = "https://index.docker.io/v1/";
/// What references, podman and the registry itself call it.
const HUB_NAMES: [&str; 4] = ["docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"];

/// A registry whose credentials are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::source::registry) struct Server {
    /// The host as references write it.
    host: String,
    /// The same host without the port, or with it, where the port is the protocol's usual one; names of Docker Hub.
    others: Vec<String>,
}

/// How well a key names a server and a repository in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fit {
    /// How many bytes of the repository's path the key names: the longest decides.
    namespace: usize,
    /// The host as it is written in references comes before its other names.
    as_written: bool,
    /// A key that is nothing but the host comes before one with `https://` or `/v1/`.
    bare: bool,
}

impl Server {
    /// The server at `host`, where `usual_port` is the one that may be left out.
    pub(in crate::source::registry) fn new(host: &str, usual_port: u16) -> Server {
        let usual = format!(":{usual_port}");
        let name = host.strip_suffix(&usual).unwrap_or(host);
        let others = if HUB_NAMES.contains(&name) {
            HUB_NAMES.iter().flat_map(|name| [(*name).to_owned(), format!("{name}:443")]).collect()
        } else if name != host {
            vec![name.to_owned()]
        } else if has_port(host) {
            Vec::new()
        } else {
            vec![format!("{host}{usual}")]
        };
        Server { host: host.to_owned(), others }
    }

    /// All its names, the written one first.
    pub(in crate::source::registry) fn names(&self) -> impl Iterator<Item = &str> {
        [&self.host].into_iter().chain(self.others.iter().filter(|name| **name != self.host)).map(String::as_str)
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// What a helper is asked for, one name after the other.
    pub(super) fn names_for_helpers(&self) -> Vec<String> {
        if self.others.iter().any(|name| name == HUB_NAMES[0]) {
            return vec![HUB.to_owned(), HUB_NAMES[0].to_owned()];
        }
        self.names().map(str::to_owned).collect()
    }

    /// The namespace that `key` is for: empty for the whole server. `None`: the key is another server's.
    pub(super) fn namespace<'a>(&self, key: &'a str) -> Option<&'a str> {
        let (host, namespace) = parts(key);
        let known = |name: &String| name.eq_ignore_ascii_case(host);
        (known(&self.host) || self.others.iter().any(known)).then_some(namespace)
    }

    /// How well `key` names the repository at `path`, or, without one, what belongs to no repository. `None`: not at all.
    pub(super) fn fit(&self, key: &str, path: Option<&str>) -> Option<Fit> {
        let namespace = self.namespace(key)?;
        if !is_within(path.unwrap_or_default(), namespace) {
            return None;
        }
        let as_written = parts(key).0.eq_ignore_ascii_case(&self.host);
        let bare = key.len() == parts(key).0.len() + if namespace.is_empty() { 0 } else { namespace.len() + 1 };
        Some(Fit { namespace: namespace.len(), as_written, bare })
    }
}

/// Whether the repository at `path` is `namespace` or lies below it.
pub(in crate::source::registry) fn is_within(path: &str, namespace: &str) -> bool {
    namespace.is_empty() || path.strip_prefix(namespace).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Host and namespace of a key. What begins with a scheme, and what ends in a version of the API, has no namespace.
fn parts(key: &str) -> (&str, &str) {
    let bare = ["https://", "http://"].into_iter().find_map(|scheme| key.strip_prefix(scheme));
    let (host, path) = bare.unwrap_or(key).split_once('/').unwrap_or((bare.unwrap_or(key), ""));
    match path.trim_end_matches('/') {
        _ if bare.is_some() => (host, ""),
        "v1" | "v2" => (host, ""),
        namespace => (host, namespace),
    }
}

fn has_port(host: &str) -> bool {
    host.rsplit(']').next().is_some_and(|behind| behind.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r16_keys_are_those_of_docker_and_podman() {
        let server = Server::new("a.io:5000", 443);
        for key in ["a.io:5000", "A.io:5000", "https://a.io:5000", "http://a.io:5000", "https://a.io:5000/"] {
            assert_eq!(server.namespace(key), Some(""), "{key}");
        }
        for key in ["https://a.io:5000/v1/", "https://a.io:5000/v2/", "a.io:5000/", "a.io:5000/v1/", "a.io:5000/v2"] {
            assert_eq!(server.namespace(key), Some(""), "{key}");
        }
        assert_eq!(server.namespace("a.io:5000/team/app"), Some("team/app"));
        assert_eq!(server.namespace("a.io:5000/team/"), Some("team"));
        for key in ["a.io", "a.io:443", "b.io:5000", "xa.io:5000", "", "https://", "a.io:5000.evil.io", "a.io:50001"] {
            assert_eq!(server.namespace(key), None, "{key}");
        }
    }

    #[test]
    fn r16_the_longest_namespace_and_the_plainest_key_come_first() {
        let server = Server::new("a.io", 443);
        let mut keys = ["https://a.io/v1/", "a.io/team", "a.io:443", "a.io/team/app", "a.io", "a.io/te"];
        keys.sort_by_key(|key| std::cmp::Reverse(server.fit(key, Some("team/app"))));
        assert_eq!(keys[..5], ["a.io/team/app", "a.io/team", "a.io", "https://a.io/v1/", "a.io:443"]);
        assert_eq!(server.fit("a.io/te", Some("team/app")), None);
        assert_eq!(server.fit("a.io/team", None), None, "a catalog is in no namespace");
        assert!(server.fit("a.io", None).is_some());
    }

    #[test]
    fn r61_the_usual_port_may_be_left_out_on_either_side() {
        for (host, port, key, expected) in [
            ("a.io", 443, "a.io:443", true),
            ("a.io:443", 443, "a.io", true),
            ("a.io:443", 443, "https://a.io/v2/", true),
            ("a.io", 80, "a.io:80", true),
            ("a.io", 443, "a.io:80", false),
            ("a.io:80", 443, "a.io", false),
            ("[::1]", 443, "[::1]:443", true),
            ("[::1]:443", 443, "[::1]", true),
            ("docker.io", 443, "https://index.docker.io/v1/", true),
            ("registry-1.docker.io:443", 443, "https://index.docker.io/v1/", true),
            ("docker.io", 443, "registry-1.docker.io", true),
            ("docker.io", 443, "index.docker.io.evil.io", false),
            ("docker.io:5000", 443, "docker.io", false),
        ] {
            assert_eq!(Server::new(host, port).namespace(key).is_some(), expected, "{host} and {key}");
        }
    }

    #[test]
    fn helpers_are_asked_for_the_names_that_login_stores() {
        assert_eq!(Server::new("a.io", 443).names_for_helpers(), ["a.io", "a.io:443"]);
        assert_eq!(Server::new("a.io:5000", 443).names_for_helpers(), ["a.io:5000"]);
        assert_eq!(Server::new("docker.io", 443).names_for_helpers(), [HUB, "docker.io"]);
    }
}
