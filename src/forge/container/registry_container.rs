//! A registry in a container: waiting until it answers at one of its places, and removing it.
//!
//! Where something else may answer at an address, an answer is taken only from a registry without repositories, as one is that
//! has just been started: nothing is written to a registry that is not the scenario's own.

use std::fmt;
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use reqwest::Client;
use testcontainers::bollard::Docker;
use testcontainers::bollard::models::ContainerInspectResponse;
use testcontainers::bollard::query_parameters::{InspectContainerOptions, LogsOptionsBuilder};
use testcontainers::{ContainerAsync, GenericImage};
use tokio::time::{Instant, sleep, timeout};

use super::ContainerError;
use super::engine_search::causes;
use super::published_port::{Place, PublishedPort};
use super::removal;
use crate::failure::quote;
use crate::limits;

/// How long one question to a place may take.
const QUESTION: Duration = Duration::from_secs(2);
/// By how much the first place is preferred to the others.
const HEAD_START: Duration = Duration::from_millis(300);

/// A registry in a container. It is removed by [`RegistryContainer::remove`] or [`super::Containers::remove_all`]; dropping it
/// does nothing, because there may be no runtime left to speak to the engine by.
pub struct RegistryContainer {
    container: ManuallyDrop<ContainerAsync<GenericImage>>,
    docker: Docker,
    address: String,
}

/// What came of a question to a place.
enum Answer {
    Registry,
    /// Something answers, which is not a registry and will not become one.
    Other(String),
    /// Something is there that has not answered as a registry yet.
    Reached(String),
    Unreached(String),
}

/// What was heard of a place.
struct Asked {
    place: Place,
    heard: Mutex<String>,
}

impl RegistryContainer {
    /// Where the registry is reached: a host with its port, over plain HTTP and past all proxies.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Removes the container with all that it holds.
    ///
    /// # Errors
    /// The engine refuses, is gone, or takes too long: [`super::Containers::remove_all`] tries it once more.
    pub async fn remove(self) -> Result<(), ContainerError> {
        removal::remove(&self.docker, self.container.id(), Instant::now() + limits::CONTAINER_GONE).await
    }

    /// Waits until the container answers as a registry.
    pub(super) async fn of(
        container: ContainerAsync<GenericImage>,
        image: &str,
        docker: &Docker,
        published: &PublishedPort,
    ) -> Result<RegistryContainer, ContainerError> {
        let container = ManuallyDrop::new(container);
        let id = container.id();
        let state =
            inspect(docker, id).await.map_err(|reason| ContainerError::Start { image: image.to_owned(), reason })?;
        let places = published.places(&state);
        if places.is_empty() || !runs(&state) {
            let reason = match last_words(docker, id).await {
                Some(said) => said,
                None if runs(&state) => "the engine says no port for it".to_owned(),
                None => "it ended at once".to_owned(),
            };
            return Err(ContainerError::Start { image: image.to_owned(), reason });
        }
        let address = answers(&places, image, docker, id, published).await?;
        Ok(RegistryContainer { container, docker: docker.clone(), address })
    }
}

