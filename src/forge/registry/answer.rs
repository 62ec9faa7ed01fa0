//! Answers: the error bodies of the OCI distribution specification (*Error Codes*), and those that carry content.

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::response::Response;
use bytes::Bytes;

use crate::digest::Digest;
use crate::shortage;

pub(super) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
pub(super) const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
pub(super) const FILTERS_APPLIED: HeaderName = HeaderName::from_static("oci-filters-applied");

/// A refusal, by the specification's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    BlobUnknown,
    UploadUnknown,
    UploadInvalid,
    /// A chunk that does not follow the one before.
    ChunkOutOfOrder,
    /// A range of a blob that there is not.
    RangeInvalid,
    DigestInvalid,
    ManifestInvalid,
    ManifestUnknown,
    NameInvalid,
    NameUnknown,
    TooLarge,
    Unsupported,
    /// The disk did not do as told.
    Storage,
}

impl Refusal {
    fn parts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Refusal::BlobUnknown => (StatusCode::NOT_FOUND, "BLOB_UNKNOWN", "there is no such blob"),
            Refusal::UploadUnknown => (StatusCode::NOT_FOUND, "BLOB_UPLOAD_UNKNOWN", "there is no such upload"),
            Refusal::UploadInvalid => (StatusCode::BAD_REQUEST, "BLOB_UPLOAD_INVALID", "the upload broke off"),
            Refusal::ChunkOutOfOrder => {
                (StatusCode::RANGE_NOT_SATISFIABLE, "BLOB_UPLOAD_INVALID", "the chunk does not follow the one before")
            }
            Refusal::RangeInvalid => (StatusCode::RANGE_NOT_SATISFIABLE, "SIZE_INVALID", "the blob has no such range"),
            Refusal::DigestInvalid => (StatusCode::BAD_REQUEST, "DIGEST_INVALID", "not the digest of the content"),
            Refusal::ManifestInvalid => (StatusCode::BAD_REQUEST, "MANIFEST_INVALID", "the manifest cannot be taken"),
            Refusal::ManifestUnknown => (StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN", "there is no such manifest"),
            Refusal::NameInvalid => (StatusCode::BAD_REQUEST, "NAME_INVALID", "not a repository name"),
            Refusal::NameUnknown => (StatusCode::NOT_FOUND, "NAME_UNKNOWN", "there is no such repository"),
            Refusal::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "SIZE_INVALID", "larger than is taken"),
            Refusal::Unsupported => (StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", "not supported here"),
            Refusal::Storage => (StatusCode::INTERNAL_SERVER_ERROR, "UNKNOWN", "the storage failed"),
        }
    }

    /// The answer that refuses so.
    pub(super) fn answer(self) -> Response {
        let (status, code, message) = self.parts();
        error(status, code, message)
    }
}

impl From<std::io::Error> for Refusal {
    fn from(error: std::io::Error) -> Refusal {
        shortage::note(&error);
        Refusal::Storage
    }
}

/// An answer with an error body.
pub(super) fn error(status: StatusCode, code: &str, message: &str) -> Response {
    let body = serde_json::json!({ "errors": [{ "code": code, "message": message }] });
    with_content(&Method::GET, status, "application/json", body.to_string().into())
}

/// An answer without content.
pub(super) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// An answer with content; to a HEAD request, with its length alone.
pub(super) fn with_content(method: &Method, status: StatusCode, content_type: &str, bytes: Bytes) -> Response {
    let length = bytes.len();
    let mut response = Response::new(if method == Method::HEAD { Body::empty() } else { Body::from(bytes) });
    *response.status_mut() = status;
    set(&mut response, CONTENT_TYPE, content_type);
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    response
}

/// Sets a header, unless its value has characters that no header can have.
pub(super) fn set(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// Sets the header that states the content's digest.
pub(super) fn set_digest(response: &mut Response, digest: &Digest) {
    set(response, CONTENT_DIGEST, &digest.to_string());
}
