//! One file of credentials: docker's `config.json`, and podman's `auth.json` and notation's `config.json`, which have its form.
//!
//! Follows *docker/cli* (`configfile`), *containers-auth.json* and *oras-credentials-go*, which notation uses. A file of which a
//! part is of another kind serves in its other parts; an entry for the very server that cannot be read is refused, since to be
//! anonymous would be refused for the wrong reason.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::failure::quote;

use super::server::Server;
use super::{Identity, Secret};

/// Base64 as docker and people write it, with padding or without.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a file says.
#[derive(Debug, Default, Deserialize)]
pub(super) struct File {
    auths: Option<BTreeMap<String, Box<RawValue>>>,
    #[serde(rename = "credHelpers")]
    helpers: Option<BTreeMap<String, Option<String>>>,
    #[serde(rename = "credsStore")]
    store: Option<String>,
}

/// One entry of `auths`.
#[derive(Deserialize)]
struct Entry {
    auth: Option<Secret>,
    username: Option<String>,
    password: Option<Secret>,
    identitytoken: Option<Secret>,
    registrytoken: Option<Secret>,
}

/// A helper that a file names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named<'a> {
    /// What stands behind `docker-credential-`.
    pub(super) helper: &'a str,
    /// The member that names it.
    pub(super) member: &'static str,
}

impl File {
    /// Reads a file. The error goes on after its name, and has nothing of its content.
    pub(super) fn parse(bytes: &[u8]) -> Result<File, String> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        // Some tools touch the file before they write to it.
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(File::default());
        }
        serde_json::from_slice(bytes)
            .map_err(|error| format!("is no file of credentials: line {}, column {}", error.line(), error.column()))
    }

    /// The namespaces of `server` that have credentials of their own.
    pub(super) fn namespaces(&self, server: &Server) -> Vec<String> {
        let keys = self.auths.iter().flat_map(BTreeMap::keys).chain(self.helpers.iter().flat_map(BTreeMap::keys));
        keys.filter_map(|key| server.namespace(key)).filter(|name| !name.is_empty()).map(str::to_owned).collect()
    }

    /// The helper for a repository of `server`, or for what belongs to none.
    pub(super) fn helper(&self, server: &Server, path: Option<&str>) -> Option<Named<'_>> {
        let named = |name: &'_ Option<String>| name.as_deref().is_some_and(|name| !name.is_empty());
        let own = self.helpers.iter().flatten().filter(|(_, name)| named(name));
        let own = own.filter_map(|(key, name)| Some((server.fit(key, path)?, name.as_deref()?)));
        if let Some((_, helper)) = own.max_by_key(|(fit, _)| *fit) {
            return Some(Named { helper, member: "credHelpers" });
        }
        let store = self.store.as_deref().filter(|name| !name.is_empty())?;
        Some(Named { helper: store, member: "credsStore" })
    }

    /// The identity that stands in the file for a repository of `server`, with its key. The error goes on after the file's name.
    pub(super) fn entry(&self, server: &Server, path: Option<&str>) -> Result<Option<(&str, Identity)>, String> {
        let mut entries: Vec<_> = self
            .auths
            .iter()
            .flatten()
            .filter_map(|(key, entry)| Some((server.fit(key, path)?, key.as_str(), entry)))
            .collect();
        entries.sort_by_key(|(fit, ..)| Reverse(*fit));
        for (_, key, entry) in entries {
            let unusable = |why: &str| format!("has an entry {} in auths that {why}", quote(key));
            let entry: Option<Entry> =
                serde_json::from_str(entry.get()).map_err(|_| unusable("is not made as docker makes them"))?;
            if let Some(identity) = entry.map(identity).transpose().map_err(unusable)?.flatten() {
                return Ok(Some((key, identity)));
            }
        }
        Ok(None)
    }
}

/// What an entry says, if anything. docker takes a token before all else, and `auth` before `username` and `password`.
fn identity(entry: Entry) -> Result<Option<Identity>, &'static str> {
    let said = |text: Option<Secret>| text.filter(|text| !text.expose().is_empty());
    if let Some(token) = said(entry.identitytoken) {
        return Ok(Some(Identity::Token(token)));
    }
    if let Some(token) = said(entry.registrytoken) {
        return Ok(Some(Identity::Ticket(token)));
    }
    if let Some(auth) = said(entry.auth) {
        return decoded(auth.expose()).map(Some).ok_or("is not base64 of NAME:PASSWORD in \"auth\"");
    }
    let (user, password) = (entry.username.unwrap_or_default(), said(entry.password));
    if user.is_empty() && password.is_none() {
        return Ok(None);
    }
    Ok(Some(Identity::Password { user, password: password.unwrap_or_else(|| Secret::new("")) }))
}