impl fmt::Debug for RegistryContainer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistryContainer").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Asks all places until one of them answers as a registry.
async fn answers(
    places: &[Place],
    image: &str,
    docker: &Docker,
    id: &str,
    published: &PublishedPort,
) -> Result<String, ContainerError> {
    let image = || image.to_owned();
    // The roots of the system are not needed, and a proxy's loopback is another machine's.
    let client = Client::builder().no_proxy().tls_certs_only([]).redirect(reqwest::redirect::Policy::none()).build();
    let client = client.map_err(|error| ContainerError::NotARegistry { image: image(), reason: error.to_string() })?;
    let asked: Vec<Asked> =
        places.iter().map(|place| Asked { place: place.clone(), heard: Mutex::default() }).collect();
    let reached = AtomicBool::new(false);
    let mut waiting: FuturesUnordered<_> =
        asked.iter().enumerate().map(|(index, asked)| asked.until_it_answers(index, &client, &reached)).collect();
    let began = Instant::now();
    loop {
        let pause = sleep(limits::CONTAINER_PAUSE);
        tokio::select! {
            Some(answer) = waiting.next() => match answer {
                Ok(index) if index > 0 && matches!(ask(&client, &asked[0].place).await, Answer::Registry) => {
                    return Ok(asked[0].place.address.clone());
                }
                Ok(index) => return Ok(asked[index].place.address.clone()),
                Err(reason) => return Err(ContainerError::NotARegistry { image: image(), reason }),
            },
            () = pause => {}
        }
        if let Ok(state) = inspect(docker, id).await
            && !runs(&state)
        {
            let reason = last_words(docker, id).await.unwrap_or_else(|| "it ended at once".to_owned());
            return Err(ContainerError::Start { image: image(), reason });
        }
        let heard = || asked.iter().map(Asked::told).collect::<Vec<_>>().join("; ");
        if !reached.load(Ordering::SeqCst) && began.elapsed() > limits::CONTAINER_REACHED {
            return Err(ContainerError::Unreached { image: image(), tried: heard(), why: published.why_unreached() });
        }
        if began.elapsed() > limits::CONTAINER_READY {
            return Err(ContainerError::NotARegistry { image: image(), reason: heard() });
        }
    }
}

impl Asked {
    /// Asks again and again; ends with `index`, or with an answer that no registry gives.
    async fn until_it_answers(&self, index: usize, client: &Client, reached: &AtomicBool) -> Result<usize, String> {
        if index > 0 {
            sleep(HEAD_START).await;
        }
        loop {
            let reason = match ask(client, &self.place).await {
                Answer::Registry => return Ok(index),
                // Another place may still be the registry's.
                Answer::Other(reason) if !self.place.is_own_address => return Err(reason),
                Answer::Other(reason) => reason,
                Answer::Reached(reason) => {
                    reached.store(true, Ordering::SeqCst);
                    reason
                }
                Answer::Unreached(reason) => reason,
            };
            *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = reason;
            sleep(limits::CONTAINER_PAUSE).await;
        }
    }

    fn told(&self) -> String {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let heard = if heard.is_empty() { "no answer" } else { heard.as_str() };
        format!("{}: {heard}", self.place.address)
    }
}

async fn ask(client: &Client, place: &Place) -> Answer {
    match timeout(QUESTION, get(client, place, "")).await {
        Err(_) => Answer::Unreached(format!("no answer in {} seconds", QUESTION.as_secs())),
        Ok(Ok(answer)) if answer.status().is_success() => match place.is_own_address {
            true => is_new(client, place).await,
            false => Answer::Registry,
        },
        Ok(Ok(answer)) if answer.status().is_client_error() => Answer::Other(format!("status {}", answer.status())),
        Ok(Ok(answer)) => Answer::Reached(format!("status {}", answer.status())),
        Ok(Err(error)) if error.is_connect() => {
            let reason = cause(&error);
            // Whatever refuses a connection at the container's own address has been reached.
            match place.is_own_address && reason.contains("refused") {
                true => Answer::Reached(quote(&reason)),
                false => Answer::Unreached(quote(&reason)),
            }
        }
        Ok(Err(error)) => Answer::Reached(quote(&cause(&error))),
    }
}

/// What is at the bottom of an error: the rest names the address once more.
fn cause(error: &dyn std::error::Error) -> String {
    let mut bottom = error;
    while let Some(below) = bottom.source() {
        bottom = below;
    }
    bottom.to_string()
}

async fn get(client: &Client, place: &Place, path: &str) -> reqwest::Result<reqwest::Response> {
    client.get(format!("http://{}/v2/{path}", place.address)).send().await
}

