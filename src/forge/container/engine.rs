//! Containers of an engine of this machine, by Testcontainers.
//!
//! A registry listens on port 5000, without TLS and without passwords, as images of registries do unless they are told
//! otherwise.

use std::collections::HashMap;
use std::env;
use std::fmt;
use std::fs::File;
use std::mem::ManuallyDrop;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use tempfile::NamedTempFile;
use testcontainers::bollard::Docker;
use testcontainers::bollard::errors::Error as EngineError;
use testcontainers::bollard::models::{ContainerSummary, ContainerSummaryStateEnum, HostConfig, PortBinding};
use testcontainers::bollard::query_parameters::{ListContainersOptionsBuilder, RemoveContainerOptionsBuilder};
use testcontainers::core::client::docker_client_instance;
use testcontainers::core::{ContainerPort, IntoContainerPort as _};
use testcontainers::runners::AsyncRunner as _;
use testcontainers::{ContainerAsync, GenericImage, ImageExt as _};
use tokio::sync::{Mutex, OnceCell, RwLock};
use tokio::time::{Instant, sleep, timeout};
use url::{Host, Url};

use super::{ContainerError, LABEL};
use crate::failure::quote;

const PORT: u16 = 5000;
/// How long an engine may take to say that it is there.
const PING: Duration = Duration::from_secs(5);
/// How long an image may take to be pulled.
const PULL: Duration = Duration::from_secs(180);
/// How long a container may take until it answers as a registry.
const READY: Duration = Duration::from_secs(60);
/// How long to wait between two looks.
const PAUSE: Duration = Duration::from_millis(50);
/// How much of what a container said before it ended is shown, in bytes.
const LAST_WORDS: usize = 400;

/// Whether an image is here.
type Fetched = Result<(), ContainerError>;

/// The containers of one run.
#[derive(Debug, Default)]
pub struct Containers {
    engine: OnceCell<Result<Engine, ContainerError>>,
    /// Each image is looked for once, however many cases want it.
    images: Mutex<HashMap<String, Arc<OnceCell<Fetched>>>>,
    /// Whether the run has ended. Held for reading while a container is made, so that the end misses none.
    ended: RwLock<bool>,
}

/// An engine that answers, and this run's mark.
#[derive(Debug)]
struct Engine {
    docker: Docker,
    /// Locked as long as the run lives.
    mark: NamedTempFile,
}

/// A registry in a container. It is removed by [`RegistryContainer::remove`] or [`Containers::remove_all`]; dropping it
/// does nothing, because there may be no runtime left to speak to the engine by.
pub struct RegistryContainer {
    container: ManuallyDrop<ContainerAsync<GenericImage>>,
    address: String,
}

impl Containers {
    /// Looks whether there is an engine, and removes what killed runs left behind.
    ///
    /// # Errors
    /// There is no container engine, or it is not on this machine.
    pub async fn ready(&self) -> Result<(), ContainerError> {
        self.engine().await.map(|_| ())
    }

    /// Looks whether `image` is here, and pulls it if it is not.
    ///
    /// # Errors
    /// There is no engine, or no such image.
    pub async fn fetch(&self, image: &str) -> Result<(), ContainerError> {
        let engine = self.engine().await?;
        let known = Arc::clone(self.images.lock().await.entry(image.to_owned()).or_default());
        known.get_or_init(|| fetch(&engine.docker, image)).await.clone()
    }

    /// Starts a registry and waits until it answers.
    ///
    /// # Errors
    /// There is no engine or no image, or the container does not become a registry.
    pub async fn start(&self, image: &str) -> Result<RegistryContainer, ContainerError> {
        let engine = self.engine().await?;
        self.fetch(image).await?;
        let failed = |reason: String| ContainerError::Start { image: image.to_owned(), reason };
        let request = generic(image)
            .with_exposed_port(PORT.tcp())
            .with_label(LABEL, engine.mark.path().to_string_lossy())
            // Distribution's own words: scenarios delete, and its traces are not collected.
            .with_env_var("REGISTRY_STORAGE_DELETE_ENABLED", "true")
            .with_env_var("OTEL_TRACES_EXPORTER", "none")
            .with_startup_timeout(READY)
            .with_host_config_modifier(publish_on_loopback);
        let ended = self.ended.read().await;
        if *ended {
            return Err(failed("the run has ended".to_owned()));
        }
        let container = request.start().await.map_err(|error| failed(quote(&error.to_string())))?;
        drop(ended);
        let container = ManuallyDrop::new(container);
        let port = container.get_host_port_ipv4(ContainerPort::Tcp(PORT)).await;
        let port = match port {
            Ok(port) => port,
            // One that ended has no ports; what it said tells more.
            Err(error) => return Err(failed(last_words(&container).await.unwrap_or(quote(&error.to_string())))),
        };
        let started = RegistryContainer { container, address: format!("{}:{port}", Ipv4Addr::LOCALHOST) };
        started.answers(image).await?;
        Ok(started)
    }

