//! Finding the engine: what the user names, as docker finds it; else the first of the usual sockets that answers.
//!
//! What names an engine, in this order: `tc.host` of `~/.testcontainers.properties` (Testcontainers), `DOCKER_HOST` and
//! `DOCKER_CONTEXT` (docker), `docker.host` of the same properties, the current context of docker, `CONTAINER_HOST` (podman).
//! An engine that is named is used or refused, and no other is taken for it. It is known within seconds, and where nothing
//! answers it is said what was looked at and what came of it.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use futures_util::future::join_all;
use testcontainers::bollard::errors::Error as EngineError;
use testcontainers::bollard::{API_DEFAULT_VERSION, Docker};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::ContainerError;
use super::docker_context;
use super::docker_host::{DockerHost, in_url};
use super::environment::{EngineEnvironment, Environment, HOST};
use super::sockets;
use crate::failure::quote;
use crate::limits;

/// The files of a client of TLS, in one folder.
const TLS_FILES: [&str; 3] = ["ca.pem", "cert.pem", "key.pem"];

/// An engine that answers.
#[derive(Debug)]
pub(super) struct FoundEngine {
    pub(super) host: DockerHost,
    /// Who named it, or that it was found.
    pub(super) source: String,
    /// What Testcontainers needs to use it.
    pub(super) environment: EngineEnvironment,
}

/// An engine that something names.
#[derive(Debug, PartialEq, Eq)]
struct Named {
    host: DockerHost,
    certificates: Option<PathBuf>,
    /// What names it: `DOCKER_HOST`, a context.
    source: String,
}

/// Finds an engine that answers.
///
/// # Errors
/// None does, or what names one cannot be used.
pub(super) async fn find(environment: &Environment<'_>) -> Result<FoundEngine, ContainerError> {
    match named(environment).map_err(ContainerError::Misnamed)? {
        Some(named) => match answers(&named.host, named.certificates.as_deref()).await {
            Ok(()) => Ok(found(named)),
            Err(reason) => Err(ContainerError::NoEngine(format!(
                "{} names {}: {reason}; start that one, or name another by DOCKER_HOST",
                named.source, named.host
            ))),
        },
        None => usual(environment).await,
    }
}

fn found(named: Named) -> FoundEngine {
    let environment = EngineEnvironment::of(&named.host, named.certificates.as_deref());
    FoundEngine { host: named.host, source: named.source, environment }
}

/// What names an engine. An error is a sentence that begins with what names it.
fn named(environment: &Environment<'_>) -> Result<Option<Named>, String> {
    let by_url = |source: &str, url: &str| {
        let host = DockerHost::parse(url, environment.wants_tls()).map_err(|reason| format!("{source} {reason}"))?;
        let certificates = if host.is_tls() { environment.certificates() } else { None };
        Ok(Some(Named { host, certificates, source: source.to_owned() }))
    };
    if let Some(url) = environment.property("tc.host") {
        return by_url("tc.host in ~/.testcontainers.properties", &url);
    }
    if let Some(url) = environment.text(HOST) {
        return by_url(HOST, &url);
    }
    let folder = environment.docker_folder();
    let by_context = |name: &str, source: String| {
        let folder =
            folder.as_deref().ok_or_else(|| format!("{source} is named, and there is no home folder that has it"))?;
        let context = docker_context::read(folder, name).map_err(|reason| format!("{source} {reason}"))?;
        let certificates =
            context.certificates.or_else(|| environment.certificates().filter(|_| context.host.is_tls()));
        Ok(Some(Named { host: context.host, certificates, source }))
    };
    let stated = environment.text("DOCKER_CONTEXT");
    if let Some(name) = stated.as_deref().filter(|name| docker_context::is_named(name)) {
        return by_context(name, format!("the docker context {} (DOCKER_CONTEXT)", quote(name)));
    }
    if let Some(url) = environment.property("docker.host") {
        return by_url("docker.host in ~/.testcontainers.properties", &url);
    }
    if stated.is_none()
        && let Some(folder) = &folder
        && let Some(name) = docker_context::current(folder)?
    {
        return by_context(&name, format!("the current docker context {}", quote(&name)));
    }
    match environment.text("CONTAINER_HOST") {
        Some(url) => by_url("CONTAINER_HOST", &url),
        None => Ok(None),
    }
}

/// Asks all of the usual sockets at once, and takes the first in their order.
async fn usual(environment: &Environment<'_>) -> Result<FoundEngine, ContainerError> {
    let hosts = sockets::usual(environment);
    let asked = join_all(hosts.iter().map(|host| answers(host, None))).await;
    let (mut absent, mut others) = (Vec::new(), Vec::new());
    for (host, answer) in hosts.into_iter().zip(asked) {
        match answer {
            Ok(()) => {
                let source = format!("the socket {host}");
                return Ok(found(Named { host, certificates: None, source }));
            }
            Err(reason) if reason == ABSENT => absent.push(path(&host)),
            Err(reason) => others.push(format!("{}: {reason}", path(&host))),
        }
    }
    // One that is there is to be mended.
    let advice = match others.is_empty() {
        true => "start one (Debian: apt-get install docker.io), or set DOCKER_HOST",
        false => "or set DOCKER_HOST to another",
    };
    if !absent.is_empty() {
        others.push(format!("these do not exist: {}", absent.join(", ")));
    }
    Err(ContainerError::NoEngine(format!(
        "DOCKER_HOST, docker's contexts and CONTAINER_HOST name none; {}; {advice}",
        others.join("; ")
    )))
}

