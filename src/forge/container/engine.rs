//! The containers of one run, on the engine that was found, by Testcontainers.
//!
//! A registry listens on port 5000, without TLS and without passwords, as images of registries do unless they are told
//! otherwise.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex as SyncMutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::rand;
use testcontainers::bollard::Docker;
use testcontainers::bollard::errors::Error as EngineError;
use testcontainers::bollard::models::ContainerSummary;
use testcontainers::bollard::query_parameters::ListContainersOptionsBuilder;
use testcontainers::core::IntoContainerPort as _;
use testcontainers::core::client::docker_client_instance;
use testcontainers::runners::AsyncRunner as _;
use testcontainers::{GenericImage, ImageExt as _};
use tokio::sync::{Mutex, OnceCell, watch};
use tokio::time::{Instant, timeout, timeout_at};

use super::abandoned;
use super::engine_search::{self, causes};
use super::environment::{EngineEnvironment, Environment};
use super::image;
use super::own_container;
use super::published_port::{PORT, PublishedPort};
use super::registry_container::RegistryContainer;
use super::removal;
use super::watcher::Watcher;
use super::{ContainerError, LABEL};
use crate::failure::quote;
use crate::limits;

/// What is known of an image in a run.
#[derive(Debug, Default)]
struct Image {
    /// Name and tag for Testcontainers, once it is here.
    fetched: OnceCell<Result<(String, String), ContainerError>>,
    /// Whether a container of it has answered as a registry. The first one is waited for by all others: what is wrong with it
    /// is wrong with each, and is found out once.
    tried: Mutex<Option<Result<(), ContainerError>>>,
    /// One that was started before it is needed.
    spare: SyncMutex<Option<RegistryContainer>>,
}

/// The containers of one run.
#[derive(Debug, Default)]
pub struct Containers {
    /// Muster's own executable file, which watches over the run.
    program: Option<PathBuf>,
    engine: OnceCell<Result<Engine, ContainerError>>,
    images: Mutex<HashMap<String, Arc<Image>>>,
    /// Whether the run has ended: then no container is waited for any more.
    ended: watch::Sender<bool>,
    /// Whether the making of a container was broken off, so that the engine may still make one.
    broken_off: AtomicBool,
}

/// That a container is being made, until it is known to be there or not.
struct Making<'c> {
    broken_off: &'c AtomicBool,
    known: bool,
}

impl Drop for Making<'_> {
    fn drop(&mut self) {
        if !self.known {
            self.broken_off.store(true, Ordering::SeqCst);
        }
    }
}

/// An engine that answers, and this run on it.
#[derive(Debug)]
struct Engine {
    docker: Docker,
    /// The name of the run, which its containers' label says.
    run: String,
    published: PublishedPort,
    /// The container that this process runs in, if the engine knows it.
    inside_of: Option<String>,
    watcher: SyncMutex<Option<Watcher>>,
}

/// What the environment of a process must hold so that it uses the engine that is found from here; `None` if this process's
/// own does already.
///
/// # Errors
/// There is no engine.
pub async fn engine_environment() -> Result<Option<EngineEnvironment>, ContainerError> {
    let environment = Environment::of_process();
    let found = engine_search::find(&environment).await?;
    Ok((!found.environment.fits(&environment)).then_some(found.environment))
}

/// Removes the containers of the run `run`, and says how many there were.
pub(super) async fn remove_run(run: &str) -> Result<usize, ContainerError> {
    let docker = docker_client_instance().await.map_err(|error| ContainerError::Remove(quote(&causes(&error))))?;
    remove_of(&docker, run, Instant::now() + limits::CONTAINER_REMOVAL).await
}

impl Containers {
    /// The containers of a run that `program`, muster's own executable file, watches over: it removes them when this process
    /// is killed. Without it they stay until the next run.
    pub fn watched_by(program: Option<&Path>) -> Containers {
        Containers { program: program.map(Path::to_owned), ..Containers::default() }
    }