    /// Ends the run: removes every container of it, also those of cases that were broken off, and starts no more.
    ///
    /// # Errors
    /// The engine refuses, or is gone.
    pub async fn remove_all(&self) -> Result<(), ContainerError> {
        let Some(Ok(engine)) = self.engine.get() else { return Ok(()) };
        *self.ended.write().await = true;
        let mark = engine.mark.path().to_string_lossy();
        engine.remove(|container| label(container) == Some(&mark)).await
    }

    async fn engine(&self) -> Result<&Engine, ContainerError> {
        self.engine.get_or_init(Engine::find).await.as_ref().map_err(Clone::clone)
    }
}

impl Engine {
    async fn find() -> Result<Engine, ContainerError> {
        let host = env::var("DOCKER_HOST").ok().filter(|host| !host.is_empty());
        if let Some(host) = host.filter(|host| is_elsewhere(host)) {
            return Err(ContainerError::Elsewhere(quote(&host)));
        }
        let none = |error: &dyn fmt::Display| ContainerError::NoEngine(quote(&error.to_string()));
        let docker = docker_client_instance().await.map_err(|error| none(&error))?;
        match timeout(PING, docker.ping()).await {
            Ok(answer) => answer.map_err(|error| none(&error))?,
            Err(_) => return Err(none(&format_args!("no answer in {} seconds", PING.as_secs()))),
        };
        let mark = tempfile::Builder::new().prefix("muster-containers-").tempfile();
        let mark = mark.map_err(|error| none(&format_args!("the run cannot be marked: {error}")))?;
        mark.as_file().try_lock().map_err(|error| none(&format_args!("the run cannot be marked: {error}")))?;
        let engine = Engine { docker, mark };
        engine.remove(is_abandoned).await?;
        Ok(engine)
    }

    /// Removes those of our containers that `wanted` picks.
    async fn remove(&self, wanted: impl Fn(&ContainerSummary) -> bool) -> Result<(), ContainerError> {
        let failed = |error: EngineError| ContainerError::Remove(quote(&error.to_string()));
        let ours = HashMap::from([("label", vec![LABEL])]);
        let options = ListContainersOptionsBuilder::new().all(true).filters(&ours).build();
        for container in self.docker.list_containers(Some(options)).await.map_err(failed)? {
            let Some(id) = container.id.as_deref().filter(|_| wanted(&container)) else { continue };
            let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
            match self.docker.remove_container(id, Some(options)).await {
                // 404 and 409: another process removed it, or is about to.
                Ok(()) | Err(EngineError::DockerResponseServerError { status_code: 404 | 409, .. }) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(())
    }
}

impl RegistryContainer {
    /// Where the registry is reached: an address of the loopback with its port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Removes the container with all that it holds.
    ///
    /// # Errors
    /// The engine refuses, or is gone.
    pub async fn remove(self) -> Result<(), ContainerError> {
        let removed = ManuallyDrop::into_inner(self.container).rm().await;
        removed.map_err(|error| ContainerError::Remove(quote(&error.to_string())))
    }

    async fn answers(&self, image: &str) -> Result<(), ContainerError> {
        let unlike = |reason: String| ContainerError::NotARegistry { image: image.to_owned(), reason };
        // The roots of the system are not needed, and a proxy's loopback is another machine's.
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).timeout(PING).build();
        let client = client.map_err(|error| unlike(error.to_string()))?;
        let url = format!("http://{}/v2/", self.address);
        let began = Instant::now();
        loop {
            let reason = match client.get(&url).send().await {
                Ok(answer) if answer.status().is_success() => return Ok(()),
                Ok(answer) if answer.status().is_client_error() => {
                    return Err(unlike(format!("status {}", answer.status())));
                }
                Ok(answer) => format!("status {}", answer.status()),
                Err(error) => quote(&error.to_string()),
            };
            if let Ok(false) = self.container.is_running().await {
                let reason = last_words(&self.container).await.unwrap_or_else(|| "it ended at once".to_owned());
                return Err(ContainerError::Start { image: image.to_owned(), reason });
            }
            if began.elapsed() > READY {
                return Err(unlike(reason));
            }
            sleep(PAUSE).await;
        }
    }
}

impl fmt::Debug for RegistryContainer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistryContainer").field("address", &self.address).finish_non_exhaustive()
    }
}

async fn fetch(docker: &Docker, image: &str) -> Result<(), ContainerError> {
    let missing = |reason: String| ContainerError::NoImage { image: quote(image), reason };
    match docker.inspect_image(image).await {
        Ok(_) => return Ok(()),
        Err(EngineError::DockerResponseServerError { status_code: 404, .. }) => {}
        Err(error) => return Err(missing(quote(&error.to_string()))),
    }
    match timeout(PULL, generic(image).pull_image()).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(missing(quote(&error.to_string()))),
        Err(_) => Err(missing(format!("it took more than {} seconds", PULL.as_secs()))),
    }
}