/// A socket as it lies in the file system.
fn path(host: &DockerHost) -> String {
    match host {
        DockerHost::Socket(path) => path.display().to_string(),
        other => other.to_string(),
    }
}

const ABSENT: &str = "it does not exist";
const PERMISSION_DENIED: &str = "permission denied: this user may not use it (docker's own is for the group docker: sudo usermod \
                                 -aG docker \"$USER\", then log in again)";

/// Whether an engine answers at `host`; if not, what came instead.
async fn answers(host: &DockerHost, certificates: Option<&Path>) -> Result<(), String> {
    let asked = async {
        connects(host).await?;
        let docker = client(host, certificates)?;
        docker.ping().await.map(|_| ()).map_err(|error| what_came(host, &error))
    };
    let late = || Err(format!("no answer in {} seconds", limits::ENGINE_ANSWER.as_secs()));
    timeout(limits::ENGINE_ANSWER, asked).await.unwrap_or_else(|_| late())
}

/// Whether something listens there: the system says why not more clearly than a client of HTTP does.
async fn connects(host: &DockerHost) -> Result<(), String> {
    match host {
        #[cfg(unix)]
        DockerHost::Socket(path) => match tokio::net::UnixStream::connect(path).await {
            Ok(_) => Ok(()),
            Err(error) => Err(match error.kind() {
                io::ErrorKind::NotFound => ABSENT.to_owned(),
                io::ErrorKind::PermissionDenied => PERMISSION_DENIED.to_owned(),
                io::ErrorKind::ConnectionRefused => "it is there, but no engine listens: start the engine".to_owned(),
                _ => quote(&error.to_string()),
            }),
        },
        #[cfg(not(unix))]
        DockerHost::Socket(_) => Err("sockets are not used on this system".to_owned()),
        DockerHost::Pipe(_) => Ok(()),
        DockerHost::Port { host, port, .. } => match TcpStream::connect((host.as_str(), *port)).await {
            Ok(_) => Ok(()),
            Err(error) => Err(quote(&error.to_string())),
        },
    }
}

/// A client of its own, since Testcontainers has only one, whose engine the environment names.
fn client(host: &DockerHost, certificates: Option<&Path>) -> Result<Docker, String> {
    let url = host.to_string();
    // Its own limit says less than that of the question.
    let seconds = 2 * limits::ENGINE_ANSWER.as_secs();
    let client = match host {
        DockerHost::Socket(_) | DockerHost::Pipe(_) => Docker::connect_with_socket(&url, seconds, API_DEFAULT_VERSION),
        DockerHost::Port { tls: false, .. } => Docker::connect_with_http(&url, seconds, API_DEFAULT_VERSION),
        DockerHost::Port { tls: true, .. } => {
            let folder = certificates.ok_or("DOCKER_CERT_PATH names no folder with ca.pem, cert.pem and key.pem")?;
            let [ca, certificate, key] = TLS_FILES.map(|name| folder.join(name));
            for file in [&ca, &certificate, &key] {
                std::fs::File::open(file).map_err(|error| {
                    format!("TLS needs the file {} ({error}): DOCKER_CERT_PATH names its folder", file.display())
                })?;
            }
            Docker::connect_with_ssl(&url, &key, &certificate, &ca, seconds, API_DEFAULT_VERSION)
        }
    };
    client.map_err(|error| quote(&causes(&error)))
}

/// What came instead of an answer, and what it means where that is known.
fn what_came(host: &DockerHost, error: &EngineError) -> String {
    let said = causes(error);
    let spoken = match host {
        DockerHost::Port { host, port, .. } => format!("{}:{port}", in_url(host)),
        _ => return quote(&said),
    };
    let usual_for_tls = spoken.ends_with(":2376");
    let hint = if !host.is_tls() && (said.contains("HTTPS server") || usual_for_tls) {
        "; it may want TLS: set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH to the folder of ca.pem, cert.pem and key.pem"
            .to_owned()
    } else if host.is_tls() && (said.contains("InvalidContentType") || said.contains("InvalidMessage")) {
        format!("; it does not speak TLS: unset DOCKER_TLS_VERIFY, or write tcp://{spoken}")
    } else {
        String::new()
    };
    format!("{}{hint}", quote(&said))
}

/// An error with what it came from; of what an engine answered, its own words.
pub(super) fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    let words = text.split_once("Docker responded with status code ").and_then(|(_, answer)| answer.split_once(": "));
    words.map_or(text.as_str(), |(_, words)| words).to_owned()
}
