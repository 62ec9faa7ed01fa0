//! What a registry asks for when it answers 401 (RFC 9110, section 11.6.1; *Docker Registry v2 authentication via
//! central service*).
//!
//! The token server that it names gets the user's credentials, and the token comes back to the registry. So a token
//! server without TLS is refused unless it is on the same host as a registry without TLS, one on this machine unless the
//! registry is on it, and no token is asked for that
//! could do more than read, but for a request that writes.

use http_auth::ChallengeParser;
use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};
use url::Url;

use crate::failure::quote;
use crate::reference::is_path;

use crate::address::{is_loopback, is_of_this_network};

/// The longest challenge looked at, in bytes.
const CHALLENGE_BYTES: usize = 8 << 10;

/// What a request is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Scope {
    /// To list repositories.
    Catalog,
    /// To read this repository.
    Repository(String),
    /// To write to this repository, and to read it.
    Push(String),
    /// To delete from this repository, and to read it.
    Delete(String),
}

impl Scope {
    /// The scope in the words of token servers.
    fn words(&self) -> String {
        match self {
            Scope::Catalog => "registry:catalog:*".to_owned(),
            Scope::Repository(path) => format!("repository:{path}:pull"),
            Scope::Push(path) => format!("repository:{path}:pull,push"),
            Scope::Delete(path) => format!("repository:{path}:pull,push,delete"),
        }
    }
}

/// A challenge that can be met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// User and password with every request.
    Basic,
    /// A token from this address, with what to ask it for.
    Bearer { realm: Url, service: Option<String>, scopes: Vec<String> },
}

/// The challenge to meet: a token where one is offered. The error goes on after "the answer to … ".
pub(super) fn read(headers: &HeaderMap, registry: &Url, scope: &Scope) -> Result<Challenge, String> {
    let values: Vec<_> = headers.get_all(WWW_AUTHENTICATE).iter().collect();
    if values.iter().map(|value| value.len()).sum::<usize>() > CHALLENGE_BYTES {
        return Err(format!("has a challenge of more than {CHALLENGE_BYTES} bytes"));
    }
    let mut basic = false;
    for value in values {
        let text = value.to_str().map_err(|_| "has a challenge that is not text".to_owned())?;
        for challenge in ChallengeParser::new(text) {
            let challenge = challenge.map_err(|_| format!("has the malformed challenge {}", quote(text)))?;
            let parameter = |name: &str| {
                challenge
                    .params
                    .iter()
                    .find(|(known, _)| known.eq_ignore_ascii_case(name))
                    .map(|(_, v)| v.to_unescaped())
            };
            if challenge.scheme.eq_ignore_ascii_case("bearer") {
                let realm = realm(&parameter("realm").unwrap_or_default(), registry)?;
                let scopes = scopes(&parameter("scope").unwrap_or_default(), scope);
                return Ok(Challenge::Bearer { realm, service: parameter("service"), scopes });
            }
            basic |= challenge.scheme.eq_ignore_ascii_case("basic");
        }
    }
    if basic { Ok(Challenge::Basic) } else { Err("asks for neither a token nor a password".to_owned()) }
}

/// The token server's address, if credentials may go there.
fn realm(text: &str, registry: &Url) -> Result<Url, String> {
    let refused = |why: &str| {
        let shown = text.split(['?', '#']).next().unwrap_or_default();
        format!("names the token server {}, {why}", quote(shown))
    };
    let realm = Url::parse(text).map_err(|_| refused("which is not a valid URL"))?;
    if !realm.username().is_empty() || realm.password().is_some() {
        return Err(refused("which has credentials in it"));
    }
    let both_here = is_loopback(&realm) && is_loopback(registry);
    if realm.host() != registry.host() && is_of_this_network(&realm) && !both_here {
        return Err(refused("an address that means another host on every machine"));
    }
    match realm.scheme() {
        "https" => Ok(realm),
        "http" if registry.scheme() != "http" => Err(refused("which would give up TLS")),
        "http" if realm.host() == registry.host() || both_here => Ok(realm),
        "http" => Err(refused("another host without TLS")),
        _ => Err(refused("which is not HTTP")),
    }
}

/// What to ask the token server for: what the registry names as needed, cut to reading, or else what is needed by the
/// specification. To write, that alone is asked for: no registry can have a token made that writes elsewhere.
fn scopes(named: &str, needed: &Scope) -> Vec<String> {
    if matches!(needed, Scope::Push(_) | Scope::Delete(_)) {
        return vec![needed.words()];
    }
    let mut scopes: Vec<String> = named.split(' ').filter_map(|text| reading(text, needed)).take(8).collect();
    if scopes.is_empty() {
        scopes.push(needed.words());
    }
    scopes
}

