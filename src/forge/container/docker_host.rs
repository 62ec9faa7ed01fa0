//! Where an engine is, as `DOCKER_HOST` and docker's contexts write it.
//!
//! The forms are those of docker's command line (its `docker` reference, *Daemon socket option*): `unix://PATH`,
//! `tcp://HOST:PORT` and `HOST:PORT`, `http://`, `https://`, `npipe://PATH`. What docker reaches by other means (`ssh://`,
//! `fd://`) is refused, and so is a form that names no place. A name and a password in the URL are refused and never shown.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use url::{Host, Position, Url};

use crate::failure::quote;

/// The port of an engine without TLS, and of one with it.
const PORTS: (u16, u16) = (2375, 2376);
/// The socket of an engine that was installed for the whole machine.
pub(super) const SYSTEM_SOCKET: &str = "/var/run/docker.sock";

/// Where an engine listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DockerHost {
    /// A socket of this machine, by its absolute path.
    Socket(PathBuf),
    /// A named pipe of Windows, as its URL has it: `//./pipe/docker_engine`.
    Pipe(String),
    /// A port of a host, with TLS or without.
    Port { host: String, port: u16, tls: bool },
}

impl DockerHost {
    /// Reads what `DOCKER_HOST` or a context says; `tls` is whether TLS was asked for beside it.
    ///
    /// # Errors
    /// What is wrong with it, and what to write instead: a sentence that goes on after the name of the variable.
    pub(super) fn parse(text: &str, tls: bool) -> Result<DockerHost, String> {
        let text = text.trim();
        let Some((scheme, rest)) = text.split_once("://") else { return without_scheme(text, tls) };
        // What stands before an @ may be a password, also of a scheme that is refused.
        if !matches!(scheme, "unix" | "ssh") && text.contains('@') {
            return Err(WITH_PASSWORD.to_owned());
        }
        match scheme {
            "unix" => socket(rest),
            "npipe" if cfg!(windows) => Ok(DockerHost::Pipe(rest.to_owned())),
            "npipe" => Err(format!("is {}: named pipes are of Windows; {WRITE_A_SOCKET}", quote(text))),
            "tcp" | "http" => port(rest, tls),
            "https" => port(rest, true),
            "ssh" => Err(ssh(rest)),
            "fd" => Err(format!(
                "is {}: that is how an engine is given its own socket, not how it is reached; {WRITE_A_SOCKET}",
                quote(text)
            )),
            _ => Err(format!("is of the scheme {}, which is not known; {WRITE_A_SOCKET}", quote(scheme))),
        }
    }

    /// The host whose ports are the containers', where it is not this machine: by what the URL says alone.
    pub(super) fn other_host(&self) -> Option<&str> {
        match self {
            DockerHost::Port { host, .. } if !is_loopback(host) => Some(host),
            _ => None,
        }
    }

    /// Whether the engine is spoken to by TLS.
    pub(super) fn is_tls(&self) -> bool {
        matches!(self, DockerHost::Port { tls: true, .. })
    }
}

/// The form in which Testcontainers and docker both read it.
impl fmt::Display for DockerHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DockerHost::Socket(path) => write!(f, "unix://{}", path.display()),
            DockerHost::Pipe(path) => write!(f, "npipe://{path}"),
            DockerHost::Port { host, port, .. } => write!(f, "tcp://{}:{port}", in_url(host)),
        }
    }
}

const WITH_PASSWORD: &str = "has a name or a password before the host, which no engine asks for: write tcp://HOST:PORT";
const WRITE_A_SOCKET: &str = "write unix:///PATH for a socket, or tcp://HOST:PORT";

/// A host as URLs write it: an address of IPv6 in brackets.
pub(super) fn in_url(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

/// Whether a host is this machine's loopback by its name alone.
pub(super) fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn without_scheme(text: &str, tls: bool) -> Result<DockerHost, String> {
    let path = text.strip_prefix("unix:").unwrap_or(text);
    if path.starts_with(['/', '.', '~']) {
        // Only a shell knows what ~ is.
        let known = path.strip_prefix('~').map(|below| format!("$HOME{below}"));
        return Err(format!("is {}: write unix://{}", quote(text), plain(known.as_deref().unwrap_or(path))));
    }
    port(text, tls)
}

fn socket(path: &str) -> Result<DockerHost, String> {
    if path.is_empty() {
        return Ok(DockerHost::Socket(PathBuf::from(SYSTEM_SOCKET)));
    }
    match std::path::absolute(path) {
        Ok(path) => Ok(DockerHost::Socket(path)),
        Err(error) => Err(format!("names the socket {}, whose path cannot be made out: {error}", quote(path))),
    }
}

fn port(rest: &str, tls: bool) -> Result<DockerHost, String> {
    if rest.contains('@') {
        return Err(WITH_PASSWORD.to_owned());
    }
    let unlike = || format!("names {}, which is not HOST:PORT", quote(rest));
    let url = match rest.trim_end_matches('/') {
        "" => Url::parse("http://127.0.0.1"),
        rest if rest.starts_with(':') => Url::parse(&format!("http://127.0.0.1{rest}")),
        rest => Url::parse(&format!("http://{rest}")),
    };
    let url = url.map_err(|_| unlike())?;
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        // What goes on may be a password, too.
        let place = &url[Position::BeforeHost..Position::AfterPort];
        return Err(format!(
            "names {}, and goes on after that: engines behind a path are not reached, write tcp://HOST:PORT",
            quote(place)
        ));
    }
    let host = match url.host() {
        Some(Host::Domain(name)) => name.to_owned(),
        Some(Host::Ipv4(address)) => address.to_string(),
        Some(Host::Ipv6(address)) => address.to_string(),
        None => return Err(unlike()),
    };
    // The parser leaves the usual port of http away.
    let stated = url.port().or_else(|| rest.trim_end_matches('/').ends_with(":80").then_some(80));
    Ok(DockerHost::Port { host, port: stated.unwrap_or(if tls { PORTS.1 } else { PORTS.0 }), tls })
}

