//! Who Muster is to a registry.
//!
//! What docker, podman and notation logged in with is asked for as they ask for it, credential helpers included. Not finding
//! anything there means that Muster stays anonymous; a file or a helper that fails is trouble where no other knows the
//! registry, since an anonymous request would be refused for the wrong reason.

mod file;
mod helper;
mod places;
mod server;

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use zeroize::Zeroizing;

use crate::failure::quote;
use crate::trouble::{Trouble, TroubleKind};

pub use places::CredentialFiles;
use places::Read;
pub(super) use server::{Server, is_within};

/// Text that is never shown, and wiped from memory when it is dropped.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Keeps `text` to itself.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(Zeroizing::new(text.into()))
    }

    /// The text, for the request that needs it.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Secret {
        Secret(Zeroizing::new(text))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// Where the credentials for a registry come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// What docker, podman or notation logged in with.
    Stored(CredentialFiles),
    /// None.
    Anonymous,
    /// A user and a password.
    Password {
        /// The user's name.
        user: String,
        /// The password.
        password: Secret,
    },
    /// A refresh token, which a token server exchanges.
    IdentityToken(Secret),
}

impl Default for Credentials {
    /// What docker and podman logged in with for this user, by the environment.
    fn default() -> Credentials {
        Credentials::Stored(CredentialFiles::of_user(None))
    }
}

/// The credentials themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Identity {
    Anonymous,
    Password {
        user: String,
        password: Secret,
    },
    /// A token that a token server exchanges.
    Token(Secret),
    /// A token that is shown to the registry as it is.
    Ticket(Secret),
}

/// Credentials, and where they come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) identity: Identity,
    /// Goes on after "the credentials that"; empty where the caller gave them.
    pub(super) origin: String,
}

impl Found {
    /// What they are called in messages.
    pub(super) fn name(&self) -> String {
        match self.origin.as_str() {
            "" => "the credentials of this run".to_owned(),
            origin => format!("the credentials that {origin}"),
        }
    }
}

impl Credentials {
    /// The namespaces of `server` that have credentials of their own.
    pub(super) async fn namespaces(&self, server: &Server, time: Duration) -> Vec<String> {
        let Credentials::Stored(files) = self else { return Vec::new() };
        let read = read(files, time).await.unwrap_or_default();
        read.iter().flatten().flat_map(|read| read.file.namespaces(server)).collect()
    }

    /// The credentials for the repository at `path`, or for what belongs to none. Each helper, and reading all files, may take
    /// `time`.
    pub(super) async fn find(&self, server: &Server, path: Option<&str>, time: Duration) -> Result<Found, Trouble> {
        let given = |identity| Ok(Found { identity, origin: String::new() });
        match self {
            Credentials::Anonymous => given(Identity::Anonymous),
            Credentials::Password { user, password } => {
                given(Identity::Password { user: user.clone(), password: password.clone() })
            }
            Credentials::IdentityToken(token) => given(Identity::Token(token.clone())),
            Credentials::Stored(files) => stored(files, server, path, time).await,
        }
    }
}

/// What the first place that knows the registry says; in a place a helper comes before what stands in the file.
async fn stored(
    files: &CredentialFiles,
    server: &Server,
    path: Option<&str>,
    time: Duration,
) -> Result<Found, Trouble> {
    let trouble = |(kind, why): (TroubleKind, String)| {
        Trouble::new(kind, format!("the credentials for {} cannot be read: {why}", quote(server.host())))
    };
    let late = || trouble((TroubleKind::TimedOut, format!("the files take longer than {} s", time.as_secs_f32())));
    let mut failed = None;
    for read in read(files, time).await.ok_or_else(late)? {
        match read {
            Ok(read) => match of_place(&read, server, path, time).await {
                Ok(Some(found)) => return Ok(found),
                Ok(None) => {}
                Err(why) => failed = failed.or(Some(why)),
            },
            Err(why) => failed = failed.or(Some((TroubleKind::AccessDenied, why))),
        }
    }
    match failed {
        Some(why) => Err(trouble(why)),
        None => Ok(Found { identity: Identity::Anonymous, origin: String::new() }),
    }
}

async fn of_place(
    place: &Read,
    server: &Server,
    path: Option<&str>,
    time: Duration,
) -> Result<Option<Found>, helper::Failed> {
    let mut failed = None;
    if let Some(named) = place.file.helper(server, path) {
        let program =
            format!("{}, which {} in {} names,", quote(&helper::program(named.helper)), named.member, place.name);
        for name in server.names_for_helpers() {
            match helper::ask(named.helper, &name, time).await {
                Ok(Some(identity)) => return Ok(Some(Found { identity, origin: format!("{program} gave out") })),
                Ok(None) => {}
                Err((kind, why)) => {
                    failed = Some((kind, format!("the credential helper {program} {why}")));
                    break;
                }
            }
        }
    }
    let entry = place.file.entry(server, path);
    match entry.map_err(|why| (TroubleKind::AccessDenied, format!("{} {why}", place.name)))? {
        Some((key, identity)) => {
            Ok(Some(Found { identity, origin: format!("stand in {} under {}", place.name, quote(key)) }))
        }
        None => failed.map_or(Ok(None), Err),
    }
}