fn reading(text: &str, needed: &Scope) -> Option<String> {
    if *needed == Scope::Catalog && text == needed.words() {
        return Some(text.to_owned());
    }
    let (path, actions) = text.strip_prefix("repository:")?.rsplit_once(':')?;
    let actions: Vec<_> = actions.split(',').filter(|action| matches!(*action, "pull" | "metadata_read")).collect();
    (is_path(path) && !actions.is_empty()).then(|| format!("repository:{path}:{}", actions.join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_one(value: &str, registry: &str) -> Result<Challenge, String> {
        let headers = HeaderMap::from_iter([(WWW_AUTHENTICATE, value.parse().unwrap())]);
        read(&headers, &Url::parse(registry).unwrap(), &Scope::Repository("team/app".to_owned()))
    }

    fn realm_of(value: &str, registry: &str) -> Option<String> {
        match read_one(&format!("Bearer realm=\"{value}\""), registry) {
            Ok(Challenge::Bearer { realm, .. }) => Some(realm.into()),
            _ => None,
        }
    }

    #[test]
    fn reads_what_registries_ask_for() {
        let bearer = |realm: &str, service: Option<&str>, scope: &str| {
            Ok(Challenge::Bearer {
                realm: Url::parse(realm).unwrap(),
                service: service.map(str::to_owned),
                scopes: vec![scope.to_owned()],
            })
        };
        let hub = "bearer realm=\"https://auth.io/token\",service=\"reg\",scope=\"repository:team/app:pull\"";
        assert_eq!(
            read_one(hub, "https://a.io"),
            bearer("https://auth.io/token", Some("reg"), "repository:team/app:pull")
        );
        let both = "Basic realm=\"x\", Bearer realm=\"https://a.io/t\"";
        assert_eq!(read_one(both, "https://a.io"), bearer("https://a.io/t", None, "repository:team/app:pull"));
        assert_eq!(read_one("Basic realm=\"x\"", "https://a.io"), Ok(Challenge::Basic));
    }

    #[test]
    fn a18_credentials_go_to_no_foreign_server_without_tls() {
        for (realm, registry, expected) in [
            ("https://auth.io/token", "https://a.io", true),
            ("https://auth.io/token", "http://localhost:5000", true),
            ("http://localhost:5001/token", "http://localhost:5000", true),
            ("http://127.0.0.1:5001/token", "http://localhost:5000", true),
            ("http://registry:5001/token", "http://registry:5000", true),
            ("http://a.io/token", "https://a.io", false),
            ("http://auth.io/token", "http://localhost:5000", false),
            ("http://auth.io/token", "http://registry:5000", false),
            ("http://localhost:5001/token", "http://registry:5000", false),
            ("https://localhost:5001/token", "https://a.io", false),
            ("https://169.254.169.254/token", "https://a.io", false),
            ("https://169.254.169.254/token", "http://localhost:5000", false),
            ("https://[::ffff:7f00:1]/token", "https://a.io", false),
            ("https://localhost:5001/token", "http://localhost:5000", true),
            ("https://10.0.0.7/token", "https://a.io", true),
            ("https://user:pw@auth.io/token", "https://a.io", false),
            ("file:///etc/passwd", "https://a.io", false),
            ("/token", "https://a.io", false),
            ("", "https://a.io", false),
        ] {
            assert_eq!(realm_of(realm, registry).is_some(), expected, "{realm} named by {registry}");
        }
    }

    #[test]
    fn a18_hostile_challenges_are_refused_in_words() {
        let long = format!("Bearer realm=\"https://a.io/{}\"", "x".repeat(100 << 10));
        for value in [
            "Bearer realm=\"https://a.io/token",
            "Bearer realm=\"https://a.io/token\\",
            "Bearer",
            "Bearer realm",
            "Bearer realm=",
            "realm=\"https://a.io/token\"",
            ",,,",
            "",
            "Negotiate",
            "Digest realm=\"x\", nonce=\"y\"",
            long.as_str(),
        ] {
            let refusal = read_one(value, "https://a.io").unwrap_err();
            assert!(refusal.len() < 1000, "{refusal}");
        }
    }

    #[test]
    fn a18_no_token_is_asked_for_that_could_do_more_than_read() {
        let needed = Scope::Repository("team/app".to_owned());
        for (named, expected) in [
            ("repository:team/app:pull", "repository:team/app:pull"),
            ("repository:team/app:pull,push,delete", "repository:team/app:pull"),
            ("repository:team/app:metadata_read", "repository:team/app:metadata_read"),
            ("repository:team/app:*", "repository:team/app:pull"),
            ("registry:catalog:*", "repository:team/app:pull"),
            ("repository:../x:pull", "repository:team/app:pull"),
            ("repository:x&service=y:pull", "repository:team/app:pull"),
            ("", "repository:team/app:pull"),
        ] {
            assert_eq!(scopes(named, &needed), [expected], "{named}");
        }
        assert_eq!(scopes("registry:catalog:*", &Scope::Catalog), ["registry:catalog:*"]);
        for named in ["", "repository:other:pull,push", "repository:team/app:*", "registry:catalog:*"] {
            assert_eq!(
                scopes(named, &Scope::Push("team/app".to_owned())),
                ["repository:team/app:pull,push"],
                "{named}"
            );
        }
        assert_eq!(scopes("registry:catalog:* repository:a:pull", &Scope::Catalog).len(), 2);
        assert_eq!(scopes(&"repository:a:pull ".repeat(1000), &needed).len(), 8);
    }
}
