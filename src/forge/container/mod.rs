//! Registries in containers: one container a registry, and gone afterwards.
//!
//! The engine is found as docker finds it (`DOCKER_HOST`, docker's contexts), else at the usual sockets of docker, rootless
//! engines and podman. One of this machine publishes on the loopback only; one on another host publishes there. Whatever is
//! started bears the label [`LABEL`] and the name of the process that started it: so a process that outlives a killed run
//! removes what that left behind, and so does the next run, which leaves alone what belongs to a living one.
//!
//! Engines that are reached by SSH, TLS without verification and a socket that is forwarded without its ports are refused.
//! Without the Cargo feature `containers` there are none, and a case that wants one is told so.

#[cfg(feature = "containers")]
mod abandoned;
#[cfg(feature = "containers")]
mod docker_context;
#[cfg(feature = "containers")]
mod docker_host;
#[cfg(feature = "containers")]
mod engine;
#[cfg(feature = "containers")]
mod engine_search;
#[cfg(feature = "containers")]
mod environment;
#[cfg(feature = "containers")]
mod image;
#[cfg(not(feature = "containers"))]
mod left_out;
#[cfg(feature = "containers")]
mod own_container;
#[cfg(feature = "containers")]
mod published_port;
#[cfg(feature = "containers")]
mod registry_container;
#[cfg(feature = "containers")]
mod removal;
#[cfg(feature = "containers")]
mod sockets;
#[cfg(feature = "containers")]
mod watcher;

#[cfg(feature = "containers")]
pub use engine::{Containers, engine_environment};
#[cfg(feature = "containers")]
pub use environment::EngineEnvironment;
#[cfg(not(feature = "containers"))]
pub use left_out::{Containers, RegistryContainer};
#[cfg(feature = "containers")]
pub use registry_container::RegistryContainer;
#[cfg(feature = "containers")]
pub use watcher::watch as remove_containers_after;

/// The label of every container that is started here.
pub const LABEL: &str = "org.muster.scenario";

/// Why there is no container.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContainerError {
    /// The Cargo feature `containers` is left out.
    #[error("this muster was built without containers: build it with --features containers")]
    LeftOut,
    /// Nothing answers where an engine is looked for.
    #[error("no container engine answers: {0}")]
    NoEngine(String),
    /// What names an engine cannot be used.
    #[error("no container engine can be used: {0}")]
    Misnamed(String),
    /// An engine answers, but Testcontainers cannot be told of it in this process.
    #[error(
        "{named} is the container engine {host}, which this process cannot be told of: start it with DOCKER_HOST={host} in its \
         environment"
    )]
    OutsideOfEnvironment {
        /// What names the engine.
        named: String,
        /// Where it is.
        host: String,
    },
    /// The image is not here and cannot be fetched.
    #[error("the image {image} is not here and cannot be pulled: {reason}")]
    NoImage {
        /// As it was asked for.
        image: String,
        /// What the engine says.
        reason: String,
    },
    /// The engine refuses, or the container ends at once.
    #[error("a container of {image} cannot be started: {reason}")]
    Start {
        /// The image of the container.
        image: String,
        /// What the engine says.
        reason: String,
    },
    /// The container runs, and none of its addresses is reached.
    #[error("a container of {image} runs, but is not reached from here ({tried}): {why}")]
    Unreached {
        /// The image of the container.
        image: String,
        /// The addresses, and what came of each.
        tried: String,
        /// What is the matter, and what helps.
        why: String,
    },
    /// The container runs, and does not answer as a registry.
    #[error("a container of {image} runs, but GET /v2/ is not answered as a registry does: {reason}")]
    NotARegistry {
        /// The image of the container.
        image: String,
        /// What came instead.
        reason: String,
    },
    /// What was started cannot be removed.
    #[error("a container is left behind: {0}")]
    Remove(String),
}
