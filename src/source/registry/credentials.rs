//! Who Muster is to a registry.
//!
//! Docker's configuration is asked as Docker asks it, credential helpers included. Not finding anything there means
//! that Muster stays anonymous; a configuration or a helper that fails is trouble, since an anonymous request would be
//! refused for the wrong reason.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::time::Duration;

use docker_credential::{CredentialRetrievalError, DockerCredential, get_credential_from_reader};

use crate::failure::quote;
use crate::trouble::{Trouble, TroubleKind};

/// The longest Docker configuration read, in bytes.
const CONFIG_BYTES: u64 = 4 << 20;

/// Text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps `text` to itself.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text, for the request that needs it.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// Where the credentials for a registry come from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Credentials {
    /// Docker's `config.json` in this directory; without one, in `DOCKER_CONFIG` or `~/.docker`.
    #[default]
    Docker,
    /// Docker's `config.json` in the given directory.
    DockerIn(PathBuf),
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

/// The credentials themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Identity {
    Anonymous,
    Password { user: String, password: Secret },
    Token(Secret),
}

impl Credentials {
    /// The credentials for `host` (as written in references). A helper may take `time`.
    pub(super) async fn identity(&self, host: &str, time: Duration) -> Result<Identity, Trouble> {
        let directory = match self {
            Credentials::Anonymous => return Ok(Identity::Anonymous),
            Credentials::Password { user, password } => {
                return Ok(Identity::Password { user: user.clone(), password: password.clone() });
            }
            Credentials::IdentityToken(token) => return Ok(Identity::Token(token.clone())),
            Credentials::DockerIn(directory) => Some(directory.clone()),
            Credentials::Docker => docker_directory(),
        };
        let Some(directory) = directory else { return Ok(Identity::Anonymous) };
        let asked = host.to_owned();
        let (answer, answered) = tokio::sync::oneshot::channel();
        // A thread of its own, not the runtime's: the runtime waits for those when it ends, and a helper may hang.
        std::thread::spawn(move || answer.send(docker(directory, &asked)));
        match tokio::time::timeout(time, answered).await {
            Ok(Ok(identity)) => identity,
            Ok(Err(_)) => Err(trouble(host, TroubleKind::AccessDenied, "looking them up failed")),
            Err(_) => Err(trouble(host, TroubleKind::TimedOut, "the credential helper does not answer")),
        }
    }
}

fn docker_directory() -> Option<PathBuf> {
    match std::env::var_os("DOCKER_CONFIG").filter(|directory| !directory.is_empty()) {
        Some(directory) => Some(directory.into()),
        None => std::env::home_dir().map(|home| home.join(".docker")),
    }
}

fn docker(directory: PathBuf, host: &str) -> Result<Identity, Trouble> {
    let path = directory.join("config.json");
    let shown = quote(&path.to_string_lossy());
    let denied = |why: String| trouble(host, TroubleKind::AccessDenied, &why);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Identity::Anonymous),
        Err(error) => return Err(denied(format!("{shown}: {error}"))),
    };
    // The name under which Docker keeps the credentials of its own registry.
    let server = match host {
        "docker.io" | "index.docker.io" | "registry-1.docker.io" => "https://index.docker.io/v1/",
        host => host,
    };
    match get_credential_from_reader(file.take(CONFIG_BYTES), server) {
        Ok(credential) => Ok(identity(credential)),
        Err(CredentialRetrievalError::NoCredentialConfigured) => Ok(Identity::Anonymous),
        // The words by which helpers say that they know no such server.
        Err(CredentialRetrievalError::HelperFailure { stdout, .. })
            if stdout.trim() == "credentials not found in native keychain" =>
        {
            Ok(Identity::Anonymous)
        }
        // What a helper printed might be a secret: only its name is shown.
        Err(CredentialRetrievalError::HelperFailure { helper, .. }) => {
            Err(denied(format!("the credential helper {} failed", quote(&helper))))
        }
        Err(CredentialRetrievalError::HelperCommunicationError) => {
            Err(denied(format!("the credential helper that {shown} names cannot be run")))
        }
        Err(CredentialRetrievalError::MalformedHelperResponse) => {
            Err(denied(format!("the credential helper that {shown} names does not answer as one")))
        }
        Err(CredentialRetrievalError::CredentialMismatchError) => {
            Err(denied(format!("{shown} holds two that contradict each other")))
        }
        Err(_) => Err(denied(format!("{shown} is not a Docker configuration"))),
    }
}

fn identity(credential: DockerCredential) -> Identity {
    match credential {
        DockerCredential::IdentityToken(token) if token.is_empty() => Identity::Anonymous,
        DockerCredential::IdentityToken(token) => Identity::Token(Secret(token)),
        DockerCredential::UsernamePassword(user, password) if user.is_empty() && password.is_empty() => {
            Identity::Anonymous
        }
        DockerCredential::UsernamePassword(user, password) => Identity::Password { user, password: Secret(password) },
    }
}

fn trouble(host: &str, kind: TroubleKind, why: &str) -> Trouble {
    Trouble::new(kind, format!("the credentials for {} cannot be read: {why}", quote(host)))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn from_config(config: &str, host: &str) -> Result<Identity, Trouble> {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("config.json"), config).unwrap();
        Credentials::DockerIn(directory.path().to_owned()).identity(host, Duration::from_secs(30)).await
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
        let directory = tempfile::tempdir().unwrap();
        let credentials = Credentials::DockerIn(directory.path().join("absent"));
        assert_eq!(credentials.identity("a.io", Duration::from_secs(30)).await, Ok(Identity::Anonymous));
        for config in [
            "",
            "{",
            r#"{"auths":{"a.io":{"auth":"!"}}}"#,
            r#"{"auths":{"a.io":{"auth":"aXZ5OnA6dw==","username":"kim","password":"x"}}}"#,
            r#"{"credHelpers":{"a.io":"of-muster-that-is-nowhere"}}"#,
            r#"{"credsStore":"of-muster-that-is-nowhere"}"#,
        ] {
            let trouble = from_config(config, "a.io").await.unwrap_err();
            assert_eq!(trouble.kind, TroubleKind::AccessDenied, "{config}");
            assert!(!trouble.message.contains("aXZ5") && !trouble.message.contains("kim"), "{trouble}");
        }
    }

    #[test]
    fn a_secret_does_not_show_itself() {
        let credentials = Credentials::Password { user: "ivy".to_owned(), password: Secret::new("hunter2") };
        assert!(!format!("{credentials:?}").contains("hunter2"));
        assert!(!format!("{:?}", Identity::Token(Secret::new("hunter2"))).contains("hunter2"));
    }
}
