//! Removing containers, each with its volumes, all at once and in bounded time; what stays is named.

use futures_util::future::join_all;
use testcontainers::bollard::Docker;
use testcontainers::bollard::errors::Error as EngineError;
use testcontainers::bollard::models::ContainerSummary;
use testcontainers::bollard::query_parameters::RemoveContainerOptionsBuilder;
use tokio::time::{Instant, timeout_at};

use super::ContainerError;
use super::engine_search::causes;
use crate::failure::quote;

/// How many characters of an id people see.
const SHOWN: usize = 12;

/// Removes the container `id`.
///
/// # Errors
/// It stays, or is there at least when the time is over.
pub(super) async fn remove(docker: &Docker, id: &str, by: Instant) -> Result<(), ContainerError> {
    let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
    let shown = quote(&id.chars().take(SHOWN).collect::<String>());
    match timeout_at(by, docker.remove_container(id, Some(options))).await {
        // 404 and 409: another process removed it, or is about to.
        Ok(Ok(()) | Err(EngineError::DockerResponseServerError { status_code: 404 | 409, .. })) => Ok(()),
        Ok(Err(error)) => Err(ContainerError::Remove(format!("{shown}: {}", quote(&causes(&error))))),
        Err(_) => Err(ContainerError::Remove(format!("{shown}: it is slow to go"))),
    }
}

/// Removes containers, and says how many there were.
///
/// # Errors
/// Some stay; the others are removed all the same.
pub(super) async fn remove_each<'a>(
    docker: &Docker,
    those: impl Iterator<Item = &'a ContainerSummary>,
    by: Instant,
) -> Result<usize, ContainerError> {
    let removals = those.filter_map(|container| container.id.as_deref()).map(|id| remove(docker, id, by));
    let removed = join_all(removals).await;
    let count = removed.len();
    let stay: Vec<String> = removed
        .into_iter()
        .filter_map(|removed| match removed {
            Err(ContainerError::Remove(why)) => Some(why),
            _ => None,
        })
        .collect();
    match stay.is_empty() {
        true => Ok(count),
        false => Err(ContainerError::Remove(stay.join("; "))),
    }
}
