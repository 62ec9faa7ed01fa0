//! What a registry asks for when it answers 401 (RFC 9110, section 11.6.1; *Docker Registry v2 authentication via
//! central service*).
//!
//! The token server that it names gets the user's credentials, and the token comes back to the registry. So a token
//! server without TLS is refused unless it is on the same host as a registry without TLS, one on this machine unless the
//! registry is on it, and no token is asked for that
//! could do more than read, but for a request that writes.

use http_auth::ChallengeParser;
use reqwest::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use url::Url;

use crate::failure::quote;
use crate::reference::is_path;

use crate::address::{is_loopback, is_of_this_network};

/// The longest challenge looked at, in bytes.
const CHALLENGE_BYTES: usize = 8 << 10;
/// How many headers with challenges are looked at.
const CHALLENGES: usize = 16;

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

/// The challenge to meet: a token where one is offered. One that cannot be read or must not be met does not hide another. The
/// error goes on after "the answer to … ".
pub(super) fn read(headers: &HeaderMap, registry: &Url, scope: &Scope) -> Result<Challenge, String> {
    let mut basic = false;
    let mut refused = None;
    for value in headers.get_all(WWW_AUTHENTICATE).iter().take(CHALLENGES) {
        match of_one(value, registry, scope) {
            Ok(Some(Challenge::Basic)) => basic = true,
            Ok(Some(challenge)) => return Ok(challenge),
            Ok(None) => {}
            Err((why, beside)) => {
                basic |= beside;
                refused = refused.or(Some(why));
            }
        }
    }
    match refused {
        _ if basic => Ok(Challenge::Basic),
        Some(why) => Err(why),
        None => Err("asks for neither a token nor a password".to_owned()),
    }
}

/// The challenge of one header. The error says besides whether a password would do as well.
fn of_one(value: &HeaderValue, registry: &Url, scope: &Scope) -> Result<Option<Challenge>, (String, bool)> {
    if value.len() > CHALLENGE_BYTES {
        return Err((format!("has a challenge of more than {CHALLENGE_BYTES} bytes"), false));
    }
    let text = value.to_str().map_err(|_| ("has a challenge that is not text".to_owned(), false))?;
    if let Some(parameters) = unquoted(text) {
        let parameter = |name: &str| parameters.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        let value = |name: &str| parameter(name).map(|(_, value)| (*value).to_owned());
        let realm = realm(&value("realm").unwrap_or_default(), registry).map_err(|why| (why, false))?;
        let scopes = scopes(&value("scope").unwrap_or_default(), scope);
        return Ok(Some(Challenge::Bearer { realm, service: value("service"), scopes }));
    }
    let mut basic = false;
    let mut refused = None;
    for challenge in ChallengeParser::new(text) {
        let Ok(challenge) = challenge else {
            refused = refused.or_else(|| Some(format!("has the malformed challenge {}", quote(text))));
            break;
        };
        let parameter = |name: &str| {
            challenge.params.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, v)| v.to_unescaped())
        };
        if challenge.scheme.eq_ignore_ascii_case("bearer") {
            match realm(&parameter("realm").unwrap_or_default(), registry) {
                Ok(realm) => {
                    let scopes = scopes(&parameter("scope").unwrap_or_default(), scope);
                    return Ok(Some(Challenge::Bearer { realm, service: parameter("service"), scopes }));
                }
                Err(why) => refused = refused.or(Some(why)),
            }
        }
        basic |= challenge.scheme.eq_ignore_ascii_case("basic");
    }
    match refused {
        Some(why) => Err((why, basic)),
        None => Ok(basic.then_some(Challenge::Basic)),
    }
}

/// The parameters of a challenge for a token without any quotes, as zot sends it: its address makes it malformed by the
/// grammar. What is in quotes in part, or has a value that ends in another scheme's name, is left to the grammar.
fn unquoted(text: &str) -> Option<Vec<(&str, &str)>> {
    let (scheme, parameters) = text.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") || parameters.contains(['"', '\\', ' ']) {
        return None;
    }
    let parameters: Option<Vec<_>> = parameters.split(',').map(|parameter| parameter.split_once('=')).collect();
    parameters.filter(|parameters| parameters.iter().all(|(name, value)| !name.is_empty() && !value.is_empty()))
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
    fn a_challenge_without_quotes_is_read_where_it_is_plain() {
        let zot = "bearer realm=https://a.io/zot/auth/token,service=a.io,scope=repository:team/app:pull";
        let expected = Challenge::Bearer {
            realm: Url::parse("https://a.io/zot/auth/token").unwrap(),
            service: Some("a.io".to_owned()),
            scopes: vec!["repository:team/app:pull".to_owned()],
        };
        assert_eq!(read_one(zot, "https://a.io"), Ok(expected));
        for value in [
            "bearer realm=http://b.io/token,service=a.io",
            "bearer realm=https://a.io/token, Basic realm=x",
            "bearer realm=,service=x",
            "bearer service=x",
            "bearer realm=https://a.io/token,",
        ] {
            assert!(!matches!(read_one(value, "https://a.io"), Ok(Challenge::Bearer { .. })), "{value}");
        }
    }

    #[test]
    fn a_challenge_that_cannot_be_met_does_not_hide_another() {
        let read_all = |values: &[&[u8]]| {
            let values = values.iter().map(|value| (WWW_AUTHENTICATE, HeaderValue::from_bytes(value).unwrap()));
            let mut headers = HeaderMap::new();
            values.for_each(|(name, value)| _ = headers.append(name, value));
            read(&headers, &Url::parse("https://a.io").unwrap(), &Scope::Catalog)
        };
        let good: &[u8] = b"Bearer realm=\"https://a.io/t\"";
        let long = format!("Bearer realm=\"https://a.io/{}\"", "x".repeat(CHALLENGE_BYTES));
        for bad in [&b"Bearer realm=\"https://a.io/t"[..], b"\xff", b"Bearer", b"Negotiate", b"\"", long.as_bytes()] {
            for both in [[bad, good], [good, bad]] {
                assert!(matches!(read_all(&both), Ok(Challenge::Bearer { .. })), "{}", String::from_utf8_lossy(bad));
            }
            assert_eq!(read_all(&[bad, b"Basic realm=\"x\""]), Ok(Challenge::Basic));
            assert!(read_all(&[bad]).is_err());
        }
        assert_eq!(read_all(&[b"Basic realm=\"x\", Bearer realm=\"http://b.io/t\""]), Ok(Challenge::Basic));
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