/// The image by name and tag; without a tag it is `latest`, as for docker's own tools.
fn generic(image: &str) -> GenericImage {
    // A colon before the last slash belongs to a host; the one of a digest divides as that of a tag does.
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => GenericImage::new(name, tag),
        _ => GenericImage::new(image, "latest"),
    }
}

/// Any free port, of the loopback only: the registry lets every client write.
fn publish_on_loopback(host: &mut HostConfig) {
    let binding = PortBinding { host_ip: Some(Ipv4Addr::LOCALHOST.to_string()), host_port: Some(String::new()) };
    host.publish_all_ports = Some(false);
    host.port_bindings = Some(HashMap::from([(format!("{PORT}/tcp"), Some(vec![binding]))]));
}

/// Whether `DOCKER_HOST` names another machine.
fn is_elsewhere(host: &str) -> bool {
    let Ok(url) = Url::parse(host) else { return false };
    if matches!(url.scheme(), "unix" | "npipe") {
        return false;
    }
    match url.host() {
        // The parser knows addresses only in the schemes of the web.
        Some(Host::Domain(name)) => {
            name != "localhost" && !name.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        }
        Some(Host::Ipv4(address)) => !address.is_loopback(),
        Some(Host::Ipv6(address)) => !address.is_loopback(),
        None => true,
    }
}

fn label(container: &ContainerSummary) -> Option<&str> {
    container.labels.as_ref()?.get(LABEL).map(String::as_str)
}

/// Whether the run that started a container has ended: no process holds its mark.
fn is_abandoned(container: &ContainerSummary) -> bool {
    let Some(mark) = label(container) else { return false };
    match File::open(mark) {
        Ok(file) => file.try_lock().is_ok(),
        // A mark that is gone may be that of a run that sees another file system: what runs there is left to it.
        Err(_) => matches!(container.state, Some(ContainerSummaryStateEnum::EXITED | ContainerSummaryStateEnum::DEAD)),
    }
}

/// The end of what a container said, on one line.
async fn last_words(container: &ContainerAsync<GenericImage>) -> Option<String> {
    let said = container.stderr_to_vec().await.ok().filter(|said| !said.is_empty())?;
    let end = &said[said.len().saturating_sub(LAST_WORDS)..];
    Some(quote(String::from_utf8_lossy(end).trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divides_an_image_as_docker_does() {
        use testcontainers::Image as _;
        let rows = [
            ("registry", ("registry", "latest")),
            ("a/b:1", ("a/b", "1")),
            ("localhost:5000/a", ("localhost:5000/a", "latest")),
            ("localhost:5000/a:1", ("localhost:5000/a", "1")),
            ("a@sha256:00", ("a@sha256", "00")),
        ];
        for (image, (name, tag)) in rows {
            let generic = generic(image);
            assert_eq!((generic.name(), generic.tag()), (name, tag), "{image}");
        }
    }

    #[test]
    fn knows_an_engine_of_another_machine() {
        for host in ["unix:///var/run/docker.sock", "tcp://127.0.0.1:2375", "http://localhost:2375", "tcp://[::1]:2375"]
        {
            assert!(!is_elsewhere(host), "{host}");
        }
        for host in ["tcp://10.0.0.1:2375", "ssh://build@engine", "https://engine.example:2376", "tcp://"] {
            assert!(is_elsewhere(host), "{host}");
        }
    }

    #[test]
    fn a_container_is_abandoned_when_nobody_holds_its_mark() {
        let mark = NamedTempFile::new().unwrap();
        let container = |state| ContainerSummary {
            labels: Some(HashMap::from([(LABEL.to_owned(), mark.path().to_string_lossy().into_owned())])),
            state: Some(state),
            ..ContainerSummary::default()
        };
        let running = container(ContainerSummaryStateEnum::RUNNING);
        let ended = container(ContainerSummaryStateEnum::EXITED);
        mark.as_file().try_lock().unwrap();
        assert!(!is_abandoned(&running) && !is_abandoned(&ended), "its run lives");
        mark.as_file().unlock().unwrap();
        assert!(is_abandoned(&running), "its run ended");
        drop(mark);
        assert!(!is_abandoned(&running), "its run may be elsewhere");
        assert!(is_abandoned(&ended), "its run has ended");
        assert!(!is_abandoned(&ContainerSummary::default()), "it is not ours");
    }

    #[test]
    fn publishes_on_the_loopback_only() {
        let mut host = HostConfig { publish_all_ports: Some(true), ..HostConfig::default() };
        publish_on_loopback(&mut host);
        let bindings = host.port_bindings.unwrap();
        let ports: Vec<_> = bindings.values().flatten().flatten().map(|port| port.host_ip.as_deref()).collect();
        assert_eq!((host.publish_all_ports, ports), (Some(false), vec![Some("127.0.0.1")]));
    }
}
