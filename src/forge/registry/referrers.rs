//! Referrers (OCI distribution specification, *Listing Referrers*, *Referrers Tag Schema*).

use std::io;

use axum::http::StatusCode;
use axum::http::header::LINK;
use axum::http::request::Parts;
use axum::response::Response;
use serde_json::{Value, json};

use super::answer::{self, FILTERS_APPLIED, Refusal};
use super::flavour::Flavour;
use super::indexed::Indexed;
use super::route::parameter;
use super::server::Shared;
use super::store::{Store, Stored};
use crate::digest::Digest;
use crate::manifest::IMAGE_INDEX;

/// The annotation by which release candidates said that a list is filtered.
const FILTERS_ANNOTATION: &str = "org.opencontainers.referrers.filtersApplied";

/// The referrers of a digest, by artifact type where one is asked for, page by page. Nothing known is an empty list.
pub(super) fn list(shared: &Shared, name: &str, digest: &str, request: &Parts) -> Result<Response, Refusal> {
    let flavour = shared.options.flavour;
    if !flavour.has_referrers() {
        return Ok(no_such_page());
    }
    let subject: Digest = digest.parse().map_err(|_| Refusal::DigestInvalid)?;
    let wanted = parameter(&request.uri, "artifactType");
    let asked = parameter(&request.uri, "n").and_then(|n| n.parse().ok());
    let size = flavour.referrers_page(shared.options.referrers_page, asked);
    let after = parameter(&request.uri, "p").and_then(|last| last.parse::<Digest>().ok());

    let store = shared.store();
    let listed = store.repository(name).into_iter().flat_map(|held| held.referrers(&subject));
    let mut listed = listed.filter(|stored| {
        let indexed = &stored.listed.indexed;
        let kind = flavour.artifact_type(indexed);
        // The last of the page before is where this one goes on, whatever its type.
        Some(*stored.content.digest()) == after
            || (flavour.lists(indexed) && (wanted.is_none() || kind == wanted.as_deref()))
    });
    if after.is_some() {
        listed.by_ref().find(|stored| Some(*stored.content.digest()) == after);
    }
    let page: Vec<_> = listed.by_ref().take(size).collect();
    let last = page.last().map(|stored| *stored.content.digest()).filter(|_| listed.next().is_some());

    let manifests: Vec<_> = page.into_iter().map(|stored| descriptor(flavour, stored)).collect();
    let mut body = json!({ "schemaVersion": 2, "mediaType": IMAGE_INDEX, "manifests": manifests });
    if wanted.is_some() && flavour == Flavour::ReleaseCandidate {
        body["annotations"] = json!({ FILTERS_ANNOTATION: "artifactType" });
    }
    let mut response = answer::with_content(&request.method, StatusCode::OK, IMAGE_INDEX, body.to_string().into());
    if wanted.is_some() && flavour == Flavour::Current {
        answer::set(&mut response, FILTERS_APPLIED, "artifactType");
    }
    if let Some(last) = last {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        if let Some(wanted) = &wanted {
            query.append_pair("artifactType", wanted);
        }
        let query = query.append_pair("n", &size.to_string()).append_pair("p", &last.to_string()).finish();
        answer::set(&mut response, LINK, &format!("</v2/{name}/referrers/{subject}?{query}>; rel=\"next\""));
    }
    Ok(response)
}

/// What a server answers that never heard of the endpoint: no error body.
fn no_such_page() -> Response {
    let body = "404 page not found\n".into();
    answer::with_content(&axum::http::Method::GET, StatusCode::NOT_FOUND, "text/plain; charset=utf-8", body)
}

fn descriptor(flavour: Flavour, Stored { content, listed }: Stored<'_>) -> Value {
    let mut descriptor = json!({ "mediaType": listed.media_type, "digest": content.digest(), "size": listed.size });
    if let Some(kind) = flavour.artifact_type(&listed.indexed) {
        descriptor["artifactType"] = json!(kind);
    }
    if !listed.indexed.annotations.is_empty() {
        descriptor["annotations"] = Value::Object(listed.indexed.annotations.clone());
    }
    descriptor
}

/// Does what clients do where there is no referrers API: writes the index of all referrers of the subject of `digest`
/// under the tag of the referrers tag schema.
pub(super) fn maintain_tag(store: &mut Store, name: &str, digest: &Digest) -> io::Result<()> {
    let Some(held) = store.repository(name) else { return Ok(()) };
    let Some(stored) = held.manifest(digest) else { return Ok(()) };
    let Some(subject) = Indexed::read(&stored.content.bytes()?).and_then(|indexed| indexed.subject) else {
        return Ok(());
    };
    let manifests: Vec<_> =
        held.referrers(&subject).map(|stored| descriptor(Flavour::WithoutReferrers, stored)).collect();
    let index = json!({ "schemaVersion": 2, "mediaType": IMAGE_INDEX, "manifests": manifests }).to_string();
    let replaced = held.tags().get(&subject.referrers_tag()).copied();
    let digest = Digest::sha256(index.as_bytes());
    store.put_manifest(name, Some(&subject.referrers_tag()), digest, IMAGE_INDEX, index.into())?;
    match replaced.filter(|replaced| *replaced != digest) {
        Some(replaced) => store.delete_manifest(name, &replaced).map(|_| ()),
        None => Ok(()),
    }
}
