//! What a request's path asks for (OCI distribution specification, *Endpoints*).
//!
//! A repository's name has any number of parts, so that a path is read from its end.

use axum::http::Uri;

use crate::reference::is_path;

/// The endpoints, as far as faults tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RouteKind {
    /// `/v2/`.
    Base,
    /// The catalog of repositories.
    Catalog,
    /// A repository's tags.
    Tags,
    /// A manifest.
    Manifest,
    /// A blob.
    Blob,
    /// An upload.
    Upload,
    /// Referrers.
    Referrers,
}

/// What is asked for. Names, tags and digests are as they stand in the path; only the repository's name is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route<'a> {
    Base,
    Catalog,
    Tags {
        name: &'a str,
    },
    Manifest {
        name: &'a str,
        reference: &'a str,
    },
    Blob {
        name: &'a str,
        digest: &'a str,
    },
    /// `id` is `None` where an upload begins.
    Upload {
        name: &'a str,
        id: Option<&'a str>,
    },
    Referrers {
        name: &'a str,
        digest: &'a str,
    },
}

/// Why a path has no route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoRoute {
    /// There is no such endpoint.
    Unknown,
    /// The repository's name breaks the grammar.
    Name,
}

impl<'a> Route<'a> {
    pub(super) fn of(path: &'a str) -> Result<Route<'a>, NoRoute> {
        let rest = match path {
            "/v2" | "/v2/" => return Ok(Route::Base),
            "/v2/_catalog" => return Ok(Route::Catalog),
            _ => path.strip_prefix("/v2/").ok_or(NoRoute::Unknown)?,
        };
        let route = Route::in_repository(rest).ok_or(NoRoute::Unknown)?;
        match route.name() {
            Some(name) if !is_path(name) => Err(NoRoute::Name),
            _ => Ok(route),
        }
    }

    fn in_repository(rest: &'a str) -> Option<Route<'a>> {
        if let Some(name) = rest.strip_suffix("/tags/list") {
            return Some(Route::Tags { name });
        }
        if let Some(name) = rest.strip_suffix("/blobs/uploads").or_else(|| rest.strip_suffix("/blobs/uploads/")) {
            return Some(Route::Upload { name, id: None });
        }
        let (front, last) = rest.rsplit_once('/')?;
        if let Some(name) = front.strip_suffix("/blobs/uploads") {
            return Some(Route::Upload { name, id: Some(last) });
        }
        let (name, kind) = front.rsplit_once('/')?;
        match kind {
            "manifests" => Some(Route::Manifest { name, reference: last }),
            "blobs" => Some(Route::Blob { name, digest: last }),
            "referrers" => Some(Route::Referrers { name, digest: last }),
            _ => None,
        }
    }

    fn name(self) -> Option<&'a str> {
        match self {
            Route::Base | Route::Catalog => None,
            Route::Tags { name }
            | Route::Manifest { name, .. }
            | Route::Blob { name, .. }
            | Route::Upload { name, .. }
            | Route::Referrers { name, .. } => Some(name),
        }
    }

    pub(super) fn kind(self) -> RouteKind {
        match self {
            Route::Base => RouteKind::Base,
            Route::Catalog => RouteKind::Catalog,
            Route::Tags { .. } => RouteKind::Tags,
            Route::Manifest { .. } => RouteKind::Manifest,
            Route::Blob { .. } => RouteKind::Blob,
            Route::Upload { .. } => RouteKind::Upload,
            Route::Referrers { .. } => RouteKind::Referrers,
        }
    }
}

/// The first parameter of this name in a request's query.
pub(super) fn parameter(uri: &Uri, name: &str) -> Option<String> {
    let query = uri.query()?;
    url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_paths_from_their_end() {
        for (path, route) in [
            ("/v2/", Route::Base),
            ("/v2/_catalog", Route::Catalog),
            ("/v2/a/tags/list", Route::Tags { name: "a" }),
            ("/v2/a/b/c/manifests/v1", Route::Manifest { name: "a/b/c", reference: "v1" }),
            ("/v2/a/manifests/manifests/v1", Route::Manifest { name: "a/manifests", reference: "v1" }),
            ("/v2/a/blobs/sha256:0", Route::Blob { name: "a", digest: "sha256:0" }),
            ("/v2/a/b/blobs/uploads/", Route::Upload { name: "a/b", id: None }),
            ("/v2/a/b/blobs/uploads/7", Route::Upload { name: "a/b", id: Some("7") }),
            ("/v2/a/referrers/sha256:0", Route::Referrers { name: "a", digest: "sha256:0" }),
        ] {
            assert_eq!(Route::of(path), Ok(route), "{path}");
        }
        assert_eq!(Route::of("/v2/A/tags/list"), Err(NoRoute::Name));
        assert_eq!(Route::of("/v2/../manifests/v1"), Err(NoRoute::Name));
        for path in ["/", "/v1/", "/v2/a", "/v2/manifests/v1", "/v2/a/b/c"] {
            assert_eq!(Route::of(path), Err(NoRoute::Unknown), "{path}");
        }
    }
}
