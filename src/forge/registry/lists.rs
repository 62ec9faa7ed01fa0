//! Tags and the catalog, page by page (OCI distribution specification, *Listing Tags*; the catalog is Docker's).

use axum::http::StatusCode;
use axum::http::header::LINK;
use axum::http::request::Parts;
use axum::response::Response;
use serde_json::json;

use super::answer::{self, Refusal};
use super::route::parameter;
use super::server::Shared;

/// A page of a sorted list.
struct Page<'a> {
    items: Vec<&'a str>,
    /// The last of them, where more follow.
    last: Option<&'a str>,
    size: usize,
}

impl<'a> Page<'a> {
    /// The page that `n` and `last` of the request ask for, of at most `configured` items.
    fn of(list: impl Iterator<Item = &'a str>, request: &Parts, configured: Option<usize>) -> Page<'a> {
        let asked = parameter(&request.uri, "n").and_then(|n| n.parse().ok()).unwrap_or(usize::MAX);
        let size = asked.min(configured.unwrap_or(usize::MAX));
        let after = parameter(&request.uri, "last");
        let mut list = list.skip_while(|item| after.as_deref().is_some_and(|after| *item <= after));
        let items: Vec<_> = list.by_ref().take(size).collect();
        let last = items.last().copied().filter(|_| list.next().is_some());
        Page { items, last, size }
    }

    fn answer(&self, path: &str, body: &serde_json::Value, request: &Parts) -> Response {
        let body = body.to_string().into();
        let mut response = answer::with_content(&request.method, StatusCode::OK, "application/json", body);
        if let Some(last) = self.last {
            let link = format!("<{path}?n={}&last={last}>; rel=\"next\"", self.size);
            answer::set(&mut response, LINK, &link);
        }
        response
    }
}

pub(super) fn tags(shared: &Shared, name: &str, request: &Parts) -> Result<Response, Refusal> {
    let store = shared.store();
    let held = store.repository(name).ok_or(Refusal::NameUnknown)?;
    let page = Page::of(held.tags().keys().map(String::as_str), request, shared.options.list_page);
    let body = json!({ "name": name, "tags": page.items });
    Ok(page.answer(&format!("/v2/{name}/tags/list"), &body, request))
}

pub(super) fn catalog(shared: &Shared, request: &Parts) -> Result<Response, Refusal> {
    let store = shared.store();
    let page = Page::of(store.names().map(String::as_str), request, shared.options.list_page);
    let body = json!({ "repositories": page.items });
    Ok(page.answer("/v2/_catalog", &body, request))
}
