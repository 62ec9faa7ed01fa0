//! Scopes that are nearly a repository: the same one to the network, and another to a comparison of texts.
//!
//! *trust-store-trust-policy*, Registry Scopes Constraints, compares scopes as text. Then `docker.io/library/app` is not
//! covered by a strict statement for `index.docker.io/library/app`, and would be judged by the statement for `*`, which may
//! enforce nothing. So a repository that a statement names in another spelling gets no statement at all, and is told which
//! spelling the policy has. Nothing is expanded: a scope never covers more than its own text.

use std::collections::HashMap;
use std::net::IpAddr;

use super::scope::GLOBAL;
use crate::reference::normal_form;

/// What Docker Hub is called; content of one lies under every other.
const DOCKER_HUB: [&str; 4] = ["docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"];

/// The scopes of a document by the place that they mean.
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    scopes: HashMap<String, String>,
}

impl Places {
    /// The places of `scopes`; of several scopes for one place the first is kept.
    pub(super) fn of<'a>(scopes: impl Iterator<Item = &'a String>) -> Places {
        let mut places = Places::default();
        for scope in scopes.filter(|scope| *scope != GLOBAL) {
            places.scopes.entry(place(scope)).or_insert_with(|| scope.clone());
        }
        places
    }

    /// The scope that means `repository` in other words than its own.
    pub(super) fn near(&self, repository: &str) -> Option<&str> {
        self.scopes.get(&place(repository)).map(String::as_str).filter(|scope| *scope != repository)
    }

    /// The scope that names a part of the path of `repository`, which covers nothing below it.
    pub(super) fn above(&self, repository: &str) -> Option<&str> {
        let place = place(repository);
        let ends = place.rmatch_indices('/').map(|(end, _)| end);
        ends.map_while(|end| place.get(..end)).find_map(|above| self.scopes.get(above)).map(String::as_str)
    }
}

/// Where a repository lies: the same text for all spellings of one place.
fn place(repository: &str) -> String {
    let (host, path) = repository.split_once('/').unwrap_or((repository, ""));
    let host = normal_form(host).unwrap_or_else(|| host.to_ascii_lowercase());
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (host.as_str(), None),
    };
    let port = port.filter(|port| !matches!(*port, "443" | "80")).map(|port| format!(":{port}")).unwrap_or_default();
    let path = path.trim_end_matches('/').to_ascii_lowercase();
    match name {
        // What Docker would look for there.
        _ if !name.contains('.') && port.is_empty() && name != "localhost" && !name.starts_with('[') => {
            format!("{}/{name}/{path}", DOCKER_HUB[0])
        }
        _ if DOCKER_HUB.contains(&name) && port.is_empty() => {
            let official = if path.contains('/') { "" } else { "library/" };
            format!("{}/{official}{path}", DOCKER_HUB[0])
        }
        _ if is_this_machine(name) => format!("localhost{port}/{path}"),
        _ => format!("{name}{port}/{path}"),
    }
}

/// Whether a host is this machine: `localhost` and what is below it (RFC 6761, section 6.3), every loopback address, and
/// the unspecified one, which connects to this machine where it connects at all.
fn is_this_machine(name: &str) -> bool {
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    match address.parse::<IpAddr>() {
        Ok(address) => address.is_loopback() || address.is_unspecified(),
        Err(_) => name == "localhost" || name.ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_place_are_near_and_others_are_not() {
        for (scope, repository, near) in [
            ("index.docker.io/library/app", "docker.io/library/app", true),
            ("docker.io/library/app", "registry-1.docker.io/library/app", true),
            ("docker.io/app", "index.docker.io/library/app", true),
            ("docker.io/library/app", "library/app", true),
            ("team/app", "index.docker.io/team/app", true),
            ("team/app", "team.io/app", false),
            ("docker.io/localhost/app", "localhost/app", false),
            ("docker.io/library/app", "docker.io:443/app", true),
            ("registry.io:443/team/app", "registry.io/team/app", true),
            ("registry.io/team/app", "registry.io:80/team/app", true),
            ("Registry.IO/team/app", "registry.io/team/app", true),
            ("registry.io:05000/team/app", "registry.io:5000/team/app", true),
            ("LOCALHOST:5000/app", "localhost:5000/app", true),
            ("localhost:5000/app", "127.0.0.1:5000/app", true),
            ("127.1:5000/app", "[::1]:5000/app", true),
            ("localhost:5000/app", "127.0.0.2:5000/app", true),
            ("localhost:5000/app", "0.0.0.0:5000/app", true),
            ("localhost:5000/app", "[::]:5000/app", true),
            ("127.0.0.1:5000/app", "registry.localhost:5000/app", true),
            ("localhost:5000/app", "localhost.io:5000/app", false),
            ("localhost:5000/app", "10.0.0.1:5000/app", false),
            ("registry.io/team/app", "registry.io/team/app", false),
            ("registry.io/team/app", "registry.io/team/app2", false),
            ("registry.io/team/app", "registry.io/team", false),
            ("registry.io/team/app", "registry.io/team/app/more", false),
            ("registry.io:5000/app", "registry.io/app", false),
            ("registry.io/app", "registry.io/library/app", false),
            ("docker.io/team/app", "docker.io/library/team/app", false),
            ("docker.io/app", "docker.io.evil.io/app", false),
            ("*", "registry.io/app", false),
        ] {
            let places = Places::of([scope.to_owned()].iter());
            assert_eq!(places.near(repository), near.then_some(scope), "{scope} and {repository}");
        }
    }

    #[test]
    fn what_lies_above_is_found() {
        let places = Places::of(["registry.io/team".to_owned(), "docker.io/library".to_owned()].iter());
        assert_eq!(places.above("registry.io/team/app"), Some("registry.io/team"));
        assert_eq!(places.above("registry.io/team/app/more"), Some("registry.io/team"));
        assert_eq!(places.above("registry.io/teams/app"), None);
        assert_eq!(places.above("registry.io/team"), None);
    }
}