/// All files, read in a thread of its own and not in the runtime's: the runtime waits for those when it ends, and a file may lie
/// on a server that hangs. `None`: not within `time`.
async fn read(files: &CredentialFiles, time: Duration) -> Option<Vec<Result<Read, String>>> {
    let files = files.clone();
    let (answer, answered) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || answer.send(files.read()));
    tokio::time::timeout(time, answered).await.ok()?.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn from_config(config: &str, host: &str) -> Result<Identity, Trouble> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.json");
        std::fs::write(&path, config).unwrap();
        let credentials = Credentials::Stored(CredentialFiles::only([path]));
        let found = credentials.find(&Server::new(host, 443), None, Duration::from_secs(30)).await?;
        Ok(found.identity)
    }

    #[tokio::test]
    async fn reads_what_docker_login_writes() {
        let password = |user: &str| Identity::Password { user: user.to_owned(), password: Secret::new("p:w") };
        // aXZ5OnA6dw== is ivy:p:w
        for (config, host, expected) in [
            (r#"{"auths":{"localhost:5000":{"auth":"aXZ5OnA6dw=="}}}"#, "localhost:5000", password("ivy")),
            (r#"{"auths":{"https://index.docker.io/v1/":{"auth":"aXZ5OnA6dw=="}}}"#, "docker.io", password("ivy")),
            (r#"{"auths":{"a.io":{"username":"kim","password":"p:w"}}}"#, "a.io", password("kim")),
            (r#"{"auths":{"a.io":{"identitytoken":"t"}}}"#, "a.io", Identity::Token(Secret::new("t"))),
            (r#"{"auths":{"a.io":{"auth":"aXZ5OnA6dw=="}}}"#, "b.io", Identity::Anonymous),
            ("{}", "a.io", Identity::Anonymous),
        ] {
            assert_eq!(from_config(config, host).await, Ok(expected), "{config}");
        }
    }

    #[tokio::test]
    async fn a_missing_configuration_is_anonymous_and_a_broken_one_is_trouble() {
        let nowhere = CredentialFiles::only(["absent/config.json".into()]);
        let found = Credentials::Stored(nowhere).find(&Server::new("a.io", 443), None, Duration::from_secs(30)).await;
        assert_eq!(found.unwrap().identity, Identity::Anonymous);
        for config in [
            "{",
            r#"{"auths":{"a.io":{"auth":"!"}}}"#,
            r#"{"credHelpers":{"a.io":"of-muster-that-is-nowhere"}}"#,
            r#"{"credsStore":"of-muster-that-is-nowhere"}"#,
            r#"{"credsStore":"../bin/of-muster"}"#,
        ] {
            let trouble = from_config(config, "a.io").await.unwrap_err();
            assert_eq!(trouble.kind, TroubleKind::AccessDenied, "{config}");
            assert!(trouble.message.contains("config.json"), "{trouble}");
        }
    }

    #[tokio::test]
    async fn r17_a_helper_that_is_missing_is_named_and_does_not_hide_what_stands_beside_it() {
        let config = r#"{"auths":{"a.io":{"auth":"aXZ5OnA6dw=="},"b.io":{}},"credsStore":"desktop-of-muster.exe"}"#;
        let trouble = from_config(config, "b.io").await.unwrap_err();
        assert!(trouble.message.contains("\"docker-credential-desktop-of-muster.exe\""), "{trouble}");
        assert!(trouble.message.contains("credsStore in ") && trouble.message.contains("config.json"), "{trouble}");
        assert!(trouble.message.contains("is not on this machine"), "{trouble}");
        assert!(matches!(from_config(config, "a.io").await, Ok(Identity::Password { .. })));
    }

    #[tokio::test]
    async fn r18_the_first_place_that_knows_the_registry_decides() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            std::fs::write(directory.path().join(name), text).unwrap();
            directory.path().join(name)
        };
        let user =
            |host: &str, user: &str| format!(r#"{{"auths":{{"{host}":{{"username":"{user}","password":"p"}}}}}}"#);
        let files = CredentialFiles::only([
            write("broken", "{"),
            write("docker", &user("a.io", "docker")),
            write("podman", &user("b.io", "podman")),
            write("last", &user("a.io", "last")),
        ]);
        let credentials = Credentials::Stored(files);
        for (host, expected) in [("a.io", Some("docker")), ("b.io", Some("podman")), ("c.io", None)] {
            let found = credentials.find(&Server::new(host, 443), None, Duration::from_secs(30)).await;
            match (found, expected) {
                (Ok(Found { identity: Identity::Password { user, .. }, origin }), Some(expected)) => {
                    assert_eq!(user, expected);
                    assert!(origin.contains(expected) && origin.contains(host), "{origin}");
                }
                // No other file knows it, so that the broken one may have held it.
                (Err(trouble), None) => assert!(trouble.message.contains("broken"), "{trouble}"),
                (found, _) => panic!("{host}: {found:?}"),
            }
        }
    }

    #[test]
    fn a_secret_does_not_show_itself() {
        let credentials = Credentials::Password { user: "ivy".to_owned(), password: Secret::new("hunter2") };
        assert!(!format!("{credentials:?}").contains("hunter2"));
        assert!(!format!("{:?}", Identity::Token(Secret::new("hunter2"))).contains("hunter2"));
    }
}