/// Whether the registry has no repositories; one without a list of them is believed.
async fn is_new(client: &Client, place: &Place) -> Answer {
    let listed = async {
        let mut answer = get(client, place, "_catalog?n=1").await?;
        let mut beginning = Vec::new();
        if answer.status().is_success() {
            while let Some(part) = answer.chunk().await? {
                beginning.extend(part.iter().take(limits::CONTAINER_LAST_WORDS));
                if beginning.len() >= limits::CONTAINER_LAST_WORDS {
                    break;
                }
            }
        }
        Ok::<_, reqwest::Error>(beginning)
    };
    match timeout(QUESTION, listed).await {
        Ok(Ok(list)) if has_repositories(&list) => {
            Answer::Other("a registry that has repositories already, which is another".to_owned())
        }
        Ok(Ok(_)) => Answer::Registry,
        Ok(Err(error)) => Answer::Reached(quote(&causes(&error))),
        Err(_) => Answer::Reached(format!("no answer in {} seconds", QUESTION.as_secs())),
    }
}

/// Whether the beginning of a list of repositories names one: `{"repositories":["a`.
fn has_repositories(list: &[u8]) -> bool {
    let text: String = String::from_utf8_lossy(list).split_whitespace().collect();
    text.split_once("\"repositories\":[").is_some_and(|(_, names)| names.starts_with('"'))
}

async fn inspect(docker: &Docker, id: &str) -> Result<ContainerInspectResponse, String> {
    let inspected = docker.inspect_container(id, None::<InspectContainerOptions>);
    match timeout(limits::ENGINE_QUESTION, inspected).await {
        Ok(state) => state.map_err(|error| quote(&causes(&error))),
        Err(_) => Err(format!("the engine gave no answer in {} seconds", limits::ENGINE_QUESTION.as_secs())),
    }
}

pub(super) fn runs(container: &ContainerInspectResponse) -> bool {
    container.state.as_ref().and_then(|state| state.running).unwrap_or(false)
}

/// The end of what a container said, on one line.
async fn last_words(docker: &Docker, id: &str) -> Option<String> {
    let options = LogsOptionsBuilder::new().stderr(true).stdout(true).tail("20").build();
    let mut logs = docker.logs(id, Some(options));
    let mut said = Vec::new();
    let heard = async {
        while let Some(Ok(part)) = logs.next().await {
            said.extend_from_slice(&part.into_bytes());
            // Only the end is shown.
            let surplus = said.len().saturating_sub(limits::CONTAINER_LAST_WORDS);
            said.drain(..surplus);
        }
    };
    let _ = timeout(limits::ENGINE_ANSWER, heard).await;
    let said = String::from_utf8_lossy(&said);
    Some(said.trim()).filter(|said| !said.is_empty()).map(quote)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forge::registry::{EmbeddedRegistry, Options};

    #[test]
    fn s72_a_registry_with_repositories_is_another() {
        assert!(has_repositories(b"{ \"repositories\": [\n\"a/b\"] }"));
        for list in [&b"{\"repositories\":[]}"[..], b"{\"repositories\":null}", b"", b"{\"errors\":[]}"] {
            assert!(!has_repositories(list));
        }
    }

    /// At a container's own address another machine's registry may answer, but not at a port that was just published.
    #[tokio::test(flavor = "multi_thread")]
    async fn s72_only_a_new_registry_is_taken_at_an_address_that_others_may_have() {
        let registry = EmbeddedRegistry::start(Options::default()).unwrap();
        let client = Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        let place = |is_own_address| Place { address: registry.host(), is_own_address };
        assert!(matches!(ask(&client, &place(true)).await, Answer::Registry));
        registry.put_manifest("a/b", Some("v1"), "application/vnd.oci.image.index.v1+json", b"{}".to_vec()).unwrap();
        assert!(matches!(ask(&client, &place(true)).await, Answer::Other(_)));
        assert!(matches!(ask(&client, &place(false)).await, Answer::Registry));
    }

    #[tokio::test]
    async fn s72_a_refused_connection_shows_that_a_container_is_reached_only_at_its_own_address() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        let client = Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        let ask = async |is_own_address| ask(&client, &Place { address: address.clone(), is_own_address }).await;
        assert!(matches!(ask(true).await, Answer::Reached(_)));
        assert!(matches!(ask(false).await, Answer::Unreached(_)));
    }
}
