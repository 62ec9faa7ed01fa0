//! Pushing blobs (OCI distribution specification, *Pushing blobs*, *POST then PUT*).
//!
//! What is pushed is small: each blob goes in one piece. An upload that the registry no longer knows, or that broke, is begun
//! again; where an answer got lost, or is not the one that says that the blob was taken, the blob is read back. It refuses to
//! send credentials with an upload that the registry sends elsewhere, as it does everywhere, and to give up TLS for one: an
//! address of the registry itself that a proxy made `http` is asked over TLS.

use reqwest::header::LOCATION;
use reqwest::{Method, StatusCode};
use url::Url;

use crate::digest::Digest;
use crate::limits;
use crate::reference::Repository;
use crate::source::attachment::Content;
use crate::trouble::{Trouble, TroubleKind};

use super::Registry;
use super::answer::Answer;
use super::challenge::Scope;
use super::content;
use super::http::{Action, Ask, Http, Reply};
use super::redirect;
use super::retry::Fault;

/// Pushes a blob. What was there before is pushed again, which changes nothing, and is not noted: it stays.
pub(super) async fn blob(registry: &Registry, repository: &Repository, content: &Content) -> Result<(), Fault> {
    let http = &registry.http;
    let digest = content.descriptor.digest;
    if let Some(journal) = &registry.journal
        && !journal.has_blob(repository, digest)
        && is_absent(http, repository, &digest).await
    {
        journal.note_blob(repository, digest)?;
    }
    let mut begun = 0;
    loop {
        begun += 1;
        let url = begin(http, repository, &digest).await?;
        let put = Action::Put("application/octet-stream".to_owned(), content.bytes.clone());
        let fault = match http.change(&ask(put, url, repository)).await {
            Ok(_) => return Ok(()),
            Err(fault) => fault,
        };
        if !may_be_taken(&fault) && !is_of_session(&fault) {
            return Err(fault);
        }
        let there = content::blob(http, repository, &content.descriptor, content.bytes.len() as u64).await;
        if matches!(there, Ok(Some(_))) {
            return Ok(());
        }
        if begun == limits::UPLOADS || !is_of_session(&fault) {
            return Err(fault);
        }
    }
}

/// Whether what was sent may have been taken all the same: the answer is one that says neither that nor no, or none came.
fn may_be_taken(fault: &Fault) -> bool {
    match &fault.said {
        Some(said) => !fault.refused && (said.status.is_success() || said.status.is_server_error()),
        None => fault.is_passing() || fault.trouble.kind == TroubleKind::TimedOut,
    }
}

/// Whether another upload may go better than the one that was begun.
fn is_of_session(fault: &Fault) -> bool {
    let statuses = [400, 404, 409, 410, 416];
    let said = fault.said.as_ref().filter(|_| !fault.refused);
    said.is_some_and(|said| {
        let status = said.status;
        statuses.contains(&status.as_u16())
            || status.is_success()
            || (status.is_server_error() && status != StatusCode::INSUFFICIENT_STORAGE)
    })
}

/// Begins an upload: where the blob is to be put.
async fn begin(http: &Http, repository: &Repository, digest: &Digest) -> Result<Url, Fault> {
    let url = http.url(&format!("v2/{}/blobs/uploads/", repository.path()));
    let begun = http.change(&ask(Action::Post, url, repository)).await?;
    let mut url = address(&begun)?;
    url.query_pairs_mut().append_pair("digest", &digest.to_string());
    Ok(url)
}

/// The address of an upload. A registry that does not know of the TLS before it names itself with `http`.
fn address(begun: &Answer) -> Result<Url, Trouble> {
    let stated = begun.headers.get(LOCATION).and_then(|stated| begun.url.join(stated.to_str().ok()?).ok());
    if let Some(mut own) = stated.filter(|stated| {
        begun.url.scheme() == "https"
            && stated.scheme() == "http"
            && stated.host() == begun.url.host()
            && stated.username().is_empty()
            && stated.password().is_none()
    }) && own.set_scheme("https").is_ok()
        && own.set_port(begun.url.port()).is_ok()
    {
        return Ok(own);
    }
    redirect::target(&Method::POST, &begun.url, &begun.headers)
}

fn ask(action: Action, url: Url, repository: &Repository) -> Ask {
    Ask::short(action, url, Scope::Push(repository.path().to_owned()))
}

/// Whether a blob is not there. Some registries keep the blobs of all repositories in one store, and show and delete them
/// under the name of any. Where it cannot be known, it may be there.
async fn is_absent(http: &Http, repository: &Repository, digest: &Digest) -> bool {
    let url = http.url(&format!("v2/{}/blobs/{digest}", repository.path()));
    matches!(http.get(&ask(Action::Head, url, repository), Ok).await, Ok(Reply::Absent(_)))
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderMap;

    use super::*;

    fn begun(at: &str, location: &str) -> Result<String, Trouble> {
        let answer = Answer {
            method: Method::POST,
            url: Url::parse(at).unwrap(),
            status: StatusCode::ACCEPTED,
            headers: HeaderMap::from_iter([(LOCATION, location.parse().unwrap())]),
            body: bytes::Bytes::new(),
        };
        address(&answer).map(String::from)
    }

    #[test]
    fn s66_an_upload_is_where_its_address_says_and_never_without_tls() {
        let (plain, secure) = ("http://a.io:5000/v2/app/blobs/uploads/", "https://a.io/v2/app/blobs/uploads/");
        for (at, location, expected) in [
            (plain, "/v2/app/blobs/uploads/1?s=a%2Bb", "http://a.io:5000/v2/app/blobs/uploads/1?s=a%2Bb"),
            (plain, "1?s=2", "http://a.io:5000/v2/app/blobs/uploads/1?s=2"),
            (plain, "?id=1", "http://a.io:5000/v2/app/blobs/uploads/?id=1"),
            (plain, "http://a.io:5000/u/1", "http://a.io:5000/u/1"),
            (plain, "https://store.io/u/1", "https://store.io/u/1"),
            (secure, "http://a.io/u/1", "https://a.io/u/1"),
            (secure, "http://a.io:5000/u/1", "https://a.io/u/1"),
            ("https://a.io:8443/v2/app/blobs/uploads/", "http://a.io/u/1", "https://a.io:8443/u/1"),
        ] {
            assert_eq!(begun(at, location), Ok(expected.to_owned()), "{at} {location}");
        }
        for location in ["http://store.io/u/1", "http://user:secret@a.io/u", "ftp://a.io/u", ""] {
            assert!(begun(secure, location).is_err(), "{location}");
        }
    }
}