/// `NAME:PASSWORD` in base64. Of old, docker wrote zeros behind it.
fn decoded(auth: &str) -> Option<Identity> {
    let bytes = Zeroizing::new(LENIENT.decode(auth.trim()).ok()?);
    let (user, password) = std::str::from_utf8(&bytes).ok()?.split_once(':')?;
    Some(Identity::Password { user: user.to_owned(), password: Secret::new(password.trim_matches('\0')) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(config: &str, host: &str, path: Option<&str>) -> Result<Option<Identity>, String> {
        let file = File::parse(config.as_bytes())?;
        Ok(file.entry(&Server::new(host, 443), path)?.map(|(_, identity)| identity))
    }

    fn password(user: &str, password: &str) -> Option<Identity> {
        Some(Identity::Password { user: user.to_owned(), password: Secret::new(password) })
    }

    #[test]
    fn r16_entries_are_read_as_docker_reads_them() {
        // aXZ5OnA6dw== is ivy:p:w, aXZ5OnMA is ivy:s and a zero
        for (entry_of_host, expected) in [
            (r#"{"auth":"aXZ5OnA6dw=="}"#, password("ivy", "p:w")),
            (r#"{"auth":"aXZ5OnA6dw"}"#, password("ivy", "p:w")),
            (r#"{"auth":" aXZ5OnA6dw==\n"}"#, password("ivy", "p:w")),
            (r#"{"auth":"aXZ5OnMA"}"#, password("ivy", "s")),
            (r#"{"auth":"aXZ5OnA6dw==","identitytoken":"","registrytoken":null}"#, password("ivy", "p:w")),
            (r#"{"auth":"aXZ5OnA6dw==","username":"kim","password":"x","email":"k@a.io"}"#, password("ivy", "p:w")),
            (r#"{"auth":"","username":"kim","password":"x"}"#, password("kim", "x")),
            (r#"{"auth":null,"username":"kim","password":"x"}"#, password("kim", "x")),
            (r#"{"auth":"aXZ5OnA6dw==","identitytoken":"t"}"#, Some(Identity::Token(Secret::new("t")))),
            (r#"{"registrytoken":"t"}"#, Some(Identity::Ticket(Secret::new("t")))),
            ("{}", None),
            ("null", None),
            (r#"{"auth":"","username":"","password":""}"#, None),
        ] {
            let config =
                format!(r#"{{"auths":{{"a.io":{entry_of_host},"b.io":7}},"psFormat":"x","credHelpers":null}}"#);
            assert_eq!(entry(&config, "a.io", None), Ok(expected), "{entry_of_host}");
        }
        for entry_of_host in ["7", r#"{"auth":"!"}"#, r#"{"auth":"aXZ5"}"#, r#"{"auth":["aXZ5OnA6dw=="]}"#] {
            let refused = entry(&format!(r#"{{"auths":{{"a.io":{entry_of_host}}}}}"#), "a.io", None).unwrap_err();
            assert!(refused.contains("\"a.io\"") && !refused.contains("aXZ5"), "{refused}");
        }
        assert_eq!(entry("\u{feff} {} ", "a.io", None), Ok(None));
        assert_eq!(entry("\n", "a.io", None), Ok(None));
    }

    #[test]
    fn r16_a_repository_has_the_credentials_of_the_longest_path() {
        let auth = |user: &str| format!(r#"{{"username":"{user}","password":"p"}}"#);
        let config = format!(
            r#"{{"auths":{{"a.io":{},"a.io/team":{},"a.io/team/app":{},"a.io/empty":{{}}}}}}"#,
            auth("host"),
            auth("team"),
            auth("app")
        );
        for (path, expected) in [
            (None, "host"),
            (Some("other"), "host"),
            (Some("team"), "team"),
            (Some("team/x"), "team"),
            (Some("teams/x"), "host"),
            (Some("team/app"), "app"),
            (Some("team/app/x"), "app"),
            (Some("empty/x"), "host"),
        ] {
            assert_eq!(entry(&config, "a.io", path), Ok(password(expected, "p")), "{path:?}");
        }
        let file = File::parse(config.as_bytes()).unwrap();
        assert_eq!(file.namespaces(&Server::new("a.io", 443)), ["empty", "team", "team/app"]);
    }

    #[test]
    fn a_helper_for_the_host_comes_before_the_store() {
        let file = File::parse(br#"{"credHelpers":{"a.io":"one","b.io":null},"credsStore":"all"}"#).unwrap();
        let named = |host| file.helper(&Server::new(host, 443), None).map(|named| (named.helper, named.member));
        assert_eq!(named("a.io:443"), Some(("one", "credHelpers")));
        assert_eq!(named("b.io"), Some(("all", "credsStore")));
        assert_eq!(File::default().helper(&Server::new("a.io", 443), None), None);
        assert!(File::parse(b"[]").is_err() && File::parse(b"{").is_err());
    }
}