/// An engine by SSH also publishes its ports on the loopback of the other machine, so that a forwarded socket is not enough.
fn ssh(rest: &str) -> String {
    let place = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let host = place.split('/').next().unwrap_or_default();
    format!(
        "is of the scheme ssh, which is not spoken here, and the ports of containers there are not reached from here: run \
         muster on {}, or name an engine of this machine, as DOCKER_HOST=unix://{SYSTEM_SOCKET}",
        quote(host)
    )
}

/// A path for a suggestion, without what a terminal would heed.
fn plain(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s70_every_form_of_docker_host_is_read() {
        let rows = [
            ("unix:///var/run/docker.sock", "unix:///var/run/docker.sock"),
            ("unix://", "unix:///var/run/docker.sock"),
            ("unix:///a b/c.sock", "unix:///a b/c.sock"),
            ("tcp://docker:2375", "tcp://docker:2375"),
            ("tcp://docker", "tcp://docker:2375"),
            ("tcp://docker/", "tcp://docker:2375"),
            ("tcp://", "tcp://127.0.0.1:2375"),
            ("tcp://:4243", "tcp://127.0.0.1:4243"),
            ("docker:2375", "tcp://docker:2375"),
            ("10.0.0.1:2375", "tcp://10.0.0.1:2375"),
            ("http://docker:80", "tcp://docker:80"),
            ("tcp://[fd00::1]:2375", "tcp://[fd00::1]:2375"),
            (" tcp://docker:2375 ", "tcp://docker:2375"),
        ];
        for (text, host) in rows {
            assert_eq!(DockerHost::parse(text, false).map(|host| host.to_string()), Ok(host.to_owned()), "{text}");
        }
        for (text, tls, expected) in [
            ("tcp://docker", true, (2376, true)),
            ("https://docker", false, (2376, true)),
            ("http://docker", true, (2376, true)),
        ] {
            let Ok(DockerHost::Port { port, tls, .. }) = DockerHost::parse(text, tls) else { panic!("{text}") };
            assert_eq!((port, tls), expected, "{text}");
        }
        let relative = DockerHost::parse("unix://docker.sock", false).unwrap();
        assert!(matches!(&relative, DockerHost::Socket(path) if path.is_absolute()), "{relative:?}");
    }

    #[test]
    fn s70_what_is_not_read_is_named_with_what_to_write() {
        for (text, expected) in [
            ("ssh://build@engine.example:22/run/docker.sock", "run muster on \"engine.example:22\""),
            ("fd://", "not how it is reached"),
            ("/var/run/docker.sock", "write unix:///var/run/docker.sock"),
            ("ftp://engine", "\"ftp\", which is not known"),
            ("tcp://engine:70000", "\"engine:70000\", which is not HOST:PORT"),
            ("tcp://engine:2375/v1", "names \"engine:2375\", and goes on"),
            ("tcp://engine?token=s3cret", "names \"engine\", and goes on"),
            ("unix:/var/run/docker.sock", "write unix:///var/run/docker.sock"),
            ("~/.docker/run/docker.sock", "write unix://$HOME/.docker/run/docker.sock"),
            ("./docker.sock", "write unix://./docker.sock"),
            ("tcp://user:s3cret@engine:2375", "write tcp://HOST:PORT"),
            ("user:s3cret@engine", "write tcp://HOST:PORT"),
            ("fd://user:s3cret@engine", "write tcp://HOST:PORT"),
            ("npipe://user:s3cret@engine", "write tcp://HOST:PORT"),
            ("user:s3cret@engine://engine", "write tcp://HOST:PORT"),
            ("ssh://user:s3cret/@engine/run", "run muster on \"engine\""),
        ] {
            let refused = DockerHost::parse(text, false).unwrap_err();
            assert!(refused.contains(expected) && !refused.contains("s3cret"), "{text}: {refused}");
        }
        #[cfg(unix)]
        assert!(DockerHost::parse("npipe:////./pipe/docker_engine", false).unwrap_err().contains("of Windows"));
    }

    #[test]
    fn s73_an_engine_of_another_host_is_known_by_its_name() {
        let other = |text: &str| DockerHost::parse(text, false).unwrap().other_host().map(str::to_owned);
        for text in ["unix:///var/run/docker.sock", "tcp://127.0.0.1:2375", "http://localhost:2375", "tcp://[::1]:2375"]
        {
            assert_eq!(other(text), None, "{text}");
        }
        assert_eq!(other("tcp://docker:2375").as_deref(), Some("docker"));
        assert_eq!(other("tcp://10.0.0.1").as_deref(), Some("10.0.0.1"));
    }
}
