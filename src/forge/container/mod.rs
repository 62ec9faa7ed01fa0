//! Registries in containers: one container a registry, published on the loopback only, and gone afterwards.
//!
//! The engine is found as Testcontainers finds it: `DOCKER_HOST`, then the usual sockets. It must be of this machine,
//! because an engine elsewhere publishes its ports there. Whatever is started bears the label [`LABEL`], whose value is
//! a file that the run that started it keeps locked: so the next run can tell what a killed one left behind, and leaves
//! alone what belongs to a living one.
//!
//! Without the Cargo feature `containers` there are none, and a case that wants one is told so.

#[cfg(feature = "containers")]
mod engine;
#[cfg(not(feature = "containers"))]
mod left_out;

#[cfg(feature = "containers")]
pub use engine::{Containers, RegistryContainer};
#[cfg(not(feature = "containers"))]
pub use left_out::{Containers, RegistryContainer};

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
    #[error("no container engine answers: {0}; start one (Debian: apt-get install docker.io), or set DOCKER_HOST")]
    NoEngine(String),
    /// The engine is of another machine.
    #[error("DOCKER_HOST names {0}, whose containers are not reached by the loopback: use an engine of this machine")]
    Elsewhere(String),
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