    /// No containers, since it is known already that there is no engine.
    pub fn unavailable(error: ContainerError) -> Containers {
        Containers { engine: OnceCell::from(Err(error)), ..Containers::default() }
    }

    /// Looks whether there is an engine, and removes what killed runs left behind.
    ///
    /// # Errors
    /// There is no container engine.
    pub async fn ready(&self) -> Result<(), ContainerError> {
        self.engine().await.map(|_| ())
    }

    /// Starts a registry of `image`, which is pulled if it is not here, and keeps it for the first that asks for one: so what is
    /// wrong with engine, image or ways is known before a case begins.
    ///
    /// # Errors
    /// As [`Containers::start`].
    pub async fn ready_for(&self, image: &str) -> Result<(), ContainerError> {
        let started = self.start(image).await?;
        *self.image(image).await.spare.lock().unwrap_or_else(PoisonError::into_inner) = Some(started);
        Ok(())
    }

    /// Starts a registry and waits until it answers.
    ///
    /// # Errors
    /// There is no engine or no image, or the container does not become a registry that is reached.
    pub async fn start(&self, image: &str) -> Result<RegistryContainer, ContainerError> {
        let mut ended = self.ended.subscribe();
        tokio::select! {
            started = self.start_unless_ended(image) => started,
            _ = ended.wait_for(|ended| *ended) => {
                Err(ContainerError::Start { image: image.to_owned(), reason: "the run has ended".to_owned() })
            }
        }
    }

    async fn start_unless_ended(&self, image: &str) -> Result<RegistryContainer, ContainerError> {
        let engine = self.engine().await?;
        let known = self.image(image).await;
        let (name, tag) = known.fetch(engine, image).await?;
        let mut tried = known.tried.lock().await;
        match &*tried {
            Some(Ok(())) => drop(tried),
            Some(Err(error)) => return Err(error.clone()),
            None => {
                let started = self.start_on(engine, image, &name, &tag).await;
                *tried = Some(started.as_ref().map(|_| ()).map_err(Clone::clone));
                return started;
            }
        }
        let spare = known.spare.lock().unwrap_or_else(PoisonError::into_inner).take();
        match spare {
            Some(spare) => Ok(spare),
            None => self.start_on(engine, image, &name, &tag).await,
        }
    }

    async fn start_on(
        &self,
        engine: &Engine,
        image: &str,
        name: &str,
        tag: &str,
    ) -> Result<RegistryContainer, ContainerError> {
        let failed = |reason: String| ContainerError::Start { image: image.to_owned(), reason };
        let mut request = GenericImage::new(name, tag)
            .with_exposed_port(PORT.tcp())
            // Distribution's own words: scenarios delete, and its traces are not collected.
            .with_env_var("REGISTRY_STORAGE_DELETE_ENABLED", "true")
            .with_env_var("OTEL_TRACES_EXPORTER", "none")
            .with_startup_timeout(limits::CONTAINER_START);
        for (label, value) in abandoned::labels(&engine.run, engine.inside_of.as_deref()) {
            request = request.with_label(label, value);
        }
        let published = engine.published.clone();
        let request = request.with_host_config_modifier(move |host| published.publish(host));
        let mut making = Making { broken_off: &self.broken_off, known: false };
        let container = match timeout(limits::CONTAINER_START, request.start()).await {
            Ok(Ok(started)) => started,
            Ok(Err(error)) => {
                making.known = true;
                return Err(failed(quote(&causes(&error))));
            }
            Err(_) => return Err(failed(format!("it took more than {} seconds", limits::CONTAINER_START.as_secs()))),
        };
        making.known = true;
        RegistryContainer::of(container, image, &engine.docker, &engine.published).await
    }

