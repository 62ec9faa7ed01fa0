//! Writing to a registry over HTTP (OCI distribution specification, *Push*, *Content Management*, *Referrers Tag
//! Schema*), as a client of any registry would.
//!
//! Audits never write; this is the scenarios' own, and speaks to the registries of a scenario only.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use reqwest::header::{CONTENT_TYPE, LOCATION};
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};
use url::Url;

use crate::digest::Digest;
use crate::failure::quote;
use crate::forge::{Artifact, Blob};

/// The header by which a registry says that it lists a referrer itself.
const SUBJECT: &str = "OCI-Subject";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A registry that is written to.
#[derive(Debug)]
pub(super) struct Writer {
    client: Client,
    base: Url,
    /// Blobs that are there already, by repository.
    there: Mutex<HashSet<(String, Digest)>>,
    /// Held while a list of referrers is changed that clients keep themselves.
    tag_schema: tokio::sync::Mutex<()>,
}

impl Writer {
    /// The registry at `address`, a host with its port; loopback hosts speak plain HTTP.
    pub(super) fn new(address: &str) -> Result<Writer, String> {
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        let loopback = host == "localhost" || host.starts_with("127.") || host == "[::1]";
        let scheme = if loopback { "http" } else { "https" };
        let base = Url::parse(&format!("{scheme}://{address}/")).map_err(|error| format!("{address}: {error}"))?;
        let mut client = Client::builder().redirect(reqwest::redirect::Policy::none());
        if loopback {
            // The roots of the system are not needed, and a proxy's loopback is another machine's.
            client = client.no_proxy().tls_certs_only([]);
        }
        let client = client.build().map_err(|error| error.to_string())?;
        Ok(Writer { client, base, there: Mutex::default(), tag_schema: tokio::sync::Mutex::new(()) })
    }

    /// Pushes blobs, then the manifest, under `tag` where there is one.
    pub(super) async fn push(&self, repository: &str, tag: Option<&str>, artifact: &Artifact) -> Result<(), String> {
        for blob in &artifact.blobs {
            self.push_blob(repository, blob).await?;
        }
        let digest = artifact.descriptor().digest.to_string();
        let answer = self.put_manifest(repository, tag.unwrap_or(&digest), &artifact.manifest).await?;
        if answer.headers().get(SUBJECT).is_none() {
            self.list_by_tag(repository, artifact).await?;
        }
        Ok(())
    }

    /// Deletes a manifest, and takes it from the list that clients keep.
    pub(super) async fn delete(&self, repository: &str, artifact: &Artifact) -> Result<(), String> {
        let digest = artifact.descriptor().digest;
        let url = self.url(&format!("v2/{repository}/manifests/{digest}"))?;
        self.done(Method::DELETE, url, &[StatusCode::ACCEPTED, StatusCode::OK]).await?;
        let Some(subject) = subject_of(artifact) else { return Ok(()) };
        let _held = self.tag_schema.lock().await;
        let tag = subject.referrers_tag();
        let Some(mut index) = self.get_index(repository, &tag).await? else { return Ok(()) };
        if let Some(entries) = index.get_mut("manifests").and_then(Value::as_array_mut) {
            entries.retain(|entry| entry["digest"] != json!(digest));
        }
        self.put_manifest(repository, &tag, &Blob::new(INDEX, index.to_string())).await?;
        Ok(())
    }

    /// Deletes a blob.
    pub(super) async fn delete_blob(&self, repository: &str, digest: &Digest) -> Result<(), String> {
        let url = self.url(&format!("v2/{repository}/blobs/{digest}"))?;
        self.done(Method::DELETE, url, &[StatusCode::ACCEPTED, StatusCode::OK]).await?;
        self.there.lock().unwrap_or_else(PoisonError::into_inner).remove(&(repository.to_owned(), *digest));
        Ok(())
    }

