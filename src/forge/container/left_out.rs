//! What stands in for containers where the Cargo feature `containers` is left out: every wish for one is refused.

use std::path::Path;
use std::time::Duration;

use super::ContainerError;

/// The containers of one run: none.
#[derive(Debug, Default)]
pub struct Containers {
    _none: (),
}

/// A registry in a container. It cannot be made without the feature `containers`.
#[derive(Debug)]
pub enum RegistryContainer {}

impl Containers {
    /// No containers, and so nothing to watch over.
    pub fn watched_by(_: Option<&Path>) -> Containers {
        Containers::default()
    }

    /// # Errors
    /// Always.
    pub async fn ready(&self) -> Result<(), ContainerError> {
        Err(ContainerError::LeftOut)
    }

    /// # Errors
    /// Always.
    pub async fn ready_for(&self, _: &str) -> Result<(), ContainerError> {
        Err(ContainerError::LeftOut)
    }

    /// # Errors
    /// Always.
    pub async fn start(&self, _: &str) -> Result<RegistryContainer, ContainerError> {
        Err(ContainerError::LeftOut)
    }

    /// Removes nothing, as nothing was started.
    ///
    /// # Errors
    /// Never.
    pub async fn remove_all(&self, _: Duration) -> Result<(), ContainerError> {
        Ok(())
    }
}

impl RegistryContainer {
    /// The address at which it answers.
    pub fn address(&self) -> &str {
        match *self {}
    }

    /// # Errors
    /// Never.
    pub async fn remove(self) -> Result<(), ContainerError> {
        match self {}
    }
}
