//! Images: whether one is here, pulling it, and how Testcontainers is told which.
//!
//! The engine pulls, with the credentials that docker's files have for the registry. What it refuses is passed on with what
//! helps, where that is known.

use testcontainers::GenericImage;
use testcontainers::bollard::Docker;
use testcontainers::bollard::errors::Error as EngineError;
use testcontainers::runners::AsyncRunner as _;
use tokio::time::timeout;

use super::ContainerError;
use super::engine_search::causes;
use crate::failure::quote;
use crate::limits;

/// What engines and registries say when an image is not pulled, in lower case, and what helps.
const REMEDIES: [(&[&str], &str); 4] = [
    (
        &["toomanyrequests", "rate limit", "429"],
        "the registry's rate limit is reached: log in by docker login, or name an image of another registry",
    ),
    (
        &[
            "unauthorized",
            "authentication required",
            "access denied",
            "access to the resource is denied",
            "forbidden",
            "denied:",
        ],
        "if there is such an image, log in to its registry by docker login",
    ),
    (&["short-name", "unqualified-search"], "podman wants the registry in the name, as docker.io/library/registry:2"),
    (
        &[
            "no such host",
            "i/o timeout",
            "network is unreachable",
            "connection refused",
            "no route to host",
            "server misbehaving",
            "temporary failure in name resolution",
            "deadline exceeded",
            "client.timeout",
            "proxyconnect",
            "connection reset",
        ],
        "the engine does not reach the registry: load the image by docker load, or name one that is here (docker image ls)",
    ),
];

/// Looks for `image`, and pulls it if it is not here. What comes back is what Testcontainers is to start.
///
/// # Errors
/// It is not here and cannot be pulled.
pub(super) async fn fetch(docker: &Docker, image: &str) -> Result<(String, String), ContainerError> {
    let missing = |reason: String| ContainerError::NoImage { image: quote(image), reason };
    match timeout(limits::ENGINE_QUESTION, docker.inspect_image(image)).await {
        Ok(Ok(found)) => return Ok(by_name_or_id(image, found.id.as_deref())),
        Ok(Err(EngineError::DockerResponseServerError { status_code: 404, .. })) => {}
        Ok(Err(error)) => return Err(missing(quote(&causes(&error)))),
        Err(_) => {
            return Err(missing(format!("the engine gave no answer in {} seconds", limits::ENGINE_QUESTION.as_secs())));
        }
    }
    let (name, tag) = divided(image);
    match timeout(limits::IMAGE_PULL, GenericImage::new(&*name, &*tag).pull_image()).await {
        Ok(Ok(_)) => Ok((name, tag)),
        Ok(Err(error)) => {
            let said = causes(&error);
            let remedy = remedy(&said).map(|remedy| format!("; {remedy}")).unwrap_or_default();
            Err(missing(format!("{}{remedy}", quote(&said))))
        }
        Err(_) => Err(missing(format!("it took more than {} seconds", limits::IMAGE_PULL.as_secs()))),
    }
}

fn remedy(said: &str) -> Option<&'static str> {
    let said = said.to_lowercase();
    REMEDIES.iter().find(|(words, _)| words.iter().any(|word| said.contains(word))).map(|(_, remedy)| *remedy)
}

/// Name and tag, or the parts of the id where the image was named by the beginning of that.
fn by_name_or_id(image: &str, id: Option<&str>) -> (String, String) {
    let hash = id.map(|id| id.strip_prefix("sha256:").unwrap_or(id));
    match hash {
        Some(hash) if image.len() >= 4 && hash.starts_with(image) => ("sha256".to_owned(), hash.to_owned()),
        _ => divided(image),
    }
}

/// The image by name and tag; without a tag it is `latest`, as for docker's own tools.
fn divided(image: &str) -> (String, String) {
    // A colon before the last slash belongs to a host; the one of a digest divides as that of a tag does.
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name.to_owned(), tag.to_owned()),
        _ => (image.to_owned(), "latest".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divides_an_image_as_docker_does() {
        let rows = [
            ("registry", ("registry", "latest")),
            ("a/b:1", ("a/b", "1")),
            ("localhost:5000/a", ("localhost:5000/a", "latest")),
            ("localhost:5000/a:1", ("localhost:5000/a", "1")),
            ("a@sha256:00", ("a@sha256", "00")),
            ("a:1@sha256:00", ("a:1@sha256", "00")),
            ("sha256:1871a4d5", ("sha256", "1871a4d5")),
        ];
        for (image, (name, tag)) in rows {
            assert_eq!(divided(image), (name.to_owned(), tag.to_owned()), "{image}");
        }
    }

    #[test]
    fn an_image_by_the_beginning_of_its_id_has_no_tag() {
        let id = Some("sha256:1871a4d5630bfdb9");
        assert_eq!(by_name_or_id("1871a4d5", id), ("sha256".to_owned(), "1871a4d5630bfdb9".to_owned()));
        assert_eq!(by_name_or_id("registry", id), ("registry".to_owned(), "latest".to_owned()));
    }

    #[test]
    fn a_pull_that_fails_says_what_helps() {
        for (said, helps) in [
            ("toomanyrequests: You have reached your pull rate limit", "rate limit"),
            ("dial tcp: lookup registry-1.docker.io: no such host", "docker load"),
            ("dial tcp 127.0.0.1:1: connect: connection refused", "docker load"),
            ("pull access denied for a/b, repository does not exist or may require 'docker login'", "docker login"),
            ("short-name \"registry\" did not resolve to an alias", "podman"),
        ] {
            assert!(remedy(said).is_some_and(|remedy| remedy.contains(helps)), "{said}");
        }
        assert_eq!(remedy("manifest unknown"), None);
    }
}