    /// Ends the run: removes every container of it, also those of cases that were broken off, and starts no more. What is
    /// not gone after `time` is left to the process that watches over the run, and to the next run.
    ///
    /// # Errors
    /// Some stay: the engine refuses, is gone, or takes too long.
    pub async fn remove_all(&self, time: Duration) -> Result<(), ContainerError> {
        // Who waits for an engine or an image waits no longer, either.
        self.ended.send_replace(true);
        let Some(Ok(engine)) = self.engine.get() else { return Ok(()) };
        let by = Instant::now() + time;
        remove_of(&engine.docker, &engine.run, by).await?;
        // One that the engine makes late is for the watcher to find.
        if !self.broken_off.load(Ordering::SeqCst)
            && let Some(watcher) = engine.watcher.lock().unwrap_or_else(PoisonError::into_inner).take()
        {
            watcher.release();
        }
        Ok(())
    }

    async fn image(&self, image: &str) -> Arc<Image> {
        Arc::clone(self.images.lock().await.entry(image.to_owned()).or_default())
    }

    async fn engine(&self) -> Result<&Engine, ContainerError> {
        self.engine.get_or_init(|| Engine::find(self.program.as_deref())).await.as_ref().map_err(Clone::clone)
    }
}

impl Image {
    async fn fetch(&self, engine: &Engine, image: &str) -> Result<(String, String), ContainerError> {
        self.fetched.get_or_init(|| image::fetch(&engine.docker, image)).await.clone()
    }
}

impl Engine {
    async fn find(program: Option<&Path>) -> Result<Engine, ContainerError> {
        let environment = Environment::of_process();
        let found = engine_search::find(&environment).await?;
        if !found.environment.fits(&environment) {
            return Err(ContainerError::OutsideOfEnvironment { named: found.source, host: found.host.to_string() });
        }
        let none = |reason: String| ContainerError::NoEngine(reason);
        let docker = docker_client_instance().await.map_err(|error| none(quote(&causes(&error))))?;
        let published = PublishedPort::of(&found.host, &environment).await;
        let mut published = published.map_err(ContainerError::Misnamed)?;
        let own = own_container::find(&docker).await;
        if published.is_of_this_machine() {
            published.join(own.as_ref().and_then(|own| own.network.clone()));
        }
        let mut name = [0; 16];
        rand::fill(&mut name).map_err(|_| none("the system gives no random numbers to name the run by".to_owned()))?;
        let run = hex::encode(name);
        // What others left behind and cannot be removed is no reason not to run.
        let _ = timeout(limits::ENGINE_ANSWER, remove_abandoned(&docker)).await;
        // Without one, what is left of a killed run is removed by the next.
        let watcher = program.and_then(|program| Watcher::start(program, &run).ok());
        Ok(Engine { docker, run, published, inside_of: own.map(|own| own.id), watcher: SyncMutex::new(watcher) })
    }
}

/// Removes what killed runs left behind.
async fn remove_abandoned(docker: &Docker) -> Result<usize, ContainerError> {
    let ours = ours(docker).await?;
    // Listed later than ours, so that the container in which a run lives that has started one of them is among these.
    let listed = docker.list_containers(Some(ListContainersOptionsBuilder::new().build())).await;
    let running: HashSet<String> =
        listed.map_err(not_removed)?.into_iter().filter_map(|container| container.id).collect();
    let by = Instant::now() + limits::ENGINE_ANSWER;
    removal::remove_each(docker, ours.iter().filter(|container| abandoned::is_abandoned(container, &running)), by).await
}

/// Removes the containers of the run `run`.
async fn remove_of(docker: &Docker, run: &str, by: Instant) -> Result<usize, ContainerError> {
    let silent = || ContainerError::Remove("the engine gives no answer".to_owned());
    let ours = timeout_at(by, ours(docker)).await.map_err(|_| silent())??;
    removal::remove_each(docker, ours.iter().filter(|container| abandoned::run_of(container) == Some(run)), by).await
}

/// The containers of all runs, also those that have ended.
async fn ours(docker: &Docker) -> Result<Vec<ContainerSummary>, ContainerError> {
    let ours = HashMap::from([("label", vec![LABEL])]);
    let options = ListContainersOptionsBuilder::new().all(true).filters(&ours).build();
    docker.list_containers(Some(options)).await.map_err(not_removed)
}

fn not_removed(error: EngineError) -> ContainerError {
    ContainerError::Remove(quote(&causes(&error)))
}
