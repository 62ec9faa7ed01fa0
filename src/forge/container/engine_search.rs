//! Finding the engine: what the user names, as docker finds it; else the first of the usual sockets that answers.
//!
//! What names an engine, in this order: `tc.host` of `~/.testcontainers.properties` (Testcontainers), `DOCKER_HOST` and
//! `DOCKER_CONTEXT` (docker), `docker.host` of the same properties, the current context of docker, `CONTAINER_HOST` (podman).
//! An engine that is named is used or refused, and no other is taken for it. It is known within seconds, and where nothing
//! answers it is said what was looked at and what came of it.

use std::error::Error;
use std::io;
use std::path::PathBuf;

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
use crate::regular_file;

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
    /// The context, if it is one: what is wrong with its TLS is mended in it.
    context: Option<String>,
}

/// Finds an engine that answers.
///
/// # Errors
/// None does, or what names one cannot be used.
pub(super) async fn find(environment: &Environment<'_>) -> Result<FoundEngine, ContainerError> {
    match named(environment).map_err(ContainerError::Misnamed)? {
        Some(named) => match answers(&named).await {
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
        Ok(Some(Named { host, certificates, source: source.to_owned(), context: None }))
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
        Ok(Some(Named { host: context.host, certificates, source, context: Some(name.to_owned()) }))
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
    let found_at = |host: DockerHost| {
        let source = format!("the socket {host}");
        Named { host, certificates: None, source, context: None }
    };
    let sockets: Vec<Named> = sockets::usual(environment).into_iter().map(found_at).collect();
    let asked = join_all(sockets.iter().map(answers)).await;
    let (mut absent, mut others) = (Vec::new(), Vec::new());
    for (socket, answer) in sockets.into_iter().zip(asked) {
        match answer {
            Ok(()) => return Ok(found(socket)),
            Err(reason) if reason == ABSENT => absent.push(path(&socket.host)),
            Err(reason) => others.push(format!("{}: {reason}", path(&socket.host))),
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

/// Whether an engine answers; if not, what came instead.
async fn answers(named: &Named) -> Result<(), String> {
    let asked = async {
        connects(&named.host).await?;
        let docker = client(named)?;
        docker.ping().await.map(|_| ()).map_err(|error| what_came(named, &error))
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
fn client(named: &Named) -> Result<Docker, String> {
    let url = named.host.to_string();
    // Its own limit says less than that of the question.
    let seconds = 2 * limits::ENGINE_ANSWER.as_secs();
    let client = match &named.host {
        DockerHost::Socket(_) | DockerHost::Pipe(_) => Docker::connect_with_socket(&url, seconds, API_DEFAULT_VERSION),
        DockerHost::Port { tls: false, .. } => Docker::connect_with_http(&url, seconds, API_DEFAULT_VERSION),
        DockerHost::Port { tls: true, .. } => {
            let folder = named.certificates.as_deref();
            let folder = folder.ok_or("DOCKER_CERT_PATH names no folder with ca.pem, cert.pem and key.pem")?;
            let [ca, certificate, key] = TLS_FILES.map(|name| folder.join(name));
            for file in [&ca, &certificate, &key] {
                regular_file::open_linked(file).map_err(|problem| {
                    let remedy = match &named.context {
                        Some(context) => with_tls(context, &named.host),
                        None => "DOCKER_CERT_PATH names its folder".to_owned(),
                    };
                    format!("TLS needs the file {}, which {problem}: {remedy}", file.display())
                })?;
            }
            Docker::connect_with_ssl(&url, &key, &certificate, &ca, seconds, API_DEFAULT_VERSION)
        }
    };
    client.map_err(|error| quote(&causes(&error)))
}

/// How the context `name` is given the certificates for TLS.
fn with_tls(name: &str, host: &DockerHost) -> String {
    format!("docker context update {} --docker host={host},ca=FILE,cert=FILE,key=FILE", quote(name))
}

/// What came instead of an answer, and what it means where that is known.
fn what_came(named: &Named, error: &EngineError) -> String {
    let said = causes(error);
    let (DockerHost::Port { host, port, tls }, context) = (&named.host, &named.context) else { return quote(&said) };
    let hint = if !tls && (said.contains("HTTPS server") || *port == 2376) {
        let remedy = match context {
            Some(context) => with_tls(context, &named.host),
            None => {
                "set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH to the folder of ca.pem, cert.pem and key.pem".to_owned()
            }
        };
        format!("; it may want TLS: {remedy}")
    } else if *tls && (said.contains("InvalidContentType") || said.contains("InvalidMessage")) {
        let remedy = match context {
            Some(context) => format!("docker context update {} --docker host={}", quote(context), named.host),
            None => format!("unset DOCKER_TLS_VERIFY, or write tcp://{}:{port}", in_url(host)),
        };
        format!("; it does not speak TLS: {remedy}")
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