    async fn push_blob(&self, repository: &str, blob: &Blob) -> Result<(), String> {
        let digest = Digest::sha256(&blob.bytes);
        let key = (repository.to_owned(), digest);
        if self.there.lock().unwrap_or_else(PoisonError::into_inner).contains(&key) {
            return Ok(());
        }
        let begin = self.url(&format!("v2/{repository}/blobs/uploads/"))?;
        let answer = self.done(Method::POST, begin.clone(), &[StatusCode::ACCEPTED]).await?;
        let location = answer.headers().get(LOCATION).and_then(|location| location.to_str().ok()).unwrap_or_default();
        let mut upload = begin.join(location).map_err(|error| format!("{}: {error}", quote(location)))?;
        upload.query_pairs_mut().append_pair("digest", &digest.to_string());
        let request =
            self.client.put(upload.clone()).header(CONTENT_TYPE, "application/octet-stream").body(blob.bytes.clone());
        answered(request.send().await, &Method::PUT, &upload, &[StatusCode::CREATED]).await?;
        self.there.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
        Ok(())
    }

    async fn put_manifest(&self, repository: &str, reference: &str, manifest: &Blob) -> Result<Response, String> {
        let url = self.url(&format!("v2/{repository}/manifests/{reference}"))?;
        let request = self
            .client
            .put(url.clone())
            .header(CONTENT_TYPE, &manifest.descriptor.media_type)
            .body(manifest.bytes.clone());
        answered(request.send().await, &Method::PUT, &url, &[StatusCode::CREATED]).await
    }

    /// Keeps the list of referrers under its tag, where the registry does not say that it does.
    async fn list_by_tag(&self, repository: &str, artifact: &Artifact) -> Result<(), String> {
        let Some(subject) = subject_of(artifact) else { return Ok(()) };
        let _held = self.tag_schema.lock().await;
        let tag = subject.referrers_tag();
        let empty = || json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [] });
        let mut index = self.get_index(repository, &tag).await?.unwrap_or_else(empty);
        let descriptor = artifact.descriptor();
        let mut entry =
            json!({ "mediaType": descriptor.media_type, "digest": descriptor.digest, "size": descriptor.size });
        if let Some(artifact_type) = &descriptor.artifact_type {
            entry["artifactType"] = json!(artifact_type);
        }
        if let Some(entries) = index.get_mut("manifests").and_then(Value::as_array_mut) {
            entries.retain(|old| old["digest"] != entry["digest"]);
            entries.push(entry);
        }
        self.put_manifest(repository, &tag, &Blob::new(INDEX, index.to_string())).await?;
        Ok(())
    }

    async fn get_index(&self, repository: &str, tag: &str) -> Result<Option<Value>, String> {
        let url = self.url(&format!("v2/{repository}/manifests/{tag}"))?;
        let request = self.client.get(url.clone()).header(reqwest::header::ACCEPT, INDEX);
        let expected = [StatusCode::OK, StatusCode::NOT_FOUND];
        let answer = answered(request.send().await, &Method::GET, &url, &expected).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let bytes = answer.bytes().await.map_err(|error| error.to_string())?;
        serde_json::from_slice(&bytes).map(Some).map_err(|error| format!("{url} is no index: {error}"))
    }

    async fn done(&self, method: Method, url: Url, expected: &[StatusCode]) -> Result<Response, String> {
        let answer = self.client.request(method.clone(), url.clone()).send().await;
        answered(answer, &method, &url, expected).await
    }

    fn url(&self, path: &str) -> Result<Url, String> {
        self.base.join(path).map_err(|error| format!("{}: {error}", quote(path)))
    }
}

/// The answer, if its status is one of `expected`.
async fn answered(
    answer: reqwest::Result<Response>,
    method: &Method,
    url: &Url,
    expected: &[StatusCode],
) -> Result<Response, String> {
    let answer = answer.map_err(|error| format!("{method} {url}: {}", quote(&error.to_string())))?;
    if expected.contains(&answer.status()) {
        return Ok(answer);
    }
    Err(format!("{method} {url} was answered with {}", answer.status()))
}

/// The subject that a manifest of the forge names.
fn subject_of(artifact: &Artifact) -> Option<Digest> {
    let manifest: Value = serde_json::from_slice(&artifact.manifest.bytes).ok()?;
    manifest.pointer("/subject/digest")?.as_str()?.parse().ok()
}
